"""t-SNE (van der Maaten & Hinton 2008): points in the plane whose neighbours are those of the feature space."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cnnviz.shapes import Features
from cnnviz_ref._mechanism import check_whole, without_autocast
from cnnviz_ref.tsne_parts import CHUNK, check_perplexity, wide
from cnnviz_ref.tsne_parts import conditional_probabilities as conditional_probabilities
from cnnviz_ref.tsne_parts import joint_probabilities as joint_probabilities
from cnnviz_ref.tsne_parts import kl_divergence as kl_divergence
from cnnviz_ref.tsne_parts import kl_gradient as kl_gradient
from cnnviz_ref.tsne_parts import low_dimensional_affinities as low_dimensional_affinities
from cnnviz_ref.tsne_parts import row_perplexities as row_perplexities
from cnnviz_ref.tsne_parts import squared_distances as squared_distances
from cnnviz_ref.tsne_parts import student_weights as student_weights

EXAGGERATION = 12.0
EXAGGERATED_STEPS = 250
START = 1e-2
"""Standard deviation of the points at the start."""


@dataclass(frozen=True)
class Phase:
    """How one step is made."""

    exaggeration: float
    """Factor on P, so that clusters form before they spread."""
    momentum: float
    """Share of the last step that is kept."""
    lr: float
    """Step size before the gains."""


def tsne(features: Features, *, perplexity: float = 30.0, steps: int = 500, seed: int = 0) -> Tensor:
    r"""Points in the plane that keep their neighbours: near where the features are near.

    Formula:
        $Y = \arg\min_Y KL(P \Vert Q)$, where $p_{ij} = \frac{p_{j|i} + p_{i|j}}{2N}$ are Gaussian affinities of the
        features, each row as wide as the perplexity asks, and
        $q_{ij} \propto (1 + \lVert y_i - y_j \rVert^2)^{-1}$ those of the points. Exact descent with momentum .5, then
        .8, and a gain for each coordinate. In the first quarter of the steps, at most 250, P is multiplied by 12; the
        step size is $N / 4$ over that factor.

    Args:
        features: Floats `[N D]`, one row for each sample.
        perplexity: Effective number of neighbours of a sample, from 1 to N - 1.
        steps: Steps of gradient descent.
        seed: Of the faint noise from which the descent starts.

    Returns:
        `[N 2]` of the features' dtype on their device, centred. Only neighbourhoods have a meaning: neither the
        axes nor the sizes of clusters nor the gaps between them.

    Raises:
        ValueError: An argument does not fit; the sentence says which and what is allowed.

    Paper: van der Maaten, Hinton, "Visualizing Data using t-SNE", 2008.

    >>> import torch
    >>> two_groups = torch.tensor([[0.0], [1.0], [2.0], [100.0], [101.0], [102.0]])
    >>> Y = tsne(two_groups, perplexity=2)
    >>> squared_distances(Y).topk(3, largest=False).indices.sort().values.tolist()
    [[0, 1, 2], [0, 1, 2], [0, 1, 2], [3, 4, 5], [3, 4, 5], [3, 4, 5]]
    """
    check_features(features)
    check_perplexity(perplexity, len(features))
    check_whole("steps", steps, "try 500")
    with torch.inference_mode(False), torch.no_grad(), without_autocast(features.device.type):
        P = affinities(features, perplexity)
        return descend(P, starting_points(P, seed), steps)


def affinities(features: Features, perplexity: float) -> Tensor:
    """P of the features, `[N D] -> [N N]`, bisected in float64 whatever the dtype.

    P does not depend on the features' unit, so they are scaled such that no distance overflows.
    """
    X = wide(features.detach())
    X = X / X.abs().amax().clamp(min=torch.finfo(X.dtype).tiny)
    return joint_probabilities(conditional_probabilities(squared_distances(X), perplexity)).to(features.dtype)


def starting_points(P: Tensor, seed: int) -> Tensor:
    """Faint seeded noise `[N 2]` of P's dtype on its device; the same on every device."""
    noise = torch.randn(len(P), 2, generator=torch.Generator().manual_seed(seed), dtype=torch.float64, device="cpu")
    return (START * noise).to(P.device, P.dtype)


