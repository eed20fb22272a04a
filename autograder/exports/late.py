"""Who handed in late, as Canvas says it: in the names that it gives to files, and in no name of a student's own."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path

from autograder.batch.entries import Entry, in_folder
from autograder.batch.naming import folder_of_lesson, named
from autograder.batch.packed import in_packed

_LATE = re.compile(r"[^_]+_LATE_[0-9]+_[0-9]+_", re.DOTALL)


def late(submitted: Path) -> dict[str, list[str]]:
    """Student -> ids of the lessons that came late, from a folder or zip that Canvas made.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is neither a folder nor a zip.
    """
    if not submitted.exists():
        raise FileNotFoundError(f"submitted: {submitted} does not exist; name the folder or zip that was graded.")
    found: dict[str, set[str]] = defaultdict(set)
    for entry in _entries(submitted):
        at_the_top = len(entry.parts) - folder_of_lesson("/".join(entry.parts[:1])) == 1
        if at_the_top and _LATE.match(entry.parts[-1]):
            about = named(entry.parts[-1:])
            lesson = about.lesson or named(entry.parts).folder
            found[about.student].add(lesson.id if lesson else "late")
    return {student: sorted(lessons) for student, lessons in found.items()}


def _entries(submitted: Path) -> Iterator[Entry]:
    if submitted.is_dir():
        yield from in_folder(submitted)
        return
    with submitted.open("rb") as file:
        entries: Iterable[Entry] = in_packed(file, submitted.name)
        yield from entries
