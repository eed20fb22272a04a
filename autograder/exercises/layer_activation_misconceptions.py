"""Wrong answers of lesson 04, layer activation, that need a network: `capture` and the whole method."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.exercises import layer_activation_iou_misconceptions as overlap
from autograder.exercises import layer_activation_part_misconceptions as parts
from autograder.records import Misconception

# 1. capture(model, images, layer) -> A


def kept(model: nn.Module, images: Tensor, layer: str, take: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
    """What `take(entering, leaving)` keeps of the layer, looked at after the whole forward pass."""
    seen: list[Tensor] = []
    module = model.get_submodule(layer)
    handle = module.register_forward_hook(lambda _, inputs, output: seen.append(take(inputs[0], output)))
    try:
        with torch.no_grad():
            model(images)
    finally:
        handle.remove()
    return seen[-1]


def right(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """A, as the formula has it."""
    return kept(model, images, layer, lambda entering, leaving: leaving.clone())


def layer_input(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """What enters the layer."""
    return kept(model, images, layer, lambda entering, leaving: entering.clone())


def overwritten(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """The layer's own tensor, which an in-place ReLU after it changes."""
    return kept(model, images, layer, lambda entering, leaving: leaving)


def _changed(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    return lambda model, images, layer: change(right(model, images, layer))


def _zero_to_one(A: Tensor) -> Tensor:
    low, high = A.amin((2, 3), keepdim=True), A.amax((2, 3), keepdim=True)
    return (A - low) / (high - low).clamp(min=1e-12)


def _of_namesake(which: int) -> Callable[..., Tensor]:
    """A of the first (0) or the last (-1) layer whose name contains the name that was asked for."""

    def wrong(model, images, layer):
        return right(model, images, [name for name, _ in model.named_modules() if layer in name][which])

    return wrong


_PART_OF_A_NAME = (
    "You took the {} layer whose name contains `layer`. Names contain each other (conv1, conv10, more.conv1): "
    "model.get_submodule(layer) finds the one that has exactly this name."
)


def _scores(model, images, layer):
    with torch.no_grad():
        return model(images)


CAPTURE = (
    Misconception(
        "layer_input",
        layer_input,
        "You took what enters the layer. A is what leaves it: the third argument of a forward hook, output, not "
        "inputs.",
    ),
    Misconception(
        "overwritten",
        overwritten,
        "You kept the layer's own tensor, and an in-place ReLU after the layer overwrote it: what you hold is "
        "ReLU(A), not A. Keep `output.clone()`, taken inside the hook; `detach` alone shares the memory.",
    ),
    Misconception(
        "relu_added",
        _changed(torch.relu),
        "You put a ReLU on A. A is the layer's output as it is, with both signs.",
    ),
    Misconception(
        "absolute",
        _changed(torch.abs),
        "You returned |A|. A is the layer's output as it is, with both signs.",
    ),
    Misconception(
        "whole_features",
        lambda model, images, layer: right(model, images, layer.split(".")[0]),
        "You took the output of all of model.features. The caller names the layer: model.get_submodule(layer).",
    ),
    Misconception("first_namesake", _of_namesake(0), _PART_OF_A_NAME.format("first")),
    Misconception("last_namesake", _of_namesake(-1), _PART_OF_A_NAME.format("last")),
    Misconception(
        "scores",
        _scores,
        "You returned what the network returns, its scores. A is what the named layer returns in the middle of the "
        "forward pass: a forward hook sees it.",
    ),
    Misconception(
        "first_image",
        _changed(lambda A: A[:1]),
        "You kept the first image only. A has one set of maps for every image: [N K h w].",
    ),
    Misconception(
        "batch_axis_lost",
        _changed(lambda A: A.squeeze(0)),
        "With a single image the axis N is gone. A is [N K h w] also for N = 1: leave out squeeze or [0].",
    ),
    Misconception(
        "mean_over_batch",
        _changed(lambda A: A.mean(0, keepdim=True)),
        "You averaged over the images. A has one set of maps for every image: [N K h w].",
    ),
    Misconception(
        "pooled",
        _changed(lambda A: A.mean((2, 3))),
        "You averaged each map over its places. Here we want to know where the channel answers: keep the axes h, w.",
    ),
    Misconception(
        "summed_channels",
        _changed(lambda A: A.sum(1)),
        "You added the channels up. Every channel k has a map of its own: A is [N K h w].",
    ),
    Misconception(
        "channels_last",
        _changed(lambda A: A.permute(0, 2, 3, 1)),
        "You moved the channels to the end, [N h w K]. A is [N K h w], as PyTorch has it.",
    ),
    Misconception(
        "rows_for_columns",
        _changed(lambda A: A.transpose(2, 3)),
        "Rows and columns are swapped: A is [N K h w], i down and j across.",
    ),
    Misconception(
        "zero_to_one",
        _changed(_zero_to_one),
        "You scaled each map to [0, 1]. Then no two maps can be compared any more; scaling is for the picture only.",
    ),
)


# 5. dissect(model, images, concept, layer, *, quantile) -> IoU


def pipeline(
    *,
    capture: Callable[..., Tensor] = right,
    thresholds: Callable[..., Tensor] = parts.quantiles,
    masks: Callable[..., Tensor] = parts.masked,
    iou: Callable[..., Tensor] = overlap.iou_of_the_data_set,
) -> Callable[..., Tensor]:
    """The method with other parts in place of some of its own."""

    def method(model, images, concept, layer, *, quantile):
        A = capture(model, images, layer)
        return iou(masks(A, thresholds(A, quantile), concept.shape[1:]), concept)

    return method


def _per_image(model, images, concept, layer, *, quantile):
    A = right(model, images, layer)
    T = parts.quantiles_of_images(A, quantile)[:, :, None, None]
    return overlap.iou_of_the_data_set(parts.enlarge(A, concept.shape[1:]) > T, concept)


def _quantile_of_pixels(model, images, concept, layer, *, quantile):
    A = parts.enlarge(right(model, images, layer), concept.shape[1:])
    return overlap.iou_of_the_data_set(torch.gt(A, parts.per_channel(parts.quantiles(A, quantile))), concept)


def _on_the_grid(model, images, concept, layer, *, quantile):
    A = right(model, images, layer)
    small = F.interpolate(concept[:, None].to(A), size=A.shape[2:], mode="nearest")[:, 0] > 0
    return overlap.iou_of_the_data_set(torch.gt(A, parts.per_channel(parts.quantiles(A, quantile))), small)


def _on_the_image(model, images, concept, layer, *, quantile):
    size = images.shape[2:]
    drawn = F.interpolate(concept[:, None].to(images), size=size, mode="nearest")[:, 0] > 0
    return pipeline()(model, images, drawn, layer, quantile=quantile)


def _best_only(model, images, concept, layer, *, quantile):
    return pipeline()(model, images, concept, layer, quantile=quantile).max()


METHOD = (
    Misconception(
        "layer_input",
        pipeline(capture=layer_input),
        "You dissected what enters the layer. A is what leaves it.",
    ),
    Misconception(
        "overwritten",
        pipeline(capture=overwritten),
        "An in-place ReLU after the layer overwrote A before you took its quantile. Keep `output.clone()` in the hook.",
    ),
    Misconception(
        "absolute",
        pipeline(capture=_changed(torch.abs)),
        "You used |A|. A strongly negative value is not a strong answer: keep the sign.",
    ),
    Misconception(
        "per_image",
        _per_image,
        "You took a threshold in each image, so that every channel is on somewhere in every image. T_k is one number "
        "for the whole data set.",
    ),
    Misconception(
        "all_channels",
        pipeline(thresholds=parts.quantile_of_all),
        "You took one threshold for all channels. Each channel has a scale of its own: T_k comes from channel k alone.",
    ),
    Misconception(
        "bottom",
        pipeline(thresholds=lambda A, quantile: parts.quantiles(A, 1 - quantile)),
        "You took the quantile 1 - q. P(a_k > T_k) = 1 - q means that a share q lies BELOW T_k.",
    ),
    Misconception(
        "quantile_of_pixels",
        _quantile_of_pixels,
        "You enlarged first and took the quantile of the pixels. T_k is the quantile of the layer's own values, on "
        "its grid; enlarging comes after it.",
    ),
    Misconception(
        "cells",
        pipeline(masks=parts.in_cells),
        "Your masks are made of whole cells of the grid. First enlarge A bilinearly, then compare with T_k.",
    ),
    Misconception(
        "aligned_corners",
        pipeline(masks=parts.corners_aligned),
        "You enlarged with align_corners=True. A cell stands for a patch of the image: use align_corners=False.",
    ),
    Misconception(
        "on_the_grid",
        _on_the_grid,
        "You shrank the concept to the layer's grid. It is the other way round: A is enlarged to the concept's pixels.",
    ),
    Misconception(
        "on_the_image",
        _on_the_image,
        "You brought A and the concept to the size of the images. The concept can be drawn in another size: enlarge A "
        "to the concept's own H x W, and leave the concept as it is.",
    ),
    Misconception(
        "mean_of_images",
        pipeline(iou=overlap.mean_of_images),
        "You averaged the IoU of the single images. Sum |M ∩ L| and |M ∪ L| over all images n, then divide once.",
    ),
    Misconception(
        "recall",
        pipeline(iou=overlap.recall),
        "You divided by the pixels of the concept (recall). Divide by |M ∪ L|.",
    ),
    Misconception(
        "precision",
        pipeline(iou=overlap.precision),
        "You divided by the pixels of the mask (precision). Divide by |M ∪ L|.",
    ),
    Misconception(
        "dice",
        pipeline(iou=overlap.dice),
        "You computed 2|M ∩ L| / (|M| + |L|), the Dice score. IoU is |M ∩ L| / |M ∪ L|.",
    ),
    Misconception(
        "best_only",
        _best_only,
        "You returned the largest IoU only. Return the IoU of every channel, [K]; the caller looks for the best.",
    ),
)
