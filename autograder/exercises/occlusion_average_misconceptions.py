"""Wrong answers of lesson 7, occlusion: from one number a window to one number a pixel."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.exercises.occlusion_window_misconceptions import inside
from autograder.records import Misconception

# 4. coverage_average(drops, boxes, size) -> map [N H W]


def painted(drops: Tensor, boxes: Tensor, size: Sequence[int]) -> tuple[Tensor, Tensor]:
    """Sum of the drops over each pixel [N H W], and how many windows cover it [H W] (1 where none does)."""
    masks = torch.stack([inside(box, size) for box in boxes]).to(drops)
    return torch.einsum("np,phw->nhw", drops, masks), masks.sum(dim=0).clamp(min=1)


def averaged(drops: Tensor, boxes: Tensor, size: Sequence[int]) -> Tensor:
    """The right answer [N H W]."""
    total, count = painted(drops, boxes, size)
    return total / count


def each_pixel(drops: Tensor, boxes: Tensor, size: Sequence[int], choose: Callable[[Tensor], Tensor]) -> Tensor:
    """choose(drops [N P'] of the windows that cover a pixel) -> [N], for every pixel: [N H W]."""
    masks = torch.stack([inside(box, size) for box in boxes]).flatten(1)
    pixels = [choose(drops[:, mask]) for mask in masks.T]
    return torch.stack(pixels, dim=1).view(len(drops), *size)


def by_area(drops: Tensor, boxes: Tensor) -> Tensor:
    """Each drop divided by the pixels of its window."""
    return drops / ((boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]))


def min_max(maps: Tensor) -> Tensor:
    """Each map on [0, 1], its minimum at 0."""
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    return (maps - low) / (high - low).clamp(min=1e-12)


def over_maximum(maps: Tensor) -> Tensor:
    """Each map divided by its largest |value|."""
    return maps / maps.abs().amax((1, 2), keepdim=True).clamp(min=1e-12)


def summed(drops: Tensor, boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Overlapping windows added up, not averaged."""
    return painted(drops, boxes, size)[0]


def largest_count(drops: Tensor, boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Divided everywhere by the count in the middle of the picture."""
    total, count = painted(drops, boxes, size)
    return total / count.max()


def last_window(drops: Tensor, boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Each window written over the ones before it."""
    return each_pixel(drops, boxes, size, lambda covering: covering[:, -1])


def largest_drop(drops: Tensor, boxes: Tensor, size: Sequence[int]) -> Tensor:
    """The largest drop of the windows that cover a pixel."""
    return each_pixel(drops, boxes, size, lambda covering: covering.amax(dim=1))


def _count_from_one(drops, boxes, size):
    total, count = painted(drops, boxes, size)
    return total / (count + 1)


def _zeros_not_counted(drops, boxes, size):
    return painted(drops, boxes, size)[0] / painted((drops != 0).to(drops), boxes, size)[0].clamp(min=1)


AVERAGE_TOLD = {
    "overlaps_summed": (
        summed,
        "You summed the drops of overlapping windows, so that a pixel counts for more the more windows cover it. "
        "M_ij is their mean: divide by |P_ij|.",
    ),
    "last_window": (
        last_window,
        "A later window overwrote the earlier ones. M_ij is the mean over all windows that cover pixel i, j: add "
        "up, count, divide.",
    ),
    "largest_drop": (
        largest_drop,
        "You kept the largest drop of the windows over a pixel. M_ij is their mean.",
    ),
    "largest_count": (
        largest_count,
        "You divided by the same number everywhere. Near the border fewer windows cover a pixel: |P_ij| is counted "
        "for each pixel i, j.",
    ),
}
"""Slug -> wrong average and its sentence: shared by `coverage_average` and the whole method."""


def _after(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda drops, boxes, size: change(averaged(drops, boxes, size))


AVERAGE = (
    *(Misconception(name, wrong, told) for name, (wrong, told) in AVERAGE_TOLD.items()),
    Misconception(
        "first_window",
        lambda drops, boxes, size: each_pixel(drops, boxes, size, lambda covering: covering[:, 0]),
        "You kept the drop of the first window over a pixel. M_ij is the mean over all windows that cover it.",
    ),
    Misconception(
        "divided_by_all",
        lambda drops, boxes, size: painted(drops, boxes, size)[0] / len(boxes),
        "You divided by P, the number of all windows. Count only the windows that cover pixel i, j: |P_ij|.",
    ),
    Misconception(
        "counted_from_one",
        _count_from_one,
        "Your count is one too high everywhere: it began at 1. Every pixel is covered, so begin at 0.",
    ),
    Misconception(
        "zeros_not_counted",
        _zeros_not_counted,
        "You did not count windows whose drop is 0. They cover the pixel too: count windows, not numbers that are not "
        "0.",
    ),
    Misconception(
        "divided_by_area",
        lambda drops, boxes, size: averaged(by_area(drops, boxes), boxes, size),
        "You shared each drop out among the pixels of its window. Every pixel of window p gets the whole drop d_p; "
        "only the windows are averaged.",
    ),
    Misconception(
        "left_before_top",
        lambda drops, boxes, size: averaged(drops, boxes[:, [1, 0, 3, 2]], size),
        "You read a box as (left, top, right, bottom). It is (top, left, bottom, right): rows first.",
    ),
    Misconception(
        "last_included",
        lambda drops, boxes, size: averaged(drops, boxes + torch.tensor([0, 0, 1, 1]), size),
        "Your windows are one row and one column too large. bottom and right are exclusive, as in a slice.",
    ),
    Misconception(
        "rows_for_columns",
        lambda drops, boxes, size: averaged(drops, boxes, size).transpose(1, 2),
        "Rows and columns of the map are swapped: M is [N H W], i down and j across.",
    ),
    Misconception(
        "first_drops",
        lambda drops, boxes, size: averaged(drops[:1].expand_as(drops), boxes, size),
        "You drew the first image's drops for every image. Image n has its own row drops[n].",
    ),
    Misconception(
        "mean_over_batch",
        lambda drops, boxes, size: averaged(drops.mean(dim=0, keepdim=True).expand_as(drops), boxes, size),
        "You averaged over the images too. Image n has its own row drops[n]; the mean runs over windows p alone.",
    ),
    Misconception(
        "absolute",
        lambda drops, boxes, size: averaged(drops.abs(), boxes, size),
        "You averaged |d_p|. A negative drop says that hiding the window raised y^c: keep the sign.",
    ),
    Misconception(
        "positive_drops",
        lambda drops, boxes, size: averaged(drops.relu(), boxes, size),
        "You set negative drops to 0 before averaging. Windows for and against the class belong into the same mean.",
    ),
    Misconception(
        "positive_map",
        _after(torch.relu),
        "You cut off the negative part of the map. A negative M_ij says that the pixel speaks against the class: keep "
        "it.",
    ),
    Misconception(
        "min_max",
        _after(min_max),
        "You scaled the map to [0, 1]. M is returned raw: its numbers are drops of the score, and 0 means no effect.",
    ),
    Misconception(
        "divided_by_maximum",
        _after(over_maximum),
        "You divided each map by its largest |value|. M is returned raw, so that the maps of two images can be "
        "compared.",
    ),
)
