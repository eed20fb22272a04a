"""Nearest neighbours: the images whose features are most like a query's."""

from __future__ import annotations

import torch
from torch import Tensor

from cnnviz.shapes import Features
from cnnviz_ref._mechanism import check_choice, check_whole, described, without_autocast
from cnnviz_ref._shortlist import Rows, every_row, ready, shortlist

METRICS = ("euclidean", "cosine")
FEW = 2
"""Queries that are faster from all distances than with a data set made ready."""


def nearest_neighbors(
    features: Features,
    queries: Tensor,
    *,
    k: int = 5,
    metric: str = "euclidean",
    leave_out: Tensor | None = None,
    chunk: int = 64,
) -> tuple[Tensor, Tensor]:
    r"""The `k` rows of the data set nearest to each query, nearest first; of equally near ones the lowest index first.

    Formula:
        euclidean: $d(q, x) = \lVert q - x \rVert$; cosine: $d(q, x) = 1 - \frac{q \cdot x}{\lVert q \rVert \lVert x
        \rVert}$, from 0 (the same direction) to 2 (opposite).

    Args:
        features: `[N D]`, the data set, one row for each image; float32 or float64.
        queries: `[Q D]` of the same dtype on the same device.
        k: How many neighbours of each query.
        metric: "euclidean" or "cosine".
        leave_out: int64 `[Q]`, for each query the row of the data set that is not to be found: the query's own row
            when it is itself from the data set (all of them: `torch.arange(N)`). Never by distance, since another
            image may be the same, and the query's own distance may be rounded.
        chunk: Queries that are compared at once; it bounds the memory to a few times `chunk * N` distances and as many
            copies of the features, never `Q * N * D`.

    Returns:
        distances `[Q k]` of the features' dtype, and indices int64 `[Q k]` into the data set.

    Raises:
        ValueError: An argument does not fit the others; the sentence says which and what is allowed.

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.

    >>> import torch
    >>> x = torch.tensor([[0.0, 0.0], [3.0, 4.0], [0.0, 1.0], [3.0, 4.0]])
    >>> nearest_neighbors(x, x[:1], k=3)
    (tensor([[0., 1., 5.]]), tensor([[0, 2, 1]]))
    >>> nearest_neighbors(x, x[1:2], k=1, leave_out=torch.tensor([1]))
    (tensor([[0.]]), tensor([[3]]))
    """
    _check_pair(features, queries, metric)
    N, Q = len(features), len(queries)
    _check_k(k, N, leaving=leave_out is not None)
    _check_leave_out(leave_out, N, Q)
    check_whole("chunk", chunk, "try 64")
    with without_autocast(features.device.type):
        q, x = _comparable(queries, metric), _comparable(features, metric)
        prepared = ready(x) if Q > FEW else None
        parts = []
        for start in range(0, Q, chunk):
            left = None if leave_out is None else leave_out[start : start + chunk].to(x.device)
            parts.append(_k_nearest(q[start : start + chunk], x, prepared, k, metric, left))
    return torch.cat([d for d, _ in parts]), torch.cat([indices for _, indices in parts])


def pairwise_distances(queries: Tensor, features: Features, *, metric: str = "euclidean") -> Tensor:
    r"""All distances from queries to features: `[Q D], [N D] -> [Q N]`. Errors as in `nearest_neighbors`.

    Both are computed from differences: $\lVert q \rVert^2 - 2 q \cdot x + \lVert x \rVert^2$ and $1 - \cos$ would
    cancel where features are close, and put a point at some distance from itself. For cosine, with
    $\hat q = q / \lVert q \rVert$: $1 - \hat q \cdot \hat x = \frac{1}{2} \lVert \hat q - \hat x \rVert^2$.

    >>> import torch
    >>> pairwise_distances(torch.tensor([[3.0, 0.0]]), torch.tensor([[0.0, 4.0], [6.0, 0.0], [-1.0, 0.0]]))
    tensor([[5., 3., 4.]])
    >>> pairwise_distances(torch.tensor([[3.0, 0.0]]), torch.tensor([[6.0, 0.0], [-1.0, 0.0]]), metric="cosine")
    tensor([[0., 2.]])
    """
    _check_pair(features, queries, metric)
    with without_autocast(features.device.type):
        return _measure(_differences(_comparable(queries, metric), _comparable(features, metric)), metric)


