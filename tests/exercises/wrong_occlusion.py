"""Wrong answers to the exercises on occlusion, as students write them."""

from __future__ import annotations

import math

import torch

from autograder.course import registry

hidden, all_boxes, averaged = (
    registry.exercise(f"occlusion.{name}").reference for name in ("hide", "window_boxes", "coverage_average")
)


@torch.no_grad()
def drops_of(model, images, targets, boxes, fill, cover=hidden):
    n = torch.arange(len(images))
    y = model(images)[n, targets]
    return torch.stack([y - model(cover(images, box, fill))[n, targets] for box in boxes], dim=1)


def hidden_by_the_mean_fill(images, box, fill):
    return hidden(images, box, torch.as_tensor(fill, dtype=images.dtype).mean())


def hidden_in_the_first_image(images, box, fill):
    return torch.cat([hidden(images[:1], box, fill), images[1:]]) if len(images) > 1 else images.clone()


def hidden_where_darker(images, box, fill):
    return torch.maximum(images, hidden(images, box, fill))


def hidden_half(images, box, fill):
    return (images + hidden(images, box, fill)) / 2


def hidden_but_the_first_row(images, box, fill):
    box = box.clone()
    box[0] += 1
    return hidden(images, box, fill)


def hidden_by_the_mean_where_fill_is_0(images, box, fill):
    return hidden(images, box, images.mean() if not torch.is_tensor(fill) and fill == 0 else fill)


def hidden_but_the_border(images, box, fill):
    box = box.clone()
    box[:2] = box[:2].clamp(min=1)
    return hidden(images, box, fill)


def hidden_by_one_colour(images, box, fill):
    colour = fill.flatten(-2).mean(-1)[..., None, None] if torch.is_tensor(fill) else fill
    return hidden(images, box, colour)


def hidden_by_negative_indices(images, box, fill):
    top, left, bottom, right = box.tolist()
    H, W = images.shape[2:]
    inside = torch.zeros(H, W, dtype=torch.bool)
    inside[top - H : bottom - H, left - W : right - W] = True
    return torch.where(inside, fill, images)


def _windows(H, W, window, stride, count):
    return torch.tensor(
        [
            [i * stride, j * stride, min(i * stride + window, H), min(j * stride + window, W)]
            for i in range(count(H))
            for j in range(count(W))
        ]
    )


def windows_rounded(H, W, window, stride):
    return _windows(H, W, window, stride, lambda side: round((side - window) / stride) + 1)


