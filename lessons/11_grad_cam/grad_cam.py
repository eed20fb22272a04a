# made by `cnnviz build` from solutions/11_grad_cam/grad_cam.md; the functions and answers are yours to write
"""Grad-CAM: write the functions, then run `pytest lessons/11_grad_cam` or `cnnviz check 11_grad_cam`."""

import torch
from torch import Tensor, nn


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """What a layer puts out, and the gradient of each image's class score with respect to it.

    y^c = scores[n, targets[n]], before the softmax.

    Args:
        model: gives scores [N classes] for images; it is in eval mode and may be frozen.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.
        layer: name of the layer, as in model.get_submodule(layer).

    Returns:
        A [N K h w] and ∂y^c/∂A [N K h w], both detached. A is what the layer put out, also where a ReLU after it works
        in place, as a module or as a function. No hook of yours stays behind, not even where the network raises; no
        `.grad` is filled or emptied.

    About 12 lines.
    """
    # Your code here: about 12 lines.
    raise NotImplementedError("grad_cam.capture is not written yet")


def neuron_importance(gradients: Tensor) -> Tensor:
    """Importance of each channel for the class: α_k = (1/Z) Σ_i Σ_j ∂y^c/∂A^k_ij.

    Args:
        gradients: ∂y^c/∂A [N K h w].

    Returns:
        α [N K], with its sign.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("grad_cam.neuron_importance is not written yet")


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    """Where the weighted channels together speak for the class: L = ReLU(Σ_k α_k A^k).

    Args:
        activations: A [N K h w].
        alpha: α [N K].

    Returns:
        L [N h w], raw: not scaled, not upsampled.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("grad_cam.grad_cam_map is not written yet")


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """Grad-CAM: ReLU(Σ_k α_k A^k) with α_k = (1/Z) Σ_i Σ_j ∂y^c/∂A^k_ij.

    Args:
        model: gives scores [N classes] for images; it is in eval mode and may be frozen.
        images: [N C H W].
        targets: int64 [N], the class to explain in each image.
        layer: name of the layer, as in model.get_submodule(layer).

    Returns:
        L [N h w], raw: not scaled, not upsampled.

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("grad_cam.grad_cam is not written yet")


def quadrant_shares(maps: Tensor, quadrants: Tensor) -> Tensor:
    """The share of each map's energy that lies in each box: e = Σ_(i,j in box) L(i, j) / Σ_(i,j) L(i, j).

    Args:
        maps: [N H W], not negative, upsampled to the pixels in which the boxes are given.
        quadrants: int64 [Q 4], boxes (top, left, bottom, right); bottom and right are exclusive.

    Returns:
        Shares [N Q], however faint the map; one that is 0 everywhere has shares 0.

    About 5 lines.
    """
    # Your code here: about 5 lines.
    raise NotImplementedError("grad_cam.quadrant_shares is not written yet")


whose_alpha = None  # "absolute_alpha", "divided_by_k_too", "positive_alpha" or "sum_for_mean"

whose_map = None  # "absolute_map", "mean_over_k", "no_relu" or "opposite_sign"

sum_or_mean = None  # "other_picture", "same_picture", "same_values" or "smaller"

bias_raised = None  # "brighter", "darker" or "unchanged"

absent_class = None  # "cat", "error", "positive" or "zero"
