"""Wrong answers of lesson 15, which map: the pointing game, and the energy in a box."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception

Distance = Callable[[Tensor, Tensor], Tensor]
"""Pixels below or above the box [N H 1], pixels beside it [N 1 W] -> distance [N H W]."""


def euclidean(down: Tensor, across: Tensor) -> Tensor:
    """The straight way from a pixel to the box."""
    return (down**2 + across**2).sqrt()


def beyond(maps: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns from each pixel to the nearest one of the box, 0 inside: [N H 1] and [N 1 W]."""
    top, left, bottom, right = boxes.to(maps.dtype)[:, :, None].unbind(1)
    i, j = (torch.arange(length, dtype=maps.dtype) for length in maps.shape[1:])
    down = torch.maximum(top - i, i - bottom + 1).clamp(min=0)
    across = torch.maximum(left - j, j - right + 1).clamp(min=0)
    return down[:, :, None], across[:, None, :]


def near(maps: Tensor, boxes: Tensor, tolerance: float, distance: Distance = euclidean) -> Tensor:
    """Which pixels count as a hit: bool [N H W]."""
    return distance(*beyond(maps, boxes)) <= tolerance


def peaks(maps: Tensor) -> Tensor:
    """Where each map is highest: bool [N H W]."""
    return maps == maps.amax((1, 2), keepdim=True)


def share(peak: Tensor, hit: Tensor) -> Tensor:
    """Of the peak's pixels, the share that hits [N]."""
    return (peak & hit).sum((1, 2)).double() / peak.sum((1, 2))


def game(maps: Tensor, boxes: Tensor, tolerance: float) -> Tensor:
    """h [N], as the formula has it."""
    return share(peaks(maps), near(maps, boxes, tolerance))


def swapped(boxes: Tensor) -> Tensor:
    """Boxes read as (left, top, right, bottom)."""
    return boxes[:, [1, 0, 3, 2]]


def one_larger(boxes: Tensor) -> Tensor:
    """Boxes whose end is taken to belong to them."""
    return boxes + torch.tensor([0, 0, 1, 1])


def sized(boxes: Tensor) -> Tensor:
    """Boxes read as (top, left, height, width)."""
    return torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], 1)


# 1. pointing_game(maps, boxes, tolerance) -> h


def _first_peak(maps, boxes, tolerance):
    first = maps.flatten(1).argmax(1)
    hit = near(maps, boxes, tolerance).flatten(1)
    return hit[torch.arange(len(maps)), first].to(maps.dtype)


def _any_peak(maps, boxes, tolerance):
    return (peaks(maps) & near(maps, boxes, tolerance)).flatten(1).any(1).to(maps.dtype)


def _all_peaks(maps, boxes, tolerance):
    return (game(maps, boxes, tolerance) == 1).to(maps.dtype)


def _to_the_centre(maps, boxes, tolerance):
    top, left, bottom, right = boxes.to(maps.dtype)[:, :, None, None].unbind(1)
    i, j = (torch.arange(length, dtype=maps.dtype) for length in maps.shape[1:])
    down, across = i[:, None] - (top + bottom - 1) / 2, j - (left + right - 1) / 2
    return share(peaks(maps), euclidean(down, across) <= tolerance)


def _strictly(maps, boxes, tolerance):
    return share(peaks(maps), euclidean(*beyond(maps, boxes)) < tolerance)


def _smaller_box(maps, boxes, tolerance):
    t = int(tolerance)
    return game(maps, boxes + torch.tensor([t, t, -t, -t]), 0)


def _energy_near(maps, boxes, tolerance):
    positive = maps.clamp(min=0)
    total = positive.sum((1, 2))
    return (positive * near(maps, boxes, tolerance)).sum((1, 2)) / torch.where(total > 0, total, 1.0)


