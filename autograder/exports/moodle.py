"""Moodle: grades and feedback into the offline grading worksheet of an assignment, or a file for its grade import.

A worksheet's headings are in the language of whoever downloaded it, and Moodle takes it back only in that language. Its
columns have a fixed order, which is what is gone by here: identifier, full name, what the site shows of users, status,
(team, marker), grade, largest grade, (workflow), whether the grade can be changed, times, feedback.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from autograder.exports.csv_file import Sheet
from autograder.exports.matching import Candidate
from autograder.exports.merging import Place, Told, merge
from autograder.exports.numbers import number
from autograder.exports.roster import Person
from autograder.exports.standing import Standing, verdicts
from autograder.text.words import Cell, cell, counted, csv_text

LARGEST = ("maximum grade", "bestwertung")
FEEDBACK = ("feedback comments", "feedback als kommentar")
"""Headings, in small letters, of two languages; for all others position and content tell."""
NO = ("no", "nein", "non", "nee", "não", "아니오", "아니요", "いいえ", "否")
_IDENTIFIER = re.compile(r"(\D+?)\s*(\d+)")


@dataclass(frozen=True)
class Columns:
    """Where things are in a worksheet."""

    grade: int
    largest: int | None
    changeable: tuple[int, ...]
    feedback: int | None
    email: int | None


def merged(
    sheet: Sheet,
    standings: Sequence[Standing],
    *,
    grade_column: str | None = None,
    feedback_column: str | None = None,
    roster: Mapping[str, Person] | None = None,
    scale: bool = False,
    replace: bool = False,
) -> Told:
    """Puts grades and feedback into the worksheet; every other byte of it stays.

    Raises:
        ValueError: it is no worksheet, a column cannot be found, two students fit one row, or other points count.
    """
    rows = _rows(sheet)
    columns = _columns(sheet, rows, grade_column, feedback_column)
    like = sheet.value(rows[0], columns.largest) if columns.largest is not None else ""
    place = Place(columns.grade, sheet.header[columns.grade], number(like), like)
    told, owners = merge(
        sheet, standings, [_candidate(sheet, row, columns) for row in rows], place,
        roster=roster or {}, scale=scale, replace=replace, locked=lambda row: _locked(sheet, row, columns),
    )  # fmt: skip
    told.say(f'{counted(told.written, "grade")} in the column "{place.name}".')
    if columns.feedback is None:
        told.say("No feedback: the worksheet has no such column; tick Feedback comments in the assignment's settings.")
    else:
        _comment(sheet, owners, columns, columns.feedback, told, replace)
    return told


def _comment(
    sheet: Sheet, owners: Mapping[int, Standing], columns: Columns, column: int, told: Told, replace: bool
) -> None:
    """Feedback for everybody whose grade may change; what somebody wrote there stays."""
    kept = []
    for row, one in owners.items():
        now, text = sheet.value(row, column), comment(one)
        if _locked(sheet, row, columns) or now == text:
            continue
        if now.strip() and not replace:
            kept.append(one.student)
        else:
            sheet.set(row, column, text)
    if kept:
        told.say("Feedback left as it was, since another text stands there (add --replace to change it)", kept)


def comment(standing: Standing) -> Cell:
    """The feedback as Moodle keeps it: HTML, with nothing in it that is not our own markup."""
    return cell("<br>".join(html.escape(line, quote=False) for line in verdicts(standing)))


def import_table(standings: Sequence[Standing], roster: Mapping[str, Person]) -> bytes:
    """For Grades, Import, CSV file: who, a column per lesson, and the feedback. What was not judged has no grade."""
    lessons = standings[0].lessons if standings else ()
    made: list[list[str | float]] = [
        ["Username", "Email address", *(lesson.id for lesson in lessons), "Total", "Feedback comments"]
    ]
    for one in standings:
        person = roster.get(one.student, Person(one.student))
        points = [one.points_of(lesson) for lesson in lessons]
        who = person.value("login") or one.student, person.value("email")
        made.append([*who, *("" if p is None else p for p in (*points, one.points)), comment(one)])
    return csv_text(made, end="\r\n").encode()


def _rows(sheet: Sheet) -> list[int]:
    """The rows of participants: their identifiers are one word of the site's language and a number of their own."""
    rows = [row for row in range(1, len(sheet)) if any(sheet.row(row))]
    found = [_IDENTIFIER.fullmatch(sheet.value(row, 0).strip()) for row in rows]
    words = {match[1] for match in found if match}
    if not rows or None in found or len(words) != 1 or len({m[2] for m in found if m}) != len(rows):
        raise ValueError(
            'worksheet: its first column has no identifiers such as "Participant 123", so Moodle did not make it; in '
            "the assignment open Submissions, Actions, Download grading worksheet, and name that file as it is."
        )
    return rows


