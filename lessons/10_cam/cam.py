# made by `cnnviz build` from solutions/10_cam/cam.md; the functions and answers are yours to write
"""Class activation maps: write the functions, then run `pytest lessons/10_cam` or `cnnviz check 10_cam`."""

import copy

import torch
from skimage.measure import label, regionprops
from torch import Tensor, nn
from torch.nn import functional as F


def class_weights(head: nn.Linear, targets: Tensor) -> Tensor:
    """The weights of each image's class: w^c is row c of W.

    Args:
        head: the last layer, y = W a + b, with `head.weight` [classes K].
        targets: int64 [N], the class c to explain in each image.

    Returns:
        w [N K], detached.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("cam.class_weights is not written yet")


def class_activation_map(activations: Tensor, weights: Tensor) -> Tensor:
    """How much each position contributes to the score: M^c_ij = Σ_k w_k^c A^k_ij.

    Args:
        activations: A [N K h w], of either sign.
        weights: w [N K], one row for each image.

    Returns:
        M [N h w], raw: of both signs, not scaled, not upsampled.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("cam.class_activation_map is not written yet")


one_place_dark = None  # a number, at most 0.01 from the right one


def convert_to_cam(features: nn.Module, head: nn.Linear) -> nn.Module:
    """A network for CAM: features, then GAP, then one linear layer.

    y^c = Σ_k w_k^c a_k + b_c with a_k = (1/Z) Σ_ij A^k_ij.

    Args:
        features: gives A [N K h w], of either sign, for images [N C H W] of any size.
        head: the new last layer, from K channels to the classes.

    Returns:
        A module that gives scores [N classes] for images [N C H W], before the softmax.

    About 1 line.
    """
    # Your code here: about 1 line.
    raise NotImplementedError("cam.convert_to_cam is not written yet")


loss_at_zero = None  # a number, at most 0.02 from the right one


def train_head(
    features: nn.Module, head: nn.Linear, images: Tensor, labels: Tensor, *, steps: int, lr: float
) -> tuple[Tensor, Tensor]:
    """Weight and bias of the head after full-batch gradient descent on the mean cross-entropy.

    W ← W - lr ∂L/∂W and b ← b - lr ∂L/∂b, with scores W a + b and a_k = (1/Z) Σ_ij A^k_ij.

    Args:
        features: gives A [N K h w], of either sign; used in eval mode, left as found, never trained.
        head: where W [classes K] and b [classes] start; left as found.
        images: [N C H W].
        labels: int64 [N], the right classes.
        steps: number of steps.
        lr: learning rate.

    Returns:
        W [classes K] and b [classes] after the last step, detached.

    About 9 lines.
    """
    # Your code here: about 9 lines.
    raise NotImplementedError("cam.train_head is not written yet")


def box_from_map(heatmap: Tensor, *, size: tuple[int, int], fraction: float) -> Tensor:
    """The box around the largest region in which M^c > fraction · max M^c.

    A region is a set of pixels of the upsampled map that are connected by their sides (corners may count, too); the largest
    is the one of most pixels.

    Args:
        heatmap: M^c [h w].
        size: (H, W), rows and columns of the image; the box is in its pixels.
        fraction: share of the maximum of the upsampled map, from 0.

    Returns:
        int64 [4]: top, left, bottom, right; bottom and right exclusive. Four zeros if no value of the upsampled map is
        positive.

    About 7 lines.
    """
    # Your code here: about 7 lines.
    raise NotImplementedError("cam.box_from_map is not written yet")


whose_weights = None  # "absolute_weights", "class_mean_subtracted", "positive_weights_only" or "unit_length"

whose_map = None  # "absolute_map", "divided_by_positions", "mean_over_channels" or "relu_added"

same_for_all_classes = None  # "both_change", "both_same", "maps" or "scores"
