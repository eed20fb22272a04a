"""Wrong answers of lesson 13, DeepLIFT, on the RevealCancel rule."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.deeplift_misconceptions import multiplier, quotient
from autograder.exercises.deeplift_misconceptions import slope as derivative
from autograder.records import Misconception

# 5. revealcancel_multipliers(positive, negative, z0) -> m⁺, m⁻

Pair = tuple[Tensor, Tensor]


def effects(positive: Tensor, negative: Tensor, z0: Tensor, first: float = 0.5) -> Pair:
    """Δy⁺ and Δy⁻, with weight `first` for adding the own sign first, 1 - `first` for adding it last."""
    start, plus, minus, end = (v.relu() for v in (z0, z0 + positive, z0 + negative, z0 + positive + negative))
    last = 1 - first
    return first * (plus - start) + last * (end - minus), first * (minus - start) + last * (end - plus)


def signed_multipliers(positive: Tensor, negative: Tensor, z0: Tensor) -> Pair:
    """m⁺ and m⁻ of a ReLU, 0 where there is nothing of that sign: the RevealCancel rule."""
    return _over(effects(positive, negative, z0), positive, negative)


def _over(y: Pair, positive: Tensor, negative: Tensor) -> Pair:
    zero = torch.zeros_like(positive)
    return quotient(y[0], positive, zero), quotient(y[1], negative, zero)


def _with_effects(change: Callable[..., Pair]) -> Callable[..., Pair]:
    """The rule with `change(positive, negative, z0)` in place of Δy⁺ and Δy⁻."""
    return lambda positive, negative, z0: _over(change(positive, negative, z0), positive, negative)


def _in_one_order(positive, negative, z0):
    end = (z0 + positive + negative).relu()
    middle = (z0 + positive).relu()
    return middle - z0.relu(), end - middle


def _in_the_other_order(positive, negative, z0):
    end = (z0 + positive + negative).relu()
    middle = (z0 + negative).relu()
    return end - middle, middle - z0.relu()


def _rescale_for_both(positive, negative, z0):
    m = multiplier(z0 + positive + negative, z0)
    return m, m.clone()


def _derivative_fallback(positive, negative, z0):
    y = effects(positive, negative, z0)
    at_z = derivative(z0 + positive + negative)
    return quotient(y[0], positive, at_z), quotient(y[1], negative, at_z)


def _no_fallback(positive, negative, z0):
    y = effects(positive, negative, z0)
    return y[0] / positive, y[1] / negative


def _unsigned(positive, negative, z0):
    m = signed_multipliers(positive, negative, z0)
    return m[0], -m[1]


def _summed(positive, negative, z0):
    y = effects(positive, negative, z0)
    return 2 * y[0], 2 * y[1]


def _wide_fallback(positive, negative, z0):
    m = signed_multipliers(positive, negative, z0)
    return tuple(torch.where(part.abs() < 1e-5, 0.0, one) for one, part in zip(m, (positive, negative), strict=True))


REVEAL_CANCEL = (
    Misconception(
        "second_bracket_dropped",
        _with_effects(lambda p, n, z0: effects(p, n, z0, first=1.0)),
        "You dropped the second bracket: each sign was only added first, to z⁰ alone. Δy⁺ and Δy⁻ average two orders, "
        "and only the average sums to Δy.",
    ),
    Misconception(
        "first_bracket_dropped",
        _with_effects(lambda p, n, z0: effects(p, n, z0, first=0.0)),
        "You dropped the first bracket: each sign was only added last. Δy⁺ and Δy⁻ average two orders, and only the "
        "average sums to Δy.",
    ),
    Misconception(
        "positive_first",
        _with_effects(_in_one_order),
        "You added Δz⁺ first and Δz⁻ after it. That sums to Δy, but it depends on the order; the rule averages both "
        "orders, with 1/2 each.",
    ),
    Misconception(
        "negative_first",
        _with_effects(_in_the_other_order),
        "You added Δz⁻ first and Δz⁺ after it. That sums to Δy, but it depends on the order; the rule averages both "
        "orders, with 1/2 each.",
    ),
    Misconception(
        "sum_for_mean",
        _with_effects(_summed),
        "You added the two brackets: the 1/2 is missing, and Δy⁺ + Δy⁻ is twice Δy.",
    ),
    Misconception(
        "rescale",
        _rescale_for_both,
        "Both signs got one multiplier, Δy/Δz: that is Rescale. RevealCancel divides each sign's own effect: "
        "m⁺ = Δy⁺/Δz⁺ and m⁻ = Δy⁻/Δz⁻.",
    ),
    Misconception(
        "baseline_ignored",
        lambda positive, negative, z0: signed_multipliers(positive, negative, torch.zeros_like(z0)),
        "You started from 0. The differences are added to the baseline's z⁰: ReLU(z⁰ + Δz⁺), and so on.",
    ),
    Misconception(
        "effects_for_multipliers",
        lambda positive, negative, z0: effects(positive, negative, z0),
        "You returned Δy⁺ and Δy⁻. A multiplier is per unit of what went in: m⁺ = Δy⁺/Δz⁺, m⁻ = Δy⁻/Δz⁻.",
    ),
    Misconception(
        "divided_by_the_whole",
        lambda positive, negative, z0: tuple(
            quotient(y, positive + negative, torch.zeros_like(z0)) for y in effects(positive, negative, z0)
        ),
        "You divided by Δz = Δz⁺ + Δz⁻. Each sign is divided by its own part: Δy⁺ by Δz⁺, Δy⁻ by Δz⁻.",
    ),
    Misconception(
        "unsigned_negative",
        _unsigned,
        "You divided Δy⁻ by |Δz⁻|. Both are negative or 0, so m⁻ = Δy⁻/Δz⁻ is never negative.",
    ),
    Misconception(
        "swapped_outputs",
        lambda positive, negative, z0: signed_multipliers(positive, negative, z0)[::-1],
        "The two results are in the other order: return m⁺ first, then m⁻.",
    ),
    Misconception(
        "no_fallback",
        _no_fallback,
        "Where Δz⁺ or Δz⁻ is 0 you divided 0 by 0: NaN. Nothing of that sign came in, so that multiplier is 0.",
    ),
    Misconception(
        "wide_fallback",
        _wide_fallback,
        "You gave 0 where Δz⁺ or Δz⁻ is only small. The multiplier is 0 where nothing of that sign came in: 1e-7 is "
        "something, and Δy⁺/Δz⁺ is as large for it as for more.",
    ),
    Misconception(
        "derivative_fallback",
        _derivative_fallback,
        "Where Δz⁺ or Δz⁻ is 0 you gave the derivative, as in Rescale. Here nothing of that sign came in, and that "
        "multiplier is 0.",
    ),
)
