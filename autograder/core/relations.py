"""Relations that a wrong array can have to the right one: its negative, a multiple of it, its transpose.

A relation predicts the student's arrays from the right ones. One rule holds for all: it is said where every prediction
comes true and at least `ENOUGH` different values speak for it: those that it changes, less what was fitted. A
single number is always a multiple of another, and a flat map its own transpose.

Adding one is one function and one row of `RELATIONS`. Nothing here imports anything but numpy and `compare`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.core.compare import distinct, largest

ENOUGH = 2
"""Different values that have to speak for a relation."""
ENOUGH_WHOLE = 4
"""The same where only whole numbers are predicted, 0 for one: those are often equal by chance."""

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
"""(expected, got) of each call, float64, equal shapes."""

Predicted = tuple[Sequence[np.ndarray], str]
"""The arrays that the student should have, NaN where nothing is predicted, and a detail for the sentence."""


@dataclass(frozen=True)
class Relation:
    """One way in which a wrong array can be explained by the right one."""

    sentence: str
    """With {symbol}, and {detail} where the prediction gives one."""
    predict: Callable[[Pairs], Predicted | None]
    """From the (expected, got) of one fit; None where the relation does not apply."""
    by: str = "all"
    """What one fit spans: "all" calls, a "call" or a "sample" (an entry along the first axis)."""
    fitted: int = 0
    """Numbers that each fit takes from the student's arrays."""
    unseen: str = ""
    """What a hidden case says in place of a sentence with a detail: the expected value could be read from it."""


def relation(pairs: Pairs, tolerance: float) -> tuple[str, str] | None:
    """Name and sentence, with {symbol}, of the first relation that explains every call; None where no relation does.

    Args:
        pairs: expected and got arrays of one output.
        tolerance: allowed difference relative to the largest value.
    """
    if not all(np.isfinite(array).all() for pair in pairs for array in pair):
        return None
    if not max((largest(want) for want, _ in pairs), default=0.0):
        return None
    for name, candidate in RELATIONS.items():
        if (detail := _explains(candidate, pairs, tolerance)) is not None:
            return name, candidate.sentence.replace("{detail}", detail)
    return None


def _explains(candidate: Relation, pairs: Pairs, tolerance: float) -> str | None:
    """The detail of the sentence, where the relation holds and enough speaks for it."""
    speaking, details, whole = 0, [], True
    want_atol, got_atol = (tolerance * max(largest(pair[side]) for pair in pairs) for side in (0, 1))
    for group in _groups(pairs, candidate.by):
        if (predicted := candidate.predict(group)) is None:
            return None
        changed = []
        for (want, got), made in zip(group, predicted[0], strict=True):
            said = ~np.isnan(made)
            if not (np.abs(got - made)[said] <= (got_atol or want_atol)).all():
                return None
            moved = said & (np.abs(made - want) > want_atol)
            changed.append((want[moved], got[moved]))
            whole = whole and bool((made[moved] == made[moved].round()).all())
        counts = [distinct(np.concatenate([each[side] for each in changed])) for side in (0, 1)]
        speaking += max(0, max(counts) - candidate.fitted)
        details.append(predicted[1])
    return ", ".join(filter(None, details)) if speaking >= (ENOUGH_WHOLE if whole else ENOUGH) else None


def _groups(pairs: Pairs, by: str) -> list[Pairs]:
    if by == "all":
        return [pairs]
    if by == "call":
        return [[pair] for pair in pairs]
    if any(want.ndim < 2 for want, _ in pairs):
        return []
    return [[(w[None], g[None])] for want, got in pairs for w, g in zip(want, got, strict=True)]


def _each(change: Callable[[np.ndarray], np.ndarray]) -> Callable[[Pairs], Predicted]:
    """The same change of every expected array."""
    return lambda pairs: ([change(want) for want, _ in pairs], "")


def _scaled(pairs: Pairs) -> Predicted | None:
    want, got = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    if not want.any():
        return [want for want, _ in pairs], ""
    factor = float(want @ got / (want @ want))
    return ([factor * want for want, _ in pairs], _number(factor)) if factor else None


def _shifted(pairs: Pairs) -> Predicted:
    shift = float(np.mean(np.concatenate([(got - want).ravel() for want, got in pairs])))
    return [want + shift for want, _ in pairs], _number(shift)


def _number(value: float) -> str:
    """In few digits, but for what is nearly 1."""
    return f"{value:.4g}" if abs(value - 1) > 1e-3 else f"{value:.9g}"


