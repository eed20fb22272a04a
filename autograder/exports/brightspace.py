"""Brightspace: grades merged into the grades that it exports, which it imports again.

A column's heading is `Lab 11 Points Grade <Numeric MaxPoints:31 Weight:10 Category:Labs>`; every row ends in the cell
`#` below `End-of-Line Indicator`. Brightspace writes # before identifiers, so that no spreadsheet changes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autograder.course.records import Lesson
from autograder.exports.columns import column_of, people
from autograder.exports.csv_file import Sheet
from autograder.exports.merging import Place, Told, merge
from autograder.exports.numbers import number
from autograder.exports.roster import Person
from autograder.exports.standing import Standing

KEYS = {"Username": "login", "OrgDefinedId": "user", "Email": "email"}
END = "End-of-Line Indicator"
_COLUMN = re.compile(r"(?P<title>.*?) Points Grade(?: <(?P<about>.*)>)?", re.DOTALL)
_MOST = re.compile(r"MaxPoints:([\d.,]+)")


def merged(
    sheet: Sheet,
    standings: Sequence[Standing],
    *,
    column: str | None = None,
    roster: Mapping[str, Person] | None = None,
    scale: bool = False,
    replace: bool = False,
) -> Told:
    """Puts the grades into the file; every other byte of it stays.

    Raises:
        ValueError: it is no export of Brightspace's, the column is not there or may not be written, two students fit
            one row, or the column counts other points.
    """
    if not {"Username", "OrgDefinedId"} & set(sheet.header) or END not in sheet.header:
        raise ValueError(
            f"gradebook: its first row has no column Username or OrgDefinedId, or none called {END}, so Brightspace "
            "did not export it; in Brightspace open Grades, Enter Grades, Export, choose Key Field: Both and Points "
            "grade, and name that file as it is."
        )
    place = _place(sheet, column, standings[0].lessons if standings else ())
    told, _ = merge(sheet, standings, people(sheet, KEYS), place, roster=roster or {}, scale=scale, replace=replace)
    told.say(f'{told.written} grade(s) in the column "{place.name}".')
    return told


def _place(sheet: Sheet, asked: str | None, lessons: Sequence[Lesson]) -> Place:
    able = [column for column, heading in enumerate(sheet.header) if _COLUMN.fullmatch(heading)]
    column = column_of(sheet, asked, lessons, able, _parts, "Brightspace")
    most = _MOST.search(sheet.header[column])
    return Place(column, sheet.header[column], number(most[1]) if most else None)


def _parts(heading: str) -> tuple[str, str]:
    found = _COLUMN.fullmatch(heading)
    return (found["title"], "") if found else (heading, "")
