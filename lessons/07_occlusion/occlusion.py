# made by `cnnviz build` from solutions/07_occlusion/occlusion.md; the functions and answers are yours to write
"""Occlusion: write the functions, then run `pytest lessons/07_occlusion` or `cnnviz check 07_occlusion`."""

import math

import torch
from torch import Tensor, nn


def hide(images: Tensor, box: Tensor, fill: float | Tensor) -> Tensor:
    """The pictures with one window hidden: I^(p) is fill inside window p, and I elsewhere.

    Args:
        images: [N C H W]; they stay as they are.
        box: int64 [4], (top, left, bottom, right); bottom and right are exclusive.
        fill: a number, or a tensor that broadcasts to a picture [C H W].

    Returns:
        I^(p) [N C H W], a new tensor.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("occlusion.hide is not written yet")


def window_boxes(H: int, W: int, window: int, stride: int) -> Tensor:
    """All windows of a picture: rows i·s to min(i·s + f, H), columns j·s to min(j·s + f, W).

    The first window that reaches the border is the last one of its row or column, cropped at the border.

    Args:
        H: rows of the picture.
        W: columns of the picture.
        window: f, height and width of a window; at most H and W.
        stride: s, pixels from one window to the next, down and across; at most f.

    Returns:
        Boxes int64 [B 4], (top, left, bottom, right), row of windows by row of windows from left to right.

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("occlusion.window_boxes is not written yet")


def score_drops(model: nn.Module, images: Tensor, targets: Tensor, boxes: Tensor, fill: float | Tensor) -> Tensor:
    """How much each picture's score drops when a window is hidden: d_p = y^c(I) - y^c(I^(p)).

    y^c = scores[n, targets[n]], before the softmax.

    Args:
        model: gives scores [N classes] for images; it is in eval mode.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.
        boxes: int64 [B 4], (top, left, bottom, right); bottom and right are exclusive.
        fill: what hides, as in hide.

    Returns:
        d [N B], with its sign.

    About 8 lines.
    """
    # Your code here: about 8 lines.
    raise NotImplementedError("occlusion.score_drops is not written yet")


def coverage_average(drops: Tensor, boxes: Tensor, size: tuple[int, int]) -> Tensor:
    """At each pixel the mean drop of the windows that cover it: M_ij = (1/|B_ij|) Σ_(p in B_ij) d_p.

    Args:
        drops: d [N B].
        boxes: int64 [B 4], (top, left, bottom, right); together they cover every pixel.
        size: (H, W) of the picture.

    Returns:
        M [N H W], raw: not scaled, both signs.

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("occlusion.coverage_average is not written yet")


def occlusion(
    model: nn.Module, images: Tensor, targets: Tensor, *, window: int = 32, stride: int = 16, fill: float | Tensor = 0.0
) -> Tensor:
    """Occlusion: M_ij = (1/|B_ij|) Σ_(p in B_ij) (y^c(I) - y^c(I^(p))).

    Args:
        model: gives scores [N classes] for images; it is in eval mode.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.
        window: f, height and width of a window in pixels.
        stride: s, pixels from one window to the next.
        fill: what hides, as in hide.

    Returns:
        M [N H W], raw; positive where a region helps the class.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("occlusion.occlusion is not written yet")


whose_drops = None  # "absolute_drop", "opposite_sign", "positive_drop" or "squared_drop"

whose_map = None  # "absolute", "divided_by_all", "overlaps_summed" or "positive_map"

whole_picture = None  # "one_value", "tripod" or "zero"

one_drop = None  # a number, at most 0.01 from the right one

empty_paper = None  # "depends", "negative", "positive" or "zero"

half_the_stride = None  # a number, at most 0.5 from the right one
