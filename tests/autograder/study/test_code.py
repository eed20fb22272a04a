"""What counts for an exercise, and what does not."""

from dataclasses import replace

import pytest

from autograder.course import registry
from autograder.isolated import Cell
from autograder.reading.submission import Source, Submission, from_notebook
from autograder.study.code import code_hash

from .conftest import ROOT

FIRST = "def helper(x):\n    return x\n\ndef first(x):\n    return helper(x)\n"
MODULE = FIRST + "\nanswer = None\n\ndef second(x):\n    return first(x)\n\ndef third(x):\n    return x + 3\n"


def named(source, function="second"):
    return code_hash((Cell("m.py", source),), function, {"answer"})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def first", "# a comment\n\ndef first"),
        ("return x + 3", "return x + 4"),
        ("return first(x)", "return first( x )"),
        ("answer = None", "answer = 'b'"),
        ("return x + 3", "return sys.modules[x]"),
        ("return x + 3", "return unknown(x)"),
        ("return x + 3", "return x.eval()"),  # a method of that name looks nowhere
    ],
)
def test_comments_layout_and_unrelated_exercises_do_not_count(old, new):
    assert named(MODULE.replace(old, new)) == named(MODULE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("return first(x)", "return first(x) + 1"),
        ("answer = None", "answer = print('hello')"),
        ("def third", "@first\ndef third"),
        ("answer = None", "answer = None\nprint(third(1))"),
        ("return helper(x)", "return helper(x) + 1"),  # an exercise that is called
        ("    return x\n", "    return -x\n"),  # a helper of one that is called
        ("def third(x)", "def third(x=print('hello'))"),  # runs while it is defined
    ],
)
def test_whatever_can_change_the_result_counts(old, new):
    assert old in MODULE
    assert named(MODULE.replace(old, new)) != named(MODULE)


@pytest.mark.parametrize(
    "body", ["return globals()['third'](x)", "import sys as s; return x", "from sys import modules"]
)
def test_where_names_can_be_looked_up_everything_counts(body):
    around = MODULE.replace("return first(x)", body)
    assert named(around.replace("x + 3", "x + 4")) != named(around)


@pytest.mark.parametrize("name", ["08", "11", "15"])
def test_a_solved_notebooks_exercise_is_checked_again_only_for_itself_and_its_parts(name):
    lesson = registry.lesson(name)
    notebook = from_notebook(ROOT / f"solutions/{lesson.id}/{lesson.name}.ipynb")
    for exercise in lesson.exercises:
        counts = [other.id for other in lesson.exercises if differs(notebook, other.function, exercise.function)]
        assert counts == [e.id for e in lesson.exercises if e.id in (exercise.id, *exercise.builds_on)]


def differs(notebook, changed, function):
    """Whether a line more in one exercise's cell gives another exercise another name."""
    sources = [replace(s, text=s.text + "\n    1") if s.grade_id == changed else s for s in notebook.sources]
    one, other = (submission.cells(function) for submission in (notebook, Submission(tuple(sources))))
    return code_hash(one, function) != code_hash(other, function)


def test_what_another_cell_only_shows_does_not_count():
    sources = [Source("x.ipynb, cell 1", "def second(x):\n    return x\n"), Source("x.ipynb, cell 2", "import torch")]
    shown = [sources[0], replace(sources[1], text="import torch\nprint('shown')")]
    one, other = (code_hash(Submission(tuple(each)).cells("second"), "second") for each in (sources, shown))
    assert one == other


def test_code_that_does_not_parse_counts_as_text():
    broken = MODULE + "def second(:\n"
    assert named(broken.replace("x + 3", "x + 4")) != named(broken)
