"""CSV for any spreadsheet: a row per student, points and status of each lesson, exercise and question."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from autograder.core.verdict import NOT_JUDGED
from autograder.course.choices import choices
from autograder.exports.csv_file import BOM
from autograder.exports.roster import Person
from autograder.exports.standing import Standing
from autograder.text.words import counted, csv_text


def table(
    standings: Sequence[Standing],
    *,
    roster: Mapping[str, Person] | None = None,
    late: bool = False,
    bom: bool = False,
) -> bytes:
    """The file's bytes: UTF-8, everything quoted, no cell a formula.

    Args:
        standings: one per student.
        roster: students who should have handed in; those who did not get a row that says "missing".
        late: whether a column says which lessons came late, and how many days.
        bom: whether the file begins with the mark by which Excel knows UTF-8.
    """
    people = roster or {}
    rows = [*standings, *_absent(standings, people)]
    extra = [key for key in ("name", "email", "login", "user", "id") if any(p.value(key) for p in people.values())]
    told = [("late", _late)] * late + [("dropped", _dropped)] * bool(choices().drop_lowest)
    made: list[list[str | float]] = [list(_headings(rows, extra, [name for name, _ in told]))]
    for one in sorted(rows, key=lambda row: row.student):
        person = people.get(one.student, Person(one.student))
        more = [say(one) for _, say in told]
        made.append([one.student, *map(person.value, extra), *_total(one), *more, *_each(one)])
    return ((BOM if bom else "") + csv_text(made, end="\r\n")).encode()


def _absent(standings: Sequence[Standing], people: Mapping[str, Person]) -> Iterator[Standing]:
    here = {one.student for one in standings}
    for student in people:
        if student not in here and standings:
            yield Standing(student, standings[0].lessons, {})


def _late(one: Standing) -> str:
    return ", ".join(f"{lesson} {counted(days, 'day')}" for lesson, days in sorted(one.days.items()))


def _dropped(one: Standing) -> str:
    return " ".join(one.dropped)


def _headings(rows: Sequence[Standing], extra: Sequence[str], more: Sequence[str]) -> Iterator[str]:
    yield from ("student", *extra, "points", "possible", "status", *more)
    for lesson in rows[0].lessons if rows else ():
        for name in (lesson.id, *(item.id for item in lesson.items)):
            yield from (f"{name} points", f"{name} status")


def _total(one: Standing) -> list[str | float]:
    return [_cell(one.points), one.possible, one.status]


def _each(one: Standing) -> Iterator[str | float]:
    for lesson in one.lessons:
        yield from (_cell(one.points_of(lesson)), one.status_of(lesson))
        for item in lesson.items:
            result = one.result(lesson, item.id)
            yield "" if result is None or result.verdict == NOT_JUDGED else result.points[0]
            yield "" if result is None else result.verdict


def _cell(points: float | None) -> str | float:
    return "" if points is None else points
