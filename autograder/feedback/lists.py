"""A list of values, or a single one, as lines of a table with a bar beside each number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.core.evidence import Exhibit
from autograder.feedback.rounding import number

MOST = 16
"""Lines of a table: of a longer list those that differ most."""


@dataclass(frozen=True)
class Bar:
    """A number, and where its bar begins and how long it is, in percent of the room for it."""

    text: str
    start: float
    length: float


@dataclass(frozen=True)
class Line:
    """One value: the student's, the formula's, the difference."""

    name: str
    bars: Sequence[Bar]


def lines(exhibit: Exhibit) -> list[Line]:
    """The lines of an exhibit whose arrays have the same shape and at most one axis."""
    yours, expected = (np.atleast_1d(values.array) for values in (exhibit.yours, exhibit.expected))
    with np.errstate(invalid="ignore"):
        difference = yours - expected
    ends = _ends(yours, expected), _ends(yours, expected), _ends(difference)
    size = np.nan_to_num(np.abs(difference), nan=np.inf)
    chosen = np.sort(np.argsort(-size, kind="stable")[:MOST])
    one = not exhibit.yours.shape
    return [
        Line(exhibit.symbol if one else f"{exhibit.symbol}[{k * exhibit.step}]",
             [_bar(float(a[k]), *end, exhibit.whole)
              for a, end in zip((yours, expected, difference), ends, strict=True)])
        for k in map(int, chosen)
    ]  # fmt: skip


def _ends(*arrays: np.ndarray) -> tuple[float, float]:
    """The least and the largest value, and zero."""
    finite = np.concatenate([[0.0], *(array[np.isfinite(array)] for array in arrays)])
    return float(finite.min()), float(finite.max())


def _bar(value: float, low: float, high: float, whole: bool) -> Bar:
    if not np.isfinite(value) or low == high:
        return Bar(number(value, whole=whole), 0, 0)
    zero, at = (round(100 * (v - low) / (high - low), 1) for v in (0.0, value))
    return Bar(number(value, whole=whole), min(zero, at), round(abs(at - zero), 1))
