"""Wrong answers of lesson 13, DeepLIFT, on single steps: the linear rule, Rescale, the gap."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception


def quotient(above: Tensor, below: Tensor, otherwise: Tensor) -> Tensor:
    """above / below, and `otherwise` where below is 0."""
    return torch.where(below == 0, otherwise, above / torch.where(below == 0, 1.0, below))


def slope(z: Tensor) -> Tensor:
    """The derivative of ReLU: 1 where z > 0, else 0."""
    return (z > 0).to(z)


def each_input(x: Tensor, x0: Tensor, weight: Tensor) -> Tensor:
    """C [N K D] = w_ki Δx_ni, the linear rule."""
    return weight * (x - x0)[:, None]


def multiplier(z: Tensor, z0: Tensor) -> Tensor:
    """Δy/Δz of a ReLU, its derivative where Δz = 0: the Rescale rule."""
    return quotient(z.relu() - z0.relu(), z - z0, slope(z))


# 1. linear_contributions(x, x0, weight) -> C


def _share_of_the_sum(x, x0, weight):
    C = each_input(x, x0, weight)
    return C / C.sum(2, keepdim=True)


LINEAR = (
    Misconception(
        "baseline_ignored",
        lambda x, x0, weight: weight * x[:, None],
        "You multiplied w with x. C_i is measured from the baseline: w_ki · (x_i - x⁰_i).",
    ),
    Misconception(
        "baseline_added",
        lambda x, x0, weight: weight * (x + x0)[:, None],
        "You added the baseline. Δx_i is a difference: x_i - x⁰_i.",
    ),
    Misconception(
        "opposite_sign",
        lambda x, x0, weight: each_input(x0, x, weight),
        "The sign is turned round: you took x⁰_i - x_i. Δx_i = x_i - x⁰_i goes from the baseline to the input.",
    ),
    Misconception(
        "absolute_difference",
        lambda x, x0, weight: weight * (x - x0).abs()[:, None],
        "You took |Δx_i|. An input below its baseline has a negative Δx_i, and that turns the sign of C_i: keep it.",
    ),
    Misconception(
        "absolute_weight",
        lambda x, x0, weight: each_input(x, x0, weight.abs()),
        "You took |w_ki|. A negative weight lowers z_k when its input rises: keep the sign.",
    ),
    Misconception(
        "absolute_contribution",
        lambda x, x0, weight: each_input(x, x0, weight).abs(),
        "You returned |C_i|. Contributions of both signs must cancel, or they do not sum to Δz_k.",
    ),
    Misconception(
        "positive_only",
        lambda x, x0, weight: each_input(x, x0, weight).relu(),
        "You set negative contributions to 0. An input may lower z_k: all C_i together sum to Δz_k.",
    ),
    Misconception(
        "multipliers_only",
        lambda x, x0, weight: weight.expand(len(x), *weight.shape).clone(),
        "You returned the multipliers w_ki. A contribution is the multiplier times the difference: w_ki · Δx_i.",
    ),
    Misconception(
        "differences_only",
        lambda x, x0, weight: (x - x0)[:, None].expand(len(x), *weight.shape).clone(),
        "You returned Δx_i without its weight. C_i = w_ki · Δx_i.",
    ),
    Misconception(
        "summed_over_inputs",
        lambda x, x0, weight: each_input(x, x0, weight).sum(2),
        "You summed over the inputs i: that is Δz_k. Keep one number for each input: C is [N K D].",
    ),
    Misconception(
        "summed_over_units",
        lambda x, x0, weight: each_input(x, x0, weight).sum(1),
        "You summed over the units k. Every z_k has contributions of its own: C is [N K D].",
    ),
    Misconception(
        "units_last",
        lambda x, x0, weight: each_input(x, x0, weight).transpose(1, 2),
        "The numbers are right, but the axes are in another order: C is [N K D], the unit k before the input i.",
    ),
    Misconception(
        "first_baseline",
        lambda x, x0, weight: each_input(x, x0[:1], weight),
        "You compared every input with the first baseline. Row n of x has its own baseline x0[n].",
    ),
    Misconception(
        "mean_baseline",
        lambda x, x0, weight: each_input(x, x0.mean(0), weight),
        "You compared every input with the mean of the baselines. Row n of x has its own baseline x0[n].",
    ),
    Misconception(
        "share_of_the_sum",
        _share_of_the_sum,
        "You divided by Σ_i C_i, so that shares sum to 1. Contributions are in units of z and sum to Δz_k.",
    ),
)


# 2. rescale_multiplier(z, z0) -> m


RESCALE = (
    Misconception(
        "gradient_at_z",
        lambda z, z0: slope(z),
        "You took the derivative of ReLU at z (ReLU(z)/z is the same number). m is the slope of the straight line "
        "from z⁰ to z: Δy/Δz.",
    ),
    Misconception(
        "gradient_at_baseline",
        lambda z, z0: slope(z0),
        "You took the derivative of ReLU at the baseline z⁰. m is the slope of the straight line from z⁰ to z: Δy/Δz.",
    ),
    Misconception(
        "gradient_halfway",
        lambda z, z0: slope((z + z0) / 2),
        "You took the derivative of ReLU halfway between z⁰ and z: that is 0 or 1. m = Δy/Δz lies between them where "
        "the ReLU's corner is crossed.",
    ),
    Misconception(
        "mean_of_two_gradients",
        lambda z, z0: (slope(z) + slope(z0)) / 2,
        "You averaged the derivatives at z and z⁰. Across the corner that gives 1/2 wherever the corner is; Δy/Δz "
        "knows how far each side reaches.",
    ),
    Misconception(
        "no_fallback",
        lambda z, z0: (z.relu() - z0.relu()) / (z - z0),
        "Where z = z⁰ you divided 0 by 0: NaN. There m is the derivative of ReLU: 1 where z > 0, else 0.",
    ),
    Misconception(
        "zero_fallback",
        lambda z, z0: quotient(z.relu() - z0.relu(), z - z0, torch.zeros_like(z)),
        "Where z = z⁰ you gave 0 (a small number added to Δz does that too). There m is the derivative of ReLU: 1 "
        "where z > 0, else 0.",
    ),
    Misconception(
        "one_fallback",
        lambda z, z0: quotient(z.relu() - z0.relu(), z - z0, torch.ones_like(z)),
        "Where z = z⁰ you gave 1. There m is the derivative of ReLU: 1 where z > 0, but 0 where z < 0.",
    ),
    Misconception(
        "one_at_zero",
        lambda z, z0: quotient(z.relu() - z0.relu(), z - z0, (z >= 0).to(z)),
        "Where z = z⁰ = 0 you gave 1. The derivative of ReLU is 1 where z > 0, and 0 at 0 as well as below.",
    ),
    Misconception(
        "wide_fallback",
        lambda z, z0: torch.where((z - z0).abs() < 1e-5, slope(z), multiplier(z, z0)),
        "You took the derivative where z and z⁰ are only close. It takes the place of Δy/Δz where z = z⁰: a difference "
        "of 1e-7 is still a difference, and may cross the corner.",
    ),
    Misconception(
        "relu_ignored",
        lambda z, z0: torch.ones_like(z),
        "You gave 1 everywhere: Δz/Δz. The upper part is the difference after the ReLU: Δy = ReLU(z) - ReLU(z⁰).",
    ),
    Misconception(
        "relu_of_the_difference",
        lambda z, z0: quotient((z - z0).relu(), z - z0, slope(z)),
        "You took ReLU(z - z⁰). Δy is a difference of two outputs: ReLU(z) - ReLU(z⁰).",
    ),
    Misconception(
        "baseline_output_forgotten",
        lambda z, z0: quotient(z.relu(), z - z0, slope(z)),
        "You divided ReLU(z) by Δz. The upper part is a difference too: ReLU(z) - ReLU(z⁰).",
    ),
    Misconception(
        "difference_only",
        lambda z, z0: z.relu() - z0.relu(),
        "You returned Δy. A multiplier says how much of Δz gets through: m = Δy/Δz.",
    ),
    Misconception(
        "absolute_denominator",
        lambda z, z0: quotient(z.relu() - z0.relu(), (z - z0).abs(), slope(z)),
        "You divided by |Δz|. ReLU never falls, so Δy and Δz have the same sign, and m = Δy/Δz is never negative.",
    ),
    Misconception(
        "upside_down",
        lambda z, z0: quotient(z - z0, z.relu() - z0.relu(), slope(z)),
        "You divided Δz by Δy. m is what comes out over what goes in: Δy/Δz.",
    ),
)


# 4. completeness_gap(contributions, scores, baseline_scores) -> g


def total(contributions: Tensor) -> Tensor:
    """Σ_i C_i of each image [N]."""
    return contributions.flatten(1).sum(1)


def _gap_of(summed: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The gap with `summed(contributions)` in place of the sum."""
    return lambda contributions, scores, baseline_scores: summed(contributions) - (scores - baseline_scores)


