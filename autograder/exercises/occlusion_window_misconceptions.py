"""Wrong answers of lesson 7, occlusion, where a window lies and how it is hidden."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from autograder.records import Misconception

Span = tuple[int, int]
Fill = float | Tensor


def inside(boxes: Tensor, size: Sequence[int]) -> Tensor:
    """Which pixels a box (top, left, bottom, right) covers: bool [H W]."""
    top, left, bottom, right = boxes.tolist()
    mask = torch.zeros(*size, dtype=torch.bool, device=boxes.device)
    mask[top:bottom, left:right] = True
    return mask


def hidden(images: Tensor, box: Tensor, fill: Fill) -> Tensor:
    """The images with the box filled, [N C H W]."""
    return torch.where(inside(box, images.shape[2:]), fill, images)


# 1. hide(images, box, fill) -> images with the window hidden


def _other_box(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda images, box, fill: hidden(images, change(box), fill)


def _height_width(box: Tensor) -> Tensor:
    return torch.cat([box[:2], box[:2] + box[2:]])


def _window(images: Tensor, box: Tensor) -> Tensor:
    top, left, bottom, right = box.tolist()
    return images[:, :, top:bottom, left:right]


def _own_mean(images, box, fill):
    return hidden(images, box, _window(images, box).mean(dim=(2, 3))[:, :, None, None])


def _first_image(images, box, fill):
    return torch.cat([hidden(images[:1], box, fill), images[1:]])


def _first_channel(images, box, fill):
    return torch.cat([hidden(images, box, fill)[:, :1], images[:, 1:]], dim=1)


def _one_grey(images, box, fill):
    return hidden(images, box, torch.as_tensor(fill, dtype=images.dtype).mean())


def _from_its_corner(images, box, fill):
    top, left = box[:2].tolist()
    filling = torch.as_tensor(fill, dtype=images.dtype).expand(images.shape[1:])
    return hidden(images, box, filling.roll((top, left), dims=(1, 2)))


def _whole_rows(images, box, fill):
    return hidden(images, box * torch.tensor([1, 0, 1, 0]) + torch.tensor([0, 0, 0, images.shape[3]]), fill)


def _whole_columns(images, box, fill):
    return hidden(images, box * torch.tensor([0, 1, 0, 1]) + torch.tensor([0, 0, images.shape[2], 0]), fill)


HIDE = (
    Misconception(
        "mask_inverted",
        lambda images, box, fill: torch.where(inside(box, images.shape[2:]), images, fill),
        "You hid everything except the window. I^(p) keeps the picture and fills window p.",
    ),
    Misconception(
        "left_before_top",
        _other_box(lambda box: box[[1, 0, 3, 2]]),
        "You read the box as (left, top, right, bottom). It is (top, left, bottom, right): rows first, as in "
        "images[n, c, i, j].",
    ),
    Misconception(
        "height_and_width",
        _other_box(_height_width),
        "You read the last two numbers of the box as its height and width. They are the row and the column where it "
        "ends.",
    ),
    Misconception(
        "last_included",
        _other_box(lambda box: box + torch.tensor([0, 0, 1, 1])),
        "Your window is one row and one column too large. bottom and right are exclusive, as in a slice: "
        "top:bottom, left:right.",
    ),
    Misconception(
        "fill_ignored",
        lambda images, box, fill: hidden(images, box, 0.0),
        "You filled the window with 0. The caller chooses what hides: I^(p) is equal to fill inside window p.",
    ),
    Misconception(
        "one_grey",
        _one_grey,
        "You reduced fill to one number for all channels. fill may be a colour [C 1 1] or a whole picture [C H W]: "
        "it broadcasts to [C H W].",
    ),
    Misconception(
        "fill_from_its_corner",
        _from_its_corner,
        "You took the window's fill from the top left corner of the picture fill. Pixel i, j of the window takes "
        "fill_ij, from the same place: fill[:, top:bottom, left:right].",
    ),
    Misconception(
        "own_mean",
        _own_mean,
        "You filled the window with its own mean colour. The caller chooses what hides: use fill.",
    ),
    Misconception(
        "fill_added",
        lambda images, box, fill: torch.where(inside(box, images.shape[2:]), images + fill, images),
        "You added fill to the pixels of the window. They still shine through: replace them by fill.",
    ),
    Misconception(
        "fill_multiplied",
        lambda images, box, fill: torch.where(inside(box, images.shape[2:]), images * fill, images),
        "You multiplied the pixels of the window by fill. They still shine through: replace them by fill.",
    ),
    Misconception(
        "first_image",
        _first_image,
        "You hid the window in the first image alone. images is [N C H W]: the window is hidden in all N of them.",
    ),
    Misconception(
        "first_channel",
        _first_channel,
        "You filled the first colour channel alone. images is [N C H W]: the window is hidden in all C channels.",
    ),
    Misconception(
        "whole_rows",
        _whole_rows,
        "You filled the rows top:bottom over the whole width. The window also ends at the columns left and right: "
        "images[:, :, top:bottom, left:right].",
    ),
    Misconception(
        "whole_columns",
        _whole_columns,
        "You filled the columns left:right over the whole height. The window also ends at the rows top and bottom: "
        "images[:, :, top:bottom, left:right].",
    ),
    Misconception(
        "cut_out",
        lambda images, box, fill: _window(images, box).clone(),
        "You returned what lies inside the window. I^(p) is the whole picture [N C H W], with the window filled.",
    ),
)


# 2. window_boxes(H, W, window, stride) -> boxes [P 4]

Spans = Callable[[int, int, int], list[Span]]
"""(length, window, stride) -> where each window begins and ends along one axis."""


def spans(length: int, window: int, stride: int) -> list[Span]:
    """Windows along one axis, the last cropped at the border."""
    count = math.ceil((length - window) / stride) + 1
    return [(i * stride, min(i * stride + window, length)) for i in range(count)]


def boxes_of(rows: list[Span], columns: list[Span]) -> Tensor:
    """(top, left, bottom, right) of each row of windows, from left to right: int64 [P 4]."""
    return torch.tensor([[top, left, bottom, right] for top, bottom in rows for left, right in columns])


def all_boxes(H: int, W: int, window: int, stride: int) -> Tensor:
    """The right answer: int64 [P 4]."""
    return boxes_of(spans(H, window, stride), spans(W, window, stride))


def _along_each_axis(one: Spans) -> Callable[..., Tensor]:
    return lambda H, W, window, stride: boxes_of(one(H, window, stride), one(W, window, stride))


def _arranged(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda H, W, window, stride: change(all_boxes(H, W, window, stride))


def _whole_windows(length, window, stride):
    return [(start, start + window) for start in range(0, length - window + 1, stride)]


def _shifted_inside(length, window, stride):
    return [
        (stop - window, stop) for start, _ in spans(length, window, stride) if (stop := min(start + window, length))
    ]


def _not_cropped(length, window, stride):
    return [(start, start + window) for start, _ in spans(length, window, stride)]


def _every_start(length, window, stride):
    return [(start, min(start + window, length)) for start in range(0, length, stride)]


def _centred(length, window, stride):
    corner = -(window // 2)
    return [(max(i + corner, 0), min(i + corner + window, length)) for i in range(0, length, stride)]


def _narrow_left_out(length, window, stride):
    return [(start, stop) for start, stop in spans(length, window, stride) if 2 * (stop - start) >= window]


def _one_rest_for_both(H, W, window, stride):
    rest = (H - window) % stride or (W - window) % stride
    rows, columns = ([start * stride for start in range((L - window) // stride + 1 + (rest > 0))] for L in (H, W))
    return boxes_of(*([(start, min(start + window, L)) for start in s] for s, L in ((rows, H), (columns, W))))


def _columns_first(H, W, window, stride):
    return boxes_of(spans(W, window, stride), spans(H, window, stride))[:, [1, 0, 3, 2]]


def _kept_axes(H, W, window, stride):
    return all_boxes(H, W, window, stride).view(len(spans(H, window, stride)), -1, 4)


BOXES = (
    Misconception(
        "border_skipped",
        _along_each_axis(_whole_windows),
        "You kept only the windows that fit whole, so that the pixels at the right or lower border are never hidden. "
        "One more window is needed there, cropped at the border.",
    ),
    Misconception(
        "shifted_inside",
        _along_each_axis(_shifted_inside),
        "You moved the last window back inside the picture. Here it begins at a multiple of s like the others, and "
        "what sticks out is cropped: min(i·s + w, H).",
    ),
    Misconception(
        "not_cropped",
        _along_each_axis(_not_cropped),
        "Your last window reaches beyond the picture. It ends at the border: min(i·s + w, H), and the same with W.",
    ),
    Misconception(
        "every_start",
        _along_each_axis(_every_start),
        "You began a window at every multiple of s inside the picture. The first window that reaches the border is "
        "the last one: those after it hide only what is hidden already.",
    ),
    Misconception(
        "centred",
        _along_each_axis(_centred),
        "You put the middle of a window on each multiple of s. Its first row and column stand there: i·s to i·s + w.",
    ),
    Misconception(
        "narrow_left_out",
        _along_each_axis(_narrow_left_out),
        "You left out the last window where it is cropped to less than half. Every pixel is covered: the last window "
        "may be as narrow as one pixel.",
    ),
    Misconception(
        "one_rest_for_both",
        _one_rest_for_both,
        "You added a window in both directions as soon as one of them has a rest at the border. Rows and columns are "
        "counted on their own: ⌈(H-w)/s⌉ + 1 and ⌈(W-w)/s⌉ + 1.",
    ),
    Misconception(
        "columns_first",
        _columns_first,
        "Your windows run down the columns first. They run like text: along a row from left to right, then the next "
        "row.",
    ),
    Misconception(
        "left_before_top",
        _arranged(lambda boxes: boxes[:, [1, 0, 3, 2]]),
        "You wrote a box as (left, top, right, bottom). It is (top, left, bottom, right): rows first.",
    ),
    Misconception(
        "height_and_width",
        _arranged(lambda boxes: torch.cat([boxes[:, :2], boxes[:, 2:] - boxes[:, :2]], dim=1)),
        "The last two numbers of your boxes are height and width. They are the row and the column where the box ends.",
    ),
    Misconception(
        "last_included",
        _arranged(lambda boxes: boxes - torch.tensor([0, 0, 1, 1])),
        "Your bottom and right are the last row and column inside the window. They are exclusive, as in a slice: one "
        "more.",
    ),
    Misconception(
        "side_by_side",
        lambda H, W, window, stride: all_boxes(H, W, window, window),
        "You stepped by the window's width w, so that windows do not overlap. The step is s, the stride.",
    ),
    Misconception(
        "every_pixel",
        lambda H, W, window, stride: all_boxes(H, W, window, 1),
        "You began a window at every pixel. From one window to the next it is s pixels, the stride.",
    ),
    Misconception(
        "window_for_stride",
        lambda H, W, window, stride: all_boxes(H, W, stride, window),
        "You swapped window and stride: a window is w pixels wide, and the next one begins s pixels further.",
    ),
    Misconception(
        "square_picture",
        lambda H, W, window, stride: all_boxes(H, H, window, stride),
        "You used H in both directions. A picture need not be square: columns end at W.",
    ),
    Misconception(
        "sizes_swapped",
        lambda H, W, window, stride: all_boxes(W, H, window, stride),
        "You swapped H and W: rows (top, bottom) end at H, columns (left, right) end at W.",
    ),
    Misconception(
        "kept_axes",
        _kept_axes,
        "The boxes are right, but they stand in a table of rows and columns. Return one list of P boxes: [P 4].",
    ),
)
