"""Lint of the solved modules: what a solution uses, and special cases that its docstring states, are in the record."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from autograder.authoring.build import SOLVED
from autograder.authoring.errors import Problem
from autograder.course.records import Exercise, Lesson

_SPECIAL = re.compile(
    r"\b(?:where|if|else|elsewhere|unless|except|otherwise|exclusive|inclusive|at least|ties?|empty|constant|several)\b"
    r"|\bsign\(0\)|\bof the (?:enlarged|upsampled)\b|\bof zeros\b"
)
"""Words by which a stub states a special case."""


def solution_problems(root: Path, lessons: Sequence[Lesson]) -> Iterator[Problem]:
    """Where the records and the solved module of a lesson say different things."""
    for lesson in lessons:
        path = Path(SOLVED, lesson.id, f"{lesson.name}.py")
        if (root / path).is_file():
            text = (root / path).read_text(encoding="utf-8")
            functions = functions_of(text)
            for told in (*calls_faults(lesson, functions), *special_faults(lesson, functions)):
                yield Problem(f"{SOLVED}/{lesson.id}", told, f"cnnviz lint {lesson.id}")


def functions_of(text: str) -> dict[str, ast.FunctionDef]:
    """Function's name -> its tree, of those at the top of a module; none where it is no Python."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return {}  # the build says so
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def calls_faults(lesson: Lesson, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """A sentence for each exercise whose `builds_on` is not what its solution uses of the others."""
    exercises = {exercise.function for exercise in lesson.exercises}
    for exercise in lesson.exercises:
        used = {f"{lesson.name}.{name}" for name in _used(exercise.function, functions, exercises)}
        for name in sorted(used - set(exercise.builds_on)):
            yield f"{exercise.id}: the solution uses {name}, which `builds_on` does not name; name it there."
        for name in sorted(set(exercise.builds_on) - used):
            yield f"{exercise.id}: `builds_on` names {name}, which the solution does not use itself; leave it out."


def special_faults(lesson: Lesson, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """A sentence for each special case of a stub that no known mistake misses, so that maybe no case has it."""
    for exercise in lesson.exercises:
        stub = functions.get(exercise.function)
        text = " ".join((ast.get_docstring(stub) or "").split()) if stub else ""
        for clause in re.split(r"(?<=[.;:])\s", text):
            if _SPECIAL.search(clause) and not any(words in clause for words in exercise.special):
                yield (
                    f'{exercise.id}: the stub says "{clause}", and `special` names no misconception that misses it; '
                    "name one there, so that every case has it."
                )
        yield from _stale(exercise, text)


def _stale(exercise: Exercise, text: str) -> Iterator[str]:
    known = {"", *(mistake.name for mistake in exercise.misconceptions)}
    for words, name in exercise.special.items():
        if words not in text:
            yield f'{exercise.id}: `special` quotes "{words}", which the stub does not say; quote it as it stands.'
        if name not in known:
            yield f'{exercise.id}: `special` names the misconception "{name}", which there is not.'


def _used(name: str, functions: Mapping[str, ast.FunctionDef], exercises: set[str]) -> set[str]:
    """Exercises that this function names, itself or by helpers that are no exercises."""
    found, open_, seen = set(), [name], set()
    while open_:
        if (one := open_.pop()) in seen or one not in functions:
            continue
        seen.add(one)
        named = {n.id for n in ast.walk(functions[one]) if isinstance(n, ast.Name)} - {one, name}
        found |= named & exercises
        open_ += named - exercises
    return found
