"""The parts of t-SNE (van der Maaten & Hinton 2008): distances, P by bisection, Q, their divergence and its gradient.

`D` and `P` are `[N N]`, `Y` is `[N 2]`; every diagonal of P and Q is zero. All but the bisection are differentiable.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from cnnviz.shapes import Features

BISECTIONS = 50
WIDEST = 1020.0
"""Bisection looks for log2 of the precision between -WIDEST and WIDEST: all that a float64 holds."""
FAR = 750.0
"""exp(-FAR) is 0 in float64; larger exponents would only make 0 * infinity."""
CHUNK = 2**16
"""Entries of a block of rows: two or three such blocks stay in a core's cache."""


def squared_distances(X: Features) -> Tensor:
    r"""$D_{ij} = \lVert x_i - x_j \rVert^2$ from the differences, so that a common offset does not matter.

    >>> import torch
    >>> squared_distances(torch.tensor([[0.0, 0.0], [3.0, 4.0]]))
    tensor([[ 0., 25.],
            [25.,  0.]])
    """
    return torch.cdist(X, X, compute_mode="donot_use_mm_for_euclid_dist").square()


def conditional_probabilities(D: Tensor, perplexity: float) -> Tensor:
    r"""How likely point i would choose j as its neighbour: each row a Gaussian as wide as the perplexity asks.

    Formula:
        $p_{j|i} = \frac{\exp(-\beta_i D_{ij})}{\sum_{k \neq i} \exp(-\beta_i D_{ik})}$, $p_{i|i} = 0$, where the
        precision $\beta_i = 1 / 2\sigma_i^2$ is bisected until $2^{H(P_i)}$ is the perplexity; entropy in bits,
        $H(P_i) = -\sum_j p_{j|i} \log_2 p_{j|i}$.

    Args:
        D: Squared distances `[N N]`; the diagonal is not looked at.
        perplexity: Effective number of neighbours, from 1 to N - 1. Where more points than that tie for the nearest,
            no precision reaches it, and the row is uniform over them.

    Returns:
        `[N N]` of D's dtype, detached; rows sum to 1; not symmetric.

    Raises:
        ValueError: `D` is not square, finite and not negative, or the perplexity is out of range.

    Paper: van der Maaten, Hinton, "Visualizing Data using t-SNE", 2008, section 2.

    >>> import torch
    >>> D = torch.tensor([[0.0, 1.0, 1.0], [1.0, 0.0, 9.0], [1.0, 9.0, 0.0]])
    >>> P = conditional_probabilities(D, 1.5)
    >>> P[0], row_perplexities(P)[1:]  # the first point's neighbours tie
    (tensor([0.0000, 0.5000, 0.5000]), tensor([1.5000, 1.5000]))
    """
    check_distances(D)
    check_perplexity(perplexity, len(D))
    P = torch.empty_like(D, requires_grad=False)
    rows = max(1, CHUNK // len(D))
    with torch.no_grad():
        for start in range(0, len(D), rows):
            P[start : start + rows] = _bisected_rows(D, start, start + rows, perplexity)
    return P


def _bisected_rows(D: Tensor, start: int, stop: int, perplexity: float) -> Tensor:
    """Rows of $p_{j|i}$; taking each row's least distance off changes no probability and lets none overflow."""
    d = wide(D[start:stop]).clone()
    d.diagonal(start).fill_(math.inf)
    d -= d.amin(dim=1, keepdim=True)
    low = d.new_full((len(d), 1), -WIDEST)
    high = -low
    for _ in range(BISECTIONS):
        middle = (low + high) / 2
        too_wide = _entropy(d, middle) > math.log2(perplexity)
        low, high = torch.where(too_wide, middle, low), torch.where(too_wide, high, middle)
    weights = torch.exp(-_exponents(d, (low + high) / 2))
    return weights / weights.sum(dim=1, keepdim=True)


def _exponents(d: Tensor, log2_precision: Tensor) -> Tensor:
    return (d * torch.exp2(log2_precision)).clamp_(max=FAR)


def _entropy(d: Tensor, log2_precision: Tensor) -> Tensor:
    """H in bits of each row: `log2 Z + sum_j p_j x_j / ln 2` for exponents x."""
    x = _exponents(d, log2_precision)
    weights = torch.exp(-x)
    Z = weights.sum(dim=1, keepdim=True)
    return (Z.log() + x.mul_(weights).sum(dim=1, keepdim=True) / Z) / math.log(2)


def row_perplexities(conditional: Tensor) -> Tensor:
    r"""$2^{H(P_i)}$ of each row, with $0 \log 0 = 0$: `[N N] -> [N]`.

    >>> import torch
    >>> row_perplexities(torch.tensor([[0.0, 0.5, 0.25, 0.25]]))  # 1.5 bits
    tensor([2.8284])
    """
    return torch.exp2(-(conditional * _log(conditional)).sum(dim=1) / math.log(2))


def joint_probabilities(conditional: Tensor) -> Tensor:
    r"""$p_{ij} = \frac{p_{j|i} + p_{i|j}}{2N}$: symmetric, sums to 1, and no outlier is without weight.

    >>> import torch
    >>> joint_probabilities(torch.tensor([[0.0, 1.0, 0.0], [0.5, 0.0, 0.5], [0.0, 1.0, 0.0]]))
    tensor([[0.0000, 0.2500, 0.0000],
            [0.2500, 0.0000, 0.2500],
            [0.0000, 0.2500, 0.0000]])
    """
    return (conditional + conditional.T) / (2 * len(conditional))


def student_weights(Y: Tensor) -> Tensor:
    r"""$\left(1 + \lVert y_i - y_j \rVert^2\right)^{-1}$, Student's t with one degree of freedom, 0 on the diagonal."""
    return (1 / (1 + squared_distances(Y))) * (1 - torch.eye(len(Y), dtype=Y.dtype, device=Y.device))


def low_dimensional_affinities(Y: Tensor) -> Tensor:
    r"""$q_{ij} = \frac{(1 + \lVert y_i - y_j \rVert^2)^{-1}}{\sum_{k \neq l} (1 + \lVert y_k - y_l \rVert^2)^{-1}}$.

    >>> import torch
    >>> low_dimensional_affinities(torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]))  # weights 1/2, 1/2, 1/5
    tensor([[0.0000, 0.2083, 0.2083],
            [0.2083, 0.0000, 0.0833],
            [0.2083, 0.0833, 0.0000]])
    """
    weights = student_weights(Y)
    return weights / weights.sum()


def kl_divergence(P: Tensor, Q: Tensor) -> Tensor:
    r"""$KL(P \Vert Q) = \sum_{i \neq j} p_{ij} \ln \frac{p_{ij}}{q_{ij}}$ in nats, with $0 \ln 0 = 0$: a scalar.

    >>> import torch
    >>> kl_divergence(torch.tensor([[0.0, 0.5], [0.5, 0.0]]), torch.tensor([[0.0, 0.25], [0.75, 0.0]]))
    tensor(0.1438)
    """
    return (P * (_log(P) - _log(torch.where(P > 0, Q, torch.ones_like(Q))))).sum()


def kl_gradient(P: Tensor, Y: Tensor) -> Tensor:
    r"""Computes the gradient of the divergence with respect to each point: `[N N], [N 2] -> [N 2]`.

    Formula:
        $\frac{\partial C}{\partial y_i} = 4 \sum_j (p_{ij} - q_{ij}) (y_i - y_j) (1 + \lVert y_i - y_j \rVert^2)^{-1}$
        for a symmetric P that sums to 1.

    >>> import torch
    >>> P = torch.tensor([[0.0, 0.5, 0.0], [0.5, 0.0, 0.0], [0.0, 0.0, 0.0]])
    >>> kl_gradient(P, torch.tensor([[0.0, 0.0], [1.0, 0.0], [-1.0, 0.0]]))[:, 0]
    tensor([-1.0000,  0.4500,  0.5500])
    """
    weights = student_weights(Y)
    M = (P - weights / weights.sum()) * weights
    return 4 * (M.sum(dim=1, keepdim=True) * Y - M @ Y)


def _log(P: Tensor) -> Tensor:
    """ln, and 0 where P is 0, for which a factor P stands outside."""
    return torch.where(P > 0, P, torch.ones_like(P)).log()


def wide(X: Tensor) -> Tensor:
    """Float64; float32 on a device that has no float64."""
    return X.to(torch.float32 if X.device.type == "mps" else torch.float64)


def check_distances(D: object) -> None:
    """Finite floats `[N N]` from 0 and N from 2, or a ValueError."""
    if not isinstance(D, Tensor) or not D.is_floating_point():
        got = D.dtype if isinstance(D, Tensor) else type(D).__name__
        raise ValueError(f"D: got {got}, needs a float tensor [N N]; use squared_distances.")
    if D.ndim != 2 or D.shape[0] != D.shape[1] or len(D) < 2:
        raise ValueError(f"D: got shape {list(D.shape)}, needs [N N] with N from 2; use squared_distances.")
    if not torch.isfinite(D).all() or (D < 0).any():
        raise ValueError("D: got NaN, infinity or a negative number, needs squared distances; use squared_distances.")


def check_perplexity(perplexity: object, N: int) -> None:
    """A number from 1 to N - 1, or a ValueError."""
    if not isinstance(perplexity, int | float) or not 1 <= perplexity <= N - 1:
        raise ValueError(
            f"perplexity: got {perplexity!r}, but each of {N} samples has {N - 1} neighbours; choose from 1 to {N - 1}."
        )