POINTING = (
    Misconception(
        "lowest_point",
        lambda maps, boxes, tolerance: game(-maps, boxes, tolerance),
        "You looked at the lowest pixel of each map. The game asks for the highest one: argmax M, not argmin.",
    ),
    Misconception(
        "absolute_peak",
        lambda maps, boxes, tolerance: game(maps.abs(), boxes, tolerance),
        "You took the peak of |M|. A strongly negative pixel speaks against the class: the peak is the largest M_ij.",
    ),
    Misconception(
        "positive_part_first",
        lambda maps, boxes, tolerance: game(maps.clamp(min=0), boxes, tolerance),
        "You cut off the negative values first. A map that is negative everywhere still has one highest pixel; "
        "after the cut all its pixels tie at 0.",
    ),
    Misconception(
        "left_before_top",
        lambda maps, boxes, tolerance: game(maps, swapped(boxes), tolerance),
        "You read a box as (left, top, right, bottom). It is (top, left, bottom, right): rows first, as in M[n, i, j].",
    ),
    Misconception(
        "last_included",
        lambda maps, boxes, tolerance: game(maps, one_larger(boxes), tolerance),
        "Your boxes are one row and one column too large. bottom and right are exclusive: the last row of B is "
        "bottom - 1, the last column right - 1.",
    ),
    Misconception(
        "height_and_width",
        lambda maps, boxes, tolerance: game(maps, sized(boxes), tolerance),
        "You read the last two numbers of a box as its height and width. They are the row and the column where it "
        "ends.",
    ),
    Misconception(
        "tolerance_ignored",
        lambda maps, boxes, tolerance: game(maps, boxes, 0),
        "You left out the tolerance t. A peak outside the box hits too if it is at most t pixels from the box.",
    ),
    Misconception(
        "strictly_less",
        _strictly,
        "You asked for d < t. A peak at distance exactly t hits too, and with t = 0 one inside the box (d = 0): d ≤ t.",
    ),
    Misconception(
        "larger_box",
        lambda maps, boxes, tolerance: share(peaks(maps), near(maps, boxes, tolerance, torch.maximum)),
        "You made the box larger by t on each side. Its corners are then too generous: d is the straight distance "
        "to the nearest pixel of B, √(rows² + columns²).",
    ),
    Misconception(
        "city_block",
        lambda maps, boxes, tolerance: share(peaks(maps), near(maps, boxes, tolerance, torch.add)),
        "You added rows and columns. d is the straight distance to the nearest pixel of B: √(rows² + columns²).",
    ),
    Misconception(
        "smaller_box",
        _smaller_box,
        "Your box got smaller by t on each side. The tolerance is generous: peaks up to t pixels outside B hit.",
    ),
    Misconception(
        "distance_to_the_centre",
        _to_the_centre,
        "You measured d from the middle of the box. d is the distance to the nearest pixel of B, and 0 inside it.",
    ),
    Misconception(
        "first_of_the_ties",
        _first_peak,
        "Where several pixels share the maximum you looked at the first one only. h is the share of them that hits.",
    ),
    Misconception(
        "one_of_the_ties",
        _any_peak,
        "Where several pixels share the maximum you gave 1 as soon as one of them hits. h is the share that hits: a "
        "flat map would win every game.",
    ),
    Misconception(
        "all_of_the_ties",
        _all_peaks,
        "Where several pixels share the maximum you gave 1 only if all of them hit. h is the share of them that hits.",
    ),
    Misconception(
        "near_ties",
        lambda maps, boxes, tolerance: share(
            maps > maps.amax((1, 2), keepdim=True) - 1e-6, near(maps, boxes, tolerance)
        ),
        "You counted pixels that are only nearly as high as the highest. T_n holds those with M = max M and no others.",
    ),
    Misconception(
        "tolerance_rounded",
        lambda maps, boxes, tolerance: game(maps, boxes, int(tolerance)),
        "You rounded t down. t is any number from 0: with t = 2.5 a peak at distance √5 = 2.24 hits.",
    ),
    Misconception(
        "energy_for_peak",
        _energy_near,
        "You added up the values in and near the box. The pointing game looks at the highest pixel alone.",
    ),
    Misconception(
        "mean_over_maps",
        lambda maps, boxes, tolerance: game(maps, boxes, tolerance).mean(),
        "You averaged over the maps n already. Return one h_n for each map: [N].",
    ),
)


# 2. energy_in_box(maps, boxes) -> e


def inside(maps: Tensor, boxes: Tensor) -> Tensor:
    """Which pixels lie in the box: bool [N H W]."""
    return near(maps, boxes, 0)


