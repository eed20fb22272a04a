"""What nbgrader may see of a student's folder: the lesson's own notebook, and two small text files that we read."""

from __future__ import annotations

import glob
import os
import re
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta, timezone
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from nbgrader.utils import parse_utc

from autograder.batch.entries import shown
from autograder.course import registry
from autograder.reading.cells import Unreadable
from autograder.reading.plain import read_plain
from autograder.text.words import printable

TIMESTAMP, SECRET, REFUSED = "timestamp.txt", "submission_secret.txt", "refused.txt"
"""When it was handed in; what names the file that feedback goes to; why `Collect` took nothing else."""
LARGEST_TEXT = 1000
_FORMS = {
    TIMESTAMP: r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{1,6})?( ?[+-]\d\d:?\d\d| [A-Za-z]+(/[A-Za-z_]+)*)?\n?",
    SECRET: r"[A-Za-z0-9_-]{8,256}\n?",
}
"""A time zone that is a path would be opened; nbgrader's own secret has 128 hex digits."""


def only_the_lessons_work(converter: Any) -> None:
    """Keeps `nbgrader autograde` and `generate_feedback` from anything else that lies in a student's folder.

    nbgrader copies whatever is there, through links; waits at a pipe; and ends the whole batch at a line break in a
    folder's name.
    """
    course, init = converter.coursedir, converter.init_assignment
    converter.assignments = dict(_works(converter))
    course.get_existing_timestamp = lambda folder: handed_in_at(read_texts(Path(folder), lambda told: None))

    def init_assignment(assignment: str, student: str) -> None:
        texts = read_texts(Path(converter._format_source(assignment, student)), converter.log.error)
        with TemporaryDirectory() as clean:
            for name, text in texts.items():
                Path(clean, name).write_text(text, encoding="utf-8")
            converter._format_source = lambda *_, **__: clean  # all that nbgrader copies and reads in this step
            try:
                init(assignment, student)
            finally:
                del converter._format_source

    converter.init_assignment = init_assignment


def _works(converter: Any) -> Iterator[tuple[str, list[str]]]:
    """Folder -> the lesson's notebook, there or not: a module alone is graded too."""
    course = converter.coursedir
    name = registry.lesson(course.assignment_id).name
    for folder in sorted(glob.glob(converter._format_source(course.assignment_id, course.student_id))):
        if printable(folder) != folder:
            converter.log.error("Left out: the name %s has characters that do not show; rename it.", shown((folder,)))
        elif any(os.path.lexists(os.path.join(folder, file)) for file in (f"{name}.ipynb", f"{name}.py", REFUSED)):
            yield folder, [os.path.join(folder, f"{name}.ipynb")]


def read_texts(folder: Path, told: Any) -> dict[str, str]:
    """Of the two text files those that are what they should be; `told` gets a sentence for each other one."""
    texts = {}
    for name in filter(lambda name: os.path.lexists(folder / name), _FORMS):
        try:
            refuse_linked_folders(folder / name)
            texts[name] = checked_text(name, read_plain(folder / name, LARGEST_TEXT))
        except Unreadable as error:
            told(f"{shown(folder.parts[-2:])}: {error}")
    return texts


def checked_text(name: str, data: bytes) -> str:
    """The text of one of the two files.

    Raises:
        Unreadable: it has another form, or a time that has not come yet.
    """
    text = data.decode("ascii", "replace")
    if re.fullmatch(_FORMS[name], text):
        try:
            if name != TIMESTAMP or parse_utc(text.strip()) < _now() + timedelta(days=1):
                return text
        except (ValueError, OverflowError):
            pass
    raise Unreadable(f"submission: {name} is not as nbgrader writes it; submit the lesson again.")


def handed_in_at(texts: Mapping[str, str]) -> datetime | None:
    """When the work was handed in, UTC, where that is known."""
    return parse_utc(texts[TIMESTAMP].strip()) if TIMESTAMP in texts else None


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(tzinfo=None)


def refuse_linked_folders(path: Path) -> None:
    """A lesson's folder, or a student's, may not be another name for somebody else's work.

    Raises:
        Unreadable: one of them is a link.
    """
    for folder in path.parents[:2]:
        if folder.is_symlink():
            told = (
                f"submission: the folder {shown((folder.name,))} is a link; hand in the folder itself with its files."
            )
            raise Unreadable(told)


def refuse_uncollected(folder: Path) -> None:
    """The student reads in the feedback why the work was not collected.

    Raises:
        Unreadable: it was not.
    """
    if os.path.lexists(folder / REFUSED):
        raise Unreadable(printable(read_plain(folder / REFUSED, LARGEST_TEXT).decode("utf-8", "replace")))
