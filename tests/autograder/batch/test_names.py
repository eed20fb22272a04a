"""What others wrote is harmless where it is shown, and the same in every run."""

import csv
import io

import pytest

from autograder.batch.names import seed_name
from autograder.batch.stages import Result
from autograder.batch.summaries import table
from autograder.batch.work import steady
from autograder.core.verdict import PASSED, Row
from autograder.text.words import printable

from .classroom import LESSON

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\xa0=1", "\u2003+1", "＝1",
            '=cmd|" /C calc"!A0']  # fmt: skip


@pytest.mark.parametrize("name", FORMULAS)
def test_no_name_is_a_formula_in_a_spreadsheet(name):
    row = Row("grad_cam.capture", "promises", PASSED, 1)
    result = Result(name, LESSON, row.exercise, "d", "c", "s", "", (row,))
    _, cells = csv.reader(io.StringIO(table([result]).decode()))
    assert cells[0][0] == "'"
    assert printable(name) == cells[0][1:]


def test_a_name_that_has_no_utf8_still_seeds():
    assert [seed_name(name) for name in ("ann", "김", "\udcff")] == ["ann", "김", "\\udcff"]


@pytest.mark.parametrize(
    ("said", "kept"),
    [
        ("<object object at 0x7f12ab34cd56>", "<object object at 0x...>"),
        ("no file '/tmp/cnnviz-run-a_b1c2d3/calls/call-x9_y8z7w/a.txt'", "no file './a.txt'"),
        ("no file /tmp/cnnviz-run-a_b1c2d3/call-x9_y8z7w", "no file ."),
        ("pid=4711, process 99, PID: 12", "pid=..., process ..., PID: ..."),
        ("/proc/4711/environ", "/proc/.../environ"),
        ("/var/tmp/tmpab12_x9z/f", "/var/tmp/tmp.../f"),
        ("id 140234567891234", "id ..."),
        (
            "got 0.12345678901234567 of 123456, 0xff, shape (2, 3)",
            "got 0.12345678901234567 of 123456, 0xff, shape (2, 3)",
        ),
    ],
)
def test_what_differs_from_run_to_run_is_not_kept(said, kept):
    assert steady(said) == kept
