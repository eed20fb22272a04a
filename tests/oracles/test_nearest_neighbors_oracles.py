"""scikit-learn agrees where features are well apart; its expanded square and its cosine cancel where they are close."""

from __future__ import annotations

import pytest
import torch
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from cnnviz_ref import nearest_neighbors


def rows(*shape: int, seed: int, dtype: torch.dtype = torch.float64) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64).to(dtype)


def sklearn_says(x: Tensor, q: Tensor | None, k: int, metric: str) -> tuple[Tensor, Tensor]:
    library = NearestNeighbors(n_neighbors=k, metric=metric, algorithm="brute").fit(x.numpy())
    d, indices = library.kneighbors(None if q is None else q.numpy())
    return torch.from_numpy(d), torch.from_numpy(indices)


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float32, 1e-6), (torch.float64, 1e-13)])
def test_scikit_learn_agrees(metric: str, dtype: torch.dtype, tolerance: float) -> None:
    x, q = rows(200, 30, seed=1, dtype=dtype), rows(40, 30, seed=2, dtype=dtype)
    ours, theirs = nearest_neighbors(x, q, k=7, metric=metric), sklearn_says(x, q, 7, metric)
    assert torch.equal(ours[1], theirs[1])
    assert (ours[0] - theirs[0]).abs().max() <= tolerance * ours[0].max()


@pytest.mark.parametrize("metric", ["euclidean", "cosine"])
def test_scikit_learn_agrees_on_a_data_set_with_itself(metric: str) -> None:
    x = rows(100, 20, seed=1)
    ours = nearest_neighbors(x, x, k=5, metric=metric, leave_out=torch.arange(100))
    theirs = sklearn_says(x, None, 5, metric)
    assert torch.equal(ours[1], theirs[1])
    assert (ours[0] - theirs[0]).abs().max() <= 1e-13


def test_scikit_learn_cancels_far_from_the_origin_where_ours_holds() -> None:
    x = rows(50, 20, seed=1) + 1e8
    near = x - 1e8  # what is left of x after rounding: exact, and its distances are the same
    expected, order = sklearn_says(near, near, 5, "euclidean")
    ours = nearest_neighbors(x, x, k=5)
    assert torch.equal(ours[1], order)
    assert (ours[0] - expected).abs().max() < 1e-6
    assert ours[0][:, 0].abs().max() == 0
    theirs, wrong = sklearn_says(x, x, 5, "euclidean")
    assert not torch.equal(wrong, order)
    assert (theirs - expected).abs().max() > 1


def test_scikit_learn_cosine_loses_a_small_angle_where_ours_holds() -> None:
    angles = torch.tensor([3e-9, 1e-9, 2e-9], dtype=torch.float64)
    x = torch.stack([angles.cos(), angles.sin()], dim=1)
    query = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    d, indices = nearest_neighbors(x, query, k=3, metric="cosine")
    assert indices.tolist() == [[1, 2, 0]]
    assert torch.allclose(d[0], angles.sort().values.square() / 2, rtol=1e-12, atol=0)
    assert sklearn_says(x, query, 3, "cosine")[0].abs().max() == 0