def windows_that_fit(H, W, window, stride):
    return _windows(H, W, window, stride, lambda side: (side - window) // stride + 1)


def windows_with_one_more(H, W, window, stride):
    return _windows(H, W, window, stride, lambda side: (side - window) // stride + 2)


def windows_from_every_place(H, W, window, stride):
    return _windows(H, W, window, stride, lambda side: math.ceil(side / stride))


def windows_with_the_rows_for_both(H, W, window, stride):
    return _windows(H, W, window, stride, lambda side: math.ceil((min(H, W) - window) / stride) + 1)


def windows_with_the_rest_of_the_rows_for_both(H, W, window, stride):
    rest = (H - window) % stride > 0
    return _windows(H, W, window, stride, lambda side: (side - window) // stride + 1 + rest)


def windows_with_rests_of_both(H, W, window, stride):
    rest = (H - window) % stride > 0 and (W - window) % stride > 0
    return _windows(H, W, window, stride, lambda side: (side - window) // stride + 1 + rest)


def windows_wider_than_one_pixel(H, W, window, stride):
    boxes = all_boxes(H, W, window, stride)
    return boxes[((boxes[:, 2:] - boxes[:, :2]) > 1).all(dim=1)]


def windows_at_least_two(H, W, window, stride):
    return _windows(H, W, window, stride, lambda side: max(2, math.ceil((side - window) / stride) + 1))


def windows_that_end_with_the_picture(H, W, window, stride):
    boxes = all_boxes(H, W, window, stride).clone()
    boxes[:, 0], boxes[:, 1] = boxes[:, 2] - window, boxes[:, 3] - window
    return boxes


def drops_of_a_tensor_fill(model, images, targets, boxes, fill):
    return drops_of(model, images, targets, boxes, fill.to(images))


def drops_by_the_mean_where_fill_is_0(model, images, targets, boxes, fill):
    return drops_of(model, images, targets, boxes, fill, cover=hidden_by_the_mean_where_fill_is_0)


def drops_of_sorted_boxes(model, images, targets, boxes, fill):
    return drops_of(model, images, targets, torch.unique(boxes, dim=0), fill)


def drops_without_axes_of_one(model, images, targets, boxes, fill):
    return drops_of(model, images, targets, boxes, fill).squeeze()


def drops_by_one_colour(model, images, targets, boxes, fill):
    return drops_of(model, images, targets, boxes, fill, cover=hidden_by_one_colour)


def average_of_distinct_windows(drops, boxes, size):
    distinct, places = torch.unique(boxes, dim=0, return_inverse=True)
    kept = drops.new_zeros(len(drops), len(distinct))
    kept[:, places] = drops
    return averaged(kept, distinct, size)


def average_of_windows_of_the_first_size(drops, boxes, size):
    return averaged(drops, torch.cat([boxes[:, :2], boxes[:, :2] + boxes[0, 2:] - boxes[0, :2]], dim=1), size)


def average_by_rows_and_columns(drops, boxes, size):
    """Counts the windows over a pixel as rows of windows times columns of windows."""
    rows, columns = (
        sum(
            (torch.arange(side) >= start) & (torch.arange(side) < stop)
            for start, stop in boxes[:, [k, k + 2]].unique(dim=0).tolist()
        )
        for k, side in enumerate(size)
    )
    total = drops.new_zeros(len(drops), *size)
    for d, (top, left, bottom, right) in zip(drops.T, boxes.tolist(), strict=True):
        total[:, top:bottom, left:right] += d[:, None, None]
    return total / (rows[:, None] * columns)


def _occlusion(boxes=all_boxes, drops=drops_of, average=averaged):
    def occlusion(model, images, targets, *, window=32, stride=16, fill=0.0):
        size = images.shape[2:]
        windows = boxes(*size, window, stride)
        return average(drops(model, images, targets, windows, fill), windows, size)

    return occlusion


WRONG = {
    "occlusion.hide": (
        hidden_by_the_mean_fill,
        hidden_in_the_first_image,
        hidden_where_darker,
        hidden_half,
        hidden_but_the_first_row,
        hidden_by_the_mean_where_fill_is_0,
        hidden_but_the_border,
        hidden_by_one_colour,
        hidden_by_negative_indices,
    ),
    "occlusion.window_boxes": (
        windows_rounded,
        windows_that_fit,
        windows_with_one_more,
        windows_from_every_place,
        windows_with_the_rows_for_both,
        windows_that_end_with_the_picture,
        windows_with_the_rest_of_the_rows_for_both,
        windows_with_rests_of_both,
        windows_wider_than_one_pixel,
        windows_at_least_two,
    ),
    "occlusion.score_drops": (
        drops_of_a_tensor_fill,
        drops_by_the_mean_where_fill_is_0,
        drops_of_sorted_boxes,
        drops_without_axes_of_one,
        drops_by_one_colour,
    ),
    "occlusion.coverage_average": (
        lambda drops, boxes, size: averaged(drops, boxes, size).clamp(min=0),
        lambda drops, boxes, size: averaged(drops[:1].expand_as(drops), boxes, size),
        lambda drops, boxes, size: averaged(drops, boxes, size).round(decimals=1),
        lambda drops, boxes, size: averaged(drops, boxes, size) - drops.mean(),
        lambda drops, boxes, size: averaged(drops, boxes, size).flip(1),
        average_of_distinct_windows,
        average_of_windows_of_the_first_size,
        average_by_rows_and_columns,
    ),
    "occlusion.occlusion": (
        _occlusion(boxes=windows_that_fit),
        _occlusion(boxes=windows_with_one_more),
        _occlusion(boxes=lambda H, W, window, stride: all_boxes(H, W, 5, 3)),
        _occlusion(boxes=lambda H, W, window, stride: all_boxes(H, W, window, (window + 1) // 2)),
        _occlusion(drops=drops_of_a_tensor_fill),
        _occlusion(drops=drops_by_the_mean_where_fill_is_0),
    ),
}