def descend(P: Tensor, Y: Tensor, steps: int) -> Tensor:
    """The points after so many steps from `Y`: `[N N], [N 2] -> [N 2]`.

    Exaggeration draws few or unclustered points into one, to 1e-24 and onto a line; the start, added again when it
    ends, frees them, and is nothing beside points that have spread.
    """
    start, velocity, gains = Y, torch.zeros_like(Y), torch.ones_like(Y)
    for step in range(steps):
        if 0 < step == exaggerated_steps(steps):
            Y = Y + start
        now = phase(step, steps, len(P))
        g = exaggerated_gradient(P, Y, now.exaggeration)
        gains = torch.where(g * velocity < 0, gains + 0.2, gains * 0.8).clamp_(min=0.01)
        velocity = now.momentum * velocity - now.lr * gains * g
        Y = Y + velocity
        Y = Y - Y.mean(dim=0)
    return Y


def phase(step: int, steps: int, N: int) -> Phase:
    """How step number `step`, from 0, is made for `N` points.

    >>> phase(0, 500, 1200), phase(125, 500, 1200)
    (Phase(exaggeration=12.0, momentum=0.5, lr=25.0), Phase(exaggeration=1.0, momentum=0.8, lr=300.0))
    """
    early = step < exaggerated_steps(steps)
    exaggeration = EXAGGERATION if early else 1.0
    # attraction alone would move a point by 4 * lr * exaggeration / N of its way: all of it at this lr
    return Phase(exaggeration, momentum=0.5 if early else 0.8, lr=N / (4 * exaggeration))


def exaggerated_steps(steps: int) -> int:
    """The first quarter of the steps, at most 250."""
    return min(steps // 4, EXAGGERATED_STEPS)


def exaggerated_gradient(P: Tensor, Y: Tensor, exaggeration: float = 1.0) -> Tensor:
    r"""`kl_gradient` of the exaggerated P, in blocks of rows that fit a cache, never an array `[N N]` beside P.

    With $w_{ij} = (1 + \lVert y_i - y_j \rVert^2)^{-1}$ and $Z$ their sum, $q_{ij} = w_{ij} / Z$ and the gradient is
    $4 \sum_j p_{ij} w_{ij} (y_i - y_j) - \frac{4}{Z} \sum_j w_{ij}^2 (y_i - y_j)$: one pass, Z is known after it.
    """
    N, rows = len(Y), max(1, (CHUNK if Y.device.type == "cpu" else 2**24) // len(Y))
    y0, y1 = Y.T.contiguous()
    ones = torch.stack([y0, y1, torch.ones_like(y0)])  # a product with w gives sum_j w_ij y_j and sum_j w_ij at once
    attraction, repulsion, Z = torch.empty_like(ones), torch.empty_like(ones), Y.new_zeros(())
    blocks = Y.new_empty(2, min(rows, N), N)
    for start in range(0, N, rows):
        part = slice(start, start + rows)
        w, other = blocks[:, : len(y0[part])]
        torch.sub(y0[part, None], y0, out=w).square_()
        torch.sub(y1[part, None], y1, out=other)
        w.addcmul_(other, other).add_(1).reciprocal_()
        Z += w.sum()
        attraction[:, part] = ones @ torch.mul(P[part], w, out=other).T
        repulsion[:, part] = ones @ w.square_().T
    M = exaggeration * attraction - repulsion / (Z - N)  # every w_ii is 1 and moves nothing, but is not in Z
    return 4 * (M[2] * ones[:2] - M[:2]).T


def check_features(features: object) -> None:
    """Finite floats `[N D]`, N from 2, or a ValueError that says which is not so."""
    if not isinstance(features, Tensor):
        kind = type(features).__name__
        raise ValueError(f"features: got {kind}, needs a tensor [N D]; convert with torch.as_tensor.")
    if features.ndim != 2 or len(features) < 2 or not features.numel():
        got = list(features.shape)
        raise ValueError(f"features: got shape {got}, needs [N D] with N from 2; flatten what is not a row per sample.")
    if not features.is_floating_point():
        raise ValueError(f"features: got {features.dtype}, needs floats; convert with features.float().")
    if not torch.isfinite(features).all():
        raise ValueError("features: got NaN or infinity, needs finite values; drop or repair those rows.")
