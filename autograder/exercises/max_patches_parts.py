"""The right answers of lesson 05, maximum patches, under the names and signatures that the student's functions have."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from cnnviz_ref._spans import Span
from cnnviz_ref.max_patches import cut
from cnnviz_ref.receptive_field import chain_receptive_field


def receptive_field(chain: Sequence[tuple[int, int, int, int]]) -> tuple[int, int, float]:
    """(size r, jump J, start t) of a unit after a chain of layers (kernel, stride, padding, dilation)."""
    span = chain_receptive_field(chain)
    return span.size, span.jump, span.start


def unit_box(i: int, j: int, size: int, jump: int, start: float) -> tuple[int, int, int, int]:
    """(top, left, bottom, right) of what the unit at row i, column j sees."""
    span = Span(size, jump, start)
    return span.first(i), span.first(j), span.end(i), span.end(j)


def top_images(activations: Tensor, channel: int, count: int) -> tuple[Tensor, Tensor, Tensor]:
    """Scores [M], images int64 [M] and places int64 [M 2] of the M images with the largest maxima."""
    rows = activations[:, channel].flatten(1)
    at = rows.argmax(1)
    scores, order = rows.amax(1).sort(descending=True, stable=True)
    w = activations.shape[3]
    chosen = order[:count]
    return scores[:count], chosen, torch.stack([at[chosen] // w, at[chosen] % w], dim=1)


def cut_patches(images: Tensor, boxes: Tensor) -> Tensor:
    """Patches [M C r r], 0 beyond the border."""
    return torch.stack([cut(images[n], box) for n, *box in boxes.tolist()])
