"""The course's own solution of an exercise, for whoever has solved it, where the instructor has handed it out."""

from __future__ import annotations

import ast

from autograder.course.locations import home_of
from autograder.course.outlines import EXERCISE, Item, lesson_of
from autograder.study.progress import State


def solution(state: State) -> str:
    """The text of the solved function.

    Raises:
        ValueError: the exercise is a prediction, or is not passed yet.
        FileNotFoundError: this copy of the course holds no solutions.
    """
    item, lesson = state.item, lesson_of(state.item)
    if item.kind != EXERCISE:
        raise ValueError(f"solution: {item.id} is a prediction; its answer comes with the verdict on yours.")
    path = home_of(lesson.id).solutions / lesson.id / f"{lesson.name}.py"
    if not path.is_file():
        raise FileNotFoundError(
            "solution: this copy of the course holds no solutions; your instructor decides whether to hand them out."
        )
    if not state.passed:
        raise ValueError(f"solution: {item.id} is {state.verdict}; solve it first, `cnnviz hint {item.id}` helps.")
    return _function(path.read_text(encoding="utf-8"), item)


def _function(text: str, item: Item) -> str:
    """The source of one function at top level."""
    found = (each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef) and each.name == item.name)
    return ast.get_source_segment(text, next(found)) or ""
