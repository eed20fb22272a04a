"""Wrong answers of lesson 04, layer activation: the overlap of masks with a concept."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception

# 4. dataset_iou(masks, concept) -> IoU


def areas(masks: Tensor, concept: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of M ∩ L, of M and of L in each image, [N K] each."""
    inside = (masks & concept[:, None]).sum((2, 3))
    return inside, masks.sum((2, 3)), concept.sum((1, 2))[:, None].expand_as(inside)


def ratio(part: Tensor, whole: Tensor) -> Tensor:
    """part / whole, 0 where the whole is 0."""
    return part / torch.where(whole > 0, whole, torch.ones_like(whole))


Quotient = Callable[[Tensor, Tensor, Tensor], Tensor]
"""Pixels of M ∩ L, of M, of L -> a number."""


def iou(both: Tensor, mask: Tensor, concept: Tensor) -> Tensor:
    """|M ∩ L| / |M ∪ L|."""
    return ratio(both, mask + concept - both)


def of_the_data_set(quotient: Quotient) -> Callable[[Tensor, Tensor], Tensor]:
    """The quotient of areas that are summed over the data set."""
    return lambda masks, concept: quotient(*(area.sum(0) for area in areas(masks, concept)))


def mean_of_images(masks: Tensor, concept: Tensor) -> Tensor:
    """The mean over the images of each image's own IoU."""
    return iou(*areas(masks, concept)).mean(0)


iou_of_the_data_set = of_the_data_set(iou)
recall = of_the_data_set(lambda both, mask, concept: ratio(both, concept))
precision = of_the_data_set(lambda both, mask, concept: ratio(both, mask))
dice = of_the_data_set(lambda both, mask, concept: ratio(2 * both, mask + concept))


def _mean_where_present(masks, concept):
    present = concept.any(2).any(1)
    return iou(*areas(masks[present], concept[present])).sum(0) / present.sum().clamp(min=1)


def _sums_where_on(masks, concept):
    inside, mask, labelled = areas(masks, concept)
    return iou(inside.sum(0), mask.sum(0), (labelled * (mask > 0)).sum(0))


def _sums_where_present(masks, concept):
    present = concept.any(2).any(1)
    return iou_of_the_data_set(masks[present], concept[present])


def _accuracy(masks, concept):
    return (masks == concept[:, None]).float().mean((0, 2, 3))


def _filled(value: float) -> Quotient:
    def quotient(both, mask, concept):
        return torch.where(mask + concept == 0, torch.full_like(both / 1, value), iou(both, mask, concept))

    return quotient


IOU = (
    Misconception(
        "mean_of_images",
        mean_of_images,
        "You averaged the IoU of the single images. An image with three pixels of the concept then counts as much as "
        "one that is full of it: sum |M ∩ L| and |M ∪ L| over all images n, then divide once.",
    ),
    Misconception(
        "mean_where_present",
        _mean_where_present,
        "You averaged the IoU of the images that show the concept. Sum |M ∩ L| and |M ∪ L| over ALL images: where "
        "the concept is absent, everything the channel marks is a false alarm and belongs to the union.",
    ),
    Misconception(
        "sums_where_present",
        _sums_where_present,
        "You left out the images without the concept. What the channel marks there is a false alarm: it belongs to "
        "the union, so sum over all images n.",
    ),
    Misconception(
        "sums_where_on",
        _sums_where_on,
        "You left out the images in which the channel is on nowhere. Where such an image shows the concept, the "
        "channel misses it, and |M ∪ L| grows by |L|.",
    ),
    Misconception(
        "recall",
        recall,
        "You divided by the pixels of the concept (recall). A channel that is on everywhere would score 1: divide by "
        "|M ∪ L|.",
    ),
    Misconception(
        "precision",
        precision,
        "You divided by the pixels of the mask (precision). A channel that marks one right pixel would score 1: "
        "divide by |M ∪ L|.",
    ),
    Misconception(
        "dice",
        dice,
        "You computed 2|M ∩ L| / (|M| + |L|), the Dice score. IoU is |M ∩ L| / |M ∪ L|.",
    ),
    Misconception(
        "counted_twice",
        of_the_data_set(lambda both, mask, concept: ratio(both, mask + concept)),
        "You divided by |M| + |L|, which counts the common pixels twice. |M ∪ L| = |M| + |L| - |M ∩ L|.",
    ),
    Misconception(
        "either_but_not_both",
        of_the_data_set(lambda both, mask, concept: ratio(both, mask + concept - 2 * both)),
        "You divided by the pixels that lie in one of the two only (exclusive or). The union holds the common pixels "
        "too: |M ∪ L| = |M| + |L| - |M ∩ L|.",
    ),
    Misconception(
        "larger_area",
        of_the_data_set(lambda both, mask, concept: ratio(both, torch.maximum(mask, concept))),
        "You divided by the larger of the two areas. The union is |M ∪ L| = |M| + |L| - |M ∩ L|.",
    ),
    Misconception(
        "smaller_area",
        of_the_data_set(lambda both, mask, concept: ratio(both, torch.minimum(mask, concept))),
        "You divided by the smaller of the two areas. The union is |M ∪ L| = |M| + |L| - |M ∩ L|.",
    ),
    Misconception(
        "distance",
        of_the_data_set(lambda both, mask, concept: 1 - iou(both, mask, concept)),
        "You returned 1 - IoU. IoU is 1 where mask and concept are the same, and 0 where they share nothing.",
    ),
    Misconception(
        "accuracy",
        _accuracy,
        "You counted the pixels where M and L agree. Most pixels are in neither, and they do not count: IoU is "
        "|M ∩ L| / |M ∪ L|.",
    ),
    Misconception(
        "intersections",
        of_the_data_set(lambda both, mask, concept: both.float()),
        "You returned |M ∩ L|, a number of pixels. IoU divides it by |M ∪ L|.",
    ),
    Misconception(
        "each_image",
        lambda masks, concept: iou(*areas(masks, concept)),
        "You returned one IoU for each image, [N K]. Sum |M ∩ L| and |M ∪ L| over n before you divide: [K].",
    ),
    Misconception(
        "channels_together",
        lambda masks, concept: iou(*(area.sum() for area in areas(masks, concept))),
        "You summed over the channels too. Every channel has an IoU of its own: sum over images, rows and columns, "
        "and keep k.",
    ),
    Misconception(
        "nan_for_empty",
        of_the_data_set(lambda both, mask, concept: both / (mask + concept - both)),
        "Where mask and concept are empty in all images you divided 0/0 = NaN. Such an IoU is 0 by definition.",
    ),
    Misconception(
        "one_for_empty",
        of_the_data_set(_filled(1.0)),
        "Where mask and concept are empty in all images you returned 1. A channel that is never on finds nothing: "
        "such an IoU is 0 by definition.",
    ),
)
