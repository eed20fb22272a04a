"""Which lesson a file is for where its name does not say: by the functions and answers in it, else by a number."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.course import registry
from autograder.course.records import Lesson
from autograder.reading.cells import LARGEST_CODE, Unreadable, looks_like_notebook, read_cells

_BOUND = re.compile(r"(?m)^(?:def +(\w+) *\(|(\w+) *=[^=])")
_NUMBER = re.compile(r"(?:lesson|lezione|leçon|lektion|lección)?\W*0*([0-9]{1,2})(?:\W.*)?", re.I | re.DOTALL)


def lessons_that_fit(data: bytes, stem: str) -> tuple[Lesson, ...]:
    """The lessons that most of its names are of, several where they fit alike; of these the one that has its number.

    A module may be a helper that has a function of a lesson: it has to have half of the lesson's.
    """
    is_notebook = looks_like_notebook(data)
    names = _of_notebook(data) if is_notebook else _bound(data[:LARGEST_CODE].decode("utf-8", "replace"))
    lessons = registry.lessons()
    counts = [len(names & {item.id.split(".")[1] for item in lesson.items}) for lesson in lessons]
    enough = [n == max(counts) > 0 and (is_notebook or 2 * n >= len(lesson.exercises))
              for n, lesson in zip(counts, lessons, strict=True)]  # fmt: skip
    fit = [lesson for lesson, is_enough in zip(lessons, enough, strict=True) if is_enough]
    return _of_number(stem, fit or lessons) or tuple(fit)


def _of_number(stem: str, lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    found = _NUMBER.fullmatch(stem)
    return tuple(lesson for lesson in lessons if found and int(lesson.id.split("_")[0]) == int(found[1]))


def _of_notebook(data: bytes) -> set[str]:
    try:
        cells = [cell for cell in read_cells(data, "") if cell.code]
    except Unreadable:
        return set()
    return {cell.grade_id for cell in cells if cell.solution}.union(*(_bound(cell.source) for cell in cells))


def _bound(text: str) -> set[str]:
    return {function or variable for function, variable in _BOUND.findall(text)}
