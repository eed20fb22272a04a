"""Definitions that run code are left out of other exercises' cells, and nothing else is."""

import pytest

from autograder import registry
from autograder.grade import grade_item
from autograder.isolated import Cell, Runner
from autograder.oracle import Setting
from autograder.quiet import quiet
from autograder.submission import Source, Submission
from autograder.verdict import FAILED, PASSED, summary

IMPORTANCE = registry.exercise("grad_cam.neuron_importance")
RIGHT = "def neuron_importance(gradients):\n    return gradients.mean(dim=(2, 3))\n"


def quiet_text(source):
    return quiet([Cell("x", source, own=False)])[0].source


@pytest.mark.parametrize(
    "source",
    [
        "import torch\nx = 1\n",
        "def f(a, b=-1, *c: int, d: 'x' = (1, 2), **e) -> list[int] | None:\n    return stop()\n",
        "class Hook(nn.Module):\n    '''Keeps.'''\n    size = 3\n    def __init__(self):\n        stop()\n",
        "stop()\n",
        "def f(:\n",
    ],
)
def test_what_runs_nothing_while_it_is_defined_is_kept_as_it_is(source):
    assert quiet_text(source) == source


@pytest.mark.parametrize(
    "loud",
    [
        "def f(a=stop()):\n    pass",
        "def f(*, a=[x for x in y]):\n    pass",
        "def f(a: stop()):\n    pass",
        "def f() -> stop():\n    pass",
        "async def f(a=stop()):\n    pass",
        "@stop\ndef f():\n    pass",
        "class A:\n    stop()",
        "class A:\n    x = stop()",
        "class A:\n    def f(self, a=stop()):\n        pass",
        "class A(Mine):\n    pass",
        "class A(metaclass=stop):\n    pass",
        "@stop\nclass A:\n    pass",
    ],
)
def test_what_runs_code_while_it_is_defined_is_left_out_and_lines_keep_their_numbers(loud):
    before, after = "import torch\n", "\ny = 2\n"
    assert quiet_text(before + loud + after) == before + "\n" * loud.count("\n") + after


def test_an_exercises_own_cell_is_never_touched():
    own = Cell("x", "def f(a=stop()):\n    pass\n", own=True)
    assert quiet([own]) == (own,)


@pytest.fixture(scope="module")
def runner():
    with Runner() as warm:
        yield warm


def with_cell(text, right=RIGHT):
    return Submission((Source("cell 1", "import torch\n"), Source("cell 2", right), Source("cell 3", text)))


@pytest.mark.parametrize(
    "text",
    [
        "import os\ndef grad_cam_map(activations, alpha, ended=os._exit(0)):\n    return activations\n",
        "import time\ndef grad_cam_map(activations, alpha, waited=time.sleep(100)):\n    return activations\n",
        "class Stop:\n    raise SystemExit(0)\n",
    ],
)
def test_a_cell_that_ends_or_waits_while_it_is_defined_costs_no_other_exercise(runner, text):
    graded = grade_item(with_cell(text), IMPORTANCE, Setting(seconds=2), runner)
    assert summary(graded.rows) == PASSED


def test_a_function_that_ends_the_process_itself_earns_nothing_at_the_second_try(runner):
    wrong = "import os\ndef neuron_importance(gradients):\n    os._exit(0)\n"
    graded = grade_item(with_cell("class Stop:\n    raise ValueError\n", wrong), IMPORTANCE, Setting(seconds=2), runner)
    assert summary(graded.rows) == FAILED
    assert "the process ended before it answered" in graded.rows[0].diagnosis.message