right_gap = _gap_of(total)


def _one_axis(contributions, scores, baseline_scores):
    sums = contributions.sum(1)
    return sums - (scores - baseline_scores).view(-1, *[1] * (sums.ndim - 1))


def _of_the_batch(contributions, scores, baseline_scores):
    return right_gap(contributions, scores, baseline_scores).sum().expand(len(scores)).clone()


GAP = (
    Misconception(
        "sum_only",
        lambda contributions, scores, baseline_scores: total(contributions),
        "You returned Σ_i C_i. The gap is what that sum has too much: subtract Δy = y - y⁰.",
    ),
    Misconception(
        "difference_only",
        lambda contributions, scores, baseline_scores: scores - baseline_scores,
        "You returned Δy = y - y⁰. The gap compares it with the contributions: Σ_i C_i - Δy.",
    ),
    Misconception(
        "baseline_forgotten",
        lambda contributions, scores, baseline_scores: total(contributions) - scores,
        "You subtracted y alone. Contributions account for a difference of scores, y - y⁰.",
    ),
    Misconception(
        "baseline_sign",
        lambda contributions, scores, baseline_scores: total(contributions) - scores - baseline_scores,
        "You subtracted y + y⁰. Mind the brackets: Σ_i C_i - (y - y⁰) = Σ_i C_i - y + y⁰.",
    ),
    Misconception(
        "scores_swapped",
        lambda contributions, scores, baseline_scores: right_gap(contributions, baseline_scores, scores),
        "You took Δy = y⁰ - y. It goes from the baseline to the image: y - y⁰.",
    ),
    Misconception(
        "opposite_sign",
        lambda contributions, scores, baseline_scores: -right_gap(contributions, scores, baseline_scores),
        "The sign is turned round: g = Σ_i C_i - Δy is positive where the contributions sum to too much.",
    ),
    Misconception(
        "absolute_gap",
        lambda contributions, scores, baseline_scores: right_gap(contributions, scores, baseline_scores).abs(),
        "You returned |g|. The sign says whether the contributions sum to too much or to too little: keep it.",
    ),
    Misconception(
        "relative_gap",
        lambda contributions, scores, baseline_scores: (
            right_gap(contributions, scores, baseline_scores) / (scores - baseline_scores)
        ),
        "You divided by Δy. g = Σ_i C_i - Δy is raw, in units of the score.",
    ),
    Misconception(
        "absolute_contributions",
        _gap_of(lambda C: total(C.abs())),
        "You summed |C_i|. Contributions for and against must cancel: sum them with their signs.",
    ),
    Misconception(
        "positive_contributions",
        _gap_of(lambda C: total(C.relu())),
        "You summed the positive contributions only. Those against the class count too: Σ_i runs over all i.",
    ),
    Misconception(
        "mean_for_sum",
        _gap_of(lambda C: C.flatten(1).mean(1)),
        "You averaged the contributions. They must add up to Δy: take their sum.",
    ),
    Misconception(
        "one_axis",
        _one_axis,
        "You summed over axis 1 alone. Σ_i runs over every axis but that of the images: channels, rows and columns.",
    ),
    Misconception(
        "of_the_batch",
        _of_the_batch,
        "You summed over the batch as well. Every image n has a gap of its own: g is [N].",
    ),
)