def guarded(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where the whole is 0."""
    return torch.where(whole == 0, 0.0, part / torch.where(whole == 0, 1.0, whole))


def energy(values: Tensor, boxes: Tensor) -> Tensor:
    """The share of values [N H W] that lies in each box [N]."""
    return guarded((values * inside(values, boxes)).sum((1, 2)), values.sum((1, 2)))


def positive(maps: Tensor) -> Tensor:
    """M⁺."""
    return maps.clamp(min=0)


def _raw(maps, boxes):
    return (positive(maps) * inside(maps, boxes)).sum((1, 2))


def _density(maps, boxes):
    area = inside(maps, boxes).sum((1, 2))
    return guarded(_raw(maps, boxes) / area, positive(maps).mean((1, 2)))


def _peak_ratio(maps, boxes):
    best = (positive(maps) * inside(maps, boxes)).amax((1, 2))
    return guarded(best, positive(maps).amax((1, 2)))


def _area_for_empty(maps, boxes):
    empty = positive(maps).sum((1, 2)) == 0
    area = inside(maps, boxes).double().mean((1, 2))
    return torch.where(empty, area, energy(positive(maps), boxes))


def _odds(maps, boxes):
    part = _raw(maps, boxes)
    return guarded(part, positive(maps).sum((1, 2)) - part)


def _after_the_sum(maps, boxes):
    part = (maps * inside(maps, boxes)).sum((1, 2)).clamp(min=0)
    return guarded(part, positive(maps).sum((1, 2)))


ENERGY = (
    Misconception(
        "absolute_values",
        lambda maps, boxes: energy(maps.abs(), boxes),
        "You took |M|. The energy counts the positive part M⁺ = max(M, 0): negative values are set to 0.",
    ),
    Misconception(
        "signed_values",
        lambda maps, boxes: energy(maps, boxes),
        "You summed M with its sign, so that what speaks against the class cancels what speaks for it, and a share can "
        "leave 0 to 1. Take the positive part M⁺ first.",
    ),
    Misconception(
        "positive_part_after_the_sum",
        _after_the_sum,
        "You summed M inside the box and cut off the sum. The positive part belongs to each pixel: M⁺ first, then Σ.",
    ),
    Misconception(
        "shifted_to_zero",
        lambda maps, boxes: energy(maps - maps.amin((1, 2), keepdim=True), boxes),
        "You subtracted the minimum, so that every pixel has some energy. The positive part leaves positive values as "
        "they are and sets negative ones to 0.",
    ),
    Misconception(
        "left_before_top",
        lambda maps, boxes: energy(positive(maps), swapped(boxes)),
        "You read a box as (left, top, right, bottom). It is (top, left, bottom, right): rows first, as in M[n, i, j].",
    ),
    Misconception(
        "last_included",
        lambda maps, boxes: energy(positive(maps), one_larger(boxes)),
        "Your boxes are one row and one column too large. bottom and right are exclusive, as in a slice: "
        "M[n, top:bottom, left:right].",
    ),
    Misconception(
        "height_and_width",
        lambda maps, boxes: energy(positive(maps), sized(boxes)),
        "You read the last two numbers of a box as its height and width. They are the row and the column where it "
        "ends.",
    ),
    Misconception(
        "first_box_for_all",
        lambda maps, boxes: energy(positive(maps), boxes[:1].expand_as(boxes)),
        "You used the first box for every map. Map n has its own box: boxes[n].",
    ),
    Misconception(
        "raw_sum",
        _raw,
        "You returned the energy inside the box. The share divides it by the energy of the whole map.",
    ),
    Misconception(
        "mean_for_sum",
        _density,
        "You compared means. e is a sum over the box divided by a sum over the whole map; the box's size stays in it.",
    ),
    Misconception(
        "peak_for_sum",
        _peak_ratio,
        "You compared the largest values. e compares sums: Σ over the box divided by Σ over the whole map.",
    ),
    Misconception(
        "pixels_counted",
        lambda maps, boxes: energy((maps > 0).to(maps), boxes),
        "You counted the positive pixels. The energy adds up their values.",
    ),
    Misconception(
        "squared",
        lambda maps, boxes: energy(positive(maps).square(), boxes),
        "You squared the map first. The energy here is the sum of the map's own positive values.",
    ),
    Misconception(
        "inside_over_outside",
        _odds,
        "You divided by the energy outside the box. Divide by that of the whole map, the box included.",
    ),
    Misconception(
        "outside_the_box",
        lambda maps, boxes: guarded(positive(maps).sum((1, 2)) - _raw(maps, boxes), positive(maps).sum((1, 2))),
        "That is the share outside the box. e_n is the share inside.",
    ),
    Misconception(
        "total_of_the_batch",
        lambda maps, boxes: _raw(maps, boxes) / positive(maps).sum(),
        "You divided by the energy of all maps together. Every map n is divided by its own total.",
    ),
    Misconception(
        "nan_for_empty",
        lambda maps, boxes: _raw(maps, boxes) / positive(maps).sum((1, 2)),
        "A map that is nowhere positive gave 0/0 = NaN. It has no energy in any box: its share is 0.",
    ),
    Misconception(
        "small_number_below",
        lambda maps, boxes: _raw(maps, boxes) / (positive(maps).sum((1, 2)) + 1e-8),
        "You added a small number below the bar, against 0/0. A faint map then loses its share: 5·M or M/10⁹ have the "
        "share of M. Put a 1 in place of a total of 0.",
    ),
    Misconception(
        "area_for_empty",
        _area_for_empty,
        "A map that is nowhere positive got the box's share of the picture. It has no energy in any box: its share "
        "is 0.",
    ),
    Misconception(
        "mean_over_maps",
        lambda maps, boxes: energy(positive(maps), boxes).mean(),
        "You averaged over the maps n already. Return one e_n for each map: [N].",
    ),
)
