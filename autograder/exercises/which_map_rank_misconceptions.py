"""Wrong answers of lesson 15, which map: the rank correlation of two maps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception

Ranks = Callable[[Tensor], Tensor]
"""Values [N P] -> ranks [N P]."""


def below(values: Tensor) -> Tensor:
    """How many values of the same row are smaller [N P]."""
    return (values[:, None, :] < values[:, :, None]).sum(2).to(values.dtype)


def equal(values: Tensor) -> Tensor:
    """How many values of the same row are equal, the value itself included [N P]."""
    return (values[:, None, :] == values[:, :, None]).sum(2).to(values.dtype)


def mean_ranks(values: Tensor) -> Tensor:
    """Ranks from 1; ties share the mean of the ranks that they take up."""
    return below(values) + (equal(values) + 1) / 2


def guarded(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where the whole is 0."""
    return torch.where(whole == 0, 0.0, part / torch.where(whole == 0, 1.0, whole))


def moments(a: Tensor, b: Tensor) -> tuple[Tensor, Tensor]:
    """Σ (a - ā)(b - b̄), and the root of the product of the sums of squares [N]."""
    a, b = (x - x.mean(1, keepdim=True) for x in (a, b))
    return (a * b).sum(1), (a.square().sum(1) * b.square().sum(1)).sqrt()


def pearson(a: Tensor, b: Tensor) -> Tensor:
    """The correlation of the rows [N P], 0 where a row is constant: [N]."""
    return guarded(*moments(a, b))


def spearman(maps_a: Tensor, maps_b: Tensor) -> Tensor:
    """ρ [N], as the formula has it."""
    return pearson(mean_ranks(maps_a.flatten(1)), mean_ranks(maps_b.flatten(1)))


def _ordinal(values: Tensor) -> Tensor:
    return values.argsort(dim=1, stable=True).argsort(1).to(values.dtype)


def _dense(values: Tensor) -> Tensor:
    return torch.stack([row.unique(return_inverse=True)[1] for row in values]).to(values.dtype)


def _ranked(ranks: Ranks):
    return lambda maps_a, maps_b: pearson(ranks(maps_a.flatten(1)), ranks(maps_b.flatten(1)))


def _changed(change: Callable[[Tensor], Tensor]):
    return lambda maps_a, maps_b: spearman(change(maps_a), change(maps_b))


def _one_unranked(maps_a, maps_b):
    return pearson(mean_ranks(maps_a.flatten(1)), maps_b.flatten(1))


def _opposite(maps_a, maps_b):
    return spearman(maps_a, -maps_b)


def _short_formula(maps_a, maps_b):
    a, b = maps_a.flatten(1), maps_b.flatten(1)
    P = a.shape[1]
    rho = 1 - 6 * (mean_ranks(a) - mean_ranks(b)).square().sum(1) / (P * (P**2 - 1))
    constant = (a == a[:, :1]).all(1) | (b == b[:, :1]).all(1)
    return torch.where(constant, 0.0, rho)


def _cosine(maps_a, maps_b):
    return torch.cosine_similarity(mean_ranks(maps_a.flatten(1)), mean_ranks(maps_b.flatten(1)), dim=1)


def _kendall(maps_a, maps_b):
    signs = [(x[:, :, None] - x[:, None, :]).sign().flatten(1) for x in (maps_a.flatten(1), maps_b.flatten(1))]
    return guarded((signs[0] * signs[1]).sum(1), (signs[0].square().sum(1) * signs[1].square().sum(1)).sqrt())


def _whole_batch(maps_a, maps_b):
    a, b = (mean_ranks(maps.reshape(1, -1)).view(len(maps), -1) for maps in (maps_a, maps_b))
    return pearson(a, b)


def _with_p_minus_one(maps_a, maps_b):
    P = maps_a[0].numel()
    return spearman(maps_a, maps_b) * (P - 1) / P


def _covariance(maps_a, maps_b):
    part, _ = moments(mean_ranks(maps_a.flatten(1)), mean_ranks(maps_b.flatten(1)))
    return part / maps_a[0].numel()


def _unguarded(maps_a, maps_b):
    part, whole = moments(mean_ranks(maps_a.flatten(1)), mean_ranks(maps_b.flatten(1)))
    return part / whole


def _constant_is_alike(maps_a, maps_b):
    constant = torch.stack([(m.flatten(1) == m.flatten(1)[:, :1]).all(1) for m in (maps_a, maps_b)]).any(0)
    return torch.where(constant, 1.0, spearman(maps_a, maps_b))


def _top_left_transposed(maps_a, maps_b):
    return pearson(mean_ranks(maps_a.flatten(1)), mean_ranks(maps_b.transpose(1, 2).flatten(1)))