def _shifted_before_relu(pairs: Pairs) -> Predicted | None:
    """relu(x + c), seen where relu(x) is positive; elsewhere x is not known, but c is the most that can be there."""
    want, got = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    both = (want > 0) & (got > 0)
    if (want < 0).any() or (got < 0).any():
        return None
    shift = float(np.median((got - want)[both])) if both.any() else np.inf
    if (got[want == 0] > max(shift, 0.0) * (1 + 1e-6)).any():
        return None
    return [np.where(want > 0, np.maximum(want + shift, 0), np.nan) for want, _ in pairs], ""


def _missing_relu(pairs: Pairs) -> Predicted | None:
    if sum(distinct(want) for want, _ in pairs) < ENOUGH_WHOLE or any((want < 0).any() for want, _ in pairs):
        return None
    return [np.where((want == 0) & (got < 0), got, want) for want, got in pairs], ""


def _zero(pairs: Pairs) -> Predicted | None:
    """Rounding may be left of it."""
    rest, size = (max(largest(pair[side]) for pair in pairs) for side in (1, 0))
    return ([got for _, got in pairs], "") if rest <= 1e-6 * size else None


def _constant(pairs: Pairs) -> Predicted:
    return [np.full_like(got, got.mean()) for _, got in pairs], ""


def _min_max(want: np.ndarray) -> np.ndarray:
    low, high = want.min(), want.max()
    return (want - low) / (high - low if high > low else 1.0)


def _first_sample(pairs: Pairs) -> Predicted | None:
    if any(want.ndim == 0 for want, _ in pairs):
        return None
    return [np.broadcast_to(want[:1], want.shape) for want, _ in pairs], ""


def _transposed(pairs: Pairs) -> Predicted | None:
    if any(want.ndim < 2 or want.shape[-1] != want.shape[-2] for want, _ in pairs):
        return None
    return [np.swapaxes(want, -1, -2) for want, _ in pairs], ""


_FLIPS = {
    (1, -1): "in reversed order",
    (2, -1): "with its columns in reversed order",
    (2, -2): "with its rows in reversed order",
    (3, -1): "mirrored left to right",
    (3, -2): "upside down",
    (3, -3): "with its first axis in reversed order",
    (4, -1): "mirrored left to right",
    (4, -2): "upside down",
    (4, -3): "with its channels in reversed order",
    (4, -4): "with its first axis in reversed order",
}
"""(Number of axes, axis) -> in words."""


def _flipped(pairs: Pairs) -> Predicted | None:
    for (ndim, axis), words in _FLIPS.items():
        if all(want.ndim == ndim for want, _ in pairs):
            made = [np.flip(want, axis) for want, _ in pairs]
            if _close(made, pairs):
                return made, words
    return None


def _other_order(pairs: Pairs) -> Predicted | None:
    if any(not want.ndim >= 1 or (want.ndim == 1 and (want == want.round()).all()) for want, _ in pairs):
        return None  # whole numbers, each once, are always some others in another order
    return [_reordered(want, got) for want, got in pairs], ""


def _reordered(want: np.ndarray, got: np.ndarray) -> np.ndarray:
    """The expected samples, in the order in which the student's would be if they were the same."""
    weights = np.cos(np.arange(want[:1].size) ** 2 + 1.0)
    ours, theirs = (np.argsort(array.reshape(len(array), weights.size) @ weights) for array in (want, got))
    return want[ours[np.argsort(theirs)]]


def _reshaped(pairs: Pairs) -> Predicted | None:
    ndim = pairs[0][0].ndim
    if not 2 <= ndim <= 4 or any(want.ndim != ndim for want, _ in pairs):
        return None
    for order in itertools.permutations(range(ndim)):
        made = [np.transpose(want, order).reshape(want.shape) for want, _ in pairs]
        if _close(made, pairs):
            return made, ""
    return None


def _close(made: Sequence[np.ndarray], pairs: Pairs) -> bool:
    """Whether a prediction out of several is the one that came true."""
    pairs_made = zip(made, pairs, strict=True)
    return all(np.abs(one - got).max(initial=0.0) <= 1e-4 * largest(got) for one, (_, got) in pairs_made)


