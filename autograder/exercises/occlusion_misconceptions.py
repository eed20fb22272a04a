"""Wrong answers of lesson 7, occlusion, that need a network: the score drops and the whole method."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from autograder.exercises.occlusion_average_misconceptions import (
    AVERAGE_TOLD,
    averaged,
    by_area,
    min_max,
    over_maximum,
)
from autograder.exercises.occlusion_window_misconceptions import Fill, all_boxes, hidden, inside
from autograder.records import Misconception

Number = Callable[[Tensor, Tensor], Tensor]
"""Scores [N classes], targets [N] -> the number of each image that is compared before and after hiding [N]."""


def own_score(scores: Tensor, targets: Tensor) -> Tensor:
    """y^c of image n at its own target: [N]."""
    return scores.gather(1, targets[:, None])[:, 0]


def _preferred(scores: Tensor, targets: Tensor) -> Tensor:
    return scores.amax(dim=1)


@torch.no_grad()
def drops_of(
    model: nn.Module,
    images: Tensor,
    targets: Tensor,
    boxes: Tensor,
    fill: Fill,
    *,
    number: Number = own_score,
    cover: Callable[[Tensor, Tensor, Fill], Tensor] = hidden,
) -> Tensor:
    """number(I) - number(I with each box covered): [N P]."""
    y = number(model(images), targets)
    return torch.stack([y - number(model(cover(images, box, fill)), targets) for box in boxes], dim=1)


def _inverted(images: Tensor, box: Tensor, fill: Fill) -> Tensor:
    return torch.where(inside(box, images.shape[2:]), images, fill)


def _added(images: Tensor, box: Tensor, fill: Fill) -> Tensor:
    return torch.where(inside(box, images.shape[2:]), images + fill, images)


@torch.no_grad()
def _accumulated(model, images, targets, boxes, fill):
    y, seen, drops = own_score(model(images), targets), images, []
    for box in boxes:
        seen = hidden(seen, box, fill)
        drops.append(y - own_score(model(seen), targets))
    return torch.stack(drops, dim=1)


@torch.no_grad()
def _from_the_one_before(model, images, targets, boxes, fill):
    y = [own_score(model(images), targets)] + [own_score(model(hidden(images, b, fill)), targets) for b in boxes]
    return torch.stack(y[:-1], dim=1) - torch.stack(y[1:], dim=1)


@torch.no_grad()
def _explains_preferred(model, images, targets, boxes, fill):
    return drops_of(model, images, model(images).argmax(dim=1), boxes, fill)


@torch.no_grad()
def _remaining(model, images, targets, boxes, fill):
    return own_score(model(images), targets)[:, None] - drops_of(model, images, targets, boxes, fill)


@torch.no_grad()
def _relative(model, images, targets, boxes, fill):
    return drops_of(model, images, targets, boxes, fill) / own_score(model(images), targets)[:, None]


def _changed(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def wrong(model, images, targets, boxes, fill):
        return change(drops_of(model, images, targets, boxes, fill))

    return wrong


def _with(**options) -> Callable[..., Tensor]:
    def wrong(model, images, targets, boxes, fill):
        return drops_of(model, images, targets, boxes, fill, **options)

    return wrong


def _boxes_read(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def wrong(model, images, targets, boxes, fill):
        return drops_of(model, images, targets, change(boxes), fill)

    return wrong


# Slug -> wrong score drops and their sentence: shared by `score_drops` and the whole method.

DROPS_TOLD: dict[str, tuple[Callable[..., Tensor], str]] = {
    "score_for_drop": (
        _remaining,
        "You kept the score y^c(I^(p)) of the picture with the window hidden. The drop is what the window was worth: "
        "y^c(I) - y^c(I^(p)).",
    ),
    "opposite_sign": (
        _changed(torch.neg),
        "Your sign is turned round. y^c(I) - y^c(I^(p)) is positive where hiding the window lowers the score.",
    ),
    "mask_inverted": (
        _with(cover=_inverted),
        "You hid everything except the window. I^(p) keeps the picture and fills window p.",
    ),
    "windows_pile_up": (
        _accumulated,
        "Windows pile up: when you hid window p, the windows before it were still hidden. Start each time from a "
        "fresh copy of the picture.",
    ),
    "target_recomputed": (
        _with(number=_preferred),
        "You took the largest score of every picture. When a window is hidden another class may come out on top: "
        "stay with c = targets[n], before and after hiding.",
    ),
    "predicted_class": (
        _explains_preferred,
        "You explained the class with the largest score. c is the class the caller asks about: targets[n], also "
        "where the network prefers another one.",
    ),
    "probability": (
        _with(number=lambda y, c: own_score(y.softmax(1), c)),
        "You compared probabilities, softmax(y)^c. y^c is the score before the softmax: where the network is sure, the "
        "probability hardly moves, and it also moves when another class's score does.",
    ),
    "log_probability": (
        _with(number=lambda y, c: own_score(y.log_softmax(1), c)),
        "You compared logarithms of probabilities, as a loss does. y^c is the score before the softmax, "
        "scores[n, targets[n]].",
    ),
    "all_scores": (
        _with(number=lambda y, c: y.sum(dim=1)),
        "You compared the sum of all class scores. Only y^c counts: pick scores[n, targets[n]] for each image n.",
    ),
    "first_target": (
        _with(number=lambda y, c: y[:, c[0]]),
        "You asked every image about the first image's class. Image n has its own class c = targets[n].",
    ),
    "fill_ignored": (
        lambda model, images, targets, boxes, fill: drops_of(model, images, targets, boxes, 0.0),
        "You hid with 0. The caller chooses what hides: I^(p) is equal to fill inside window p.",
    ),
    "fill_added": (
        _with(cover=_added),
        "You added fill to the pixels of the window. They still shine through: replace them by fill.",
    ),
    "relative_drop": (
        _relative,
        "You divided the drop by y^c(I). A score may be 0 or negative, so this has no meaning: return the plain "
        "difference.",
    ),
    "absolute_drop": (
        _changed(torch.abs),
        "You took the absolute value of the drop. Its sign says whether the window speaks for class c or against it.",
    ),
    "positive_drop": (
        _changed(torch.relu),
        "You set negative drops to 0. A negative drop says that hiding the window raised y^c: keep it.",
    ),
    "squared_drop": (
        _changed(torch.square),
        "You squared the difference. The drop is y^c(I) - y^c(I^(p)), with its sign and in the units of the score.",
    ),
}


# 3. score_drops(model, images, targets, boxes, fill) -> drops [N P]

DROPS = (
    *(Misconception(name, wrong, told) for name, (wrong, told) in DROPS_TOLD.items()),
    Misconception(
        "from_the_one_before",
        _from_the_one_before,
        "You compared each window with the one before it. Every drop is measured from the untouched picture: y^c(I).",
    ),
    Misconception(
        "left_before_top",
        _boxes_read(lambda boxes: boxes[:, [1, 0, 3, 2]]),
        "You read a box as (left, top, right, bottom). It is (top, left, bottom, right): rows first.",
    ),
    Misconception(
        "last_included",
        _boxes_read(lambda boxes: boxes + torch.tensor([0, 0, 1, 1])),
        "Your windows are one row and one column too large. bottom and right are exclusive, as in a slice.",
    ),
    Misconception(
        "height_and_width",
        _boxes_read(lambda boxes: torch.cat([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], dim=1)),
        "You read the last two numbers of a box as its height and width. They are the row and the column where it "
        "ends.",
    ),
    Misconception(
        "first_size",
        _boxes_read(lambda boxes: torch.cat([boxes[:, :2], boxes[:, :2] + boxes[0, 2:] - boxes[0, :2]], dim=1)),
        "You took height and width of the first window for all of them. Every box has its own bottom and right.",
    ),
    Misconception(
        "mean_over_batch",
        _changed(lambda drops: drops.mean(dim=0, keepdim=True).expand_as(drops)),
        "You averaged over the batch. Every image n has its own drops: d is [N P].",
    ),
    Misconception(
        "per_pixel",
        lambda model, images, targets, boxes, fill: by_area(drops_of(model, images, targets, boxes, fill), boxes),
        "You divided each drop by the number of pixels in its window. d_p belongs to the window as a whole.",
    ),
    Misconception(
        "windows_before_images",
        _changed(lambda drops: drops.T),
        "Rows and columns of the table are swapped: one row an image, one column a window, [N P].",
    ),
)


# 5. occlusion(model, images, targets, window, stride, fill) -> map [N H W]


@dataclass(frozen=True)
class _Whole:
    """The method from its four parts, any of which may be a wrong one."""

    boxes: Callable[..., Tensor] = all_boxes
    drops: Callable[..., Tensor] = drops_of
    average: Callable[..., Tensor] = averaged
    after: Callable[[Tensor], Tensor] = torch.clone

    def __call__(self, model, images, targets, *, window=32, stride=16, fill=0.0):
        size = images.shape[2:]
        boxes = self.boxes(*size, window, stride)
        return self.after(self.average(self.drops(model, images, targets, boxes, fill), boxes, size))


def _whole_windows(H, W, window, stride):
    whole = all_boxes(H, W, window, stride)
    return whole[((whole[:, 2:] - whole[:, :2]) == window).all(dim=1)]


def _as_a_grid(model, images, targets, *, window=32, stride=16, fill=0.0):
    H, W = images.shape[2:]
    boxes = all_boxes(H, W, window, stride)
    rows = len(boxes[:, 0].unique())
    return drops_of(model, images, targets, boxes, fill).view(len(images), rows, -1)


def _shifted_inside(H, W, window, stride):
    ends = all_boxes(H, W, window, stride)[:, 2:]
    return torch.cat([ends - window, ends], dim=1)


METHOD = (
    *(Misconception(name, _Whole(drops=wrong), told) for name, (wrong, told) in DROPS_TOLD.items()),
    *(Misconception(name, _Whole(average=wrong), told) for name, (wrong, told) in AVERAGE_TOLD.items()),
    Misconception(
        "border_skipped",
        _Whole(boxes=_whole_windows),
        "You used only the windows that fit whole, so that pixels at the right and lower border were never hidden. The "
        "last window of a row or column is cropped at the border.",
    ),
    Misconception(
        "shifted_inside",
        _Whole(boxes=_shifted_inside),
        "You moved the last window back inside the picture. Here it begins at a multiple of s like the others and is "
        "cropped at the border.",
    ),
    Misconception(
        "side_by_side",
        _Whole(boxes=lambda H, W, window, stride: all_boxes(H, W, window, window)),
        "You stepped by the window's width w, so that windows do not overlap. The step is s, the stride.",
    ),
    Misconception(
        "rows_for_columns",
        _Whole(after=lambda maps: maps.transpose(1, 2)),
        "Rows and columns of the map are swapped: M is [N H W], i down and j across.",
    ),
    Misconception(
        "positive_map",
        _Whole(after=torch.relu),
        "You cut off the negative part of the map. A negative M_ij says that the pixel speaks against the class: keep "
        "it.",
    ),
    Misconception(
        "min_max",
        _Whole(after=min_max),
        "You scaled the map to [0, 1]. M is returned raw: its numbers are drops of the score, and 0 means no effect.",
    ),
    Misconception(
        "divided_by_maximum",
        _Whole(after=over_maximum),
        "You divided each map by its largest |value|. M is returned raw, so that the maps of two images can be "
        "compared.",
    ),
    Misconception(
        "grid_of_windows",
        _as_a_grid,
        "You returned one number a window. The map has one number a pixel, [N H W]: average, at each pixel, the drops "
        "of the windows that cover it.",
    ),
)
