"""An assert of a lesson that a student's function can break says which exercise to look at."""

from pathlib import Path

import pytest

from autograder.authoring.lint_asserts import assert_problems
from autograder.authoring.parse import CODE, EXERCISE, Block, parse
from autograder.course import registry

ROOT = Path(__file__).parents[3]
EXERCISES = [Block(EXERCISE, "def double(x): ...", 1, "toy.double"), Block(EXERCISE, "def half(x): ...", 5, "toy.half")]


def said(*cells):
    blocks = [*EXERCISES, *(Block(CODE, cell, 10 * (n + 1)) for n, cell in enumerate(cells))]
    return [(problem.file, problem.sentence) for problem in assert_problems(blocks, file="toy.md", lesson="03_toy")]


@pytest.mark.parametrize(
    "cells",
    [
        ["assert double(1) == 2"],
        ["y = double(1)", "z = y + 1\nassert z == 3"],
        ["def twice(x):\n    return double(double(x))", "assert twice(1) == 4"],
        ["for x in [double(1)]:\n    assert x == 2"],
        ["y = []\ny.append(double(1))", "assert y == [2]"],
        ["assert double(1) == 2, 'wrong'"],
    ],
)
def test_one_that_hangs_on_an_exercise_and_names_none_is_a_problem(cells):
    ((place, sentence),) = said(*cells)
    assert place.startswith("toy.md:")
    assert 'can fail by double, so its message names one of them: assert ..., "look at double".' in sentence


@pytest.mark.parametrize(
    "cells",
    [
        ["assert double(1) == 2, 'look at double'"],
        ["assert half(double(1)) == 1, 'look at half'"],
        ["import math\ny = double(1)\nprint(y)", "assert math.pi > 3"],
        ["y = double(1)", "y = 3\nassert y == 3"],
    ],
)
def test_one_that_names_an_exercise_or_needs_none_is_not(cells):
    assert said(*cells) == []


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_no_assert_of_the_course_leaves_a_student_alone(lesson):
    file = f"solutions/{lesson.id}/{lesson.name}.md"
    text = (ROOT / file).read_text(encoding="utf-8")
    assert list(assert_problems(parse(text, file=file), file=file, lesson=lesson.id)) == []
