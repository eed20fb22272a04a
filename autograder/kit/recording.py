"""A lesson's packs: every answer computed once, and written down as arrays."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from autograder.core.compare import scales
from autograder.core.oracle import Part, Setting, parts_of
from autograder.course.recorded.lessons import SUFFIX, TEXTS, texts_of
from autograder.course.recorded.pack import REFERENCE, Results, written
from autograder.course.records import Case, Exercise, Law, Lesson

ROUNDING = 1e-9
"""What is smaller is 0: the inputs of laws are about 1."""


def packs(lesson: Lesson) -> dict[str, bytes]:
    """File name -> content, for one lesson: its texts, and one pack an exercise."""
    scales = {law: scales_of(part) for law, part in _laws(lesson)}
    texts = json.dumps(texts_of(lesson, scales), ensure_ascii=False, indent=1) + "\n"
    made = {f"{exercise.function}{SUFFIX}": pack(exercise) for exercise in lesson.exercises}
    return {TEXTS: texts.encode(), **made}


def _laws(lesson: Lesson) -> Iterator[tuple[Law, Part]]:
    for exercise in lesson.exercises:
        for part in parts_of(exercise, Setting()):
            if isinstance(part.part, Law):
                yield part.part, part


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
            results[part.part.name] |= part.mistakes
    return written(calls, results, exercise.showcase() if exercise.showcase else None)


def scales_of(part: Part) -> list[float]:
    """What a departure from a law is measured by, for each output: max|expected|, or where that is 0, the law's own.

    A law may say that a value is 0. The reference then gives 1e-17, which nothing can be measured by; the law, given a
    result that is 1 too large, says how much that is.
    """
    outputs = range(len(part.expected[0].arrays))
    zero = [all(_is_zero(result.arrays[k]) for result in part.expected) for k in outputs]
    return [_own_scale(part, k) if zero[k] else scales(part.expected, k) for k in outputs]


def _is_zero(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and float(np.abs(array).max(initial=0.0)) < ROUNDING


@np.errstate(all="ignore")
def _own_scale(part: Part, output: int) -> float:
    assert isinstance(part.part, Law)
    raised = [tuple(a + 1.0 if k == output else a for k, a in enumerate(r.arrays)) for r in part.expected]
    unit = part.part.violation(part.calls, raised)
    return 1 / unit if 0 < unit < np.inf else 1.0
