"""The front `pytest lessons/ --cnnviz-submission FOLDER`, where a student or an instructor looks at one submission.

    python -m tests.hostile.range.terminal SUBMITTED RESULTS

runs it for each student in turn, in one process: what one of them breaks there is broken for those after.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from autograder import pytest_plugin
from autograder.isolated import Runner
from tests.hostile.range.attacks import LESSON
from tests.hostile.range.course import Course
from tests.hostile.range.front import REPOSITORY, Front, Ran, known_class, points_alone
from tests.hostile.range.judges import full_points
from tests.hostile.range.outcome import Outcome, Student

OPTIONS = (str(REPOSITORY / "lessons" / LESSON), "-p", "no:cacheprovider", "--assert=plain")
"""The checks of the lesson; asserts stay as they are, because pytest cannot rewrite what is imported already."""


@dataclass(frozen=True)
class Terminal(Front):
    """It takes the best rung of the machine; `rung` is not asked."""

    def command(self, course: Course) -> list[str]:
        """From the repository, one session a student."""
        return [sys.executable, "-m", "tests.hostile.range.terminal", str(course.submitted), str(course.results)]

    def prepare(self, course: Course) -> None:
        """A folder for what each session came to."""
        course.results.mkdir()

    def outcome(self, course: Course, ran: Ran) -> Outcome:
        """From the rows of each session, and from what it printed."""
        sessions = [json.loads(path.read_text(encoding="utf-8")) for path in sorted(course.results.iterdir())]
        students = {told["student"]: _student(told) for told in sessions}
        return Outcome(ran.ending, points_alone(students), ran.ending.status == 0, (), (), ran.terminal, ran.left)

    @cached_property
    def clean(self) -> Outcome:
        """Known without another run."""
        return known_class()


def _student(told: Mapping[str, Any]) -> Student:
    """Points of the tests that passed; where a file cannot be read every test fails, and there are no rows."""
    points = dict.fromkeys(full_points(), 0) if told["status"] in (0, 1) else {}
    for row in told["rows"]:
        points[row["exercise"]] += (row["verdict"] == "passed") * row["max_points"]
    return Student(points, told=told["printed"], shown=told["printed"], log=told["printed"])


class Rows:
    """Keeps what the plugin says of each check."""

    def __init__(self) -> None:
        self.rows: list[dict] = []

    def pytest_runtest_logreport(self, report) -> None:
        """The row that comes with a test's report."""
        self.rows += [row for name, row in report.user_properties if name == "cnnviz" and report.when == "call"]


def main(submitted: Path, results: Path) -> None:
    """One session a student, in the order of their names, with one warm process for all: they are many."""
    with Runner() as runner:
        pytest_plugin.Course.runner = property(lambda self: runner)  # type: ignore[method-assign,assignment]
        pytest_plugin.Course.close = lambda self: None  # type: ignore[method-assign]
        for number, student in enumerate(sorted(submitted.iterdir())):
            rows, printed = Rows(), io.StringIO()
            with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
                status = pytest.main([*OPTIONS, "--cnnviz-submission", str(student)], [rows])
            told = {"student": student.name, "status": status, "rows": rows.rows, "printed": printed.getvalue()}
            (results / f"{number}.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
