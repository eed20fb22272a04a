"""Questions that the build makes of known mistakes."""

import json
import re
from dataclasses import replace
from fnmatch import fnmatch

import numpy as np
import pytest
from traitlets.config import Config

from autograder.authoring.puzzle_drawing import with_puzzles
from autograder.core.grade import grade_answer
from autograder.core.verdict import FAILED, PASSED
from autograder.course import registry
from autograder.course.locations import CODE
from autograder.course.puzzles import FILE, shown_mistake
from autograder.course.records import Puzzle
from autograder.nbgrader.configuration import configure

LESSON = registry.lesson("11_grad_cam")
PUZZLES = [question for lesson in registry.lessons() for question in lesson.questions if question.puzzle]


def with_mistakes(*names):
    """Lesson 11 with one puzzle, about these mistakes of `grad_cam_map`."""
    first = next(question for question in LESSON.questions if question.puzzle)
    return replace(LESSON, questions=(replace(first, puzzle=Puzzle("grad_cam_map", names)),))


def test_the_same_records_give_the_same_questions_and_files():
    assert with_puzzles(LESSON)[1] == with_puzzles(LESSON)[1]
    assert with_puzzles(LESSON)[0].questions == LESSON.questions


def test_what_is_shown_is_what_the_mistake_returns_and_no_other_of_them():
    lesson, files = with_puzzles(with_mistakes("absolute_map", "mean_over_k", "no_relu", "opposite_sign"))
    (question,) = lesson.questions
    drawn = json.loads(files[FILE])[question.variable]
    assert question.answer == shown_mistake(drawn)
    told = ", ".join(f"{name} {number}" for name, number in drawn["returned"][question.answer].items())
    assert f"those that it returned ({told})" in question.text
    others = [each for name, each in drawn["returned"].items() if name != question.answer]
    assert drawn["returned"][question.answer] not in [*others, drawn["right"]]


def test_each_wrong_option_is_told_the_numbers_of_its_own_mistake():
    question = next(question for question in LESSON.questions if question.puzzle)
    for word, option in question.options.items():
        row = grade_answer(question, word)
        assert row.verdict == (PASSED if word == question.answer else FAILED)
        assert (word == question.answer) != option.feedback.startswith(
            "This mistake returns other values here: largest"
        )


@pytest.mark.parametrize("question", PUZZLES, ids=lambda question: question.id)
def test_neither_text_nor_picture_names_the_mistake(question):
    folder = registry.lesson_of(question.id).id
    picture = (CODE / "lessons" / folder / question.picture).read_text(encoding="utf-8")
    assert question.answer in question.options
    assert question.answer not in question.text
    assert not re.search("|".join(question.options), picture)
    assert len(picture) < 40_000


def test_mistakes_that_cannot_be_told_apart_are_an_error():
    twins = ("no_relu", "no_relu")
    with pytest.raises(ValueError, match=r"grad_cam\.whose_\w+: in 40 draws .* name others in `among`"):
        with_puzzles(_same(with_mistakes("no_relu", "relu_before_sum"), *twins))


def _same(lesson, one, other):
    """Both mistakes of the puzzle give what the first gives."""
    exercises = list(lesson.exercises)
    at = next(n for n, exercise in enumerate(exercises) if exercise.function == "grad_cam_map")
    known = {mistake.name: mistake for mistake in exercises[at].misconceptions}
    twin = replace(known["relu_before_sum"], wrong=known[one].wrong)
    others = [mistake for mistake in exercises[at].misconceptions if mistake.name != "relu_before_sum"]
    exercises[at] = replace(exercises[at], misconceptions=(*others, twin))
    return replace(lesson, exercises=tuple(exercises))


def test_an_unknown_mistake_is_an_error():
    with pytest.raises((ValueError, KeyError), match="no_such"):
        with_puzzles(with_mistakes("no_relu", "no_such"))


def test_each_lesson_has_two():
    counts = {lesson.id: sum(q.puzzle is not None for q in lesson.questions) for lesson in registry.lessons()}
    assert set(counts.values()) == {2}
    assert np.mean([len(question.options) for question in PUZZLES]) == 4


def test_nbgrader_hands_out_no_answer_that_the_build_keeps():
    c = Config()
    configure(c, str(CODE / "nbgrader_config.py"))
    assert any(fnmatch(FILE, pattern) for pattern in c.CourseDirectory.ignore)
