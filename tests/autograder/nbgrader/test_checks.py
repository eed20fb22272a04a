import logging
import math
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader import utils
from traitlets.config import Config

from autograder.diagnose import Diagnosis
from autograder.nbgrader import checks
from autograder.nbgrader.checks import IsolatedChecks, item_of, nothing_judged, write_score
from autograder.records import Lesson, Option, Question
from autograder.verdict import FAILED, NOT_JUDGED, PASSED, Row

QUESTION = Question("toy.sign", "Which sign?", {"a": Option("+", "yes"), "b": Option("-", "no")}, answer="a")
TOY = Lesson("03_toy", "Toy", "A question.", (), (QUESTION,))
ABOUT = {"nbgrader": {"student": "ada", "assignment": "03_toy", "notebook": "toy"}}


def rows(*verdicts, message=""):
    return [Row("toy.sign", "answer", v, 2, Diagnosis("question", "b", message)) for v in verdicts]


def check_cell(points):
    about = {"grade_id": "check_sign", "grade": True, "locked": True, "solution": False, "points": points}
    return new_code_cell('check("toy.sign", sign)', metadata={"nbgrader": about})


def answer_cell(source):
    about = {"grade_id": "sign", "grade": False, "locked": False, "solution": True}
    return new_code_cell(source, metadata={"nbgrader": about})


@pytest.fixture
def grade(release, monkeypatch):
    """Runs the stage on a notebook with one question."""
    monkeypatch.setattr(checks.registry, "lesson", lambda name: TOY)
    monkeypatch.setattr(checks, "runner", lambda: None)

    def run(answer, **metadata):
        release.cells = [answer_cell(answer), check_cell(1)]
        release.metadata.update(metadata)
        return IsolatedChecks(secret="s").preprocess(release, ABOUT)[0]

    return run


def score(cell):
    return utils.determine_grade(cell)[0]


@pytest.mark.parametrize(
    ("verdicts", "points", "expected"),
    [([PASSED, PASSED], 4, 4.0), ([PASSED, FAILED], 4, 2.0), ([FAILED], 4, 0.0), ([PASSED] * 3, 1, 1.0), ([], 4, 0.0),
     ([PASSED, NOT_JUDGED], 4, 2.0), ([PASSED], 0, 0.0)],
)  # fmt: skip
def test_nbgrader_reads_the_share_of_the_cells_points(verdicts, points, expected):
    cell = check_cell(points)
    write_score(cell, rows(*verdicts))
    assert score(cell) == expected
    assert math.isfinite(score(cell))


def test_outputs_that_were_there_before_count_for_nothing():
    cell = check_cell(4)
    cell.outputs = [new_output("stream", name="stderr", text="x"), new_output("execute_result", {"text/plain": "4"})]
    write_score(cell, rows(PASSED))
    assert [output.output_type for output in cell.outputs] == ["execute_result", "display_data"]


def test_a_message_that_looks_like_a_score_or_a_page_is_text_only():
    cell = check_cell(4)
    write_score(cell, rows(FAILED, message="4.0<script>"))
    assert score(cell) == 0
    assert list(cell.outputs[1].data) == ["text/plain"]


@pytest.mark.parametrize(("answer", "expected"), [('sign = "a"', 1.0), ('sign = "b"', 0.0), ("sign = None", 0.0)])
def test_a_check_cell_gets_its_own_verdict(grade, answer, expected):
    notebook = grade(answer)
    assert score(notebook.cells[1]) == expected
    assert notebook.metadata["cnnviz"]["not judged"] == []


def test_a_fault_of_the_graders_own_is_not_judged_and_told(grade, monkeypatch):
    def broken(*arguments):
        raise OSError("no processes left")

    monkeypatch.setattr(checks, "grade_lesson", broken)
    notebook = grade('sign = "a"')
    assert notebook.metadata["cnnviz"]["not judged"] == ["check_sign"]
    assert "OSError: no processes left" in notebook.cells[1].outputs[1].data["text/plain"]


def test_an_unreadable_file_is_not_judged(grade):
    notebook = grade('sign = "a"', cnnviz={"unreadable": "submission: toy.ipynb is not a notebook"})
    assert notebook.metadata["cnnviz"]["not judged"] == ["check_sign"]


def test_a_check_cell_that_names_no_known_item_is_not_judged(grade, monkeypatch):
    monkeypatch.setattr(checks, "item_of", lambda cell: "toy.unknown")
    assert grade('sign = "a"').metadata["cnnviz"]["not judged"] == ["check_sign"]


def test_hidden_cases_are_seeded_by_the_secret_and_the_student(grade, monkeypatch):
    seen = []
    monkeypatch.setattr(checks, "grade_lesson", lambda submission, lesson, setting, runner: seen.append(setting) or [])
    grade('sign = "a"')
    assert [(s.secret, s.student) for s in seen] == [("s", "ada")]


def test_the_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("CNNVIZ_SECRET", "from outside")
    assert IsolatedChecks().secret == "from outside"


def test_the_secret_comes_from_a_configuration_file(monkeypatch):
    monkeypatch.setenv("CNNVIZ_SECRET", "from outside")
    assert IsolatedChecks(config=Config({"IsolatedChecks": {"secret": "from a file"}})).secret == "from a file"


def test_without_a_secret_the_instructor_is_told_once_a_batch(monkeypatch, caplog):
    checks.warn_of_no_secret.cache_clear()
    monkeypatch.delenv("CNNVIZ_SECRET", raising=False)
    for _ in range(2):
        checks.warn_of_no_secret(logging.getLogger("nbgrader"))
    assert [record.message for record in caplog.records if "No course secret" in record.message] == [
        "No course secret: hidden cases can be worked out by anybody. Set the variable CNNVIZ_SECRET."
    ]


def test_nothing_judged_has_the_points_of_the_lesson():
    told = nothing_judged(TOY, Diagnosis("grader", "x", "x"))
    assert [(row.verdict, row.max_points) for row in told["toy.sign"]] == [(NOT_JUDGED, 1)]


@pytest.mark.parametrize(
    ("source", "item"),
    [('check("cam.map", map_)', "cam.map"), ("check( 'cam.map', f)", "cam.map"), ("recheck('a.b')", ""), ("x", "")],
)
def test_a_check_cell_is_known_by_what_it_calls(source, item):
    assert item_of(SimpleNamespace(source=source)) == item
