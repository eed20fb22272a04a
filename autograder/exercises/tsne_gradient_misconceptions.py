"""Wrong answers of lesson 3, t-SNE, on the divergence and its gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.tsne_misconceptions import differences, row_normalised, squares, student
from autograder.records import Misconception


def affinities(Y: Tensor) -> Tensor:
    """Q of the points."""
    w = student(squares(Y))
    return w / w.sum()


def divergence(P: Tensor, Q: Tensor) -> Tensor:
    """Σ p ln(p/q), with 0 ln 0 = 0."""
    return (torch.special.xlogy(P, P) - torch.special.xlogy(P, Q)).sum()


def gradient(P: Tensor, Y: Tensor, Q: Tensor | None = None, *, power: int = 1, factor: float = 4) -> Tensor:
    """factor · Σ_j (p_ij - q_ij) (y_i - y_j) w_ij^power."""
    Q = affinities(Y) if Q is None else Q
    M = (P - Q) * student(squares(Y)) ** power
    return factor * (M[..., None] * differences(Y)).sum(1)


def _cost(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """`change(P, Q)` for C, and the right gradient."""
    return lambda P, Y: (change(P, affinities(Y)), gradient(P, Y))


def _slope(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """The right C, and `change(P, Y)` for its gradient."""
    return lambda P, Y: (divergence(P, affinities(Y)), change(P, Y))


def _diagonal_in_sum(P, Y):
    w = 1 / (1 + squares(Y))
    return gradient(P, Y, student(squares(Y)) / w.sum())


def _equal_left_out(P, Y):
    w = student(squares(Y)).masked_fill(squares(Y) == 0, 0)
    return divergence(P, affinities(Y)), gradient(P, Y, w / w.sum())


def _by_autograd(P, Y):
    with torch.enable_grad():
        leaf = Y.detach().clone().requires_grad_()
        w = 1 / (1 + squares(leaf)) * (1 - torch.eye(len(Y), dtype=Y.dtype, device=Y.device))
        Q = w / w.sum()
        C = (torch.special.xlogy(P, P) - torch.special.xlogy(P, torch.where(P > 0, Q, 1.0))).sum()
        return torch.autograd.grad(C, leaf)[0]


GRADIENT = (
    Misconception(
        "zero_log_zero",
        _cost(lambda P, Q: (P * (P / Q).log()).sum()),
        "C is not a number: where p_ij is 0, as on the diagonal, 0 · ln 0 gives NaN in code. Such a pair adds 0 to C: "
        "leave it out of the sum.",
    ),
    Misconception(
        "epsilon_in_logarithm",
        _cost(lambda P, Q: torch.special.xlogy(P, (P + 1e-6) / (Q + 1e-6)).sum()),
        "You added a small number inside the logarithm. For a point far from all others q_ij is as small, and C comes "
        "out wrong: leave out the pairs of p_ij = 0 instead.",
    ),
    Misconception(
        "kl_reversed",
        _cost(lambda P, Q: torch.where(P > 0, Q * (Q / P).log(), 0.0).sum()),
        "You computed KL(Q‖P). The divergence is weighted by p_ij: C = Σ p_ij ln(p_ij / q_ij).",
    ),
    Misconception(
        "cross_entropy",
        _cost(lambda P, Q: -torch.special.xlogy(P, Q).sum()),
        "You computed -Σ p_ij ln q_ij. C also has + Σ p_ij ln p_ij: without it C is not 0 where Q equals P.",
    ),
    Misconception(
        "kl_in_bits",
        _cost(lambda P, Q: divergence(P, Q) / torch.log(torch.tensor(2.0, dtype=P.dtype))),
        "You used log2 in C. C has the natural logarithm, to which the factor 4 of the gradient belongs. Bits are only "
        "in the entropy of the perplexity.",
    ),
    Misconception(
        "kl_sign",
        _cost(lambda P, Q: -divergence(P, Q)),
        "Your C has the wrong sign: it is ln(p_ij / q_ij), not ln(q_ij / p_ij).",
    ),
    Misconception(
        "kl_mean",
        _cost(lambda P, Q: divergence(P, Q) / P.numel()),
        "You averaged over the N² pairs. C is the sum over all pairs i ≠ j.",
    ),
    Misconception(
        "kl_of_rows",
        _cost(lambda P, Q: (torch.special.xlogy(P, P) - torch.special.xlogy(P, Q)).sum(1)),
        "You summed over j alone and got one number for each point. C is a single number: sum over i and j.",
    ),
    Misconception(
        "uphill_sign",
        _slope(lambda P, Y: -gradient(P, Y)),
        "Your gradient has the wrong sign. It is p_ij - q_ij times y_i - y_j; if one of them is turned round, so is "
        "everything. (The minus of the descent comes later.)",
    ),
    Misconception(
        "factor_missing",
        _slope(lambda P, Y: gradient(P, Y, factor=1)),
        "The factor 4 is missing. A 2 comes from the square of the distance, and another 2 because each pair stands "
        "in C twice, as ij and as ji.",
    ),
    Misconception(
        "factor_two",
        _slope(lambda P, Y: gradient(P, Y, factor=2)),
        "You have the factor 2 where 4 belongs: one 2 comes from the square of the distance, another because each pair "
        "stands in C twice, as ij and as ji.",
    ),
    Misconception(
        "weight_missing",
        _slope(lambda P, Y: gradient(P, Y, power=0)),
        "You left out (1 + ‖y_i - y_j‖²)⁻¹. Without it, this is the gradient for a Gaussian Q, and far pairs pull much "
        "too hard.",
    ),
    Misconception(
        "weight_squared",
        _slope(lambda P, Y: gradient(P, Y, power=2)),
        "You multiplied by (1 + ‖y_i - y_j‖²)⁻¹ twice. It stands in the sum once, beside p_ij - q_ij.",
    ),
    Misconception(
        "attraction_only",
        _slope(lambda P, Y: gradient(P, Y, torch.zeros_like(P))),
        "You left out q_ij: the points only attract each other, and would all end in one place. The sum has "
        "p_ij - q_ij.",
    ),
    Misconception(
        "affinities_of_rows",
        _slope(lambda P, Y: gradient(P, Y, row_normalised(Y))),
        "You used a Q whose rows sum to 1. q_ij is divided by one sum over all pairs.",
    ),
    Misconception(
        "weights_for_q",
        _slope(lambda P, Y: gradient(P, Y, student(squares(Y)))),
        "You subtracted (1 + ‖y_i - y_j‖²)⁻¹ from p_ij. Divide it by its sum over all pairs first: that is q_ij.",
    ),
    Misconception(
        "diagonal_in_sum",
        _slope(_diagonal_in_sum),
        "The sum below q_ij still has the N ones of the diagonal. Set the diagonal to 0 before you sum.",
    ),
    Misconception(
        "equal_points_left_out",
        _equal_left_out,
        "You left out of Q all pairs at distance 0. Two points that are equal are a pair like any other: only i = j is "
        "left out.",
    ),
    Misconception(
        "mean_over_j",
        _slope(lambda P, Y: gradient(P, Y) / len(Y)),
        "You averaged over j: the gradient is N times too small. It sums over j.",
    ),
    Misconception(
        "autograd_of_kl",
        _slope(_by_autograd),
        "You let autograd differentiate C. That agrees with the formula only while P sums to 1, and one P here is "
        "exaggerated, as in the descent. Write the sum over j out.",
    ),
    Misconception(
        "p_rescaled",
        _slope(lambda P, Y: gradient(P / P.sum(), Y)),
        "You divided P by its sum. An exaggerated P is meant to pull harder: take p_ij as it comes.",
    ),
    Misconception(
        "swapped_outputs",
        lambda P, Y: (gradient(P, Y), divergence(P, affinities(Y))),
        "The two results are in the other order: return (C, ∂C/∂Y), first the number, then [N 2].",
    ),
)
