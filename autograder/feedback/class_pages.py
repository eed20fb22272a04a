"""The pages of a class: one per student and lesson, and an index for the instructor.

DIR/<student>/<lesson>.html   names as `names.file_name` makes them
DIR/index.html                every student, every lesson, with links; not for students
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby
from pathlib import Path

from autograder.batch.names import file_name
from autograder.batch.stages import Result, canonical
from autograder.core.verdict import NOT_JUDGED, PASSED, Points
from autograder.core.version import checks_version
from autograder.course import registry
from autograder.course.locations import PACKAGE
from autograder.course.records import Lesson
from autograder.feedback.student_page import Sheet, page, section_of
from autograder.report import pages
from autograder.text.files import write_whole

MADE_OF = ("feedback/*.py", "templates/*.j2", "text/formulas.py", "report/sentences.*")
"""Files of the package that decide how a page looks."""
_MARK = re.compile(rb'<meta name="cnnviz-made-of" content="([0-9a-f]{64})">')
_HEAD = 4000
"""Bytes of a page in which the mark stands."""


@dataclass(frozen=True)
class Made:
    """One page of the index."""

    student: str
    lesson: str
    path: Path
    points: Points
    not_right: int
    """Exercises and questions that were judged and have anything but full points."""
    unjudged: int
    """Exercises and questions that were not judged."""
    fresh: bool
    """Whether the page was written now."""


def make_pages(results: Iterable[Result], folder: Path) -> Iterator[Made]:
    """Writes what is not there yet, one page after the other; each whole or not at all.

    Args:
        results: of any students and lessons, in any order.
        folder: where the pages go.
    """
    known = {lesson.id: lesson for lesson in registry.known()}
    ordered = sorted(results, key=lambda result: (result.lesson, result.student))
    for (lesson, student), group in groupby(ordered, key=lambda result: (result.lesson, result.student)):
        items = {item.id for item in known[lesson].items} if lesson in known else set()
        if found := [result for result in group if result.item in items]:
            yield _make(known[lesson], student, found, folder)


def make_index(made: Sequence[Made], folder: Path) -> Path:
    """The instructor's list of all pages."""
    path = folder / "index.html"
    rows = sorted(made, key=lambda each: (each.student.casefold(), each.student, each.lesson))
    students = [(name, list(group)) for name, group in groupby(rows, key=lambda each: each.student)]
    _write(path, pages.page("feedback_index.html.j2", students=students, folder=folder).encode())
    return path


def sheet_of(lesson: Lesson, student: str, results: Sequence[Result], *, made_of: str = "") -> Sheet:
    """The page of one student and one lesson, from the results."""
    found = {result.item: result for result in results}
    broken = [result.item for result in results if result.verdict != PASSED]
    sections = [
        section_of(item, found[item.id].rows, exhibits=found[item.id].evidence, broken=broken)
        for item in lesson.items
        if item.id in found
    ]
    earned, possible = (sum(getattr(each, name) for each in sections) for name in ("score", "max_score"))
    return Sheet(lesson.title, student, earned, possible, sections, made_of=made_of)


def _make(lesson: Lesson, student: str, results: list[Result], folder: Path) -> Made:
    path = folder / file_name(student) / f"{file_name(lesson.id)}.html"
    mark = _made_of(lesson, results)
    fresh = _marked(path) != mark
    if fresh:
        text = page(sheet_of(lesson, student, results, made_of=mark))
        _write(path, text.encode("utf-8", "replace"))
    points = Points.of(*(result.rows for result in results))
    unjudged = sum(result.verdict == NOT_JUDGED for result in results)
    not_right = sum(result.verdict != PASSED for result in results) - unjudged
    return Made(student, lesson.id, path, points, not_right, unjudged, fresh)


def _made_of(lesson: Lesson, results: Sequence[Result]) -> str:
    """A hash of all that the page says: the results, the lesson's own texts, our code and templates."""
    kept = sorted(canonical(result.as_json()) for result in results)
    return hashlib.sha256(b"\0".join([_texts_of(lesson.id).encode(), *kept])).hexdigest()


@cache
def _texts_of(lesson: str) -> str:
    code = [path for pattern in MADE_OF for path in PACKAGE.glob(pattern)]
    return hashlib.sha256(
        "\0".join([checks_version(lesson), *(path.read_text("utf-8") for path in sorted(code))]).encode()
    ).hexdigest()


def _marked(path: Path) -> str:
    """Reads what a page that is there was made of; empty where none is."""
    try:
        with open(path, "rb") as file:
            found = _MARK.search(file.read(_HEAD))
    except OSError:
        return ""
    return found[1].decode() if found else ""


def _write(path: Path, data: bytes) -> None:
    if not path.is_file() or path.is_symlink() or path.read_bytes() != data:
        write_whole(path, data)
