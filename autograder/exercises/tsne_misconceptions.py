"""Wrong answers of lesson 3, t-SNE: the distances among the features, and Q of the plane."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.records import Misconception


def differences(points: Tensor) -> Tensor:
    """x_i - x_j [N N D]."""
    return points[:, None] - points[None]


def squares(points: Tensor) -> Tensor:
    """d_ij [N N]."""
    return differences(points).square().sum(2)


def eye(square: Tensor) -> Tensor:
    """The diagonal of an [N N], as booleans."""
    return torch.eye(len(square), dtype=torch.bool, device=square.device)


def off_diagonal(square: Tensor) -> Tensor:
    """The same with a zero diagonal."""
    return square.masked_fill(eye(square), 0)


def share(weights: Tensor) -> Tensor:
    """Each row divided by its sum."""
    return weights / weights.sum(1, keepdim=True)


# 1. squared_distances(X) -> d


def _standardised(X):
    return squares((X - X.mean(0)) / X.std(0))


def _one_norm(X):
    norms = X.square().sum(1, keepdim=True)
    return 2 * norms - 2 * X @ X.T


def _half_cross_term(X):
    norms = X.square().sum(1)
    return norms[:, None] + norms[None] - X @ X.T


DISTANCES = (
    Misconception(
        "root_taken",
        lambda X: squares(X).sqrt(),
        "You took the square root at the end: that is ‖x_i - x_j‖. d_ij is its square, the plain sum of the squared "
        "differences.",
    ),
    Misconception(
        "mean_for_sum",
        lambda X: differences(X).square().mean(2),
        "You averaged the squared differences over the D columns; d_ij is their sum.",
    ),
    Misconception(
        "absolute_differences",
        lambda X: differences(X).abs().sum(2),
        "You summed |x_ik - x_jk| over the columns k. d_ij sums the squares (x_ik - x_jk)².",
    ),
    Misconception(
        "square_of_sum",
        lambda X: differences(X).sum(2).square(),
        "You summed the differences over k and squared the sum, so that they cancel each other. Square each one first.",
    ),
    Misconception(
        "largest_difference",
        lambda X: differences(X).square().amax(2),
        "You took the largest squared difference over the columns k. d_ij is the sum of all of them.",
    ),
    Misconception(
        "half_cross_term",
        _half_cross_term,
        "A factor 2 is missing: ‖x_i - x_j‖² = ‖x_i‖² + ‖x_j‖² - 2 x_i·x_j. You can see it on your diagonal, which is "
        "not 0.",
    ),
    Misconception(
        "one_norm_twice",
        _one_norm,
        "You counted ‖x_i‖² twice. One of the two norms is that of x_j: make one a column [N 1] and the other a row "
        "[1 N].",
    ),
    Misconception(
        "dot_products",
        lambda X: X @ X.T,
        "You returned the dot products x_i·x_j, which grow when points are alike. d_ij is 0 for a point and itself.",
    ),
    Misconception(
        "cosine",
        lambda X: 1 - F.cosine_similarity(X[:, None], X[None], dim=2),
        "You returned 1 minus the cosine, which forgets how long x_i and x_j are. d_ij is the squared length of "
        "x_i - x_j.",
    ),
    Misconception(
        "between_columns",
        lambda X: squares(X.T),
        "You compared the D columns with each other. The N rows of features are the points: d is [N N].",
    ),
    Misconception(
        "standardised",
        _standardised,
        "You scaled every column to mean 0 and deviation 1 first. d_ij takes the features as they are.",
    ),
    Misconception(
        "upper_half",
        lambda X: squares(X).triu(),
        "You filled only one half of the table, j > i. d_ij = d_ji: fill both halves.",
    ),
    Misconception(
        "halved",
        lambda X: squares(X) / 2,
        "You halved every d_ij. Each is the whole sum Σ_k (x_ik - x_jk)².",
    ),
)


# 3. low_dimensional_affinities(Y) -> Q


def student(distances: Tensor) -> Tensor:
    """(1 + d)^-1, 0 on the diagonal."""
    return off_diagonal(1 / (1 + distances))


def _over_all(weights: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Q with `weights(squared distances)` in place of Student's t."""

    def wrong(Y):
        w = off_diagonal(weights(squares(Y)))
        return w / w.sum()

    return wrong


def row_normalised(Y: Tensor) -> Tensor:
    """Each row of Q sums to 1."""
    return share(student(squares(Y)))


