"""Wrong answers of lesson 04, layer activation, on plain tensors: thresholds, masks, data-set IoU."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.records import Misconception

# 2. channel_thresholds(activations, quantile) -> T


def values_of_channels(activations: Tensor) -> Tensor:
    """All values of a channel, over all positions of all images, in one row [K N·h·w]."""
    return activations.transpose(0, 1).flatten(1)


def quantiles(activations: Tensor, quantile: float) -> Tensor:
    """T [K], as the formula has it."""
    return values_of_channels(activations).quantile(quantile, dim=1)


def quantiles_of_images(activations: Tensor, quantile: float) -> Tensor:
    """One threshold for each image and channel [N K]."""
    return activations.flatten(2).quantile(quantile, dim=2)


def quantile_of_all(activations: Tensor, quantile: float) -> Tensor:
    """One threshold for all channels together, K times."""
    return activations.flatten().quantile(quantile).expand(activations.shape[1]).clone()


def _interpolated(kind: str) -> Callable[[Tensor, float], Tensor]:
    return lambda activations, quantile: values_of_channels(activations).quantile(quantile, dim=1, interpolation=kind)


def _counted_from_one(activations, quantile):
    ordered = values_of_channels(activations).sort(dim=1).values
    return ordered[:, int(quantile * ordered.shape[1])]


def _between_the_ends(activations, quantile):
    low, high = activations.amin((0, 2, 3)), activations.amax((0, 2, 3))
    return low + quantile * (high - low)


def _as_if_normal(activations, quantile):
    z = math.sqrt(2) * float(torch.erfinv(torch.tensor(2 * quantile - 1, dtype=torch.float64)))
    values = values_of_channels(activations)
    return values.mean(1) + z * values.std(1)


def _of_the_positive(activations, quantile):
    rows = [row[row > 0] for row in values_of_channels(activations)]
    return torch.stack([row.quantile(quantile) if len(row) else row.new_zeros(()) for row in rows])


THRESHOLDS = (
    Misconception(
        "per_image",
        quantiles_of_images,
        "You took a quantile in each image: [N K]. T_k is one number for the whole data set: all positions of all "
        "images of channel k go into one row.",
    ),
    Misconception(
        "mean_of_images",
        lambda activations, quantile: quantiles_of_images(activations, quantile).mean(0),
        "You took a quantile in each image and averaged these over n. T_k is the quantile of all images' values "
        "together: first one row of N·h·w values, then the quantile.",
    ),
    Misconception(
        "max_of_images",
        lambda activations, quantile: quantiles_of_images(activations, quantile).amax(0),
        "You took a quantile in each image and kept the largest. T_k is the quantile of all images' values together.",
    ),
    Misconception(
        "all_channels",
        quantile_of_all,
        "You took one quantile over all channels together. Each channel has a scale of its own: T_k comes from the "
        "values of channel k alone.",
    ),
    Misconception(
        "bottom",
        lambda activations, quantile: quantiles(activations, 1 - quantile),
        "You took the quantile 1 - q. P(a_k > T_k) = 1 - q means that a share q lies BELOW T_k.",
    ),
    Misconception(
        "percent",
        lambda activations, quantile: quantiles(activations, quantile / 100),
        "You divided q by 100. The quantile is given as a share between 0 and 1, not in percent.",
    ),
    Misconception(
        "lower",
        _interpolated("lower"),
        "You took the value just below place q·(n - 1) of the ordered values. T_k lies between the two neighbours, "
        "in proportion: linear interpolation.",
    ),
    Misconception(
        "higher",
        _interpolated("higher"),
        "You took the value just above place q·(n - 1) of the ordered values. T_k lies between the two neighbours, "
        "in proportion: linear interpolation.",
    ),
    Misconception(
        "nearest",
        _interpolated("nearest"),
        "You rounded the place q·(n - 1) to the nearest value. T_k lies between the two neighbours, in proportion: "
        "linear interpolation.",
    ),
    Misconception(
        "midpoint",
        _interpolated("midpoint"),
        "You took the middle of the two neighbours. T_k divides the gap in proportion to where q·(n - 1) lies in it: "
        "linear interpolation.",
    ),
    Misconception(
        "counted_from_one",
        _counted_from_one,
        "You took the ordered value at int(q·n). Counted from 0, the n values have the places 0 to n - 1, so T_k is "
        "at q·(n - 1), interpolated linearly.",
    ),
    Misconception(
        "share_of_maximum",
        lambda activations, quantile: quantile * activations.amax((0, 2, 3)),
        "You took q times the channel's largest value. The quantile counts values: a share q of them is below T_k.",
    ),
    Misconception(
        "between_the_ends",
        _between_the_ends,
        "You went a share q of the way from the smallest value to the largest. The quantile counts values: a share q "
        "of them is below T_k.",
    ),
    Misconception(
        "as_if_normal",
        _as_if_normal,
        "You used mean and standard deviation, as if a_k were normally distributed. Activations are not: order the "
        "values and count.",
    ),
    Misconception(
        "absolute",
        lambda activations, quantile: quantiles(activations.abs(), quantile),
        "You took the quantile of |a_k|. A strongly negative value is not a strong answer: keep the sign.",
    ),
    Misconception(
        "positive_only",
        _of_the_positive,
        "You left out the values that are not positive. P(a_k > T_k) counts all N·h·w positions.",
    ),
    Misconception(
        "equal_values_once",
        lambda activations, quantile: torch.stack(
            [row.unique().quantile(quantile) for row in values_of_channels(activations)]
        ),
        "You counted equal values once. After a ReLU many values are 0, and each of the N·h·w positions counts.",
    ),
    Misconception(
        "averaged_maps",
        lambda activations, quantile: activations.mean(0).flatten(1).quantile(quantile, dim=1),
        "You averaged the maps over the images first. The quantile is over all positions of all images: N·h·w values.",
    ),
    Misconception(
        "maxima_of_images",
        lambda activations, quantile: activations.amax((2, 3)).quantile(quantile, dim=0),
        "You took the quantile of each image's largest value. All positions count: N·h·w values a channel, not N.",
    ),
)


# 3. upsample_and_mask(activations, thresholds, size) -> M


def enlarge(
    activations: Tensor, size: tuple[int, int], mode: str = "bilinear", *, align_corners: bool = False
) -> Tensor:
    """Bilinear to the image's pixels, corners not aligned."""
    return F.interpolate(activations, size=tuple(size), mode=mode, align_corners=align_corners)


