"""What hostile results become in other systems; and without what makes them harmless, the judges see it."""

from __future__ import annotations

import csv
import io
import json

import pytest

from autograder.batch.stages import Result
from autograder.core.diagnose import Diagnosis
from autograder.core.judge import checks_of
from autograder.core.message import message
from autograder.core.verdict import FAILED, Row
from autograder.course import registry
from autograder.exports import spreadsheet
from autograder.exports.classroom import workflow
from tests.hostile.range import exports
from tests.hostile.range.attacks import LESSON
from tests.hostile.range.live import live_in_log, live_in_page, live_in_table, live_in_terminal

NAMES = (
    "=cmd|' C'!A0",
    "+1+1",
    "@SUM(1)",
    "-2+3",
    "\t=1+1",
    "＝1+1",
    "\u200b=1+1",
    "a\n=1+1",
    'x",31\n=1+1,"',
    "\ufeff=1",
)
MESSAGE = "\x1b]52;c;Y3VybA==\x07\x1b[2J\u202e<img src=x onerror=alert(1)>\r=1+1\n::error::x\n##[group]y"


def results(student: str) -> list[Result]:
    """Of a student whose every check failed with the message."""
    told = Diagnosis("error", "raised", message("sentence", text=MESSAGE))
    return [
        Result(student, LESSON, item.id, "0" * 64, "checks", "", "landlock",
               tuple(Row(item.id, check, FAILED, 1, told) for check in checks_of(item)))
        for item in registry.lesson(LESSON).items
    ]  # fmt: skip


def raw_table(rows, end):
    """A table as a program writes it that knows no formulas."""
    out = io.StringIO()
    csv.writer(out, lineterminator=end).writerows(rows)
    return out.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_no_cell_of_a_table_is_a_formula(name):
    for table in exports.tables(results(name)):
        assert live_in_table(table) == []


def test_no_message_steers_a_terminal_or_a_runner_or_a_page():
    text = exports.gradescope(results("eve"))
    assert live_in_terminal(text) == []
    imported, canvas, moodle = exports.tables(results("eve"))[1:]
    for table in (imported, moodle):  # feedback as markup; Canvas takes numbers alone
        assert live_in_page(table) == []
        assert "alert(1)" in table
    assert canvas.splitlines()[-1] == "A 100,1100,u100,100,S,0"


def test_a_workflow_for_github_holds_nothing_of_anybodys():
    """It is made of the lesson; what the student's own steps print is judged at `pytest`, attack by attack."""
    text = workflow(registry.lesson(LESSON)) + workflow(registry.lesson(LESSON), plain=True)
    assert live_in_terminal(text) == live_in_log(text) == []


def test_without_what_makes_text_harmless_the_judges_see_it(monkeypatch):
    monkeypatch.setattr(spreadsheet, "csv_text", raw_table)
    assert live_in_table(exports.tables(results("=1+1"))[0])
    monkeypatch.setattr(exports, "json_text", json.dumps)
    assert live_in_terminal(exports.gradescope(results("eve")))


def test_a_line_that_a_runner_obeys_is_seen():
    assert live_in_log("fine\n::error::x") == ["the workflow command '::error::x'"]
    assert live_in_log("ValueError: ::error::x; see 1::2") == []
