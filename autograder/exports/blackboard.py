"""Blackboard: grades merged into the gradebook that it downloads (Work Offline), which it takes back.

A column's heading is `Lab 11 [Total Pts: 31 Score] |4711`: Blackboard goes by the number behind the bar, and by
`Username`. The download is tab-delimited in UTF-16, with the suffix .xls, or comma-delimited in UTF-8.
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

KEYS = {"Username": "login", "Student ID": "user"}
_COLUMN = re.compile(r"(?P<title>.*?)\s*\[(?P<about>[^\[\]]*)\]\s*\|(?P<number>\d+)", re.DOTALL)
_CALCULATED = re.compile(r"\bup to\b", re.IGNORECASE)
_UNGRADED = re.compile(r"(Needs Grading|In Progress)(\(.*\))?", re.IGNORECASE)


def merged(
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
        ValueError: it is no gradebook of Blackboard's, the column is not there or may not be written, two students fit
            one row, or the column counts other points.
    """
    if "Username" not in sheet.header:
        raise ValueError(
            "gradebook: its first row has no column Username, by which Blackboard knows students; in Blackboard, set "
            "to English, open Gradebook, Work Offline, Download, and name that file as it is."
        )
    place = _place(sheet, column, standings[0].lessons if standings else ())
    told, _ = merge(sheet, standings, people(sheet, KEYS), place, roster=roster or {}, scale=scale, replace=replace)
    told.say(f'{told.written} grade(s) in the column "{place.name}".')
    return told


def _place(sheet: Sheet, asked: str | None, lessons: Sequence[Lesson]) -> Place:
    headings = [_COLUMN.fullmatch(heading) for heading in sheet.header]
    able = [c for c, found in enumerate(headings) if found and not _CALCULATED.search(found["about"])]
    column = column_of(sheet, asked, lessons, able, _parts, "Blackboard")
    numbers = re.findall(r"\d[\d.,]*", (headings[column] or {"about": ""})["about"])
    most = number(numbers[0]) if numbers else None
    return Place(column, sheet.header[column], most, blank=_UNGRADED)


def _parts(heading: str) -> tuple[str, str]:
    found = _COLUMN.fullmatch(heading)
    return (found["title"], found["number"]) if found else (heading, "")
