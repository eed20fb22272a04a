"""Activation masks (Network Dissection, Bau et al. 2017): where a channel is among its own strongest answers."""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from cnnviz.shapes import Activations, Masks
from cnnviz_ref._mechanism import described

AT_ONCE = 2**20
"""Values of which quantiles are taken at once, unless one channel has more."""


def activation_masks(activations: Activations, quantile: float = 0.995) -> Masks:
    r"""Where each channel exceeds the threshold that it exceeds on a share `1 - quantile` of the whole data set.

    Formula:
        $M_k = A^k > T_k$ with $P(a_k > T_k) = 1 - \mathrm{quantile}$ over all positions of all images: one threshold a
        channel. A channel that is the same everywhere exceeds nothing.

    Args:
        activations: `[N K h w]`, finite floats: a layer's maps for the data set.
        quantile: Between 0 and 1; the paper takes .995.

    Returns:
        bool `[N K h w]`.

    Raises:
        ValueError: An argument is not so; the sentence says which and what is allowed.

    Paper: Bau et al., "Network Dissection: Quantifying Interpretability of Deep Visual Representations", 2017.

    >>> import torch
    >>> A = torch.tensor([[[[0.0, 1.0]]], [[[2.0, 3.0]]]])  # two images, one channel
    >>> activation_masks(A, 0.5).tolist()  # T = 1.5
    [[[[False, False]]], [[[True, True]]]]
    """
    T = channel_thresholds(activations, quantile)
    return activations.detach() > T[:, None, None]


