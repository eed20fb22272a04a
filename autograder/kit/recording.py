"""A lesson's packs: every answer computed once, and written down as arrays."""

from __future__ import annotations

import json

from autograder.oracle import Setting, parts_of
from autograder.recorded.lessons import SUFFIX, TEXTS, texts_of
from autograder.recorded.pack import REFERENCE, Results, written
from autograder.records import Case, Exercise, Lesson


def packs(lesson: Lesson) -> dict[str, bytes]:
    """File name -> content, for one lesson: its texts, and one pack an exercise."""
    texts = json.dumps(texts_of(lesson), ensure_ascii=False, indent=1) + "\n"
    made = {f"{exercise.function}{SUFFIX}": pack(exercise) for exercise in lesson.exercises}
    return {TEXTS: texts.encode(), **made}


def pack(exercise: Exercise) -> bytes:
    """What practice needs of one exercise: its visible cases and its laws, never a hidden case.

    Raises:
        ValueError: two of its cases and laws have one name.
    """
    parts = [part for part in parts_of(exercise, Setting()) if not getattr(part.part, "hidden", False)]
    calls = {part.part.name: part.calls for part in parts}
    if len(calls) < len(parts):
        raise ValueError(f"{exercise.id}: two of its cases and laws have the same name; give each a name of its own.")
    results: dict[str, dict[str, Results]] = {part.part.name: {REFERENCE: part.expected} for part in parts}
    for part in parts:
        if isinstance(part.part, Case):
            results[part.part.name] |= {name: gave for name, (_, gave) in part.mistakes.items()}
    return written(calls, results, exercise.showcase() if exercise.showcase else None)
