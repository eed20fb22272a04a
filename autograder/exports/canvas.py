"""Canvas: grades merged into the gradebook that it exported, which it takes back.

The file's shape is that of Canvas's own `gradebook_exporter.rb` and `gradebook_importer.rb`.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from autograder.course.records import Lesson
from autograder.exports.csv_file import Sheet
from autograder.exports.matching import Candidate
from autograder.exports.merging import Place, Told, merge
from autograder.exports.numbers import number
from autograder.exports.roster import Person
from autograder.exports.standing import Standing

KEYS = {"SIS Login ID": "login", "SIS User ID": "user", "ID": "id"}
INFORMATION = ("Student", "LastName", "FirstName", *KEYS, "Integration ID", "Root Account", "Section")
"""Headings of columns about a student; Canvas never translates them."""
TEST_STUDENT = "Student, Test"
_READ_ONLY = re.compile(r"read\s+only", re.IGNORECASE)
_SCORES = re.compile(r"(Current|Final|Override) (Score|Points|Grade|Status)")
_POSTING = re.compile(r"\s*(Muted|Manual Posting.*)?\s*", re.IGNORECASE | re.DOTALL)
_TITLE = re.compile(r"(.*?)\s*\((\d+)\)", re.DOTALL)


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
        ValueError: it is no gradebook of Canvas's, the column is not there or may not be written, two students fit
            one row, or the column counts other points.
    """
    _refuse_others(sheet)
    place = _place(sheet, _column(sheet, column, standings[0].lessons if standings else ()))
    told, _ = merge(
        sheet, standings, candidates(sheet), place,
        roster=roster or {}, scale=scale, replace=replace,
        locked=lambda row: _locked(sheet.value(row, place.column)),
    )  # fmt: skip
    told.say(f'{told.written} grade(s) in the column "{place.name}".')
    return told


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
        return [name, *_orders(last, first)] if comma else [name]
    last, first = row.get("LastName", "").strip(), row.get("FirstName", "").strip()
    return [f"{last}, {first}", *_orders(last, first)]


def _orders(last: str, first: str) -> list[str]:
    """ "Minsu Kim", "Kim Minsu", and 김민수, which has no space."""
    return [f"{first} {last}", f"{last} {first}", *([] if last.isascii() else [f"{last}{first}"])]


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


def _column(sheet: Sheet, asked: str | None, lessons: Sequence[Lesson]) -> int:
    """The column that is meant by its heading, its title or its number; without a word the one of the lesson."""
    columns = _writable(sheet)
    if asked is None:
        wanted = {_bare(text) for lesson in lessons for text in (lesson.id, lesson.name, lesson.title)}
        fitting = [c for c in columns if any(word in _bare(_title(sheet.header[c])) for word in wanted)]
        if len(lessons) == 1 and len(fitting) == 1:
            return fitting[0]
        raise ValueError(f"column: say which column is meant with --column; {_choices(sheet, columns)}")
    ways = (lambda heading: heading, _title, _number)
    for way in ways:
        found = [c for c in columns if way(sheet.header[c]) == asked.strip()]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f'column: "{asked}" is {len(found)} columns; name one with its number in parentheses.')
    if asked in sheet.header:
        raise ValueError(
            f'column: "{asked}" is a column that Canvas works out itself or uses to name students, and nothing '
            f"may be written there; {_choices(sheet, columns)}"
        )
    near = difflib.get_close_matches(asked, [sheet.header[c] for c in columns], n=1)
    hint = f'did you mean "{near[0]}"?' if near else _choices(sheet, columns)
    raise ValueError(f'column: got "{asked}", which is not in the gradebook; {hint}')


def _choices(sheet: Sheet, columns: Sequence[int]) -> str:
    names = [f'"{sheet.header[c]}"' for c in columns]
    return f"choose one of {', '.join(names)}." if names else "add the assignment in Canvas and export again."


def _place(sheet: Sheet, column: int) -> Place:
    row = _points_row(sheet)
    possible = sheet.value(row, column) if row is not None else ""
    return Place(column, sheet.header[column], number(possible), possible)


def _points_row(sheet: Sheet) -> int | None:
    return next((row for row in range(1, min(4, len(sheet))) if "Points Possible" in sheet.value(row, 0)), None)


def _locked(now: str) -> str:
    """What Canvas says of a student who need not, or cannot, hand in."""
    words = {"EX": "Canvas has it as excused (EX).", "N/A": "the assignment is not assigned to this student (N/A)."}
    return words.get(now.strip().upper(), "")


def _title(heading: str) -> str:
    found = _TITLE.fullmatch(heading)
    return found[1] if found else heading


def _number(heading: str) -> str:
    found = _TITLE.fullmatch(heading)
    return found[2] if found else ""


def _bare(text: str) -> str:
    return "".join(c for c in text.casefold() if c.isalnum())
