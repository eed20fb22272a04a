# made by `cnnviz build` from solutions/04_layer_activation/layer_activation.md; the functions and answers are yours to write
"""Layer activation: write the functions, then run `pytest lessons/04_layer_activation` or `cnnviz check 04_layer_activation`."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def capture(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """What a layer puts out, as it is when the layer returns: A^k_ij of every image.

    Args:
        model: a network in eval mode; it may be frozen.
        images: [N C H W].
        layer: full name of the layer, as in model.get_submodule(layer); it can be a part of other names.

    Returns:
        A [N K h w], detached. What is done in place after the layer does not show: nn.ReLU(inplace=True), or
        F.relu(x, inplace=True) in a forward method. No hook stays behind, not even if the forward pass fails.

    About 8 lines.
    """
    # Your code here: about 8 lines.
    raise NotImplementedError("layer_activation.capture is not written yet")


def channel_thresholds(activations: Tensor, quantile: float) -> Tensor:
    """The number that each channel exceeds on a share 1 - q of all positions of all images: P(a_k > T_k) = 1 - q.

    Args:
        activations: A [N K h w].
        quantile: q, between 0 and 1; linear interpolation at number q·(n - 1) of the n = N·h·w ordered values, equal
            ones included.

    Returns:
        T [K].

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("layer_activation.channel_thresholds is not written yet")


def upsample_and_mask(activations: Tensor, thresholds: Tensor, size: tuple[int, int]) -> Tensor:
    """Where each channel, upsampled to the image's pixels, exceeds its threshold: M_k = (up(A^k) > T_k).

    Args:
        activations: A [N K h w].
        thresholds: T [K].
        size: (H, W) in pixels; bilinear, align_corners=False.

    Returns:
        Masks, bool [N K H W].

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("layer_activation.upsample_and_mask is not written yet")


def dataset_iou(masks: Tensor, concept: Tensor) -> Tensor:
    """Overlap of each channel with a concept over the data set: IoU_k = Σ_n |M_k(n) ∩ L(n)| / Σ_n |M_k(n) ∪ L(n)|.

    Args:
        masks: M, bool [N K H W].
        concept: L, bool [N H W].

    Returns:
        IoU [K], floats; 0 where the union is empty.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("layer_activation.dataset_iou is not written yet")


def dissect(model: nn.Module, images: Tensor, concept: Tensor, layer: str, *, quantile: float) -> Tensor:
    """The overlap of every channel of a layer with a concept: IoU_k of M_k = (up(A^k) > T_k) with L.

    Args:
        model: a network in eval mode; it may be frozen.
        images: [N C H W].
        concept: L, bool [N H W]: where the concept is; the maps are upsampled to this H x W, which need not be the
            size of the images.
        layer: name of the layer, as in model.get_submodule(layer).
        quantile: q, between 0 and 1.

    Returns:
        IoU [K]. Its largest entry belongs to the channel that fits the concept best.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("layer_activation.dissect is not written yet")


whose_thresholds = None  # "absolute", "all_channels", "bottom" or "share_of_maximum"

whose_mask = None  # "below", "cells", "first_threshold" or "values_kept"

own_threshold = None  # "all_64", "tenth" or "with_cup"

mask_turned = None  # a number, at most 0.003 from the right one

false_alarms = None  # a number, at most 0.01 from the right one