RELATIONS: dict[str, Relation] = {
    "zero": Relation("{symbol} is zero everywhere.", _zero),
    "missing_relu": Relation(
        "{symbol} keeps negative values where the formula gives 0: is a ReLU missing at the end?", _missing_relu
    ),
    "added_relu": Relation(
        "{symbol} has its negative values cut off; the formula keeps them.", _each(lambda want: np.maximum(want, 0))
    ),
    "sign": Relation("{symbol} is the negative of what the formula gives.", _each(np.negative)),
    "absolute": Relation("{symbol} is the absolute value of what the formula gives.", _each(np.abs)),
    "scale": Relation(
        "{symbol} is {detail} times what the formula gives, everywhere.",
        _scaled,
        fitted=1,
        unseen="{symbol} is a multiple of what the formula gives, everywhere.",
    ),
    "offset": Relation(
        "{symbol} is what the formula gives plus {detail}, everywhere.",
        _shifted,
        fitted=1,
        unseen="{symbol} is what the formula gives plus a constant, everywhere.",
    ),
    "min_max": Relation("{symbol} was scaled to [0, 1]; raw values are asked for.", _each(_min_max), "sample", 2),
    "min_max_per_call": Relation(
        "{symbol} was scaled to [0, 1]; raw values are asked for.", _each(_min_max), "call", 2
    ),
    "transposed": Relation("{symbol} has rows and columns swapped.", _transposed),
    "flipped": Relation(
        "{symbol} is right, but {detail}.", _flipped, unseen="{symbol} is right, but along an axis in reversed order."
    ),
    "first_sample": Relation("each sample of {symbol} is what the formula gives for the first one.", _first_sample),
    "other_order": Relation("{symbol} holds the right samples in another order.", _other_order),
    "reshaped": Relation(
        "{symbol} holds the right values in other places: was it reshaped (view, reshape) where its axes should be "
        "exchanged (permute)?",
        _reshaped,
    ),
    "scale_per_call": Relation(
        "{symbol} is a multiple of what the formula gives, with another factor for each call ({detail}).",
        _scaled,
        "call",
        1,
        "{symbol} is a multiple of what the formula gives, with another factor for each call.",
    ),
    "scale_per_sample": Relation(
        "each sample of {symbol} is a multiple of what the formula gives: was it divided by its own size or maximum?",
        _scaled,
        "sample",
        1,
    ),
    "offset_per_sample": Relation(
        "each sample of {symbol} is what the formula gives plus a constant of its own.", _shifted, "sample", 1
    ),
    "relu_offset": Relation(
        "{symbol} is what the formula gives with a constant added before the ReLU.", _shifted_before_relu, "call", 1
    ),
    "relu_offset_per_sample": Relation(
        "each sample of {symbol} is what the formula gives with a constant of its own added before the ReLU.",
        _shifted_before_relu,
        "sample",
        1,
    ),
    "constant": Relation("{symbol} has the same value everywhere.", _constant, "call", 1),
}


def shape_relation(want: np.ndarray, got: np.ndarray) -> str:
    """A sentence for how the shape of `got` departs from that of `want`; empty where there is no simple one."""
    asked, have = want.shape, got.shape
    if tuple(s for s in have if s != 1) == tuple(s for s in asked if s != 1) and len(have) != len(asked):
        return f"There is an axis of size 1 too {'many' if len(have) > len(asked) else 'few'}."
    if len(asked) >= 2 and have == (*asked[:-2], asked[-1], asked[-2]):
        return "Rows and columns are exchanged."
    if sorted(have) == sorted(asked):
        return "The axes are in another order."
    if len(asked) >= 2 and have == (1, *asked[1:]):
        return "Only one sample came back."
    if _left_of(asked, have):
        return "One axis or more are missing: was something summed or averaged away?"
    if _left_of(have, asked):
        return "One axis or more are left over: is a sum or a mean missing?"
    if len(have) == len(asked) >= 3 and have[:-2] == asked[:-2]:
        return _grid(asked[-2:], have[-2:])
    return ""


def _left_of(shape: tuple[int, ...], rest: tuple[int, ...]) -> bool:
    """Whether `rest` is `shape` without some of its axes."""
    return 0 < len(rest) < len(shape) and rest in itertools.combinations(shape, len(rest))


def _grid(asked: Sequence[int], have: Sequence[int]) -> str:
    """Maps on another grid than asked for."""
    if all(h >= 2 * a for a, h in zip(asked, have, strict=True)):
        return "Was the map enlarged? A smaller grid is asked for."
    if all(a >= 2 * h for a, h in zip(asked, have, strict=True)):
        return "Is the map still to be enlarged? A larger grid is asked for."
    return ""
