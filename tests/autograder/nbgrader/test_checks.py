import math
from dataclasses import replace
from types import SimpleNamespace

import pytest
from nbformat.v4 import new_code_cell, new_output
from nbgrader import utils
from traitlets.config import Config

from autograder.batch import work
from autograder.batch.results import Store
from autograder.batch.stages import Result, digest_of
from autograder.core.diagnose import Diagnosis
from autograder.core.judge import Graded
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_JUDGED, PASSED, Row
from autograder.core.version import checks_version
from autograder.course.records import Lesson, Option, Question
from autograder.nbgrader import checks
from autograder.nbgrader.checks import IsolatedChecks, item_of, write_score
from autograder.reading.submission import Source, Submission

QUESTION = Question("toy.sign", "Which sign?", {"a": Option("+", "yes"), "b": Option("-", "no")}, answer="a")
TOY = Lesson("03_toy", "Toy", "A question.", (), (QUESTION,))
ABOUT = {"nbgrader": {"student": "ada", "assignment": "03_toy", "notebook": "toy"}}


FAULT = Diagnosis("grader", "OSError", message("sentence", text="it failed"))


def rows(*verdicts, text=""):
    wrong = Diagnosis("question", "b", message("sentence", text=text))
    return [Row("toy.sign", "answer", v, 2, wrong) for v in verdicts]


def check_cell(points):
    about = {"grade_id": "check_sign", "grade": True, "locked": True, "solution": False, "points": points}
    return new_code_cell('check("toy.sign", sign)', metadata={"nbgrader": about})


def answer_cell(source):
    about = {"grade_id": "sign", "grade": False, "locked": False, "solution": True}
    return new_code_cell(source, metadata={"nbgrader": about})


@pytest.fixture
def grade(release, monkeypatch, tmp_path):
    """Runs the stage on a notebook with one question."""
    monkeypatch.setattr(checks.registry, "lesson", lambda name: TOY)
    monkeypatch.chdir(tmp_path)
    for once in (checks.warn_of_no_secret, checks.checked_rung, checks._store):
        once.cache_clear()

    def run(answer, *, about=ABOUT, cnnviz=None, **traits):
        release.cells = [answer_cell(answer), check_cell(1)]
        release.metadata["cnnviz"] = cnnviz or {}
        return IsolatedChecks(**{"secret": "s", **traits}).preprocess(release, about)[0]

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
    write_score(cell, rows(FAILED, text="4.0<script>"))
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

    monkeypatch.setattr(checks, "perform", broken)
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
    monkeypatch.setattr(checks, "perform", lambda task: seen.append(task) or work.unjudged(task, FAULT))
    grade('sign = "a"', about={"nbgrader": ABOUT["nbgrader"] | {"student": "Zoe\u0308"}})
    assert [(task.secret, task.handed.student) for task in seen] == [("s", "Zo\u00eb")]


def test_the_secret_comes_from_the_environment(monkeypatch):
    monkeypatch.setenv("CNNVIZ_SECRET", "from outside")
    assert IsolatedChecks().secret == "from outside"


def test_the_secret_comes_from_a_configuration_file(monkeypatch):
    monkeypatch.setenv("CNNVIZ_SECRET", "from outside")
    assert IsolatedChecks(config=Config({"IsolatedChecks": {"secret": "from a file"}})).secret == "from a file"


def test_the_secret_comes_from_the_file_of_the_course_and_none_is_made(monkeypatch, tmp_path):
    monkeypatch.delenv("CNNVIZ_SECRET", raising=False)
    monkeypatch.chdir(tmp_path)
    assert IsolatedChecks().secret == ""
    assert list(tmp_path.iterdir()) == []
    (tmp_path / ".cnnviz_secret").write_text("of the course\n")
    assert IsolatedChecks().secret == "of the course"


def test_without_a_secret_the_instructor_is_told_once_a_batch(grade, caplog):
    for _ in range(2):
        grade('sign = "a"', secret="")
    assert [record.message for record in caplog.records if "No course secret" in record.message] == [
        "No course secret: hidden cases can be worked out by anybody, and no known result is taken. "
        "Set the variable CNNVIZ_SECRET."
    ]


