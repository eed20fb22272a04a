"""Grades into rows of a platform's file: what every platform has in common."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.course.records import Lesson
from autograder.exports.csv_file import Sheet
from autograder.exports.matching import Candidate, match
from autograder.exports.numbers import number, scaled, written
from autograder.exports.roster import Person
from autograder.exports.standing import Standing
from autograder.text.words import cell, counted

MOST = 20
"""Names in one sentence."""


@dataclass(frozen=True)
class Place:
    """The column that grades go to."""

    column: int
    name: str
    maximum: float | None
    """Points that the column has; None where the file does not say."""
    like: str = ""
    """A number as the file writes it."""
    blank: re.Pattern[str] = re.compile(r"-?")
    """The text in a cell without a grade."""


@dataclass
class Told:
    """Collects what is to be said at the end."""

    written: int = 0
    sentences: list[str] = field(default_factory=list)
    unmatched: int = 0
    """Students whose grade is nowhere in the file."""

    def say(self, sentence: str, names: Sequence[str] = ()) -> None:
        """One sentence, and the names it is about."""
        self.sentences.append(f"{sentence}: {listed(names)}." if names else sentence)


def listed(names: Sequence[str]) -> str:
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - MOST} more" if len(names) > MOST else ""
    return "; ".join(f'"{name}"' for name in names[:MOST]) + more


Locked = Callable[[int], str]
"""Row -> why its grade must stay as it is; empty where it may be set."""


def merge(
    sheet: Sheet,
    standings: Sequence[Standing],
    candidates: Sequence[Candidate],
    place: Place,
    *,
    roster: Mapping[str, Person],
    scale: bool = False,
    replace: bool = False,
    locked: Locked = lambda row: "",
) -> tuple[Told, dict[int, Standing]]:
    """Sets the grade cells; who has no row, no verdict or another grade already is named.

    Returns:
        What is to be said, and whose row is whose.

    Raises:
        ValueError: two students fit one row, or the column counts other points.
    """
    told = Told()
    matched = match([one.student for one in standings], candidates, roster)
    owners = {matched.rows[one.student]: one for one in standings if one.student in matched.rows}
    for student, problem in matched.problems.items():
        told.say(f'No grade for "{student}", who {problem}.')
    told.unmatched = len(matched.problems)
    kept: list[str] = []
    for row, one in owners.items():
        _set(sheet, row, one, place, told, kept, scale=scale, replace=replace, reason=locked(row))
    if kept:
        told.say("Left as they were, since another grade stands there (add --replace to change them)", kept)
    for lesson in dict.fromkeys(lesson for one in owners.values() for lesson in one.missing):
        told.say(f"No work on {lesson}, which counts as 0", [o.student for o in owners.values() if lesson in o.missing])
    if absent := [candidate.shown for candidate in candidates if candidate.row not in owners]:
        told.say(f"No work of {len(absent)} in the file, whose grades are untouched", absent)
    return told, owners


@dataclass(frozen=True)
class Gradebook:
    """Merges grades into the gradebook that one platform exports and takes back."""

    place: Callable[[Sheet, str | None, Sequence[Lesson]], Place]
    """Sheet, the column that is asked for and the lessons that count -> where the grades go."""
    people: Callable[[Sheet], list[Candidate]]
    """The rows of students."""
    locked: Callable[[str], str] = lambda now: ""
    """The text in a grade's cell -> why it must stay; empty where it may be set."""

    def merged(
        self,
        sheet: Sheet,
        standings: Sequence[Standing],
        *,
        column: str | None = None,
        roster: Mapping[str, Person] | None = None,
        scale: bool = False,
        replace: bool = False,
    ) -> Told:
        """Puts the grades into the gradebook; every other byte of it stays.

        Raises:
            ValueError: it is no gradebook of the platform's, the column is not there or may not be written, two
                students fit one row, or the column counts other points.
        """
        place = self.place(sheet, column, standings[0].lessons if standings else ())
        told, _ = merge(
            sheet, standings, self.people(sheet), place, roster=roster or {}, scale=scale, replace=replace,
            locked=lambda row: self.locked(sheet.value(row, place.column)),
        )  # fmt: skip
        told.say(f'{counted(told.written, "grade")} in the column "{place.name}".')
        return told


def _set(sheet, row, one, place, told, kept, *, scale, replace, reason) -> None:
    if one.points is None:
        told.say(f'The grade of "{one.student}" is left as it was: {one.unjudged()}')
        return
    if reason:
        told.say(f'The grade of "{one.student}" is left as it was: {reason}')
        return
    value = scaled(one.points, one.possible, place.maximum, scale, column=place.name)
    now = sheet.value(row, place.column)
    if (there := number(now)) is not None and abs(there - value) < 0.005:
        told.written += 1
    elif now.strip() and not place.blank.fullmatch(now.strip()) and not replace:
        kept.append(f"{one.student}: {now.strip()} there, {written(value)} here")
    else:
        sheet.set(row, place.column, cell(written(value, place.like)))
        told.written += 1
