"""Wrong answers of lesson 05 on data: `top_images` and `cut_patches`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.exercises.max_patches_parts import cut_patches, top_images
from autograder.records import Misconception

# 3. top_images(activations, channel, count) -> scores [M], images [M], places [M 2]

Found = tuple[Tensor, Tensor, Tensor]


def _chosen(scores: Tensor, at: Tensor, order: Tensor, count: int, width: int) -> Found:
    """The answer from a score and a flat place for each image, and the order of the images."""
    order = order[:count]
    return scores[order], order, torch.stack([at[order] // width, at[order] % width], dim=1)


def _by_score(score: Callable[[Tensor], Tensor]):
    """Another number than the maximum for each image, from its flat maps [N h·w]."""

    def found(activations, channel, count):
        flat = activations[:, channel].flatten(1)
        scores = score(flat)
        order = scores.sort(descending=True, stable=True).indices
        return _chosen(scores, flat.argmax(1), order, count, activations.shape[3])

    return found


def _by_order(order: Callable[[Tensor, int], Tensor]):
    """The right scores, other images or another order of them."""

    def found(activations, channel, count):
        flat = activations[:, channel].flatten(1)
        scores = flat.amax(1)
        return _chosen(scores, flat.argmax(1), order(scores, count), count, activations.shape[3])

    return found


def _by_place(place: Callable[[Tensor], Tensor]):
    """The right images, another of the places: from the map [h w] of an image to (row, column)."""

    def found(activations, channel, count):
        scores, images, _ = top_images(activations, channel, count)
        return scores, images, torch.stack([place(activations[n, channel]) for n in images.tolist()])

    return found


def _descending(scores: Tensor) -> Tensor:
    return scores.sort(descending=True, stable=True).indices


def _last_of_equal(one: Tensor) -> Tensor:
    at = one.numel() - 1 - one.flatten().flip(0).argmax()
    return torch.stack([at // one.shape[1], at % one.shape[1]])


def _by_columns(one: Tensor) -> Tensor:
    at = one.T.flatten().argmax()
    return torch.stack([at % one.shape[0], at // one.shape[0]])


def _divided_by_height(one: Tensor) -> Tensor:
    at = one.argmax()
    return torch.stack([at // one.shape[0], at % one.shape[0]])


def _by_absolute(activations, channel, count):
    _, images, places = top_images(activations.abs(), channel, count)
    return activations[images, channel, places[:, 0], places[:, 1]], images, places


def _several_from_one(activations, channel, count):
    one = activations[:, channel]
    scores, at = one.flatten().sort(descending=True, stable=True)
    at, (h, w) = at[:count], one.shape[1:]
    return scores[:count], at // (h * w), torch.stack([at % (h * w) // w, at % w], dim=1)


def _later_first(scores: Tensor, count: int) -> Tensor:
    return len(scores) - 1 - _descending(scores.flip(0))


def _nearly_equal(scores: Tensor, count: int) -> Tensor:
    return _descending(scores.round(decimals=3))


def _from_zero(activations, channel, count):
    return top_images(activations.clamp(min=0), channel, count)


def _all_channels(activations, channel, count):
    return top_images(activations.amax(1, keepdim=True), 0, count)


def _first_images(activations, channel, count):
    scores, images, places = top_images(activations, channel, count)
    return scores, torch.arange(len(images)), places


def _place_of_the_strongest(activations, channel, count):
    scores, images, places = top_images(activations, channel, count)
    return scores, images, places[:1].expand_as(places).clone()


def _place_in_the_mean_map(activations, channel, count):
    mean = activations[:, channel].mean(0)
    return _by_place(lambda one: torch.stack([mean.argmax() // mean.shape[1], mean.argmax() % mean.shape[1]]))(
        activations, channel, count
    )


def _flat_places(activations, channel, count):
    scores, images, places = top_images(activations, channel, count)
    return scores, images, places[:, 0] * activations.shape[3] + places[:, 1]


TOP = (
    Misconception(
        "nearly_equal_for_equal",
        _by_order(_nearly_equal),
        "You treated scores that are nearly equal as equal. Of two others the larger comes first, however near it is.",
    ),
    Misconception(
        "from_zero",
        _from_zero,
        "You looked for the maximum from 0 on. A channel can be below zero everywhere: s_n is its largest value, with "
        "its sign.",
    ),
    Misconception(
        "mean_for_max",
        _by_score(lambda flat: flat.mean(1)),
        "You ranked the images by the mean of A^k. The score of an image is its largest value, max over i, j: one "
        "strong unit is enough.",
    ),
    Misconception(
        "norm_for_max",
        _by_score(lambda flat: flat.square().sum(1).sqrt()),
        "You ranked the images by the norm of A^k, which counts every place. The score is the maximum over i, j alone.",
    ),
    Misconception(
        "absolute_value",
        _by_absolute,
        "You looked for the largest |A^k|. A large negative value is the opposite of what excites the channel: take "
        "the maximum of A^k itself.",
    ),
    Misconception(
        "weakest_first",
        _by_order(lambda scores, count: scores.sort(stable=True).indices),
        "You sorted upwards: these are the images that excite the channel least. The largest score comes first.",
    ),
    Misconception(
        "several_from_one_image",
        _several_from_one,
        "You took the M strongest units of all images together, so that one image appears several times. Take one "
        "maximum for each image, then the M best images.",
    ),
    Misconception(
        "later_image_first",
        _by_order(_later_first),
        "Of images with equal scores you took the later one first. Equal scores keep the order of the images: sort "
        "with stable=True.",
    ),
    Misconception(
        "order_of_the_images",
        _by_order(lambda scores, count: _descending(scores)[:count].sort().values),
        "You found the right images, but in the order of the data set. The largest score comes first.",
    ),
    Misconception(
        "first_images",
        _first_images,
        "You returned 0, 1, 2, … for the images. The sort also gives the index of each image: return that.",
    ),
    Misconception(
        "all_channels",
        _all_channels,
        "You took the maximum over all channels. Only the map of the channel k that is asked about counts: "
        "activations[:, channel].",
    ),
    Misconception(
        "channel_from_one",
        lambda activations, channel, count: top_images(activations, channel - 1, count),
        "You looked at channel k − 1. Channels are counted from 0: activations[:, channel].",
    ),
    Misconception(
        "column_first",
        _by_place(lambda one: torch.stack([one.argmax() % one.shape[1], one.argmax() // one.shape[1]])),
        "Your places are (column, row). They are (i, j), row first.",
    ),
    Misconception(
        "divided_by_height",
        _by_place(_divided_by_height),
        "You divided the flat place by the height h. A row of the grid has w places: i = place // w, j = place % w.",
    ),
    Misconception(
        "last_of_equal",
        _by_place(_last_of_equal),
        "Where the maximum stands in several places, you took the last one. Take the first in reading order, as "
        "argmax of the flattened map does.",
    ),
    Misconception(
        "by_columns",
        _by_place(_by_columns),
        "Where the maximum stands in several places, you took the first one column by column. Reading order goes row "
        "by row.",
    ),
    Misconception(
        "one_place_for_all",
        _place_of_the_strongest,
        "You gave every image the place of the strongest one. Each image has its own argmax over i, j.",
    ),
    Misconception(
        "place_in_the_mean_map",
        _place_in_the_mean_map,
        "You looked for the place in the average of all maps. Each image has its own argmax over i, j.",
    ),
    Misconception(
        "flat_places",
        _flat_places,
        "Your places are counted through the whole map. Split them into row and column: [M 2], i = place // w and "
        "j = place % w.",
    ),
)


# 4. cut_patches(images, boxes) -> patches [M C r r]


def by_index(rows: Callable[[Tensor, int], Tensor]):
    """Patches whose pixel rows and columns beyond the border are looked up elsewhere in the image."""

    def cut(images, boxes):
        H, W = images.shape[2:]
        found = []
        for n, top, left, bottom, right in boxes.tolist():
            i, j = rows(torch.arange(top, bottom), H), rows(torch.arange(left, right), W)
            found.append(images[n][:, i][:, :, j])
        return torch.stack(found)

    return cut


def _mirrored(i: Tensor, length: int) -> Tensor:
    around = i.remainder(2 * length - 2)
    return torch.minimum(around, 2 * length - 2 - around)


def _pushed_inside(i: Tensor, length: int) -> Tensor:
    return (i - min(int(i[0]), 0) - max(int(i[-1]) - (length - 1), 0)).clamp(0, length - 1)


def _filled(fill: Callable[[Tensor], Tensor]):
    """Another number beyond the border, from the image."""

    def cut(images, boxes):
        ones = torch.ones_like(images)
        value = torch.stack([fill(images[n]) for n in boxes[:, 0].tolist()])[:, None, None, None]
        return cut_patches(images, boxes) + value * (1 - cut_patches(ones, boxes))

    return cut


def _visible(images: Tensor, boxes: Tensor) -> list[Tensor]:
    """What of each box lies in the image, [1 C a b]."""
    return [images[[n], :, max(t, 0) : max(b, 0), max(l, 0) : max(r, 0)] for n, t, l, b, r in boxes.tolist()]


def _size(boxes: Tensor) -> tuple[int, int]:
    _, top, left, bottom, right = boxes[0].tolist()
    return bottom - top, right - left


def _in_the_corner(images, boxes):
    tall, wide = _size(boxes)
    parts = _visible(images, boxes)
    return torch.cat([F.pad(part, (0, wide - part.shape[3], 0, tall - part.shape[2])) for part in parts])


def _stretched(images, boxes):
    parts = _visible(images, boxes)
    return torch.cat([F.interpolate(p, size=_size(boxes), mode="bilinear", align_corners=False) for p in parts])


def _masked(images, boxes):
    kept = torch.zeros_like(images[boxes[:, 0]])
    for m, (n, t, l, b, r) in enumerate(boxes.tolist()):
        inside = slice(max(t, 0), max(b, 0)), slice(max(l, 0), max(r, 0))
        kept[m][:, inside[0], inside[1]] = images[n][:, inside[0], inside[1]]
    return kept


def _numbered(images, boxes):
    return cut_patches(images, torch.cat([torch.arange(len(boxes))[:, None], boxes[:, 1:]], dim=1))


def _moved(*by: int):
    return lambda images, boxes: cut_patches(images, boxes + torch.tensor([0, *by]))


CUT = (
    Misconception(
        "columns_first",
        lambda images, boxes: cut_patches(images, boxes[:, [0, 2, 1, 4, 3]]),
        "You read a box as (image, left, top, right, bottom). It is (image, top, left, bottom, right): rows first.",
    ),
    Misconception(
        "last_included",
        _moved(0, 0, 1, 1),
        "Your patches have one row and one column too many. bottom and right are exclusive, as in a slice.",
    ),
    Misconception(
        "one_too_far",
        _moved(-1, -1, -1, -1),
        "Your patches begin one row and one column too early. Pixels are counted from 0, and top is the first row.",
    ),
    Misconception(
        "image_of_the_same_number",
        _numbered,
        "You cut patch m out of image m. The first number of a box says which image it lies in: images[boxes[m, 0]].",
    ),
    Misconception(
        "first_image",
        lambda images, boxes: cut_patches(images[:1].expand_as(images), boxes),
        "You cut every patch out of the first image. The first number of a box says which image it lies in.",
    ),
    Misconception(
        "border_repeated",
        by_index(lambda i, length: i.clamp(0, length - 1)),
        "You repeated the border pixels beyond the image. Beyond the border the patch is 0.",
    ),
    Misconception(
        "mirrored",
        by_index(_mirrored),
        "You mirrored the image at its border. Beyond the border the patch is 0.",
    ),
    Misconception(
        "wrapped_round",
        by_index(lambda i, length: i.remainder(length)),
        "Your patches go on at the opposite side of the image: a negative index counts from the end. Beyond the "
        "border the patch is 0.",
    ),
    Misconception(
        "pushed_inside",
        by_index(_pushed_inside),
        "You pushed the box into the image. Those pixels are not in the box: leave it where it is, and put 0 beyond "
        "the border.",
    ),
    Misconception(
        "in_the_corner",
        _in_the_corner,
        "You put what is left of the patch into its top left corner. A box that begins before the image has its "
        "zeros first: pixel (0, 0) of the image belongs at (−top, −left) of the patch.",
    ),
    Misconception(
        "stretched",
        _stretched,
        "You stretched what is left of the patch to its full size. Pixels keep their size; beyond the border is 0.",
    ),
    Misconception(
        "mean_beyond",
        _filled(lambda image: image.mean()),
        "You filled the outside with the mean of the image. Beyond the border the patch is 0.",
    ),
    Misconception(
        "darkest_beyond",
        _filled(lambda image: image.min()),
        "You filled the outside with the darkest value of the image. Beyond the border the patch is 0.",
    ),
    Misconception(
        "masked_not_cut",
        _masked,
        "You blanked everything outside the box and kept the whole image. A patch has the box's size: [M C r r].",
    ),
    Misconception(
        "rows_for_columns",
        lambda images, boxes: cut_patches(images, boxes).transpose(2, 3),
        "Rows and columns of your patches are swapped: a patch is [C, down, across], as the image is.",
    ),
)


def mistake(name: str) -> Callable[..., Any]:
    """The wrong implementation of that name, the first one where both functions have it."""
    return next(known.wrong for known in (*TOP, *CUT) if known.name == name)
