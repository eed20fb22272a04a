"""Numbers as they are written on a page."""

from __future__ import annotations

import math

import numpy as np


def number(value: float, *, whole: bool = False) -> str:
    """Three digits, with a true minus sign; whole numbers in full."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "∞" if value > 0 else "−∞"
    return (f"{value:.0f}" if whole and abs(value) < 1e6 else f"{value:.3g}").replace("-", "−")


def aligned(array: np.ndarray, *, whole: bool = False) -> list[list[str]]:
    """The rows of a small map, with as many decimals everywhere as its largest value needs."""
    finite = np.abs(array[np.isfinite(array)])
    largest = float(finite.max(initial=0.0))
    size = math.floor(math.log10(largest)) if largest else 0
    if whole or not -3 <= size <= 4:
        return [[number(float(value), whole=whole) for value in row] for row in array]
    decimals = max(0, 2 - size)
    return [[_fixed(float(value), decimals) for value in row] for row in array]


def _fixed(value: float, decimals: int) -> str:
    if not math.isfinite(value):
        return number(value)
    text = f"{value:.{decimals}f}"
    return (text[1:] if text.startswith("-") and not float(text) else text).replace("-", "−")
