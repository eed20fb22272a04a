"""A class of one lesson: what each student hands in, and the points it must get, known before anything is graded."""

from __future__ import annotations

import ast
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from autograder.core.grade import grade_function
from autograder.core.verdict import total
from autograder.course.records import Exercise, Lesson

from .renaming import renamed
from .standalone import NotStandalone, written

ROOT = Path(__file__).resolve().parents[2]
WEIGHTS = {"right": 4, "renamed": 3, "mistaken": 2, "blank": 1}
"""How often a function is handed in how."""


@dataclass(frozen=True)
class Student:
    """One student's work on one lesson."""

    name: str
    notebook: bool
    texts: Mapping[str, str] = field(repr=False)
    """Function or variable -> source."""
    expected: Mapping[str, int]
    """Item id -> points it must get, exactly."""
    kinds: Mapping[str, str] = field(default_factory=dict)
    """Item id -> how it was handed in: "right", "mistaken: sum_for_mean"."""


def innocents(lesson: Lesson, n: int, *, seed: int = 0, notebooks: float = 0.5) -> list[Student]:
    """`n` students; the same seed gives the same class."""
    draw = random.Random(f"{lesson.id} {seed}")
    return [_student(lesson, f"student{number:04}", draw, notebooks) for number in range(n)]


def solved(lesson: Lesson, name: str, *, notebook: bool = False) -> Student:
    """A student who has everything right."""
    texts = _pieces(f"solutions/{lesson.id}/{lesson.name}.py")
    return Student(name, notebook, texts, {item.id: item.points for item in lesson.items})


def _student(lesson: Lesson, name: str, draw: random.Random, notebooks: float) -> Student:
    handed = {exercise.id: _exercise(lesson, exercise, draw) for exercise in lesson.exercises}
    handed |= {question.id: _answer(question, draw) for question in lesson.questions}
    return Student(
        name,
        draw.random() < notebooks,
        texts={item.split(".")[1]: text for item, (_, text, _) in handed.items()},
        expected={item: points for item, (_, _, points) in handed.items()},
        kinds={item: kind for item, (kind, _, _) in handed.items()},
    )


def _exercise(lesson: Lesson, exercise: Exercise, draw: random.Random) -> tuple[str, str, int]:
    """How, source, points."""
    (kind,) = draw.choices(list(WEIGHTS), list(WEIGHTS.values()))
    right = _pieces(f"solutions/{lesson.id}/{lesson.name}.py")[exercise.function]
    if kind == "blank":
        return kind, stubs(lesson)[exercise.function], 0
    if kind == "renamed":
        return kind, renamed(right, draw), exercise.points
    if kind == "mistaken" and (mistakes := standalone_mistakes(exercise)):
        name = draw.choice(list(mistakes))
        return f"mistaken: {name}", mistakes[name], 0
    return "right", right, exercise.points


def _answer(question, draw: random.Random) -> tuple[str, str, int]:
    word = draw.choice([question.answer, question.answer, *question.options, None])
    points = question.points if word == question.answer else 0
    return "answered" if word else "blank", f"{question.variable} = {word!r}\n", points


@cache
def standalone_mistakes(exercise: Exercise) -> Mapping[str, str]:
    """Misconception -> its source, of those that run standalone and earn nothing."""
    found = {}
    for misconception in exercise.misconceptions:
        try:
            text = written(exercise, misconception.wrong)
        except NotStandalone:
            continue
        if total(grade_function(exercise, _defined(text, exercise.function)).rows)[0] == 0:
            found[misconception.name] = text
    return found


def _defined(text: str, name: str) -> Callable:
    space: dict = {"__name__": "student"}
    exec(compile(text, name, "exec"), space)
    return space[name]


def stubs(lesson: Lesson) -> Mapping[str, str]:
    """Function or variable -> its source as students get it."""
    return _pieces(f"lessons/{lesson.id}/{lesson.name}.py")


@cache
def _pieces(path: str) -> Mapping[str, str]:
    return pieces((ROOT / path).read_text(encoding="utf-8"))


def pieces(text: str) -> dict[str, str]:
    """The functions and assignments of a module by name, as they are spelled."""
    named = {}
    for node in ast.parse(text).body:
        targets = [node.name] if isinstance(node, ast.FunctionDef) else _targets(node)
        named |= {name: f"{ast.get_source_segment(text, node)}\n" for name in targets}
    return named


def _targets(node: ast.stmt) -> list[str]:
    if not isinstance(node, ast.Assign):
        return []
    return [target.id for target in node.targets if isinstance(target, ast.Name)]
