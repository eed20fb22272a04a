"""Brightspace: grades merged into the grades that it exports, which it imports again.

A column's heading is `Lab 11 Points Grade <Numeric MaxPoints:31 Weight:10 Category:Labs>`; every row ends in the cell
`#` below `End-of-Line Indicator`. Brightspace writes # before identifiers, so that no spreadsheet changes them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import partial

from autograder.course.records import Lesson
from autograder.exports.columns import column_of, people
from autograder.exports.csv_file import Sheet
from autograder.exports.merging import Gradebook, Place
from autograder.exports.numbers import number

KEYS = {"Username": "login", "OrgDefinedId": "user", "Email": "email"}
END = "End-of-Line Indicator"
_COLUMN = re.compile(r"(?P<title>.*?) Points Grade(?: <(?P<about>.*)>)?", re.DOTALL)
_MOST = re.compile(r"MaxPoints:([\d.,]+)")


def _place(sheet: Sheet, asked: str | None, lessons: Sequence[Lesson]) -> Place:
    if not {"Username", "OrgDefinedId"} & set(sheet.header) or END not in sheet.header:
        raise ValueError(
            f"gradebook: its first row has no column Username or OrgDefinedId, or none called {END}, so Brightspace "
            "did not export it; in Brightspace open Grades, Enter Grades, Export, choose Key Field: Both and Points "
            "grade, and name that file as it is."
        )
    able = [column for column, heading in enumerate(sheet.header) if _COLUMN.fullmatch(heading)]
    column = column_of(sheet, asked, lessons, able, _parts, "Brightspace")
    most = _MOST.search(sheet.header[column])
    return Place(column, sheet.header[column], number(most[1]) if most else None)


def _parts(heading: str) -> tuple[str, str]:
    found = _COLUMN.fullmatch(heading)
    return (found["title"], "") if found else (heading, "")


merged = Gradebook(_place, partial(people, keys=KEYS)).merged