@pytest.fixture
def kept(grade, tmp_path):
    """A kept result that says "passed" for the wrong answer "b"; how it is signed can be changed."""

    def put(*, secret="s", answer='sign = "b"', **changes):
        digest = grade(answer).metadata["cnnviz"]["submission"]
        known = Result("ada", "03_toy", "toy.sign", digest, checks_version("03_toy"), Store(tmp_path, "s").seeds, "",
                       (Row("toy.sign", "answer", PASSED, 1),))  # fmt: skip
        store = Store(tmp_path / "results", secret)
        with store.at_work():
            store.put(replace(known, **changes))
        return store.place("ada", "03_toy", "toy.sign")

    return put


def taken(notebook):
    return score(notebook.cells[1]) == 1.0


def test_a_known_result_of_the_same_code_is_taken(grade, kept, monkeypatch):
    kept()
    monkeypatch.setattr(work, "_graded", lambda *arguments: pytest.fail("it was graded again"))
    assert taken(grade('sign = "b"'))


def test_without_known_results_the_wrong_answer_is_wrong(grade):
    assert not taken(grade('sign = "b"'))


@pytest.mark.parametrize(
    "changes",
    [{"submission": "0" * 64}, {"checks": "older"}, {"seeds": "other"}, {"student": "bob"}, {"secret": "other"},
     {"rows": (Row("toy.sign", "answer", PASSED, 1, FAULT),)}],
)  # fmt: skip
def test_a_result_of_other_code_other_checks_or_another_secret_is_not_taken(grade, kept, changes):
    kept(**changes)
    assert not taken(grade('sign = "b"'))


def test_a_result_that_was_altered_is_not_taken(grade, kept):
    path = kept(rows=(Row("toy.sign", "answer", FAILED, 1),))
    path.write_bytes(path.read_bytes().replace(b"failed", b"passed"))
    assert not taken(grade('sign = "b"'))


def test_without_a_secret_no_result_is_taken(grade, kept):
    kept(secret="")
    assert not taken(grade('sign = "b"', secret=""))


def test_results_with_another_secret_are_told_once_a_batch(grade, kept, caplog):
    kept(secret="other")
    for _ in range(2):
        grade('sign = "b"')
    assert caplog.text.count("Known results are not taken: results: ") == 1
    assert "is signed with another secret" in caplog.text


def test_a_folder_without_results_is_told(grade, caplog):
    grade('sign = "b"', results="elsewhere")
    assert "elsewhere holds none; name the folder that `cnnviz grade --out` wrote." in caplog.text


def test_the_report_names_the_rung_and_the_code(grade, monkeypatch):
    rows = (Row("toy.sign", "answer", PASSED, 1),)
    monkeypatch.setattr(work, "_graded", lambda task, item, earlier, runs: Graded(item, rows, rung="gvisor"))
    told = grade('sign = "a"').metadata["cnnviz"]
    assert told["rungs"] == {"toy.sign": "gvisor"}
    submission = Submission((Source("toy.ipynb, cell sign", 'sign = "a"', "sign"),
                             Source("toy.ipynb, cell 2", 'check("toy.sign", sign)')))  # fmt: skip
    assert told["submission"] == digest_of(submission)


def test_on_the_lowest_rung_nothing_is_graded_and_this_is_said_once(grade, caplog):
    for _ in range(2):
        notebook = grade('sign = "a"', rung="rlimits")
    assert notebook.metadata["cnnviz"]["not judged"] == ["check_sign"]
    assert "student code could not be confined on this machine" in notebook.cells[1].outputs[1].data["text/plain"]
    assert caplog.text.count("NOTHING IS GRADED: this machine limits time and memory but hides no file") == 1


def test_on_the_lowest_rung_known_results_are_taken(grade, kept):
    kept()
    assert taken(grade('sign = "b"', rung="rlimits"))


def test_the_lowest_rung_is_used_where_it_is_allowed_with_a_warning_once_a_batch(grade, caplog):
    for _ in range(2):
        assert taken(grade('sign = "a"', rung="rlimits", allow_unsandboxed=True))
    assert caplog.text.count("NOT SANDBOXED: student code can read this machine's files") == 1


def test_an_unknown_rung_is_not_judged_and_told(grade):
    notebook = grade('sign = "a"', rung="balcony")
    assert "rung is 'balcony'; allowed are" in notebook.cells[1].outputs[1].data["text/plain"]


@pytest.mark.parametrize(
    ("source", "item"),
    [('check("cam.map", map_)', "cam.map"), ("check( 'cam.map', f)", "cam.map"), ("recheck('a.b')", ""), ("x", "")],
)
def test_a_check_cell_is_known_by_what_it_calls(source, item):
    assert item_of(SimpleNamespace(source=source)) == item
