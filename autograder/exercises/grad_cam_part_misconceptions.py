"""Wrong answers of lesson 11, Grad-CAM, on plain tensors: the weights α, the map, the shares of boxes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception


def weights(gradients: Tensor) -> Tensor:
    """α [N K], as the formula has them."""
    return gradients.mean((2, 3))


def weighted_sum(activations: Tensor, alpha: Tensor) -> Tensor:
    """Σ_k α_k A^k [N h w], before the ReLU."""
    return torch.einsum("nk,nkij->nij", alpha, activations)


def localised(activations: Tensor, gradients: Tensor) -> Tensor:
    """ReLU(Σ_k α_k A^k) [N h w]."""
    return weighted_sum(activations, weights(gradients)).relu()


def min_max(values: Tensor) -> Tensor:
    """Each map on [0, 1], its minimum at 0."""
    low, high = values.amin((1, 2), keepdim=True), values.amax((1, 2), keepdim=True)
    return (values - low) / (high - low).clamp(min=1e-12)


def over_maximum(values: Tensor) -> Tensor:
    """Each map divided by its maximum."""
    return values / values.amax((1, 2), keepdim=True).clamp(min=1e-12)


# 2. neuron_importance(gradients) -> α


def _each_image(value: Tensor, gradients: Tensor) -> Tensor:
    return value.expand(gradients.shape[:2]).clone()


def _mean_of_positive_ones(gradients):
    return gradients.relu().sum((2, 3)) / (gradients > 0).sum((2, 3)).clamp(min=1)


IMPORTANCE = (
    Misconception(
        "sum_for_mean",
        lambda gradients: gradients.sum((2, 3)),
        "You summed ∂y^c/∂A over i, j; α_k is their mean: divide by Z = h·w.",
    ),
    Misconception(
        "positive_gradients",
        lambda gradients: gradients.relu().mean((2, 3)),
        "You put a ReLU on ∂y^c/∂A before the mean. α_k is the mean of all gradients, negative ones too.",
    ),
    Misconception(
        "mean_of_positive",
        _mean_of_positive_ones,
        "You averaged only the places where ∂y^c/∂A is positive. α_k is the mean over all Z = h·w places.",
    ),
    Misconception(
        "mean_where_not_zero",
        lambda gradients: gradients.sum((2, 3)) / (gradients != 0).sum((2, 3)).clamp(min=1),
        "You averaged over the places where the gradient is not 0. α_k is the mean over all Z places.",
    ),
    Misconception(
        "absolute_gradients",
        lambda gradients: gradients.abs().mean((2, 3)),
        "You averaged |∂y^c/∂A|. Without its sign, a channel that speaks against class c counts in favour of it.",
    ),
    Misconception(
        "absolute_alpha",
        lambda gradients: gradients.mean((2, 3)).abs(),
        "You returned |α_k|. A negative α_k says that channel k lowers y^c: keep the sign.",
    ),
    Misconception(
        "positive_alpha",
        lambda gradients: gradients.mean((2, 3)).relu(),
        "You cut off negative α_k. The ReLU belongs round the finished sum Σ_k α_k A^k, not round the weights.",
    ),
    Misconception(
        "max_for_mean",
        lambda gradients: gradients.amax((2, 3)),
        "You took the largest ∂y^c/∂A^k_ij of each channel. α_k is the mean over i, j.",
    ),
    Misconception(
        "root_mean_square",
        lambda gradients: gradients.square().mean((2, 3)).sqrt(),
        "You took the root mean square over i, j, which loses the sign. α_k is the plain mean.",
    ),
    Misconception(
        "mean_over_batch",
        lambda gradients: _each_image(gradients.mean((0, 2, 3))[None], gradients),
        "You averaged over the batch as well. Every image n has its own α[n, k]: average over i and j alone.",
    ),
    Misconception(
        "mean_over_channels",
        lambda gradients: gradients.mean(1),
        "You averaged over the channels k. α_k keeps k and averages over the places i, j: axes 2 and 3.",
    ),
    Misconception(
        "one_number_per_image",
        lambda gradients: _each_image(gradients.mean((1, 2, 3))[:, None], gradients),
        "You averaged over the channels too, so that all α_k of an image are equal. Average over i, j alone.",
    ),
    Misconception(
        "one_axis",
        lambda gradients: gradients.mean(3),
        "You averaged over the columns j alone. The double sum Σ_i Σ_j runs over rows and columns: axes 2 and 3.",
    ),
    Misconception(
        "square_grid",
        lambda gradients: gradients.sum((2, 3)) / gradients.shape[2] ** 2,
        "You divided by h·h. Z counts the places of the grid, h·w, and a grid need not be square.",
    ),
    Misconception(
        "divided_by_k_too",
        lambda gradients: gradients.mean((2, 3)) / gradients.shape[1],
        "You divided by the number of channels K as well. Z = h·w counts places, not channels.",
    ),
    Misconception(
        "softmax_of_alpha",
        lambda gradients: gradients.mean((2, 3)).softmax(1),
        "You put a softmax over the α_k. They are raw numbers of either sign and need not sum to 1.",
    ),
    Misconception(
        "kept_axes",
        lambda gradients: gradients.mean((2, 3), keepdim=True),
        "The numbers are right, but the averaged axes are still there with size 1: α is [N K], so leave out keepdim.",
    ),
)


# 3. grad_cam_map(activations, alpha) -> L


MAP = (
    Misconception(
        "no_relu",
        weighted_sum,
        "You left out the ReLU. L keeps only the places that raise y^c: set the negative values of Σ_k α_k A^k to 0.",
    ),
    Misconception(
        "absolute_map",
        lambda activations, alpha: weighted_sum(activations, alpha).abs(),
        "You took the absolute value of Σ_k α_k A^k. That lights up what speaks against class c; ReLU sets it to 0.",
    ),
    Misconception(
        "opposite_sign",
        lambda activations, alpha: (-weighted_sum(activations, alpha)).relu(),
        "Your map shows what lowers y^c: the sign is turned round. L = ReLU(+Σ_k α_k A^k).",
    ),
    Misconception(
        "relu_before_sum",
        lambda activations, alpha: (alpha[..., None, None] * activations).relu().sum(1),
        "You put the ReLU on each α_k A^k before the sum. Channels for and against must cancel first: sum over k, "
        "then ReLU.",
    ),
    Misconception(
        "positive_alpha",
        lambda activations, alpha: weighted_sum(activations, alpha.relu()).relu(),
        "You dropped the channels with negative α_k. They take away from the map; the ReLU comes after the sum over k.",
    ),
    Misconception(
        "absolute_alpha",
        lambda activations, alpha: weighted_sum(activations, alpha.abs()).relu(),
        "You weighted with |α_k|, so that channels against class c count in favour of it. Keep the sign of α_k.",
    ),
    Misconception(
        "mean_over_k",
        lambda activations, alpha: weighted_sum(activations, alpha).relu() / alpha.shape[1],
        "You averaged over the channels k: the map is K times too small. L sums α_k A^k over k.",
    ),
    Misconception(
        "max_over_k",
        lambda activations, alpha: (alpha[..., None, None] * activations).amax(1).relu(),
        "You took the largest α_k A^k at each place. L sums over all channels k.",
    ),
    Misconception(
        "alpha_ignored",
        lambda activations, alpha: activations.sum(1).relu(),
        "You summed the A^k without their weights. Multiply each A^k by α_k first: without α the map knows no class.",
    ),
    Misconception(
        "mean_alpha_of_batch",
        lambda activations, alpha: weighted_sum(activations, alpha.mean(0).expand_as(alpha)).relu(),
        "You used the α_k averaged over the batch for every image. Image n has its own row α[n].",
    ),
    Misconception(
        "first_alpha",
        lambda activations, alpha: weighted_sum(activations, alpha[:1].expand_as(alpha)).relu(),
        "You used the first image's α_k for every image. Image n has its own row α[n].",
    ),
    Misconception(
        "min_max",
        lambda activations, alpha: min_max(weighted_sum(activations, alpha)).relu(),
        "You scaled to [0, 1] before the ReLU. Then nothing is negative any more, and the ReLU cuts off nothing. "
        "Return raw values; scaling is for the picture only.",
    ),
    Misconception(
        "divided_by_maximum",
        lambda activations, alpha: over_maximum(weighted_sum(activations, alpha).relu()),
        "You divided each map by its maximum. L is returned raw, so that the maps of two images can be compared.",
    ),
    Misconception(
        "clamped_to_one",
        lambda activations, alpha: weighted_sum(activations, alpha).clamp(0, 1),
        "You clamped to [0, 1]. ReLU cuts off below 0 only: values over 1 stay.",
    ),
    Misconception(
        "rows_for_columns",
        lambda activations, alpha: weighted_sum(activations, alpha).relu().transpose(1, 2),
        "Rows and columns of the map are swapped: L is [N h w], i down and j across, as in A.",
    ),
)


# 5. quadrant_shares(maps, quadrants) -> shares


def _cells(maps: Tensor, boxes: Tensor, value: Callable[[Tensor], Tensor]) -> Tensor:
    """value(part of the maps in the box) [N], for each (top, left, bottom, right): [N Q]."""
    return torch.stack([value(maps[:, t:b, l:r]) for t, l, b, r in boxes.tolist()], dim=1)


def _total(part: Tensor) -> Tensor:
    return part.sum((1, 2))


def _guarded(part: Tensor, whole: Tensor) -> Tensor:
    """part [N Q] / whole [N], 0 where the whole is 0."""
    return part / torch.where(whole > 0, whole, torch.ones_like(whole))[:, None]


def _shares(maps: Tensor, boxes: Tensor) -> Tensor:
    return _guarded(_cells(maps, boxes, _total), _total(maps))


def _density(maps, quadrants):
    return _guarded(_cells(maps, quadrants, lambda part: part.mean((1, 2))), maps.mean((1, 2)))


def _peaks(maps, quadrants):
    return _guarded(_cells(maps, quadrants, lambda part: part.amax((1, 2))), maps.amax((1, 2)))


def _pointing(maps, quadrants):
    peak = maps.amax((1, 2), keepdim=True)
    return _cells(((maps == peak) & (peak > 0)).to(maps), quadrants, lambda part: part.amax((1, 2)))


def _uniform_for_empty(maps, quadrants):
    empty = (_total(maps) == 0)[:, None]
    return torch.where(empty, 1 / len(quadrants), _shares(maps, quadrants))


def _of_the_boxes(maps, quadrants):
    part = _cells(maps, quadrants, _total)
    return _guarded(part, part.sum(1))


def _height_width(maps, quadrants):
    top, left, height, width = quadrants.unbind(1)
    return _shares(maps, torch.stack([top, left, top + height, left + width], dim=1))


SHARES = (
    Misconception(
        "left_before_top",
        lambda maps, quadrants: _shares(maps, quadrants[:, [1, 0, 3, 2]]),
        "You read a box as (left, top, right, bottom). It is (top, left, bottom, right): rows first, as in "
        "maps[n, i, j].",
    ),
    Misconception(
        "last_included",
        lambda maps, quadrants: _shares(maps, quadrants + torch.tensor([0, 0, 1, 1])),
        "Your boxes are one row and one column too large. bottom and right are exclusive, as in a slice: "
        "maps[n, top:bottom, left:right].",
    ),
    Misconception(
        "height_and_width",
        _height_width,
        "You read the last two numbers of a box as its height and width. They are the rows and columns where it ends.",
    ),
    Misconception(
        "raw_sums",
        lambda maps, quadrants: _cells(maps, quadrants, _total),
        "You returned the energy inside each box. The share divides it by the energy of the whole map.",
    ),
    Misconception(
        "mean_for_sum",
        _density,
        "You compared means. Energy is a sum over pixels: sum inside the box, divided by the sum over the whole map.",
    ),
    Misconception(
        "peak_for_sum",
        _peaks,
        "You compared the largest values. Energy is a sum over pixels: sum inside the box, divided by the sum "
        "over the map.",
    ),
    Misconception(
        "where_the_peak_is",
        _pointing,
        "You gave 1 to the box that holds the map's largest value (the pointing game). Here the energy is shared "
        "out: sum inside the box, divided by the sum over the whole map.",
    ),
    Misconception(
        "pixels_counted",
        lambda maps, quadrants: _shares((maps > 0).to(maps), quadrants),
        "You counted the pixels over 0. Energy adds up their values.",
    ),
    Misconception(
        "squared",
        lambda maps, quadrants: _shares(maps.square(), quadrants),
        "You squared the map first. Energy here is the sum of the map's own values.",
    ),
    Misconception(
        "share_of_the_boxes",
        _of_the_boxes,
        "You divided by the energy inside the boxes taken together. Divide by that of the whole map: boxes need "
        "not cover it.",
    ),
    Misconception(
        "total_of_the_batch",
        lambda maps, quadrants: _cells(maps, quadrants, _total) / maps.sum(),
        "You divided by the energy of all maps together. Every map n is divided by its own total.",
    ),
    Misconception(
        "nan_for_empty",
        lambda maps, quadrants: _cells(maps, quadrants, _total) / _total(maps)[:, None],
        "A map that is 0 everywhere gave 0/0 = NaN. It has no energy in any box: its shares are 0.",
    ),
    Misconception(
        "small_number_below",
        lambda maps, quadrants: _cells(maps, quadrants, _total) / (_total(maps)[:, None] + 1e-8),
        "You added a small number below the bar, against 0/0. A faint map then loses its shares: how bright a map is "
        "plays no part. Put a 1 in place of a total of 0.",
    ),
    Misconception(
        "uniform_for_empty",
        _uniform_for_empty,
        "A map that is 0 everywhere was shared out evenly, 1/Q a box. It has no energy in any box: its shares are 0.",
    ),
    Misconception(
        "boxes_before_maps",
        lambda maps, quadrants: _shares(maps, quadrants).T,
        "Rows and columns of the table are swapped: one row a map, one column a box, [N Q].",
    ),
)
