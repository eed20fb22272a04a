"""Verdicts from recordings are the verdicts of the full course, but for what is hidden."""

import inspect
import json
import zipfile
from dataclasses import replace

import numpy as np
import pytest

from autograder.core.grade import grade_answer, grade_function
from autograder.core.oracle import Setting, parts_of, planned
from autograder.core.verdict import FAILED, LATER, PASSED, Row, summary, total
from autograder.course import registry
from autograder.course.locations import OUTLINES
from autograder.course.outlines import Item
from autograder.course.recorded.lessons import texts_of
from autograder.course.recorded.pack import Pack
from autograder.course.records import Option
from autograder.isolated import observe_once
from autograder.kit import contents
from autograder.kit.leaks import squeezed
from autograder.report.sentences import sentence
from autograder.report.showcase import formula_map
from autograder.report.tables import lesson_table
from autograder.study.progress import State
from tests.exercises.written import variants_of

from .conftest import ROOT

LESSON = "11_grad_cam"
ZERO = ("saliency.probability_gradient", "deeplift.completeness_gap")
"""Exercises with a law that says that something is 0."""
EXERCISES = [*(exercise.id for exercise in registry.lesson(LESSON).exercises), *ZERO]


def copy_of(recorded, name):
    """One exercise as a student's copy has it."""
    lesson = recorded(registry.lesson_of(name).id)
    return next(exercise for exercise in lesson.exercises if exercise.id == name)


def pairs(recorded, name):
    """Each exercise as the full course has it, and as a student's copy has it."""
    return zip(registry.lesson(name).exercises, recorded(name).exercises, strict=True)


@pytest.mark.parametrize("name", EXERCISES)
def test_right_answers_written_in_any_way_pass_all_but_what_is_hidden(recorded, name):
    live = registry.exercise(name)
    copy = copy_of(recorded, name)
    for variant in (live.reference, *variants_of(live)):
        rows = grade_function(copy, variant).rows
        assert {row.check.split(":")[0] for row in rows if row.verdict == LATER} == {"hidden values"}
        wrong = [(row.check, row.diagnosis) for row in rows if row.verdict not in (PASSED, LATER)]
        assert not wrong, variant.__name__


@pytest.mark.parametrize("name", ["grad_cam.neuron_importance", "grad_cam.quadrant_shares", *ZERO[1:]])
def test_every_misconception_gets_the_diagnosis_that_the_full_course_gives(recorded, name):
    live, copy = registry.exercise(name), copy_of(recorded, name)
    for mistake in live.misconceptions:
        rows = zip(grade_function(live, mistake.wrong).rows, grade_function(copy, mistake.wrong).rows, strict=True)
        for ours, theirs in rows:
            if theirs.verdict != LATER and not ours.check.startswith("law"):
                assert (theirs.verdict, theirs.diagnosis) == (ours.verdict, ours.diagnosis), mistake.name
            assert (theirs.check, theirs.max_points) == (ours.check, ours.max_points)
            assert theirs.points == 0


def test_a_law_says_on_what_inputs_it_is_not_as_it_should_be(recorded):
    copy = recorded(LESSON).exercises[1]
    rows = grade_function(copy, lambda gradients: gradients.sum(dim=(2, 3))).rows
    told = [sentence(row.diagnosis.message) for row in rows if row.check == "law: linear"]
    assert told[0].startswith(copy.laws[1].sentence)
    assert told[0].endswith("On inputs made for this law, yours departs from what is right.")


def test_a_law_that_says_zero_is_measured_as_the_law_measures(recorded):
    copy = recorded("13_deeplift").exercises[3]
    live = registry.exercise(copy.id)
    off = grade_function(copy, lambda *args: live.reference(*args) + 1e-3).rows
    assert [row.verdict for row in off if row.check == "law: linear_model_has_no_gap"] == [FAILED]


def test_what_is_hidden_is_judged_later_and_stands_in_no_ones_way(recorded):
    lesson = recorded(LESSON)
    graded = [grade_function(copy, live.reference) for live, copy in pairs(recorded, LESSON)]
    assert all(summary(each.rows) == PASSED for each in graded)
    assert total(row for each in graded for row in each.rows) == (21, 28)
    assert lesson_table(lesson, graded).caption == "5 checks, 7 points: judged when you hand in"
    assert all(not case.build(None) for exercise in lesson.exercises for case in exercise.cases if case.hidden)


def test_of_a_hidden_case_everything_is_empty(recorded):
    for exercise in recorded(LESSON).exercises:
        for part in [part for part in parts_of(exercise, Setting()) if getattr(part.part, "hidden", False)]:
            assert (part.calls, part.planned, part.expected) == ((), (), ())
            assert all(results == () for results in part.mistakes.values())


def test_a_hidden_case_cannot_be_asked_for(recorded):
    copy = recorded(LESSON).exercises[0]
    with pytest.raises(ValueError, match=r'holds nothing for "other networks.*install the wheel again'):
        copy.reference.recorded(next(case.name for case in copy.cases if case.hidden))


def test_a_copy_has_the_texts_of_the_course_and_none_of_its_functions(recorded):
    for live, copy in pairs(recorded, LESSON):
        for name in ("id", "title", "formula", "hints", "outputs", "builds_on", "points", "seconds", "minutes"):
            assert getattr(copy, name) == getattr(live, name)
        assert list(inspect.signature(copy.reference).parameters) == list(inspect.signature(live.reference).parameters)
        with pytest.raises(RuntimeError, match="holds no answers, only what they gave; write the function yourself"):
            copy.reference(1)


