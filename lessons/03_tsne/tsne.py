# made by `cnnviz build` from solutions/03_tsne/tsne.md; the functions and answers are yours to write
"""t-SNE: write the functions, then run `pytest lessons/03_tsne` or `cnnviz check 03_tsne`."""

import math

import torch
from torch import Tensor

five_others = None  # a number, at most 0.05 from the right one


def squared_distances(X: Tensor) -> Tensor:
    """How far each pair of points is apart, squared: d_ij = ‖x_i - x_j‖² = Σ_k (x_ik - x_jk)².

    Args:
        X: features [N D], one row for each point.

    Returns:
        d [N N]: symmetric, 0 on the diagonal.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("tsne.squared_distances is not written yet")


def joint_probabilities(distances: Tensor, perplexity: float) -> tuple[Tensor, Tensor]:
    """The probability that each point picks each other as its neighbour, and the probability of each pair.

    p_j|i = exp(-β_i d_ij) / Σ_(k≠i) exp(-β_i d_ik), where β_i is bisected until 2^H(P_i) is the perplexity;
    p_ij = (p_j|i + p_i|j) / 2N.

    Args:
        distances: d [N N], squared; the diagonal is 0. Points may be equal, and one may lie far from all others.
        perplexity: how many neighbours each point has, between 1 and N - 1.

    Returns:
        p_j|i [N N], row i for the choice of point i, each row summing to 1; and P [N N]. Both have a zero diagonal.

    About 12 lines.
    """
    # Your code here: about 12 lines.
    raise NotImplementedError("tsne.joint_probabilities is not written yet")


def low_dimensional_affinities(Y: Tensor) -> Tensor:
    """Probability of each pair in the plane: q_ij = (1 + ‖y_i - y_j‖²)^-1 / Σ_(k≠l) (1 + ‖y_k - y_l‖²)^-1.

    Args:
        Y: points [N 2].

    Returns:
        Q [N N]: symmetric, 0 on the diagonal, all entries together 1.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("tsne.low_dimensional_affinities is not written yet")


def kl_and_gradient(P: Tensor, Y: Tensor) -> tuple[Tensor, Tensor]:
    """How much P and Q differ, and the gradient of that with respect to each point.

    C = Σ_(i≠j) p_ij ln(p_ij / q_ij);  ∂C/∂y_i = 4 Σ_j (p_ij - q_ij) (y_i - y_j) (1 + ‖y_i - y_j‖²)^-1.

    Args:
        P: [N N], symmetric, 0 on the diagonal and perhaps elsewhere; it may be exaggerated.
        Y: points [N 2].

    Returns:
        C, one number: a tensor without axes, of shape [], or a float; and ∂C/∂Y [N 2].

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("tsne.kl_and_gradient is not written yet")


def descend(P: Tensor, start: Tensor, *, steps: int, lr: float, momentum: float) -> Tensor:
    """The way downhill: V ← μV - η ∂C/∂Y, then Y ← Y + V, beginning with V = 0.

    Args:
        P: [N N]; it may be exaggerated.
        start: Y_0 [N 2].
        steps: T, how many steps.
        lr: η, the step size.
        momentum: μ, the share of the last step that is kept.

    Returns:
        The path Y_0, Y_1, ..., Y_T: [T+1 N 2].

    About 6 lines.
    """
    # Your code here: about 6 lines.
    raise NotImplementedError("tsne.descend is not written yet")


whose_pairs = None  # "not_symmetrised", "rows_sum_to_one", "sums_to_n" or "sums_to_two"

whose_affinities = None  # "diagonal_kept", "half_the_sum", "not_inverted" or "not_normalised"

other_units = None  # "divided", "flatter" or "same"

turned_map = None  # "data", "rises" or "same"

map_shrunk = None  # "falls", "rises" or "same"

never_removed = None  # "apart", "crowded", "faster" or "nothing"
