"""Two measures of whether a map points at what it should explain, where the thing's true box is known."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz.shapes import Boxes, PixelMap
from cnnviz_ref._mechanism import described


def pointing_game(maps: PixelMap, boxes: Boxes, *, tolerance: float = 0) -> Tensor:
    r"""Whether the highest point of each map lies in the box, or at most `tolerance` pixels from it: 1 or 0.

    Formula:
        $h_n = \left[ d(\arg\max_{ij} M_{nij}, B_n) \le t \right]$ with $d$ the distance from a pixel to the nearest one
        of the box; where several pixels share the maximum, the share of them that hits, so a flat map scores as a
        pixel drawn at random would. The game's accuracy is the mean over n.

    Args:
        maps: `[N H W]` on the images' grid, of any sign.
        boxes: int64 `[N 4]`: (top, left, bottom, right) in pixels; bottom and right exclusive.
        tolerance: $t$ in pixels, from 0. The paper takes 15 on photos; 0 asks for a point in the box itself.

    Returns:
        `[N]` of the maps' dtype, 0 to 1.

    Raises:
        ValueError: An argument does not fit; the sentence says which and what is allowed.

    Paper: Zhang et al., "Top-down Neural Attention by Excitation Backprop", 2016.

    >>> maps = torch.tensor([[[0.0, 1.0, 5.0]], [[2.0, 2.0, 1.0]]])
    >>> boxes = torch.tensor([[0, 0, 1, 2], [0, 1, 1, 3]])
    >>> pointing_game(maps, boxes), pointing_game(maps, boxes, tolerance=1)
    (tensor([0.0000, 0.5000]), tensor([1., 1.]))
    """
    _check(maps, boxes)
    if not tolerance >= 0:
        raise ValueError(f"tolerance: got {tolerance!r}, needs pixels from 0; try 0.")
    down, across = _beyond(boxes, maps)
    hit = down[:, :, None] ** 2 + across[:, None, :] ** 2 <= tolerance**2
    peak = maps == maps.amax(dim=(1, 2), keepdim=True)
    return (peak & hit).sum(dim=(1, 2)).to(maps.dtype) / peak.sum(dim=(1, 2))


def energy_in_box(maps: PixelMap, boxes: Boxes) -> Tensor:
    r"""The share of each map's positive part that lies in the box.

    Formula:
        $e_n = \sum_{ij \in B_n} M_{nij}^+ \,/\, \sum_{ij} M_{nij}^+$; 0 for a map that is nowhere positive. For both
        signs alike, pass `maps.abs()`.

    Args:
        maps: `[N H W]` on the images' grid, of any sign.
        boxes: int64 `[N 4]`: (top, left, bottom, right) in pixels; bottom and right exclusive.

    Returns:
        `[N]` of the maps' dtype, 0 to 1.

    Raises:
        ValueError: An argument does not fit; the sentence says which and what is allowed.

    Paper: Wang et al., "Score-CAM: Score-Weighted Visual Explanations for Convolutional Neural Networks", 2020.

    >>> maps = torch.tensor([[[3.0, 1.0, -5.0]], [[-1.0, 0.0, 0.0]]])
    >>> energy_in_box(maps, torch.tensor([[0, 0, 1, 1], [0, 0, 1, 3]]))
    tensor([0.7500, 0.0000])
    """
    _check(maps, boxes)
    down, across = _beyond(boxes, maps)
    inside = (down[:, :, None] == 0) & (across[:, None, :] == 0)
    positive = maps.clamp(min=0)
    total = positive.sum(dim=(1, 2))
    return (positive * inside).sum(dim=(1, 2)) / torch.where(total == 0, 1, total)


def _beyond(boxes: Boxes, maps: PixelMap) -> tuple[Tensor, Tensor]:
    """Pixels from each row and each column to the box, 0 inside: `[N H]`, `[N W]`."""
    top, left, bottom, right = boxes.to(maps.device)[:, :, None].unbind(dim=1)
    i, j = (torch.arange(length, device=maps.device) for length in maps.shape[1:])
    return torch.maximum(top - i, i - bottom + 1).clamp(min=0), torch.maximum(left - j, j - right + 1).clamp(min=0)


def _check(maps: object, boxes: object) -> None:
    if not isinstance(maps, Tensor) or maps.ndim != 3 or not maps.is_floating_point() or not maps.numel():
        raise ValueError(
            f"maps: got {described(maps)}, needs floats [N H W]; sum over colours or upsample to the image first."
        )
    if not torch.isfinite(maps).all():
        raise ValueError("maps: got NaN or infinity, needs finite values; look at how the maps were made.")
    N, H, W = maps.shape
    if not isinstance(boxes, Tensor) or boxes.dtype != torch.int64 or boxes.shape != (N, 4):
        got = described(boxes)
        raise ValueError(f"boxes: got {got}, needs torch.int64 [{N}, 4]; give (top, left, bottom, right) a map.")
    top, left, bottom, right = boxes.unbind(dim=1)
    fits = (top >= 0) & (left >= 0) & (top < bottom) & (left < right) & (bottom <= H) & (right <= W)
    if not fits.all():
        n = int((~fits).nonzero()[0])
        raise ValueError(
            f"boxes: got {boxes[n].tolist()}, but needs 0 <= top < bottom <= {H} and 0 <= left < right <= {W}; "
            f"bottom and right are exclusive."
        )