def channel_thresholds(activations: Activations, quantile: float = 0.995) -> Tensor:
    """`T_k`, each channel's quantile over all positions of all images: `[N K h w] -> [K]`. Errors as in the masks.

    Between two values it interpolates linearly, as `numpy.quantile` does. Any number of values will do, where
    `torch.quantile` long took at most 2^24; memory holds a copy of few channels at a time.

    >>> import torch
    >>> channel_thresholds(torch.tensor([[[[0.0, 1.0]], [[5.0, 5.0]]]]), 0.25)
    tensor([0.2500, 5.0000])
    """
    _check_activations(activations)
    if not isinstance(quantile, (int, float)) or not 0 < quantile < 1:
        raise ValueError(f"quantile: got {quantile!r}, needs a number between 0 and 1; the paper takes 0.995.")
    N, _, h, w = activations.shape
    some = activations.detach().split(max(1, AT_ONCE // (N * h * w)), dim=1)
    return torch.cat([_quantile(A.transpose(0, 1).flatten(1), quantile) for A in some])


def upsampled_masks(activations: Activations, thresholds: Tensor, size: tuple[int, int]) -> Tensor:
    """Bilinear to the image's `size` (height, width), corners not aligned, then the threshold: bool `[N K H W]`.

    In this order: a mask that is cut on the layer's grid and upsampled afterwards has the grid's corners. One image at
    a time is upsampled, so memory holds the masks and one image's maps.

    >>> import torch
    >>> upsampled_masks(torch.tensor([[[[0.0, 1.0]]]]), torch.tensor([0.5]), (1, 4)).tolist()  # 0, .25, .75, 1
    [[[[False, False, True, True]]]]
    """
    _check_activations(activations)
    _check_thresholds(thresholds, activations)
    _check_size(size, activations)
    T = thresholds.detach().to(activations)[:, None, None]
    images = activations.detach().split(1)
    return torch.cat([F.interpolate(A, size=size, mode="bilinear", align_corners=False) > T for A in images])


def dataset_iou(masks: Tensor, concepts: Tensor) -> Tensor:
    r"""How well each channel's masks cover each concept, intersection and union summed over the data set.

    Formula:
        $\mathrm{IoU}_{kl} = \frac{\sum_n |M_k(n) \cap L_l(n)|}{\sum_n |M_k(n) \cup L_l(n)|}$; 0 where both are empty
        everywhere. It is not the mean of the images' own values.

    Args:
        masks: bool `[N K H W]`, from `upsampled_masks`.
        concepts: bool `[N L H W]`, where each of `L` concepts is in each image.

    Returns:
        `[K L]` in [0, 1], of torch's default dtype.

    Raises:
        ValueError: Not bool masks, or of different images or size.

    Paper: Bau et al., "Network Dissection: Quantifying Interpretability of Deep Visual Representations", 2017.

    >>> import torch
    >>> masks = torch.tensor([[[[True, True]]], [[[False, True]]]])  # two images, one channel
    >>> concepts = torch.tensor([[[[True, False]]], [[[False, True]]]])
    >>> dataset_iou(masks, concepts)  # (1 + 1) / (2 + 1)
    tensor([[0.6667]])
    """
    intersection, union = overlaps(masks, concepts)
    return intersection / union.clamp(min=1)


def overlaps(masks: Tensor, concepts: Tensor) -> tuple[Tensor, Tensor]:
    """Pixels of the intersections and of the unions, int64 `[K L]` each; those of parts of a data set may be added."""
    _check_masks(masks, concepts)
    shape = (masks.shape[1], concepts.shape[1])
    intersection = torch.zeros(shape, dtype=torch.int64, device=masks.device)
    for M, L in zip(masks, concepts, strict=True):
        intersection += torch.stack([(M & concept).sum(dim=(1, 2)) for concept in L], dim=1)
    areas, concept_areas = masks.sum(dim=(0, 2, 3)), concepts.sum(dim=(0, 2, 3))
    return intersection, areas[:, None] + concept_areas - intersection


def _quantile(values: Tensor, quantile: float) -> Tensor:
    """Of each row, between the order statistics around place `quantile * (n - 1)`, reckoned in double precision."""
    place = quantile * (values.shape[1] - 1)
    below = math.floor(place)
    upper = values.topk(values.shape[1] - below, dim=1).values  # of a high quantile, few
    return upper[:, -1] if place == below else upper[:, -1].lerp(upper[:, -2], place - below)


def _check_activations(activations: object) -> None:
    """Finite floats `[N K h w]`, or a ValueError."""
    if not isinstance(activations, Tensor) or not activations.is_floating_point():
        raise ValueError(
            f"activations: got {described(activations)}, needs floats [N K h w]; "
            f"take them from activations(model, ...)."
        )
    if activations.ndim != 4 or not activations.numel():
        raise ValueError(f"activations: got {described(activations)}, needs [N K h w]; one image's maps are A[None].")
    if not torch.isfinite(torch.stack(activations.detach().aminmax())).all():
        raise ValueError("activations: got NaN or infinity, needs finite values; look at the images and the network.")


def _check_thresholds(thresholds: object, activations: Tensor) -> None:
    K = activations.shape[1]
    if not isinstance(thresholds, Tensor) or thresholds.shape != (K,) or not thresholds.is_floating_point():
        got = described(thresholds)
        raise ValueError(
            f"thresholds: got {got}, needs floats [{K}], one per channel; take them from channel_thresholds."
        )
    if torch.isnan(thresholds).any():
        raise ValueError("thresholds: got NaN, needs numbers; take them from channel_thresholds.")


def _check_size(size: tuple[int, int], activations: Tensor) -> None:
    h, w = activations.shape[2:]
    pair = isinstance(size, tuple) and len(size) == 2 and all(isinstance(pixels, int) for pixels in size)
    if not pair or size[0] < h or size[1] < w:
        raise ValueError(f"size: got {size!r}, needs (height, width) from ({h}, {w}) up; give the image's size.")


def _check_masks(masks: Tensor, concepts: Tensor) -> None:
    for value, name, shape in ((masks, "masks", "[N K H W]"), (concepts, "concepts", "[N L H W]")):
        if not isinstance(value, Tensor) or value.dtype != torch.bool or value.ndim != 4 or not value.numel():
            raise ValueError(
                f"{name}: got {described(value)}, needs torch.bool {shape}; compare with a threshold first."
            )
    (N, _, H, W), (M, _, height, width) = masks.shape, concepts.shape
    if (M, height, width) != (N, H, W):
        raise ValueError(
            f"concepts: got {M} images of {height} x {width}, but the masks are of {N} images of {H} x {W}; "
            f"bring both to the images' size, the masks with upsampled_masks."
        )
    if masks.device != concepts.device:
        raise ValueError(f"concepts: are on {concepts.device}, the masks on {masks.device}; move one with .to(device).")
