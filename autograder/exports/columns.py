"""Finds the column of a platform's gradebook that is meant: by heading, title, number, or the lesson's name."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet

from autograder.course import registry
from autograder.course.records import Lesson
from autograder.exports.csv_file import Sheet
from autograder.exports.matching import Candidate

_WORD = re.compile(r"[^\W\d_]+|\d+")
Parts = Callable[[str], tuple[str, str]]
"""A heading -> its title, and the platform's number of the column, empty where it has none."""


def column_of(
    sheet: Sheet, asked: str | None, lessons: Sequence[Lesson], columns: Sequence[int], parts: Parts, platform: str
) -> int:
    """The one column that is meant.

    Args:
        sheet: the gradebook.
        asked: what the instructor calls it; None where there is only one that can be meant.
        lessons: those that count.
        columns: those that may be written.
        parts: what a heading is made of.
        platform: its name.

    Raises:
        ValueError: it is not there, may not be written, or is not the only one.
    """
    headings = sheet.header
    if asked is None:
        fitting = [c for c in columns if _is_of(parts(headings[c])[0], lessons)]
        if len(lessons) == 1 and len(fitting) == 1:
            return fitting[0]
        raise ValueError(f"column: say which column is meant with --column; {_choices(sheet, columns, platform)}")
    ways: tuple[Callable[[str], str], ...] = (str, lambda heading: parts(heading)[0], lambda heading: parts(heading)[1])
    for way in ways:
        found = [c for c in columns if way(headings[c]) == asked.strip()]
        if len(found) == 1:
            return found[0]
        if found:
            raise ValueError(f'column: "{asked}" is {len(found)} columns; name one by its whole heading.')
    if asked in headings:
        raise ValueError(
            f'column: "{asked}" is a column that {platform} works out itself or uses to name students, and nothing '
            f"may be written there; {_choices(sheet, columns, platform)}"
        )
    near = difflib.get_close_matches(asked, [headings[c] for c in columns], n=1)
    hint = f'did you mean "{near[0]}"?' if near else _choices(sheet, columns, platform)
    raise ValueError(f'column: got "{asked}", which is not in the gradebook; {hint}')


def _choices(sheet: Sheet, columns: Sequence[int], platform: str) -> str:
    names = [f'"{sheet.header[c]}"' for c in columns]
    return f"choose one of {', '.join(names)}." if names else f"add the assignment in {platform} and export again."


def _is_of(title: str, lessons: Sequence[Lesson]) -> bool:
    """Whether whole words of a title name one of these lessons, and none name another one at more length."""
    words = _WORD.findall(title.casefold())
    runs = {"".join(words[i:j]) for i in range(len(words)) for j in range(i + 1, len(words) + 1)}
    named = {each.id: _longest(each, runs) for each in (*registry.known(), *lessons)}
    most = max(named.values(), default=0)
    return most > 0 and {each for each, length in named.items() if length == most} <= {each.id for each in lessons}


def _longest(lesson: Lesson, runs: AbstractSet[str]) -> int:
    """Characters of the longest name of a lesson among some runs of words."""
    names = ("".join(_WORD.findall(text.casefold())) for text in (lesson.id, lesson.name, lesson.title))
    return max((len(name) for name in names if name in runs), default=0)


def people(sheet: Sheet, keys: Mapping[str, str]) -> list[Candidate]:
    """The rows of students in a gradebook with the columns Last Name and First Name.

    Args:
        sheet: the gradebook; a # before an identifier is the platform's, against spreadsheets.
        keys: heading -> what identifies a student there.
    """
    found = []
    for row in (row for row in range(1, len(sheet)) if any(sheet.row(row))):
        values = {name: value.strip() for name, value in zip(sheet.header, sheet.row(row), strict=False)}
        known = {key: [values[name].removeprefix("#")] for name, key in keys.items() if name in values}
        last, first = (values.get(name, "") for name in ("Last Name", "First Name"))
        names = [f"{last}, {first}", *orders(last, first)] if last or first else []
        found.append(Candidate(row, {**known, "name": names}, (names or next(iter(known.values())))[0]))
    return found


def orders(last: str, first: str) -> list[str]:
    """A name in the orders in which people write it: "Minsu Kim", "Kim Minsu", and 김민수, which has no space."""
    return [f"{first} {last}", f"{last} {first}", *([] if last.isascii() else [f"{last}{first}"])]
