"""scikit-learn's P, divergence and gradient agree; it rounds distances to float32, where far outliers tie, ours not."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.spatial.distance import squareform
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE, _t_sne, _utils
from sklearn.metrics import euclidean_distances
from torch import Tensor

from cnnviz_ref.tsne import (
    affinities,
    conditional_probabilities,
    kl_divergence,
    kl_gradient,
    low_dimensional_affinities,
    row_perplexities,
    squared_distances,
    tsne,
)


def digits(n: int) -> Tensor:
    return torch.tensor(load_digits(return_X_y=True)[0][:n])


def their_conditional(D: np.ndarray, perplexity: float) -> Tensor:
    return torch.tensor(np.asarray(_utils._binary_search_perplexity(D.astype(np.float32), perplexity, 0)))


def their_P(D: np.ndarray, perplexity: float) -> Tensor:
    return torch.tensor(squareform(_t_sne._joint_probabilities(D, perplexity, 0)))


@pytest.mark.parametrize("perplexity", [5, 30])
def test_scikit_learn_has_the_same_p(perplexity: float) -> None:
    X = digits(200)
    ours, theirs = affinities(X, perplexity), their_P(squared_distances(X).numpy(), perplexity)
    assert (ours - theirs).abs().max() < 1e-4 * theirs.max()  # it stops at 1e-5 of the entropy


def test_scikit_learn_has_the_same_divergence_and_gradient() -> None:
    P = affinities(digits(120), 20.0)
    Y = torch.randn(120, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    kl, gradient = _t_sne._kl_divergence(Y.numpy().ravel(), squareform(P.numpy(), checks=False), 1, 120, 2)
    ours = kl_gradient(P, Y)
    assert abs(kl_divergence(P, low_dimensional_affinities(Y)) - kl) < 1e-10
    assert (ours - torch.tensor(gradient).view(-1, 2)).abs().max() < 1e-10 * ours.abs().max()


def test_divergence_of_300_digits_is_within_5_percent_of_scikit_learns() -> None:
    X = digits(300)
    P = affinities(X, 30.0)
    theirs = torch.tensor(TSNE(perplexity=30, random_state=0, n_jobs=1).fit_transform(X.numpy())).double()
    ours = tsne(X.float(), perplexity=30).double()
    limit = 1.05 * kl_divergence(P, low_dimensional_affinities(theirs))
    assert kl_divergence(P, low_dimensional_affinities(ours)) <= limit


def test_far_outlier_has_not_its_perplexity_in_scikit_learn_and_has_it_in_ours() -> None:
    X = torch.randn(61, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    X[0] += 1e8
    D = squared_distances(X)
    theirs, ours = their_conditional(D.numpy(), 10), conditional_probabilities(D, 10)
    assert abs(row_perplexities(theirs.double())[0] - 10) > 5
    assert (row_perplexities(ours) - 10).abs().max() < 1e-3


def test_large_offset_spoils_scikit_learns_distances_and_not_ours() -> None:
    X = torch.randn(60, 5, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    moved = X + 1e8
    expected = affinities(X, 10.0)
    theirs = their_P(euclidean_distances(moved.numpy(), squared=True), 10)
    assert (theirs - expected).abs().max() > 0.1 * expected.max()
    assert (affinities(moved, 10.0) - expected).abs().max() < 1e-6 * expected.max()
