"""Relations that a wrong array can have to the right one: its negative, a multiple of it, its transpose.

A relation predicts the student's arrays from the right ones. One rule holds for all: it is said where every prediction
comes true and at least `ENOUGH` different values speak for it: those that it changes, less what was fitted. A
single number is always a multiple of another, and a flat map its own transpose.

Adding one is one function, one row of `RELATIONS` and its sentence in the catalogue. Nothing here imports anything but
numpy and the comparison modules.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from autograder.core.compare import distinct, largest
from autograder.core.message import Message, Value, message

ENOUGH = 2
"""Different values that have to speak for a relation."""
ENOUGH_WHOLE = 4
"""The same where only whole numbers are predicted, 0 for one: those are often equal by chance."""

Pairs = Sequence[tuple[np.ndarray, np.ndarray]]
"""(expected, got) of each call, float64, equal shapes."""

Predicted = tuple[Sequence[np.ndarray], Value]
"""The arrays that the student should have, NaN where nothing is predicted, and a detail: a number, or which axis."""


@dataclass(frozen=True)
class Relation:
    """One way in which a wrong array can be explained by the right one."""

    predict: Callable[[Pairs], Predicted | None]
    """From the (expected, got) of one fit; None where the relation does not apply."""
    by: str = "all"
    """What one fit spans: "all" calls, a "call" or a "sample" (an entry along the first axis)."""
    fitted: int = 0
    """Numbers that each fit takes from the student's arrays."""


def relation(pairs: Pairs, tolerance: float) -> tuple[str, Value] | None:
    """Name and detail of the first relation that explains every call; None where no relation does.

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
            return name, detail
    return None


def relation_message(name: str, symbol: Value, detail: Value | None = None) -> Message:
    """What is said of a relation, or of what is diagnosed like one; without a detail where the inputs are not shown."""
    if name not in DETAILED:
        return message(f"relation.{name}", symbol=symbol)
    if detail is None:
        return message(f"relation.{name}.unseen", symbol=symbol)
    return message(f"relation.{name}", symbol=symbol, detail=detail)


def _explains(candidate: Relation, pairs: Pairs, tolerance: float) -> Value | None:
    """The detail, where the relation holds and enough speaks for it."""
    speaking, whole = 0, True
    details: list[Value] = []
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
    if speaking < (ENOUGH_WHOLE if whole else ENOUGH):
        return None
    return details[0] if len(details) == 1 else ", ".join(str(detail) for detail in details if detail)


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
    return np.asarray((want - low) / (high - low if high > low else 1.0))


def _first_sample(pairs: Pairs) -> Predicted | None:
    if any(want.ndim == 0 for want, _ in pairs):
        return None
    return [np.broadcast_to(want[:1], want.shape) for want, _ in pairs], ""


def _transposed(pairs: Pairs) -> Predicted | None:
    if any(want.ndim < 2 or want.shape[-1] != want.shape[-2] for want, _ in pairs):
        return None
    return [np.swapaxes(want, -1, -2) for want, _ in pairs], ""


_FLIPS = {
    (1, -1): "order",
    (2, -1): "columns",
    (2, -2): "rows",
    (3, -1): "mirrored",
    (3, -2): "upside_down",
    (3, -3): "first_axis",
    (4, -1): "mirrored",
    (4, -2): "upside_down",
    (4, -3): "channels",
    (4, -4): "first_axis",
}
"""(Number of axes, axis) -> name of what is said of it."""


def _flipped(pairs: Pairs) -> Predicted | None:
    for (ndim, axis), name in _FLIPS.items():
        if all(want.ndim == ndim for want, _ in pairs):
            made = [np.flip(want, axis) for want, _ in pairs]
            if _close(made, pairs):
                return made, message(f"flip.{name}")
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
    "zero": Relation(_zero),
    "missing_relu": Relation(_missing_relu),
    "added_relu": Relation(_each(lambda want: np.maximum(want, 0))),
    "sign": Relation(_each(np.negative)),
    "absolute": Relation(_each(np.abs)),
    "scale": Relation(_scaled, fitted=1),
    "offset": Relation(_shifted, fitted=1),
    "min_max": Relation(_each(_min_max), "sample", 2),
    "min_max_per_call": Relation(_each(_min_max), "call", 2),
    "transposed": Relation(_transposed),
    "flipped": Relation(_flipped),
    "first_sample": Relation(_first_sample),
    "other_order": Relation(_other_order),
    "reshaped": Relation(_reshaped),
    "scale_per_call": Relation(_scaled, "call", 1),
    "scale_per_sample": Relation(_scaled, "sample", 1),
    "offset_per_sample": Relation(_shifted, "sample", 1),
    "relu_offset": Relation(_shifted_before_relu, "call", 1),
    "relu_offset_per_sample": Relation(_shifted_before_relu, "sample", 1),
    "constant": Relation(_constant, "call", 1),
}
"""Name -> relation; its sentence is `relation.NAME` of the catalogue."""
DETAILED = ("scale", "offset", "flipped", "scale_per_call")
"""Those that are said with a detail, from which a value of a hidden case could be read."""


def shape_relation(want: np.ndarray, got: np.ndarray) -> tuple[Message, ...]:
    """How the shape of `got` departs from that of `want`; empty where that is not simple."""
    name = _shape_relation(want.shape, got.shape)
    return (message(f"shape.{name}"),) if name else ()


def _shape_relation(asked: tuple[int, ...], have: tuple[int, ...]) -> str:
    if tuple(s for s in have if s != 1) == tuple(s for s in asked if s != 1) and len(have) != len(asked):
        return "axis_too_many" if len(have) > len(asked) else "axis_too_few"
    if len(asked) >= 2 and have == (*asked[:-2], asked[-1], asked[-2]):
        return "transposed"
    if sorted(have) == sorted(asked):
        return "other_order"
    if len(asked) >= 2 and have == (1, *asked[1:]):
        return "one_sample"
    if _left_of(asked, have):
        return "axes_missing"
    if _left_of(have, asked):
        return "axes_left"
    if len(have) == len(asked) >= 3 and have[:-2] == asked[:-2]:
        return _grid(asked[-2:], have[-2:])
    return ""


def _left_of(shape: tuple[int, ...], rest: tuple[int, ...]) -> bool:
    """Whether `rest` is `shape` without some of its axes."""
    return 0 < len(rest) < len(shape) and rest in itertools.combinations(shape, len(rest))


def _grid(asked: Sequence[int], have: Sequence[int]) -> str:
    """Maps on another grid than asked for."""
    if all(h >= 2 * a for a, h in zip(asked, have, strict=True)):
        return "enlarged"
    return "to_enlarge" if all(a >= 2 * h for a, h in zip(asked, have, strict=True)) else ""
