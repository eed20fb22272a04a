"""Relations that a wrong array can have to the right one: its negative, a multiple of it, its transpose.

Each takes the expected and the student's arrays of one output, one pair a call, and returns a sentence or None.
Adding one is one function and one row of `RELATIONS`. Nothing here imports anything but numpy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
"""(expected, got) of each call, float64, equal shapes."""

Relation = Callable[[Pairs, float], "str | None"]
"""(pairs, absolute tolerance) -> sentence with {symbol} to be filled in."""


UNSEEN = {
    "scale": "{symbol} is a multiple of what the formula gives, everywhere.",
    "offset": "{symbol} is what the formula gives plus a constant, everywhere.",
    "scale_per_call": "{symbol} is a multiple of what the formula gives, with another factor for each call.",
}
"""What a hidden case says for relations told with a number: the expected value could be read from it."""


def relation(pairs: Pairs, tolerance: float) -> tuple[str, str] | None:
    """Name and sentence of the first relation that explains every call; None where no relation does.

    Args:
        pairs: expected and got arrays of one output.
        tolerance: allowed difference relative to max|expected|.
    """
    scale = max((float(np.abs(want).max(initial=0.0)) for want, _ in pairs), default=0.0)
    if scale == 0.0 or not all(np.isfinite(array).all() for pair in pairs for array in pair):
        return None
    for name, explains in RELATIONS.items():
        if (sentence := explains(pairs, tolerance * scale)) is not None:
            return name, sentence
    return None


def shape_relation(want: np.ndarray, got: np.ndarray) -> str | None:
    """A sentence for how the shape of `got` departs from that of `want`, where there is a simple one."""
    asked, have = want.shape, got.shape
    if tuple(s for s in have if s != 1) == tuple(s for s in asked if s != 1):
        return "an axis of size 1 too many or too few"
    if len(asked) >= 2 and have == (*asked[:-2], asked[-1], asked[-2]):
        return "rows and columns are swapped"
    if sorted(have) == sorted(asked):
        return "the axes are in another order"
    if len(have) == len(asked) and len(asked) >= 2 and have[:-2] == asked[:-2] and have[-1] > asked[-1]:
        return "the map was upsampled, where it stays on its own grid"
    if len(have) == len(asked) - 1:
        return "one axis is missing: was it summed or averaged away?"
    if len(have) == len(asked) + 1:
        return "one axis is left over: is a sum or a mean over it missing?"
    return None


def _close(a: np.ndarray, b: np.ndarray, atol: float) -> bool:
    return a.shape == b.shape and bool(np.abs(a - b).max(initial=0.0) <= atol)


def _all(pairs: Pairs, atol: float, change: Callable[[np.ndarray], np.ndarray]) -> bool:
    return all(_close(change(want), got, atol) for want, got in pairs)


def _sign(pairs, atol):
    return "{symbol} is the negative of what the formula gives." if _all(pairs, atol, np.negative) else None


def _zero(pairs, atol):
    return "{symbol} is zero everywhere." if _all(pairs, atol, np.zeros_like) else None


def _constant(pairs, atol):
    flat = all(got.size > 1 and np.ptp(got) <= atol for _, got in pairs)
    return "{symbol} has the same value everywhere." if flat else None


def _missing_relu(pairs, atol):
    negative = any((got < -atol).any() for _, got in pairs)
    if negative and all(_close(np.maximum(got, 0), want, atol) for want, got in pairs):
        return "{symbol} keeps negative values where the formula ends in a ReLU."
    return None


def _added_relu(pairs, atol):
    return "{symbol} has its negative values cut off; the formula keeps them." if _all(pairs, atol, _relu) else None


def _absolute(pairs, atol):
    return "{symbol} is the absolute value of what the formula gives." if _all(pairs, atol, np.abs) else None


def _scale(pairs, atol):
    want, got = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    factor = float(want @ got / (want @ want))
    if factor and _all(pairs, atol * max(1.0, abs(factor)), lambda e: factor * e):
        return f"{{symbol}} is {factor:.4g} times what the formula gives, everywhere."
    return None


def _scale_per_call(pairs, atol):
    factors = []
    for want, got in pairs:
        if not want.any():
            continue
        factors.append(float((want * got).sum() / (want * want).sum()))
        if not factors[-1] or not _close(factors[-1] * want, got, atol * max(1.0, abs(factors[-1]))):
            return None
    told = ", ".join(f"{factor:.4g}" for factor in factors)
    return f"{{symbol}} is a multiple of what the formula gives, with another factor for each call ({told})."


def _scale_per_sample(pairs, atol):
    split = [(w, g) for want, got in pairs if want.ndim > 1 for w, g in zip(want, got, strict=True)]
    if not split or _scale_per_call(split, atol) is None:
        return None
    return "each sample of {symbol} is a multiple of what the formula gives: was it divided by its own size or maximum?"


def _offset(pairs, atol):
    shift = float(np.mean([np.mean(got - want) for want, got in pairs]))
    if _all(pairs, atol * max(1.0, abs(shift)), lambda e: e + shift):
        return f"{{symbol}} is what the formula gives plus {shift:.4g}, everywhere."
    return None


def _min_max(pairs, atol):
    def scaled(e):
        axes = tuple(range(1, e.ndim)) or None
        low, high = e.min(axes, keepdims=True), e.max(axes, keepdims=True)
        return (e - low) / np.where(high > low, high - low, 1.0)

    return "{symbol} was scaled to [0, 1]; raw values are asked for." if _all(pairs, atol, scaled) else None


def _transposed(pairs, atol):
    square = all(want.ndim >= 2 and want.shape[-1] == want.shape[-2] for want, _ in pairs)
    if square and _all(pairs, atol, lambda e: np.swapaxes(e, -1, -2)):
        return "{symbol} has rows and columns swapped."
    return None


def _flipped(pairs, atol):
    for axis, name in ((-1, "left to right"), (-2, "upside down"), (-3, "in reversed channel order")):
        if all(want.ndim >= -axis for want, _ in pairs) and _all(pairs, atol, partial(np.flip, axis=axis)):
            return f"{{symbol}} is right, but {name}."
    return None


def _other_sample(pairs, atol):
    several = [(want, got) for want, got in pairs if want.ndim and len(want) > 1]
    if several and all(_close(np.broadcast_to(want[:1], want.shape), got, atol) for want, got in several):
        return "every sample of {symbol} is the first sample's."
    return None


def _relu(e):
    return np.maximum(e, 0)


RELATIONS: dict[str, Relation] = {
    "zero": _zero,
    "missing_relu": _missing_relu,
    "added_relu": _added_relu,
    "sign": _sign,
    "absolute": _absolute,
    "scale": _scale,
    "offset": _offset,
    "min_max": _min_max,
    "transposed": _transposed,
    "flipped": _flipped,
    "first_sample": _other_sample,
    "scale_per_call": _scale_per_call,
    "scale_per_sample": _scale_per_sample,
    "constant": _constant,
}