def _diagonal_everywhere(Y):
    w = 1 / (1 + squares(Y))
    return w / w.sum()


def _diagonal_in_sum(Y):
    w = 1 / (1 + squares(Y))
    return off_diagonal(w) / w.sum()


def _equal_left_out(Y):
    w = student(squares(Y)).masked_fill(squares(Y) == 0, 0)
    return w / w.sum()


AFFINITIES = (
    Misconception(
        "equal_points_left_out",
        _equal_left_out,
        "You left out all pairs at distance 0. Two points that are equal are a pair like any other, of weight 1: only "
        "i = j is left out.",
    ),
    Misconception(
        "epsilon_in_sum",
        lambda Y: student(squares(Y)) / (student(squares(Y)).sum() + 1e-8),
        "You added a small number to the sum below. Where all points are far apart the sum itself is as small, and Q "
        "no longer sums to 1: divide by the sum alone.",
    ),
    Misconception(
        "gaussian",
        _over_all(lambda d: torch.exp(-d)),
        "You used exp(-‖y_i - y_j‖²): that is SNE, the method before t-SNE. In the plane the kernel is "
        "1 / (1 + ‖y_i - y_j‖²), whose tail is heavy.",
    ),
    Misconception(
        "half_gaussian",
        _over_all(lambda d: torch.exp(-d / 2)),
        "You used exp(-‖y_i - y_j‖² / 2). In the plane the kernel is 1 / (1 + ‖y_i - y_j‖²), whose tail is heavy.",
    ),
    Misconception(
        "rows_sum_to_one",
        row_normalised,
        "You divided each row by its own sum. q_ij is divided by one sum over all pairs k ≠ l, so that Q as a whole "
        "sums to 1.",
    ),
    Misconception(
        "gaussian_rows",
        lambda Y: share(off_diagonal(torch.exp(-squares(Y)))),
        "You took a Gaussian and divided each row by its own sum, as for p_j|i. q_ij takes 1 / (1 + ‖y_i - y_j‖²) and "
        "one sum over all pairs.",
    ),
    Misconception(
        "diagonal_kept",
        _diagonal_everywhere,
        "You kept i = j: a point is at distance 0 from itself and gets the largest weight, 1. q_ii is 0, and the sum "
        "over k ≠ l leaves the diagonal out.",
    ),
    Misconception(
        "diagonal_in_sum",
        _diagonal_in_sum,
        "Your q_ii are 0, but the sum below still has the N ones of the diagonal. Set the diagonal to 0 before you "
        "sum.",
    ),
    Misconception(
        "not_normalised",
        lambda Y: student(squares(Y)),
        "These are the weights 1 / (1 + ‖y_i - y_j‖²). Divide them by their sum over all pairs, so that Q sums to 1.",
    ),
    Misconception(
        "distance_not_squared",
        _over_all(lambda d: 1 / (1 + d.sqrt())),
        "You used 1 / (1 + ‖y_i - y_j‖). The distance is squared: 1 / (1 + ‖y_i - y_j‖²).",
    ),
    Misconception(
        "weight_squared",
        _over_all(lambda d: 1 / (1 + d).square()),
        "You squared 1 / (1 + ‖y_i - y_j‖²). The exponent is -1.",
    ),
    Misconception(
        "squared_twice",
        _over_all(lambda d: 1 / (1 + d.square())),
        "You squared the distance twice: 1 / (1 + ‖y_i - y_j‖⁴). squared_distances already gives ‖y_i - y_j‖².",
    ),
    Misconception(
        "one_missing",
        _over_all(lambda d: 1 / d.masked_fill(eye(d), 1)),
        "The 1 below is missing: you used 1 / ‖y_i - y_j‖², which grows without bound when two points meet. It is "
        "1 / (1 + ‖y_i - y_j‖²).",
    ),
    Misconception(
        "not_inverted",
        _over_all(lambda d: 1 + d),
        "You did not take the inverse: far pairs get the most weight. The exponent is -1: 1 / (1 + ‖y_i - y_j‖²).",
    ),
    Misconception(
        "half_the_sum",
        lambda Y: 2 * student(squares(Y)) / student(squares(Y)).sum(),
        "You summed each pair once, k < l, so that Q sums to 2. The sum runs over k ≠ l: every pair counts twice.",
    ),
    Misconception(
        "over_maximum",
        lambda Y: student(squares(Y)) / student(squares(Y)).max(),
        "You divided by the largest weight. q_ij is divided by the sum of all weights, so that Q sums to 1.",
    ),
)
