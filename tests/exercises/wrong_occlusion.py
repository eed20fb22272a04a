"""Wrong answers to the exercises on occlusion, as students write them."""

from __future__ import annotations

import math

import torch

from autograder.exercises.occlusion_average_misconceptions import averaged
from autograder.exercises.occlusion_window_misconceptions import all_boxes, hidden


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


def windows_that_end_with_the_picture(H, W, window, stride):
    boxes = all_boxes(H, W, window, stride).clone()
    boxes[:, 0], boxes[:, 1] = boxes[:, 2] - window, boxes[:, 3] - window
    return boxes


WRONG = {
    "occlusion.hide": (
        hidden_by_the_mean_fill,
        hidden_in_the_first_image,
        hidden_where_darker,
        hidden_half,
        hidden_but_the_first_row,
    ),
    "occlusion.window_boxes": (
        windows_rounded,
        windows_that_fit,
        windows_with_one_more,
        windows_from_every_place,
        windows_with_the_rows_for_both,
        windows_that_end_with_the_picture,
    ),
    "occlusion.coverage_average": (
        lambda drops, boxes, size: averaged(drops, boxes, size).clamp(min=0),
        lambda drops, boxes, size: averaged(drops[:1].expand_as(drops), boxes, size),
        lambda drops, boxes, size: averaged(drops, boxes, size).round(decimals=1),
        lambda drops, boxes, size: averaged(drops, boxes, size) - drops.mean(),
        lambda drops, boxes, size: averaged(drops, boxes, size).flip(1),
    ),
}
