"""Finds out who handed in late, and how late: from the times that platforms write, and no name of a student's own.

Canvas writes LATE into the names of files, and no time: that counts as one day. Blackboard and Brightspace write the
time into the names of files and folders, by the platform's own clock, and nbgrader into `timestamp.txt`, in UTC.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TypeVar

from autograder.batch.collect import by_student, entries_of
from autograder.batch.entries import FILE
from autograder.batch.naming import SUFFIXES
from autograder.batch.student import Piece
from autograder.course import registry
from autograder.course.choices import choices
from autograder.exports.standing import Standing
from autograder.reading.cells import Unreadable

Value = TypeVar("Value")
TIMESTAMP, LARGEST = "timestamp.txt", 1000
UNKNOWN = "late"
"""In the place of a lesson's id: Canvas says LATE of work that no lesson is named in."""
_LATE = re.compile(r"[^_]+_LATE_[0-9]+_[0-9]+_", re.DOTALL)
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d{1,6})?(?: ?UTC|\+00:?00)\s*", re.ASCII)
_ATTEMPT = re.compile(r"(\d{14}|\d{12}$)\d{0,6}", re.ASCII)
"""A time in a name, to the minute or the second; nbgrader's has a fraction of the second too."""


@dataclass
class Lateness:
    """The times that the places of a class's files tell."""

    days: dict[str, dict[str, int]] = field(default_factory=dict)
    """Student -> lesson's id -> days begun after its deadline; only what came late."""
    timed: set[tuple[str, str]] = field(default_factory=set)
    """Students and lessons of which the time is known, or whether it was in time."""


def late(submitted: Path, only: str = "") -> Lateness:
    """Finds out who came late, from the folder or zip that was graded.

    Args:
        submitted: as `cnnviz grade` was given it.
        only: id of the lesson that counts, where no other does: files that no lesson is named in are for it.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is neither a folder nor a zip, or a deadline of `course.toml` is of no lesson.
    """
    deadlines, found = registry.by_lesson("deadlines", choices().deadlines), Lateness()
    with entries_of(submitted) as entries:
        for student, pieces in by_student(entries, lambda sentence: None).items():
            said, times = _of_canvas(pieces, only), _times(pieces, only)
            found.timed |= {(student, lesson) for lesson in said.keys() | times.keys()}
            days = {lesson: _days(time, deadlines[lesson]) for lesson, time in times.items() if lesson in deadlines}
            days |= {lesson or UNKNOWN: int(is_late) for lesson, is_late in said.items()}
            if any(days.values()):
                found.days[student] = {lesson: number for lesson, number in days.items() if number}
    return found


def untimed(standings: Iterable[Standing], found: Lateness) -> list[str]:
    """Students with work on a lesson that has a deadline, of which the time is not known."""
    due = registry.by_lesson("deadlines", choices().deadlines).keys()
    work = {one.student: {(one.student, lesson) for lesson in due & one.known.keys()} for one in standings}
    return [student for student, parts in work.items() if parts - found.timed]


def _of_canvas(pieces: Sequence[Piece], only: str) -> dict[str, bool]:
    """Lesson's id -> whether Canvas says LATE; no other platform gives files that lie in no folder a number."""
    canvas = (piece for piece in pieces if piece.kind in SUFFIXES and piece.named.version[1])
    said = [(piece, bool(_LATE.match(piece.entry.parts[-1]))) for piece in canvas]
    return {lesson: any(late) for lesson, late in _by_lesson(said, only).items()}


def _times(pieces: Sequence[Piece], only: str) -> dict[str, datetime]:
    """Lesson's id -> when the last of its files came."""
    timed = [(piece, time) for piece in pieces if (time := _time(piece))]
    return {lesson: max(times, key=datetime.timestamp) for lesson, times in _by_lesson(timed, only).items()}


def _by_lesson(told: Iterable[tuple[Piece, Value]], only: str) -> dict[str, list[Value]]:
    """Groups by lesson what files tell; those that name no lesson are for `only`, where none is named after that."""
    found: dict[str, list[Value]] = defaultdict(list)
    for piece, value in told:
        lesson = piece.named.lesson or piece.named.folder
        found[lesson.id if lesson else ""].append(value)
    if only and only not in found and "" in found:
        found[only] = found.pop("")
    return found


def _time(piece: Piece) -> datetime | None:
    """When work came: with a zone where that is known, else by the platform's clock."""
    entry = piece.entry
    if entry.kind == FILE and entry.parts[-1] == TIMESTAMP:
        try:
            stamp = _STAMP.fullmatch(entry.read(LARGEST).decode("ascii", "replace"))
        except Unreadable:
            return None
        return _read(f"{stamp[1]} {stamp[2]}", "%Y-%m-%d %H:%M:%S", utc=True) if stamp else None
    attempt = _ATTEMPT.fullmatch(piece.named.attempt)
    if attempt is None or entry.kind != FILE or piece.kind not in SUFFIXES:
        return None
    return _read(attempt[1].ljust(14, "0"), "%Y%m%d%H%M%S", utc=piece.named.utc)


def _read(text: str, form: str, *, utc: bool) -> datetime | None:
    """A time; None where there is no such day, or none in which anybody can have handed in."""
    try:
        time = datetime.strptime(text, form)
    except ValueError:
        return None
    if not 2000 <= time.year < 2100:
        return None
    return time.replace(tzinfo=timezone.utc) if utc else time


def _days(time: datetime, deadline: datetime) -> int:
    """Days begun after the deadline. A time without a zone is by the clock that the deadline is written by."""
    if time.tzinfo is None:
        deadline = deadline.replace(tzinfo=None)
    elif deadline.tzinfo is None:
        deadline = deadline.astimezone()
    return max(0, -((deadline - time) // timedelta(days=1)))
