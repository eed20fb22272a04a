"""Blackboard: grades merged into the gradebook that it downloads (Work Offline), which it takes back.

A column's heading is `Lab 11 [Total Pts: 31 Score] |4711`: Blackboard goes by the number behind the bar, and by
`Username`. The download is tab-delimited in UTF-16, with the suffix .xls, or comma-delimited in UTF-8.
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

KEYS = {"Username": "login", "Student ID": "user"}
_COLUMN = re.compile(r"(?P<title>.*?)\s*\[(?P<about>[^\[\]]*)\]\s*\|(?P<number>\d+)", re.DOTALL)
_CALCULATED = re.compile(r"\bup to\b", re.IGNORECASE)
_UNGRADED = re.compile(r"(Needs Grading|In Progress)(\(.*\))?", re.IGNORECASE)


def _place(sheet: Sheet, asked: str | None, lessons: Sequence[Lesson]) -> Place:
    if "Username" not in sheet.header:
        raise ValueError(
            "gradebook: its first row has no column Username, by which Blackboard knows students; in Blackboard, set "
            "to English, open Gradebook, Work Offline, Download, and name that file as it is."
        )
    headings = [_COLUMN.fullmatch(heading) for heading in sheet.header]
    able = [c for c, found in enumerate(headings) if found and not _CALCULATED.search(found["about"])]
    column = column_of(sheet, asked, lessons, able, _parts, "Blackboard")
    numbers = re.findall(r"\d[\d.,]*", (headings[column] or {"about": ""})["about"])
    most = number(numbers[0]) if numbers else None
    return Place(column, sheet.header[column], most, blank=_UNGRADED)


def _parts(heading: str) -> tuple[str, str]:
    found = _COLUMN.fullmatch(heading)
    return (found["title"], found["number"]) if found else (heading, "")


merged = Gradebook(_place, partial(people, keys=KEYS)).merged
