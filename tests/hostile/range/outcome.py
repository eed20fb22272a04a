"""What a batch came to, in one form for the real grader and the weakened one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.hostile.range.watching import Ending


@dataclass(frozen=True)
class Student:
    """What became of one student."""

    points: Mapping[str, int] = field(default_factory=dict)
    """Item id -> points; nothing for an item that has no result."""
    verdicts: Mapping[str, str] = field(default_factory=dict)
    told: str = ""
    """All text that the student gets to see, but for the student's own code."""
    page: str = ""
    """The page that the student gets, with that code on it."""
    shown: str = ""
    """What is shown as plain text where control characters are obeyed."""
    log: str = ""
    """What is printed where a line can be a command of GitHub's runner."""
    files: Mapping[str, str] = field(default_factory=dict)
    """Result file -> digest of its bytes."""


@dataclass(frozen=True)
class Outcome:
    """What a batch came to."""

    ending: Ending
    students: Mapping[str, Student]
    finished: bool
    """Whether the grader came to the end of its list."""
    tables: tuple[str, ...] = ()
    """The CSV files that it wrote."""
    pages: tuple[str, ...] = ()
    """The pages that an instructor opens."""
    terminal: str = ""
    """All that it printed."""
    left: tuple[str, ...] = ()
    """Files that were not there before, or are no more as they were."""
    complaints: tuple[str, ...] = ()
    """What verifying the results complained about."""


def from_json(about: Mapping[str, Any]) -> Outcome:
    """The reverse of `dataclasses.asdict`."""
    ending = Ending(**{**about["ending"], "left": tuple(about["ending"]["left"])})
    students = {name: Student(**seen) for name, seen in about["students"].items()}
    lists = {name: tuple(about[name]) for name in ("tables", "pages", "left", "complaints")}
    return Outcome(ending, students, about["finished"], terminal=about["terminal"], **lists)
