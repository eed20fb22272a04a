"""Inputs on which every known mistake shows: drawn again until they do."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator

from autograder.records import Arrays, Call, Misconception
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


def _all_apart(calls: Sequence[Call], right: Callable, wrong: Sequence[Callable], shows: float, apart: float) -> bool:
    expected, *others = ([_arrays(function, call) for call in calls] for function in (right, *wrong))
    return all(_distance(expected, other) > shows for other in others) and all(
        min(_distance(a, b), _distance(b, a)) > apart for a, b in itertools.combinations(others, 2)
    )


def _arrays(function: Callable[..., Any], call: Call) -> Arrays:
    with calm():
        value = function(**call.inputs)
    parts = value if isinstance(value, tuple) else (value,)
    return tuple(torch.as_tensor(part).detach().double().numpy() for part in parts)


def _distance(expected: Sequence[Arrays], got: Sequence[Arrays]) -> float:
    """Largest difference over calls and outputs, relative to max|expected| of the output; NaN is far from a number."""
    far = 0.0
    for want, have in zip(zip(*expected, strict=True), zip(*got, strict=True), strict=True):
        if any(a.shape != b.shape for a, b in zip(want, have, strict=True)):
            return float("inf")
        scale = max(float(np.abs(a).max(initial=0.0, where=np.isfinite(a))) for a in want) or 1.0
        pairs = [(np.nan_to_num(a, nan=1e9), np.nan_to_num(b, nan=1e9)) for a, b in zip(want, have, strict=True)]
        far = max(far, *(float(np.abs(a - b).max(initial=0.0)) / scale for a, b in pairs))
    return far
