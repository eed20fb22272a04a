"""Canvas: grades merged into the gradebook that it exported, which it takes back.

The file's shape is that of Canvas's own `gradebook_exporter.rb` and `gradebook_importer.rb`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from autograder.course.records import Lesson
from autograder.exports.columns import column_of, orders
from autograder.exports.csv_file import Sheet
from autograder.exports.matching import Candidate
from autograder.exports.merging import Gradebook, Place
from autograder.exports.numbers import number

KEYS = {"SIS Login ID": "login", "SIS User ID": "user", "ID": "id"}
INFORMATION = ("Student", "LastName", "FirstName", *KEYS, "Integration ID", "Root Account", "Section")
"""Headings of columns about a student; Canvas never translates them."""
TEST_STUDENT = "Student, Test"
_READ_ONLY = re.compile(r"read\s+only", re.IGNORECASE)
_SCORES = re.compile(r"(Current|Final|Override) (Score|Points|Grade|Status)")
_POSTING = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"(.*?)\s*\((\d+)\)", re.DOTALL)


def candidates(sheet: Sheet) -> list[Candidate]:
    """The students' rows; neither what Canvas says of columns nor its test student is one."""
    header = sheet.header
    found = []
    for row in range(1, len(sheet)):
        values = sheet.row(row)
        if "Points Possible" in values[0] or all(_POSTING.fullmatch(value) for value in values):
            continue
        names = _names(dict(zip(header, values, strict=False)))
        if TEST_STUDENT in names:
            continue
        keys = {key: [sheet.value(row, header.index(name))] for name, key in KEYS.items() if name in header}
        found.append(Candidate(row, {**keys, "name": names}, names[0] or f"row {row + 1}"))
    return found


def _names(row: Mapping[str, str]) -> list[str]:
    """ "Kim, Minsu" in both orders; Canvas itself writes a name that could be a formula as ="=name"."""
    if "Student" in row:
        name = row["Student"].strip()
        name = name[2:-1] if name.startswith('="') and name.endswith('"') else name
        last, comma, first = name.partition(", ")
        return [name, *orders(last, first)] if comma else [name]
    last, first = row.get("LastName", "").strip(), row.get("FirstName", "").strip()
    return [f"{last}, {first}", *orders(last, first)]


def _refuse_others(sheet: Sheet) -> None:
    header = sheet.header
    if "ID" not in header or not {"Student", "LastName"} & set(header[:1]):
        raise ValueError(
            "gradebook: its first row has no columns Student and ID, so Canvas did not export it; "
            "in Canvas open Grades, Export, Export Entire Gradebook, and name that file as it is."
        )


def _writable(sheet: Sheet) -> list[int]:
    """The columns of assignments: no information, no total, nothing that Canvas calls read only."""
    possible = _points_row(sheet)
    return [
        column
        for column, heading in enumerate(sheet.header)
        if heading not in INFORMATION
        and not _SCORES.search(heading)
        and not (possible and _READ_ONLY.search(sheet.value(possible, column)))
        and (possible is None or _TITLE.fullmatch(heading) or number(sheet.value(possible, column)) is not None)
    ]


def _place(sheet: Sheet, asked: str | None, lessons: Sequence[Lesson]) -> Place:
    _refuse_others(sheet)
    column = column_of(sheet, asked, lessons, _writable(sheet), _parts, "Canvas")
    row = _points_row(sheet)
    possible = sheet.value(row, column) if row is not None else ""
    return Place(column, sheet.header[column], number(possible), possible)


def _points_row(sheet: Sheet) -> int | None:
    return next((row for row in range(1, min(4, len(sheet))) if "Points Possible" in sheet.value(row, 0)), None)


def _locked(now: str) -> str:
    """What Canvas says of a student who need not, or cannot, hand in."""
    words = {"EX": "Canvas has it as excused (EX).", "N/A": "the assignment is not assigned to this student (N/A)."}
    return words.get(now.strip().upper(), "")


def _parts(heading: str) -> tuple[str, str]:
    found = _TITLE.fullmatch(heading)
    return (found[1], found[2]) if found else (heading, "")


merged = Gradebook(_place, candidates, _locked).merged
