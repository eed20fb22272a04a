"""Whether everybody got what they had to get."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from autograder.batch.results import Store
from autograder.course.records import Lesson

from .courses import SECRET
from .students import Student

Scores = Mapping[str, Mapping[str, float]]
"""Student -> item id -> points."""


def kept(results: Path, lesson: Lesson, secret: str = SECRET) -> dict[str, dict[str, float]]:
    """What a RESULTS folder says."""
    found: dict[str, dict[str, float]] = {}
    for result in Store(results, secret).results():
        if result.lesson == lesson.id:
            found.setdefault(result.student, {})[result.item] = result.points[0]
    return found


def unlike(students: Iterable[Student], scores: Scores, *, lesson: Lesson, lent: bool = True) -> list[str]:
    """A sentence for each score that is not as expected.

    Args:
        students: with what each must get.
        scores: what they got.
        lesson: what it was about.
        lent: False for a grader that lends nobody a right part: there a function that is built on wrong ones is left
            out of the comparison.
    """
    found = []
    for student in students:
        for item, points in student.expected.items():
            got = scores.get(student.name, {}).get(item)
            if got != points and (lent or not _leans(student, item, lesson)):
                found.append(f"{student.name}, {item} ({student.kinds.get(item)}): {got} points, expected {points}")
    return found


def _leans(student: Student, item: str, lesson: Lesson) -> bool:
    """Whether the function is built on one that the student has wrong."""
    built_on = next((e.builds_on for e in lesson.exercises if e.id == item), ())
    return any(student.expected[part] == 0 for part in built_on)
