"""Wrong answers of lesson 05 on the whole method, `max_patches`."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from autograder.exercises import max_patches_data_misconceptions as data
from autograder.exercises import max_patches_geometry_misconceptions as geometry
from autograder.exercises import max_patches_parts as parts
from autograder.records import Misconception
from cnnviz_ref import activations
from cnnviz_ref.max_patches import max_patches as find_max_patches


def max_patches(model, images, layer, channel, chain, count):
    """The reference: pixels [M C r r], scores [M], boxes int64 [M 5]."""
    found = find_max_patches(model, images, layer, channel, k=count)
    return found.pixels, found.scores, found.boxes


def composed(
    *,
    maps: Callable[..., Tensor] = activations,
    field: Callable[..., Any] = parts.receptive_field,
    top: Callable[..., Any] = parts.top_images,
    box: Callable[..., Any] = parts.unit_box,
    cut: Callable[..., Tensor] = parts.cut_patches,
):
    """The method with some of its parts replaced."""

    def wrong(model, images, layer, channel, chain, count):
        scores, chosen, places = top(maps(model, images, layer), channel, count)
        size, jump, start = field(chain)
        rows = [(n, *box(i, j, size, jump, start)) for n, (i, j) in zip(chosen.tolist(), places.tolist(), strict=True)]
        boxes = torch.tensor(rows)
        return cut(images, boxes), scores, boxes

    return wrong


def after(change: Callable[..., tuple[Tensor, Tensor, Tensor]]):
    """The right answer, changed: `change(images, pixels, scores, boxes)`."""

    def wrong(model, images, layer, channel, chain, count):
        return change(images, *max_patches(model, images, layer, channel, chain, count))

    return wrong


def _not_cloned(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """The very tensor that the layer gave, as the rest of the network leaves it."""
    kept: list[Tensor] = []
    handle = model.get_submodule(layer).register_forward_hook(lambda module, inputs, output: kept.append(output))
    try:
        with torch.no_grad():
            model(images)
    finally:
        handle.remove()
    return kept[0]


def _of_namesake(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """A of the last layer whose name contains the name that was asked for."""
    return activations(model, images, [name for name, _ in model.named_modules() if layer in name][-1])


def _scaled_place(model, images, layer, channel, chain, count):
    """The field about the place that the unit would have if the grid were stretched over the image."""
    maps = activations(model, images, layer)
    scores, chosen, places = parts.top_images(maps, channel, count)
    size = parts.receptive_field(chain)[0]
    boxes = []
    for n, place in zip(chosen.tolist(), places.tolist(), strict=True):
        middle = [(at + 0.5) * H / h for at, H, h in zip(place, images.shape[2:], maps.shape[2:], strict=True)]
        top, left = (math.floor(m - size / 2 + 0.5) for m in middle)
        boxes.append((n, top, left, top + size, left + size))
    return parts.cut_patches(images, torch.tensor(boxes)), scores, torch.tensor(boxes)


def _one_image_order(images, pixels, scores, boxes):
    order = boxes[:, 0].argsort()
    return pixels[order], scores[order], boxes[order]


def _boxes_cut(images, pixels, scores, boxes):
    H, W = images.shape[2:]
    most = torch.tensor([len(images), H, W, H, W])
    return pixels, scores, torch.minimum(boxes.clamp(min=0), most)


METHOD = (
    Misconception(
        "last_namesake",
        composed(maps=_of_namesake),
        "You took the last layer whose name contains `layer`. Names contain each other (conv1, conv10, more.conv1): "
        "model.get_submodule(layer) finds the one that has exactly this name.",
    ),
    Misconception(
        "mean_for_max",
        composed(top=data.mistake("mean_for_max")),
        "You ranked the images by the mean of A^k. An image's score is its largest value, s_n = max over i, j of A^k.",
    ),
    Misconception(
        "weakest_first",
        composed(top=data.mistake("weakest_first")),
        "These are the images that excite the channel least. The largest score s_n comes first.",
    ),
    Misconception(
        "several_from_one_image",
        composed(top=data.mistake("several_from_one_image")),
        "One image gives several of your patches. Take the strongest unit of each image, then the M best images.",
    ),
    Misconception(
        "order_of_the_images",
        after(_one_image_order),
        "You have the right patches, but in the order of the data set. The largest score s_n comes first.",
    ),
    Misconception(
        "all_channels",
        composed(top=data.mistake("all_channels")),
        "You took the maximum over all channels. Only the channel k that is asked about counts.",
    ),
    Misconception(
        "channel_from_one",
        composed(top=data.mistake("channel_from_one")),
        "You looked at channel k − 1. Channels are counted from 0.",
    ),
    Misconception(
        "columns_first",
        composed(box=geometry.mistake("columns_first")),
        "You swapped row and column of the winning unit (i, j) on the way to its box: unit_box(i, j, …).",
    ),
    Misconception(
        "no_jump",
        composed(field=geometry.mistake("no_jump")),
        "Your field leaves out the jump J: r ← r + (f − 1)·d·J, and the same J in t.",
    ),
    Misconception(
        "jump_first",
        composed(field=geometry.mistake("jump_first")),
        "Your field is one stride off: use the old J in r and t, and multiply it by s last.",
    ),
    Misconception(
        "padding_ignored",
        composed(field=geometry.mistake("padding_ignored")),
        "Your field leaves out the padding, so every patch lies too far down and to the right: "
        "t ← t + ((f − 1)·d/2 − p)·J.",
    ),
    Misconception(
        "last_layer_forgotten",
        composed(field=geometry.mistake("last_layer_forgotten")),
        "You left out the last layer of the chain. The unit comes out of it, so the layer counts.",
    ),
    Misconception(
        "first_layer_forgotten",
        composed(field=lambda chain: parts.receptive_field(chain[1:])),
        "You left out the first layer of the chain. Begin at the image: r = 1, J = 1, t = 0, then every layer.",
    ),
    Misconception(
        "scaled_place",
        _scaled_place,
        "You stretched the grid over the image to find the middle of the field. Padding and stride move it: its "
        "middle is t + i·J.",
    ),
    Misconception(
        "half_of_r",
        composed(box=geometry.mistake("half_of_r")),
        "Your boxes are one pixel off. From the middle of r pixels to the first of them it is (r − 1)/2.",
    ),
    Misconception(
        "boxes_cut_at_the_border",
        after(_boxes_cut),
        "Your patches are right, your boxes are cut at the border. They keep their size r: top and left may be "
        "negative, bottom and right beyond the image.",
    ),
    Misconception(
        "pushed_inside",
        composed(cut=data.mistake("pushed_inside")),
        "Your patches at the border are pushed into the image. Cut the box where it is, with 0 beyond the border.",
    ),
    Misconception(
        "border_repeated",
        composed(cut=data.mistake("border_repeated")),
        "Your patches repeat the border pixels beyond the image. Beyond the border a patch is 0.",
    ),
    Misconception(
        "image_of_the_same_number",
        composed(cut=data.mistake("image_of_the_same_number")),
        "You cut patch m out of image m. It lies in image n = boxes[m, 0], the one that has the m-th largest score.",
    ),
    Misconception(
        "overwritten",
        composed(maps=_not_cloned),
        "You kept the layer's own output, and the in-place ReLU after it overwrote that: scores below 0 became 0. "
        "Keep a clone of the output.",
    ),
    Misconception(
        "no_image_in_the_box",
        after(lambda images, pixels, scores, boxes: (pixels, scores, boxes[:, 1:])),
        "Your boxes do not say which image they lie in. Each row is (image, top, left, bottom, right): [M 5].",
    ),
)
