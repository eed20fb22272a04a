"""A graded class without grading: results made by hand, in the store that the commands read."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.batch.results import Store
from autograder.batch.stages import Result
from autograder.cli import app
from autograder.core.diagnose import Diagnosis
from autograder.core.judge import checks_of
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, Row
from autograder.course import registry
from autograder.course.records import Exercise
from autograder.exports.standing import standings

SECRET = "the secret of these tests"
LESSON, OTHER = "11_grad_cam", "10_cam"
DATA = Path(__file__).parent / "data"
TOLD = {
    PASSED: None,
    FAILED: Diagnosis(
        "misconception", "sum_for_mean", message("sentence", text='=HYPERLINK("x") α is a mean: divide by Z <b>')
    ),
    NOT_ATTEMPTED: None,
    NOT_JUDGED: Diagnosis(
        "grader", "unreadable", message("sentence", text="submission: grad_cam.ipynb is not a notebook; save it again.")
    ),
}


def result(student, item, verdict, lesson=LESSON):
    points = (
        [part.points for part in item.parts] + [item.promise_points] if isinstance(item, Exercise) else [item.points]
    )
    rows = [Row(item.id, c, verdict, p, TOLD[verdict]) for c, p in zip(checks_of(item), points, strict=True)]
    return Result(student, lesson, item.id, "0" * 64, "checks", "", "landlock", tuple(rows))


def work(student, verdict, *, lesson=LESSON, first=None):
    """All results of one student; `first` is the verdict of the first exercise, where that is another."""
    items = registry.lesson(lesson).items
    verdicts = [first or verdict, *[verdict] * (len(items) - 1)]
    return [result(student, item, v, lesson) for item, v in zip(items, verdicts, strict=True)]


def standing(student, verdict=PASSED, **options):
    return standings(work(student, verdict, **options))[0]


@pytest.fixture
def graded(tmp_path, monkeypatch):
    """Writes RESULTS from lists of results."""
    monkeypatch.setenv("CNNVIZ_SECRET", SECRET)

    def write(*works):
        store = Store(tmp_path / "RESULTS", SECRET)
        with store.at_work():
            for one in (r for part in works for r in part):
                store.put(one)
        return store.folder

    return write


def run(*arguments):
    return CliRunner().invoke(app, ["export", *map(str, arguments)], catch_exceptions=False)


def refused(done):
    """The one sentence of a command that refused its input."""
    assert (done.exit_code, done.stdout) == (2, "")
    (sentence,) = done.stderr.strip().splitlines()
    return sentence