def _columns(sheet: Sheet, rows: Sequence[int], grade: str | None, feedback: str | None) -> Columns:
    largest = _largest(sheet, rows)
    if grade is None and largest is None:
        raise ValueError(
            "grade column: the worksheet has no column of largest grades by which to know it (an assignment graded by "
            f"a scale has none); name it with --grade-column: {_listed(sheet)}."
        )
    at = _named(sheet, grade, "grade column") if grade is not None else (largest or 0) - 1
    emails = [c for c in range(1, len(sheet.header)) if any("@" in text for text in sheet.column(c, rows)) and c < at]
    after = (largest if largest is not None else at) + 1
    comments = _named(sheet, feedback, "feedback column") if feedback is not None else _feedback(sheet, rows, after)
    return Columns(at, largest, (after, after + 1), comments, emails[0] if emails else None)


def _largest(sheet: Sheet, rows: Sequence[int]) -> int | None:
    """By a known heading; else the first column with one positive number throughout and only grades before it."""
    for column, heading in enumerate(sheet.header):
        if heading.strip().casefold() in LARGEST:
            return column
    for column in range(2, len(sheet.header)):
        values = [number(text) for text in sheet.column(column, rows)]
        before = [text for text in sheet.column(column - 1, rows) if text.strip() not in ("", "-")]
        same = values[0] is not None and values[0] > 0 and len(set(values)) == 1
        if same and all(number(text) is not None for text in before):
            return column
    return None


def _feedback(sheet: Sheet, rows: Sequence[int], after: int) -> int | None:
    """By a known heading; else the last column, if nothing stands there yet: of times there is at least a hyphen."""
    for column, heading in enumerate(sheet.header):
        if heading.strip().casefold() in FEEDBACK:
            return column
    last = len(sheet.header) - 1
    return last if last > after and not any(text.strip() for text in sheet.column(last, rows)) else None


def _named(sheet: Sheet, asked: str, argument: str) -> int:
    if asked not in sheet.header:
        raise ValueError(f'{argument}: got "{asked}", which is not in the worksheet; choose one of {_listed(sheet)}.')
    return sheet.header.index(asked)


def _listed(sheet: Sheet) -> str:
    return ", ".join(f'"{heading}"' for heading in sheet.header)


def _candidate(sheet: Sheet, row: int, columns: Columns) -> Candidate:
    identifier, name = sheet.value(row, 0).strip(), sheet.value(row, 1).strip()
    found = _IDENTIFIER.fullmatch(identifier)
    email = sheet.value(row, columns.email).strip() if columns.email is not None else ""
    ids = [identifier, found[2] if found else ""]
    names = [name, *([found[1]] if found else [])]  # of a blind assignment's files the word stands before the number
    keys = {"id": ids, "email": [email], "login": [email.partition("@")[0]], "name": names}
    return Candidate(row, keys, name or identifier)


def _locked(sheet: Sheet, row: int, columns: Columns) -> str:
    words = [sheet.value(row, column).strip().casefold() for column in columns.changeable]
    return "Moodle says that this grade cannot be changed." if any(word in NO for word in words) else ""
