"""The front `cnnviz grade`, on one rung of isolation."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.batch.results import Store
from autograder.batch.stages import Result
from autograder.batch.verifying import problems
from autograder.feedback import Section, Sheet, page
from tests.hostile.range import exports
from tests.hostile.range.attacks import LESSON
from tests.hostile.range.course import Course
from tests.hostile.range.front import Front, Ran
from tests.hostile.range.outcome import Outcome, Student


@dataclass(frozen=True)
class Grade(Front):
    """`cnnviz grade` with two workers."""

    jobs: int = 2
    seconds: float = 2.0
    """The longest that one exercise may take."""

    @cached_property
    def clean(self) -> Outcome:
        """By one worker, who gives the same as two in half the processes."""
        return super(Grade, replace(self, jobs=1)).clean

    def command(self, course: Course) -> list[str]:
        """All that was handed in, on this rung."""
        grade = [sys.executable, "-X", f"canary={self.canaries.text['argv']}", "-m", "autograder.cli", "grade"]
        grade += ["submitted", "--out", str(course.results), "--rung", self.rung]
        grade += ["--seconds", str(self.seconds), "--jobs", str(self.jobs)]
        return [*grade, "--allow-unsandboxed"] if self.rung == "rlimits" else grade

    def outcome(self, course: Course, ran: Ran) -> Outcome:
        """From the signed results, the tables and the pages."""
        try:
            store = Store(course.results, course.canaries.text["secret"])
            students, complaints = read_students(store), tuple(problems(store))
            exported = exports.tables(list(store.results()))
        except Exception as error:  # results that cannot be read are a finding, not an end of the suite
            students, complaints, exported = {}, (f"{type(error).__name__}: {error}",), ()
        tables = tuple(_text(path) for path in sorted(course.results.glob("**/*.csv")))
        pages = tuple(_text(path) for path in sorted(course.results.glob("**/*.html")))
        finished = ran.ending.status in (0, 1) and bool(students)
        return Outcome(ran.ending, students, finished, (*tables, *exported), pages, ran.terminal, ran.left, complaints)


def read_students(store: Store) -> dict[str, Student]:
    """Student -> everything that became of it."""
    by_student: dict[str, list[Result]] = {}
    for result in store.results():
        by_student.setdefault(result.student, []).append(result)
    return {student: _student(store, student, results) for student, results in by_student.items()}


def _student(store: Store, student: str, results: Sequence[Result]) -> Student:
    """Points, verdicts, texts, page, and the files as they lie there."""
    paths = [store.place(result.student, result.lesson, result.item) for result in results]
    elsewhere = exports.gradescope(results)
    texts = [elsewhere, *(text for result in results for text in _texts(result.as_json()))]
    return Student(
        points={result.item: result.points[0] for result in results},
        verdicts={result.item: result.verdict for result in results},
        told="\n".join([*texts, page(_sheet(student, [_section(result) for result in results]))]),
        page=page(_sheet(student, [_section(result, _code(store, result)) for result in results])),
        shown=elsewhere,
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
    )


def _sheet(student: str, sections: Sequence[Section]) -> Sheet:
    earned, possible = (sum(getattr(s, name) for s in sections) for name in ("score", "max_score"))
    return Sheet(LESSON, student, earned, possible, sections)


def _section(result: Result, code: str = "") -> Section:
    earned, possible = result.points
    return Section(result.item, earned, possible, [row.as_json() for row in result.rows], code=code)


def _code(store: Store, result: Result) -> str:
    try:
        return "\n".join(source.text for source in store.sources(result.submission).sources)
    except ValueError:  # nothing could be read of what was handed in
        return ""


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
