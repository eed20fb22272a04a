"""Inputs on which every known mistake shows: drawn again until they do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Generator

from autograder.records import Call, Misconception
from cnnviz.small_nets import calm

Build = Callable[[Generator], list[Call]]


def telling(
    build: Build,
    right: Callable[..., Any],
    mistakes: Sequence[Misconception],
    *,
    shows: float = 0.02,
    apart: float = 0.003,
) -> Build:
    """`build`, drawn again until its calls show every mistake, and none that looks like another one.

    Args:
        build: draws the calls.
        right: the right answer.
        mistakes: the known wrong ones.
        shows: least distance of a mistake from the right answer, relative to its largest value.
        apart: least distance of two mistakes, either way.
    """

    def drawn(generator: Generator) -> list[Call]:
        for _ in range(500):
            calls = build(generator)
            if _all_apart(calls, right, [mistake.wrong for mistake in mistakes], shows, apart):
                return calls
        raise RuntimeError(f"{right.__name__}: no inputs found on which every mistake shows")

    return drawn


@dataclass(frozen=True)
class _Output:
    """One output of a function, over all calls."""

    shapes: tuple[tuple[int, ...], ...]
    values: np.ndarray
    """All values in one row; a NaN is far from any number."""
    scale: float
    """The largest size among them, 1 where all are 0."""


_NAN = 1e9


def _all_apart(calls: Sequence[Call], right: Callable, wrong: Sequence[Callable], shows: float, apart: float) -> bool:
    expected = _outputs(right, calls)
    others: list[list[_Output]] = []
    for function in wrong:
        got = _outputs(function, calls)
        if _distance(expected, got) <= shows or any(
            min(_distance(other, got), _distance(got, other)) <= apart for other in others
        ):
            return False
        others.append(got)
    return True


def _outputs(function: Callable[..., Any], calls: Sequence[Call]) -> list[_Output]:
    with calm():
        results = [function(**call.inputs) for call in calls]
    return [_output(parts) for parts in zip(*(r if isinstance(r, tuple) else (r,) for r in results), strict=True)]


def _output(parts: Sequence[Any]) -> _Output:
    arrays = [np.asarray(part.detach() if isinstance(part, torch.Tensor) else part, np.float64) for part in parts]
    values = np.concatenate([array.ravel() for array in arrays])
    scale = float(np.abs(values).max(initial=0.0, where=np.isfinite(values))) or 1.0
    return _Output(tuple(array.shape for array in arrays), np.where(np.isnan(values), _NAN, values), scale)


def _distance(expected: Sequence[_Output], got: Sequence[_Output]) -> float:
    """Largest difference over calls and outputs, relative to max|expected| of the output."""
    pairs = list(zip(expected, got, strict=True))
    if any(want.shapes != have.shapes for want, have in pairs):
        return float("inf")
    return max(float(np.abs(want.values - have.values).max(initial=0.0)) / want.scale for want, have in pairs)