def test_a_copy_keeps_the_answer_to_a_question_and_judges_none(recorded):
    """Every word is treated alike, also the right one."""
    for live, copy in zip(registry.lesson(LESSON).questions, recorded(LESSON).questions, strict=True):
        rows = {word: grade_answer(copy, word) for word in live.options}
        assert {(row.verdict, row.points, row.diagnosis) for row in rows.values()} == {(LATER, 0, None)}
        assert {sentence(row.note) for row in rows.values()} == {
            f'your answer is kept: "{word}"; it is judged when you hand in.' for word in live.options
        }
        assert {option.feedback for option in copy.options.values()} == {""}
        assert grade_answer(copy, None) == grade_answer(live, None)
        assert grade_answer(copy, "x") == grade_answer(live, "x")


class NoScales(dict):
    def __missing__(self, law):
        return [1.0]


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_what_is_recorded_does_not_depend_on_what_is_right(lesson):
    """With any other answer, and other feedback, the same is written: nobody can read it off."""
    made = texts_of(lesson, NoScales())
    for n in range(4):
        others = tuple(_answered_by(q, [*q.options][n % len(q.options)]) for q in lesson.questions)
        assert texts_of(replace(lesson, questions=others), NoScales()) == made


def _answered_by(question, word):
    """The question with another answer and other feedback; of a number, the known numbers are others, too."""
    options = {k: Option(o.text, f"FEEDBACK {k}") for k, o in question.options.items()}
    return replace(question, answer=word, options=options if question.choices else {word: options[word]})


def everything_in(released) -> dict[str, str]:
    """Path -> text of every file that a student gets, also of those inside the wheel."""
    files = {str(path): path.read_bytes() for path in released.folder.rglob("*") if path.is_file()}
    with zipfile.ZipFile(released.wheel) as wheel:
        files |= {name: wheel.read(name) for name in wheel.namelist()}
    return {name: content.decode("utf-8", "replace") for name, content in files.items()}


def handed_out(released, lesson):
    """The same, with the files of all lessons that `cnnviz build` makes for students."""
    made = [*(ROOT / "lessons" / lesson.id).rglob("*"), OUTLINES / f"{lesson.id}.json"]
    return {**everything_in(released), **{str(p): p.read_text("utf-8", "replace") for p in made if p.is_file()}}


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_no_answer_and_no_feedback_to_one_is_in_what_students_get(lesson, released):
    files = {name: squeezed([text]) for name, text in handed_out(released, lesson).items()}
    for question in lesson.questions:
        told = {squeezed([option.feedback]) for option in question.options.values()}
        forms = {squeezed([json.dumps(option.feedback)[1:-1]]) for option in question.options.values()}
        given = {f"{question.variable}={question.literal}", f"{question.variable}='{question.answer}'"}
        found = [(name, each) for name, text in files.items() for each in told | forms | given if each in text]
        assert not found


def test_the_call_on_a_photo_is_small_and_gives_the_same_map(recorded):
    for live, copy in pairs(recorded, LESSON):
        if live.showcase is None:
            continue
        ours, theirs = live.showcase(), copy.showcase()
        got = [observe_once(live.reference, [planned(copy, call)])[0].arrays[0] for call in (ours, theirs)]
        assert abs(got[0] - got[1]).max() <= 1e-6 * abs(got[0]).max()
        assert np.allclose(formula_map(copy), formula_map(live), rtol=1e-6)
    assert len(contents.pack(registry.exercise("grad_cam.grad_cam"))) < 1_000_000  # the network alone is 19 MB


def test_the_same_lesson_is_the_same_bytes(recorded):
    lesson = registry.lesson("13_deeplift")
    assert contents.packs(lesson) == contents.packs(lesson)


def test_a_pack_that_this_torch_cannot_read_is_said(tmp_path):
    from safetensors.numpy import load, save

    made = contents.pack(registry.exercise("grad_cam.neuron_importance"))
    arrays = load(made)
    arrays["0 calls"] = arrays["0 calls"][:20]
    note = {"results": {"a": {"=": []}}, "torch": "torch 1.2"}
    (tmp_path / "a.safetensors").write_bytes(save(arrays, {"note": json.dumps(note)}))
    with pytest.raises(ValueError, match=r"it was made with torch 1\.2 .*install that version, or install the wheel"):
        Pack(tmp_path / "a.safetensors").calls("a")
    with pytest.raises(ValueError, match=r"cannot be read \(.*install the wheel again"):
        Pack(tmp_path / "b.safetensors").calls("a")


def test_points_that_come_later_are_told_where_all_else_passes():
    item = Item("grad_cam.capture", "exercise", "Activations", points=7)
    assert State(item, PASSED, 5).score == "5 of 7 points, the rest when you hand in"
    assert State(item, FAILED, 5).score == "5 of 7 points"
    assert State(item, PASSED, 7).score == "7 of 7 points"


def test_a_verdict_that_comes_later_is_kept_between_two_looks(recorded):
    rows = grade_function(recorded(LESSON).exercises[1], lambda gradients: gradients.mean(dim=(2, 3))).rows
    later = next(row for row in rows if row.verdict == LATER)
    assert Row.from_json(later.as_json()) == later
