"""The rows that can be among the nearest ones: one matrix product and a bound on its rounding errors.

The exact distances, from differences, are then needed of a few rows only. On a data set of 2,000 rows of 1,280 numbers
that takes a fifteenth of the time, and gives the same bits.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Rows:
    """A data set made ready for many queries."""

    x: Tensor
    """`[N D]`, the data set as it is."""
    centre: Tensor
    """`[D]`, its mean: the closer to the origin, the less the expanded square cancels."""
    centred: Tensor
    """`x - centre`."""
    lengths: Tensor
    """`[N]`, of the centred rows."""


def ready(x: Tensor) -> Rows:
    """The data set `[N D]`, with what all queries share."""
    centre = x.mean(dim=0)
    centred = x - centre
    return Rows(x, centre, centred, centred.norm(dim=1))


def every_row(q: Tensor, x: Tensor) -> Tensor:
    """Indices `[Q N]` of all rows."""
    return torch.arange(len(x), device=q.device).expand(len(q), len(x))


def shortlist(q: Tensor, rows: Rows, k: int, left_out: Tensor | None) -> Tensor:
    r"""Indices `[Q m]`, ascending, of rows that include the `k` nearest and all that rounding could put among them.

    The expanded square $s = |q|^2 - 2 q \cdot x + |x|^2$ of the centred rows is off by at most
    $E = (D + 8) \epsilon (|q| + |x|)^2$, and this leaves as much for the rounding of the distance from differences: by
    either, a product of $D$ terms costs $D \epsilon / 2$, whatever the order of its sum. So `k` rows lie below the
    k-th smallest $s + E$, and whatever has $s - E$ above it is not among the nearest. Where many rows remain (they are
    close together and far from the centre, or equal), it is all rows.
    """
    N, D = rows.x.shape
    everything = every_row(q, rows.x)
    if q.dtype == torch.float32 and torch.get_float32_matmul_precision() != "highest":
        return everything  # the product may be rounded to fewer bits than the bound knows of
    centred = q - rows.centre
    lengths = centred.norm(dim=1, keepdim=True)
    s = torch.addmm(rows.lengths.square(), centred, rows.centred.T, alpha=-2) + lengths.square()
    E = (
        (lengths + rows.lengths)
        .square()
        .mul_((D + 8) * torch.finfo(q.dtype).eps)
        .add_(torch.finfo(q.dtype).tiny * 4 * D)
    )
    if left_out is not None:
        s.scatter_(1, left_out[:, None], torch.inf)
    kth = (s + E).topk(k, dim=1, largest=False).values[:, -1:]
    lowest = s.sub_(E)
    m = int((lowest <= kth).sum(dim=1).max())
    if m * len(q) > 4 * N:
        return everything
    return lowest.topk(m, dim=1, largest=False).indices.sort(dim=1).values
