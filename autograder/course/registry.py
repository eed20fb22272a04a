"""Finds lessons, exercises and questions by name.

A lesson is what its author wrote; in a student's copy of the course, what was recorded of it.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from typing import TypeVar

from autograder.course.choices import FILE, choices, names_of, taught
from autograder.course.locations import written
from autograder.course.records import Exercise, Lesson, Question, pointed

Value = TypeVar("Value")


@cache
def lessons() -> tuple[Lesson, ...]:
    """The lessons that are taught, in the order of the course."""
    return taught(known())


@cache
def known() -> tuple[Lesson, ...]:
    """All lessons that there are, with the points that `course.toml` gives them.

    Raises:
        ValueError: it gives points to what does not exist, or too few for the checks.
    """
    found = tuple(_written() if find_spec("autograder.course.authored") else _recorded())
    points = choices().points
    items = {item.id: item for lesson in found for item in lesson.items}
    for name in points:
        _item(f"{FILE}, points", name, items)
    return tuple(pointed(lesson, points) for lesson in sorted(found, key=lambda lesson: lesson.id))


def _written() -> Iterator[Lesson]:
    """Lessons whose answers are here as code."""
    from autograder.course import authored

    return map(authored.lesson, written())


def _recorded() -> Iterator[Lesson]:
    """Lessons whose answers are here as arrays."""
    from autograder.course import recorded

    return recorded.lessons()


def lesson(name: str) -> Lesson:
    """The lesson with this folder name ("11_grad_cam"), module name ("grad_cam") or number ("11").

    Raises:
        ValueError: there is none; the sentence lists those there are.
    """
    for candidate in (*lessons(), *known()):  # one that is not taught is still known to whoever names it
        if name.rstrip("/\\") in names_of(candidate.id):
            return candidate
    raise ValueError(_unknown("lesson", name, [candidate.id for candidate in lessons()]))


def by_lesson(key: str, values: Mapping[str, Value]) -> dict[str, Value]:
    """Reads what `course.toml` says of lessons under a key: id of the lesson -> value.

    Raises:
        ValueError: there is no such lesson, or one has two values.
    """
    try:
        pairs = [(lesson(name).id, value) for name, value in values.items()]
    except ValueError as error:
        raise ValueError(f"{FILE}, {key}, {error}") from error
    ids = [each for each, _ in pairs]
    if twice := next((each for each in ids if ids.count(each) > 1), ""):
        raise ValueError(f"{FILE}, {key}: {twice} stands there under two names; name each lesson once.")
    return dict(pairs)


def exercise(name: str) -> Exercise:
    """The exercise with this id ("grad_cam.neuron_importance").

    Raises:
        ValueError: there is none; the sentence lists those there are.
    """
    return _item("exercise", name, {e.id: e for part in known() for e in part.exercises})


def question(name: str) -> Question:
    """The prediction question with this id.

    Raises:
        ValueError: there is none; the sentence lists those there are.
    """
    return _item("question", name, {q.id: q for part in known() for q in part.questions})


def item(name: str) -> Exercise | Question:
    """The exercise or question with this id.

    Raises:
        ValueError: there is none; the sentence lists those there are.
    """
    return _item("exercise", name, {i.id: i for part in known() for i in part.items})


def lesson_of(item_id: str) -> Lesson:
    """The lesson that an exercise or a question belongs to."""
    return lesson(item_id.split(".")[0])


def _item(kind, name, known):
    if name not in known:
        raise ValueError(_unknown(kind, name, list(known)))
    return known[name]


def _unknown(kind: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else f"choose one of {', '.join(known) or '(none is installed)'}."
    return f'{kind}: got "{name}", which does not exist; {hint}'