RANK = (
    Misconception(
        "pearson",
        lambda maps_a, maps_b: pearson(maps_a.flatten(1), maps_b.flatten(1)),
        "You correlated the values themselves (Pearson). ρ correlates their ranks: turn each map into ranks first.",
    ),
    Misconception(
        "one_map_unranked",
        _one_unranked,
        "You ranked the first map only. ρ compares the ranks of both maps.",
    ),
    Misconception(
        "ties_in_reading_order",
        _ranked(_ordinal),
        "Pixels with equal values got different ranks, in the order in which they come. Ties share the mean of the "
        "ranks that they take up.",
    ),
    Misconception(
        "ties_get_the_lowest",
        _ranked(below),
        "Pixels with equal values got the lowest of their ranks. Ties share the mean of the ranks that they take up.",
    ),
    Misconception(
        "ties_get_the_highest",
        _ranked(lambda values: below(values) + equal(values)),
        "Pixels with equal values got the highest of their ranks. Ties share the mean of the ranks that they take up.",
    ),
    Misconception(
        "distinct_values_counted",
        _ranked(_dense),
        "You numbered the distinct values, so that a tie of a hundred pixels takes up one rank. Ties share the mean of "
        "the ranks that they take up, and the next value comes after all of them.",
    ),
    Misconception(
        "near_ties",
        _changed(lambda maps: maps.round(decimals=6)),
        "You took nearly equal values for ties. Only equal values share a rank: 0 and 1e-7 have two.",
    ),
    Misconception(
        "order_for_ranks",
        _ranked(lambda values: values.argsort(dim=1, stable=True).to(values.dtype)),
        "You correlated what argsort returns: the pixels in order of their values. A pixel's rank is its place in that "
        "order.",
    ),
    Misconception(
        "opposite_direction",
        _opposite,
        "You ranked one map upwards and the other downwards, so that ρ has the wrong sign.",
    ),
    Misconception(
        "absolute_maps",
        _changed(torch.abs),
        "You ranked |M|. The ranks are those of the maps as they are: negative pixels come below 0.",
    ),
    Misconception(
        "positive_parts",
        _changed(lambda maps: maps.clamp(min=0)),
        "You cut off the negative values first. The ranks are those of the maps as they are.",
    ),
    Misconception(
        "absolute_correlation",
        lambda maps_a, maps_b: spearman(maps_a, maps_b).abs(),
        "You returned |ρ|. A negative ρ says that where one map is high the other is low: keep the sign.",
    ),
    Misconception(
        "squared_correlation",
        lambda maps_a, maps_b: spearman(maps_a, maps_b).square(),
        "You returned ρ². ρ itself is asked for, with its sign.",
    ),
    Misconception(
        "formula_without_ties",
        _short_formula,
        "1 - 6 Σ d² / (P (P² - 1)) is right only where no two pixels tie. With ties use the correlation of the ranks.",
    ),
    Misconception(
        "means_not_subtracted",
        _cosine,
        "You left the mean rank in (the cosine of the ranks). ρ subtracts it first: Σ (r - r̄)(q - q̄).",
    ),
    Misconception(
        "kendall",
        _kendall,
        "You compared pairs of pixels (Kendall's τ). Spearman's ρ is the correlation of the ranks.",
    ),
    Misconception(
        "ranks_over_the_batch",
        _whole_batch,
        "You ranked the pixels of all maps together. Every map n has ranks of its own, 1 to P.",
    ),
    Misconception(
        "p_and_p_minus_one",
        _with_p_minus_one,
        "Your ρ is (P - 1)/P times too small: covariance divided by P, standard deviations by P - 1. Use one of the "
        "two throughout.",
    ),
    Misconception(
        "covariance",
        _covariance,
        "You returned the covariance of the ranks. ρ divides it by both standard deviations.",
    ),
    Misconception(
        "rows_for_columns",
        _top_left_transposed,
        "Rows and columns of the second map are swapped: pixel i, j of one map belongs to pixel i, j of the other.",
    ),
    Misconception(
        "nan_for_constant",
        _unguarded,
        "A map with one value only gave 0/0 = NaN. It orders no pixels: its ρ is 0 by definition.",
    ),
    Misconception(
        "one_for_constant",
        _constant_is_alike,
        "A map with one value only got ρ = 1. It orders no pixels: its ρ is 0 by definition.",
    ),
    Misconception(
        "mean_over_maps",
        lambda maps_a, maps_b: spearman(maps_a, maps_b).mean(),
        "You averaged over the maps n already. Return one ρ for each pair of maps: [N].",
    ),
)