def k_smallest(distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The `k` smallest of each row, ascending, and their places; equal ones by place: `[Q N] -> [Q k], [Q k]`.

    >>> import torch
    >>> k_smallest(torch.tensor([[2.0, 1.0, 1.0, 0.0]]), 3)
    (tensor([[0., 1., 1.]]), tensor([[3, 1, 2]]))
    """
    d, places = distances.sort(dim=1, stable=True)  # topk leaves the order of equal ones open
    return d[:, :k].clone(), places[:, :k].clone()


def _k_nearest(
    q: Tensor, x: Tensor, prepared: Rows | None, k: int, metric: str, left: Tensor | None
) -> tuple[Tensor, Tensor]:
    rows = shortlist(q, prepared, k, left) if prepared else every_row(q, x)
    if rows.shape[1] == len(x):
        d = _measure(_differences(q, x), metric)
    else:
        d = _measure(_differences(q[:, None], x[rows])[:, 0], metric)
    if left is not None:
        d.masked_fill_(rows == left[:, None], torch.inf)
    d, places = k_smallest(d, k)
    return d, rows.gather(1, places)


def _comparable(rows: Tensor, metric: str) -> Tensor:
    return _unit(rows.detach()) if metric == "cosine" else rows.detach()


def _measure(lengths: Tensor, metric: str) -> Tensor:
    return (lengths.square() / 2).clamp(max=2) if metric == "cosine" else lengths


def _differences(q: Tensor, x: Tensor) -> Tensor:
    """`|q - x|` of all pairs by subtraction, without holding the differences."""
    return torch.cdist(q, x, compute_mode="donot_use_mm_for_euclid_dist")


def _unit(rows: Tensor) -> Tensor:
    """Each row of length 1; equal rows give equal bits, which `rows.norm` does not promise for other layouts."""
    rows = rows / rows.abs().amax(dim=1, keepdim=True)  # first, since the squares of tiny values are 0
    return rows / _differences(rows, torch.zeros_like(rows[:1]))


def _check_pair(features: object, queries: object, metric: object) -> None:
    check_choice("metric", metric, METRICS)
    x, q = _check_rows(features, "features", "[N D]"), _check_rows(queries, "queries", "[Q D]")
    if x.shape[1] != q.shape[1]:
        raise ValueError(
            f"queries: got {q.shape[1]} numbers per row, but the features have {x.shape[1]}; embed both with one layer."
        )
    if (x.dtype, x.device) != (q.dtype, q.device):
        raise ValueError(
            f"queries: got {q.dtype} on {q.device}, but the features are {x.dtype} on {x.device}; "
            f"use queries.to(features)."
        )
    for rows, name in ((x, "features"), (q, "queries")):
        if metric == "cosine":
            _check_directions(rows, name)
        else:
            _check_squares(rows, name)


def _check_directions(rows: Tensor, name: str) -> None:
    zero = (rows == 0).all(dim=1)
    if zero.any():
        raise ValueError(
            f"{name}: row {int(zero.nonzero()[0])} is all 0, but cosine needs a direction; "
            f"leave the row away or choose metric='euclidean'."
        )


def _check_squares(rows: Tensor, name: str) -> None:
    low, high = rows.aminmax()
    most, largest = (torch.finfo(rows.dtype).max / (64 * rows.shape[1])) ** 0.5, max(-low.item(), high.item())
    if largest > most:
        raise ValueError(
            f"{name}: got values up to {largest:.1e}, whose squares overflow {rows.dtype}; divide features and queries "
            f"by one number."
        )


def _check_rows(rows: object, name: str, shape: str) -> Tensor:
    if not isinstance(rows, Tensor):
        raise ValueError(f"{name}: got {type(rows).__name__}, needs a tensor {shape}; make one with embed.")
    if rows.ndim != 2 or not rows.numel():
        raise ValueError(f"{name}: got shape {list(rows.shape)}, needs {shape}; one row is x[None].")
    if rows.dtype not in (torch.float32, torch.float64):
        raise ValueError(f"{name}: got {rows.dtype}, needs torch.float32 or torch.float64; convert with x.float().")
    if not torch.isfinite(torch.stack(rows.detach().aminmax())).all():
        raise ValueError(f"{name}: got NaN or infinity, needs finite values; look at how they were computed.")
    return rows


def _check_k(k: object, N: int, *, leaving: bool) -> None:
    most = N - leaving
    if not isinstance(k, int) or not 1 <= k <= most:
        out = ", of which one is left out" if leaving else ""
        raise ValueError(f"k: got {k!r}, but the data set has {N} rows{out}; choose a whole number from 1 to {most}.")


def _check_leave_out(leave_out: object, N: int, Q: int) -> None:
    if leave_out is None:
        return
    if not isinstance(leave_out, Tensor) or leave_out.dtype != torch.int64 or leave_out.shape != (Q,):
        got = described(leave_out)
        raise ValueError(f"leave_out: got {got}, needs torch.int64 [{Q}]; give each query's own row in the data set.")
    if leave_out.min() < 0 or leave_out.max() >= N:
        raise ValueError(
            f"leave_out: got rows {int(leave_out.min())} to {int(leave_out.max())}, but the data set has rows 0 to "
            f"{N - 1}; choose there."
        )