def per_channel(thresholds: Tensor) -> Tensor:
    """T [K 1 1], to compare with maps."""
    return thresholds[:, None, None]


def masked(activations: Tensor, thresholds: Tensor, size: tuple[int, int]) -> Tensor:
    """M [N K H W], as the formula has it."""
    return enlarge(activations, size) > per_channel(thresholds)


def in_cells(activations: Tensor, thresholds: Tensor, size: tuple[int, int]) -> Tensor:
    """The threshold on the grid, then whole cells; the same as whole cells first."""
    return F.interpolate(activations, size=tuple(size), mode="nearest") > per_channel(thresholds)


def corners_aligned(activations: Tensor, thresholds: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear, but from corner to corner."""
    return enlarge(activations, size, align_corners=True) > per_channel(thresholds)


def _grid_masks(activations, thresholds):
    return (activations > per_channel(thresholds)).to(activations)


def _min_max(values: Tensor) -> Tensor:
    low, high = values.amin((2, 3), keepdim=True), values.amax((2, 3), keepdim=True)
    return (values - low) / (high - low).clamp(min=1e-12)


MASKS = (
    Misconception(
        "cells",
        in_cells,
        "Your masks are made of whole cells of the grid: you cut at T_k before enlarging, or enlarged with mode "
        "nearest. First enlarge A bilinearly, then compare with T_k.",
    ),
    Misconception(
        "enlarged_masks",
        lambda activations, thresholds, size: enlarge(_grid_masks(activations, thresholds), size) > 0.5,
        "You cut at T_k on the grid and enlarged the mask of zeros and ones. How far a value is above T_k is lost "
        "then. First enlarge A bilinearly, then compare with T_k.",
    ),
    Misconception(
        "enlarged_masks_touched",
        lambda activations, thresholds, size: enlarge(_grid_masks(activations, thresholds), size) > 0,
        "You cut at T_k on the grid, enlarged the mask, and kept every pixel it touches. First enlarge A bilinearly, "
        "then compare with T_k.",
    ),
    Misconception(
        "aligned_corners",
        corners_aligned,
        "You enlarged with align_corners=True: the centres of the outer cells are then pulled to the image's rim. "
        "A cell stands for a patch of the image, so use align_corners=False.",
    ),
    Misconception(
        "bicubic",
        lambda activations, thresholds, size: enlarge(activations, size, "bicubic") > per_channel(thresholds),
        "You enlarged with mode bicubic, which overshoots: it makes values that are larger than any in A. The "
        "formula is bilinear.",
    ),
    Misconception(
        "at_least",
        lambda activations, thresholds, size: enlarge(activations, size) >= per_channel(thresholds),
        "You compared with >=. A channel that is 0 everywhere has T_k = 0, and with >= it would be on everywhere. "
        "M_k = (A_k > T_k).",
    ),
    Misconception(
        "with_a_margin",
        lambda activations, thresholds, size: enlarge(activations, size) > per_channel(thresholds) + 1e-6,
        "You asked for a little more than T_k. Numbers can be tiny, and then nothing is left of the mask: "
        "M_k = (A_k > T_k).",
    ),
    Misconception(
        "below",
        lambda activations, thresholds, size: enlarge(activations, size) < per_channel(thresholds),
        "You marked where A_k is below T_k. The mask is where the channel answers strongly: A_k > T_k.",
    ),
    Misconception(
        "first_threshold",
        lambda activations, thresholds, size: enlarge(activations, size) > thresholds[0],
        "You compared every channel with the first threshold. Channel k has its own T_k: give thresholds two axes "
        "of size 1, [K 1 1].",
    ),
    Misconception(
        "mean_threshold",
        lambda activations, thresholds, size: enlarge(activations, size) > thresholds.mean(),
        "You compared every channel with the mean of the thresholds. Channel k has its own T_k.",
    ),
    Misconception(
        "absolute",
        lambda activations, thresholds, size: enlarge(activations, size).abs() > per_channel(thresholds),
        "You compared |A_k|. A strongly negative value is not a strong answer: compare A_k itself with T_k.",
    ),
    Misconception(
        "min_max",
        lambda activations, thresholds, size: _min_max(enlarge(activations, size)) > per_channel(thresholds),
        "You scaled each map to [0, 1] before the comparison. T_k is a value of A_k, so compare raw values.",
    ),
    Misconception(
        "values_kept",
        lambda activations, thresholds, size: enlarge(activations, size) * masked(activations, thresholds, size),
        "You returned the values above T_k. M is a mask: True where A_k > T_k, False elsewhere.",
    ),
    Misconception(
        "any_channel",
        lambda activations, thresholds, size: masked(activations, thresholds, size).any(1),
        "You put the channels together. Every channel keeps a mask of its own: M is [N K H W].",
    ),
    Misconception(
        "width_first",
        lambda activations, thresholds, size: masked(activations, thresholds, (size[1], size[0])),
        "Height and width are swapped: size is (H, W), rows first.",
    ),
    Misconception(
        "on_the_grid",
        lambda activations, thresholds, size: activations > per_channel(thresholds),
        "You did not enlarge: your masks are on the layer's grid, h x w. The concept is drawn on the image's pixels, "
        "so enlarge A to size = (H, W) first.",
    ),
)
