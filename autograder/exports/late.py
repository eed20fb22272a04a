"""Who handed in late, and how late: from the times that platforms write, and from no name or file of a student's own.

Canvas writes LATE into the names of files, and no time: that counts as one day. Blackboard and Brightspace write the
time into the names of files and folders, by the platform's own clock, and nbgrader into `timestamp.txt`, in UTC.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

from autograder.batch.entries import FILE, Entry, in_folder
from autograder.batch.naming import Named, folder_of_lesson, named
from autograder.batch.packed import in_packed
from autograder.course import registry
from autograder.course.choices import choices
from autograder.reading.cells import Unreadable

TIMESTAMP, LARGEST = "timestamp.txt", 1000
_LATE = re.compile(r"[^_]+_LATE_[0-9]+_[0-9]+_", re.DOTALL)
_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d{1,6})?(?: ?UTC|\+00:?00)\s*")


@dataclass
class Lateness:
    """What the places of a class's files say of time."""

    days: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    """Student -> lesson's id -> days begun after its deadline; only what came late."""
    timed: set[str] = field(default_factory=set)
    """Students of whom some time is known."""


def late(submitted: Path) -> Lateness:
    """Who came late, from the folder or zip that was graded.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is neither a folder nor a zip, or a deadline of `course.toml` is of no lesson.
    """
    if not submitted.exists():
        raise FileNotFoundError(f"submitted: {submitted} does not exist; name the folder or zip that was graded.")
    deadlines, found = registry.by_lesson("deadlines", choices().deadlines), Lateness()
    times: dict[tuple[str, str], list[datetime]] = defaultdict(list)
    for entry in _entries(submitted):
        about = named(entry.parts)
        lesson = about.lesson or about.folder
        if _said_late(entry):
            found.days[about.student][lesson.id if lesson else "late"] = 1
        elif lesson and (time := _time(entry, about)):
            times[about.student, lesson.id].append(time)
    for (student, lesson_id), several in times.items():
        found.timed.add(student)
        if lesson_id in deadlines and (days := _days(max(several, key=_comparable), deadlines[lesson_id])):
            found.days[student][lesson_id] = days
    return found


def _said_late(entry: Entry) -> bool:
    at_the_top = len(entry.parts) - folder_of_lesson("/".join(entry.parts[:1])) == 1
    return at_the_top and bool(_LATE.match(entry.parts[-1]))


def _time(entry: Entry, about: Named) -> datetime | None:
    """When it came: with a zone where that is known, else by the platform's clock."""
    if entry.kind == FILE and entry.parts[-1] == TIMESTAMP:
        try:
            stamp = _STAMP.fullmatch(entry.read(LARGEST).decode("ascii", "replace"))
        except Unreadable:
            return None
        return datetime.fromisoformat(f"{stamp[1]}T{stamp[2]}+00:00") if stamp else None
    digits = about.attempt
    if not (digits.isdecimal() and len(digits) in (12, 14)):
        return None
    try:
        time = datetime.strptime(digits.ljust(14, "0"), "%Y%m%d%H%M%S")
    except ValueError:
        return None
    return time.replace(tzinfo=timezone.utc) if "UTC" in entry.parts[0].rpartition("+")[2] else time


def _comparable(time: datetime) -> float:
    return time.timestamp()


def _days(time: datetime, deadline: datetime) -> int:
    """Days begun after the deadline. A time without a zone is by the clock that the deadline is written by."""
    if time.tzinfo is None:
        deadline = deadline.replace(tzinfo=None)
    elif deadline.tzinfo is None:
        deadline = deadline.astimezone()
    return max(0, -((deadline - time) // timedelta(days=1)))


def _entries(submitted: Path) -> Iterator[Entry]:
    if submitted.is_dir():
        yield from in_folder(submitted)
        return
    with submitted.open("rb") as file:
        entries: Iterable[Entry] = in_packed(file, submitted.name)
        yield from entries
