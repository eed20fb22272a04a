"""Wrong answers of lesson 3, t-SNE, on P: the bisection of each row, and the two directions put together."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from autograder.exercises.tsne_misconceptions import eye, off_diagonal, share
from autograder.records import Misconception

Kernel = Callable[[Tensor], Tensor]


def entropy(p: Tensor) -> Tensor:
    """H in nats of each row [N 1]."""
    return torch.special.entr(p).sum(1, keepdim=True)


def _gaussian(exponents: Tensor) -> Tensor:
    return torch.exp(-exponents)


def bisected(
    distances: Tensor,
    too_wide: Callable[[Tensor], Tensor],
    *,
    kernel: Kernel = _gaussian,
    diagonal: bool = False,
    bound: float = 40.0,
) -> Tensor:
    """p_j|i [N N], where each row's β grows while `too_wide(p)` says so."""
    nearest = distances.masked_fill(eye(distances), math.inf).amin(1, keepdim=True)
    shifted = distances if diagonal or kernel is not _gaussian else distances - nearest
    low = torch.full_like(nearest, -bound)
    high = -low
    for _ in range(60):
        middle = (low + high) / 2
        p = _row_shares(kernel(shifted * 2**middle), diagonal)
        wide = too_wide(p)
        low, high = torch.where(wide, middle, low), torch.where(wide, high, middle)
    return p


def _row_shares(weights: Tensor, diagonal: bool) -> Tensor:
    return share(weights if diagonal else off_diagonal(weights))


def conditional(distances: Tensor, perplexity: float) -> Tensor:
    """p_j|i as the formula has it: H in bits is log2 of the perplexity."""
    return bisected(distances, lambda p: entropy(p) > math.log(perplexity))


def symmetrised(p: Tensor) -> Tensor:
    """P [N N] of p_j|i."""
    return (p + p.T) / (2 * len(p))


def _fixed(precision: Callable[[float], float]) -> Callable[..., tuple[Tensor, Tensor]]:
    def wrong(distances, perplexity):
        return both(share(off_diagonal(torch.exp(-precision(perplexity) * distances))))

    return wrong


def both(p: Tensor) -> tuple[Tensor, Tensor]:
    """p_j|i and P."""
    return p, symmetrised(p)


def _reaches(target: Callable[[float], float]) -> Callable[..., tuple[Tensor, Tensor]]:
    """Bisected until the entropy in nats is `target(perplexity)`."""
    return lambda distances, perplexity: both(bisected(distances, lambda p: entropy(p) > target(perplexity)))


def _one_for_all(distances, perplexity):
    return both(bisected(distances, lambda p: (entropy(p).mean() > math.log(perplexity)).expand(len(p), 1)))


def _other_kernel(kernel: Kernel) -> Callable[..., tuple[Tensor, Tensor]]:
    return lambda distances, perplexity: both(
        bisected(distances, lambda p: entropy(p) > math.log(perplexity), kernel=kernel)
    )


def _other_distances(change: Kernel) -> Callable[..., tuple[Tensor, Tensor]]:
    return lambda distances, perplexity: both(conditional(change(distances), perplexity))


def _diagonal_kept(distances, perplexity):
    return both(bisected(distances, lambda p: entropy(p) > math.log(perplexity), diagonal=True))


def _nearest_only(distances, perplexity):
    nearest = distances.masked_fill(eye(distances), math.inf).argmin(1)
    return both(F.one_hot(nearest, len(distances)).to(distances))


def _joint(change: Callable[[Tensor], Tensor]) -> Callable[..., tuple[Tensor, Tensor]]:
    """Right rows, another P."""

    def wrong(distances, perplexity):
        p = conditional(distances, perplexity)
        return p, change(p)

    return wrong


def _transposed(p: Tensor, P: Tensor) -> tuple[Tensor, Tensor]:
    return p.T, P


JOINT = (
    Misconception(
        "nats_for_bits",
        _reaches(lambda perplexity: math.log2(perplexity)),
        "You computed H with the natural logarithm and asked for 2^H. The two must match: log2 and 2^H, or ln and e^H. "
        "Mixed, every row is wider than asked.",
    ),
    Misconception(
        "bits_for_nats",
        _reaches(lambda perplexity: math.log(2) * math.log(perplexity)),
        "You compared H in bits with ln of the perplexity. H(P_i) in bits must reach log2 of it, so that 2^H is the "
        "perplexity.",
    ),
    Misconception(
        "entropy_is_perplexity",
        _reaches(lambda perplexity: math.log(2) * perplexity),
        "You moved β_i until H(P_i) itself was the perplexity. It is 2^H(P_i) that must be: compare H with log2 of it.",
    ),
    Misconception(
        "one_width_for_all",
        _one_for_all,
        "You found one β for all points, so that the mean of H fits. Every row i has a β_i of its own: points in a "
        "crowd get a narrow Gaussian, lonely ones a wide one.",
    ),
    Misconception(
        "no_bisection",
        _fixed(lambda perplexity: 0.5),
        "You took σ = 1 for every row and did not use the perplexity. β_i is bisected until 2^H(P_i) is the "
        "perplexity.",
    ),
    Misconception(
        "perplexity_as_width",
        _fixed(lambda perplexity: 1 / (2 * perplexity**2)),
        "You took the perplexity for σ. It is a number of neighbours, not a length: bisect β_i until 2^H(P_i) is the "
        "perplexity.",
    ),
    Misconception(
        "uniform",
        lambda distances, perplexity: both(share(off_diagonal(torch.ones_like(distances)))),
        "Every row is uniform: β_i ran to 0. Where H(P_i) is too large the Gaussian is too wide, and β_i must grow: "
        "you may have the two halves the wrong way round.",
    ),
    Misconception(
        "nearest_only",
        _nearest_only,
        "Every row has a single neighbour: β_i ran to its upper end. Where H(P_i) is too small the Gaussian is too "
        "narrow, and β_i must fall: you may have the two halves the wrong way round.",
    ),
    Misconception(
        "point_is_its_neighbour",
        _diagonal_kept,
        "You kept j = i: each point is its own nearest neighbour and takes the largest share. p_i|i is 0, and the "
        "sum over k leaves i out.",
    ),
    Misconception(
        "root_of_distances",
        _other_distances(torch.sqrt),
        "You took the root of the distances first: exp(-β_i √d_ij). A Gaussian has the squared distance in its "
        "exponent, and that is what distances holds.",
    ),
    Misconception(
        "squared_again",
        _other_distances(torch.square),
        "You squared the distances once more: exp(-β_i d_ij²). distances already holds d_ij = ‖x_i - x_j‖².",
    ),
    Misconception(
        "student_kernel",
        _other_kernel(lambda exponents: 1 / (1 + exponents)),
        "You used 1 / (1 + β_i d_ij). That heavy tail belongs to Q, in the plane; among the features the kernel is "
        "exp(-β_i d_ij).",
    ),
    Misconception(
        "least_distance_kept",
        _other_kernel(lambda exponents: torch.exp(-exponents)),
        "For a point far from all others exp(-β_i d_ij) is 0 for every j, and 0/0 is not a number. Take the least "
        "d_ij of each row off first: that changes no p_j|i.",
    ),
    Misconception(
        "narrow_search",
        lambda distances, perplexity: both(bisected(distances, lambda p: entropy(p) > math.log(perplexity), bound=6.6)),
        "You look for β_i between bounds of about 0.01 and 100. In a dense crowd it is larger: let the bounds be as "
        "far apart as distances can be unlike.",
    ),
    Misconception(
        "equal_points_left_out",
        _other_distances(lambda distances: distances.masked_fill(distances == 0, math.inf)),
        "You left out every j at distance 0. A point that is equal to i is its nearest neighbour: only j = i is left "
        "out.",
    ),
    Misconception(
        "columns_for_rows",
        lambda distances, perplexity: (
            conditional(distances, perplexity).T,
            both(conditional(distances, perplexity))[1],
        ),
        "p_j|i stands in row j and column i: it is transposed. Row i holds the neighbours that i would choose, and "
        "each row sums to 1. (P is the same either way.)",
    ),
    Misconception(
        "not_symmetrised",
        _joint(lambda p: p / len(p)),
        "p_j|i is right, but P is not symmetric: you divided p_j|i by N. P takes both directions, "
        "p_ij = (p_j|i + p_i|j) / 2N.",
    ),
    Misconception(
        "sums_to_n",
        _joint(lambda p: (p + p.T) / 2),
        "p_j|i is right, but P sums to N: you averaged p_j|i and p_i|j. Divide by 2N, so that all pairs together "
        "have probability 1.",
    ),
    Misconception(
        "sums_to_two",
        _joint(lambda p: (p + p.T) / len(p)),
        "p_j|i is right, but P sums to 2: you divided p_j|i + p_i|j by N. Divide by 2N.",
    ),
    Misconception(
        "rows_sum_to_one",
        _joint(lambda p: share(p + p.T)),
        "p_j|i is right, but you scaled the rows of P to 1 again, and that spoils its symmetry. Divide every "
        "p_j|i + p_i|j by the same 2N.",
    ),
    Misconception(
        "larger_of_both",
        _joint(lambda p: torch.maximum(p, p.T) / torch.maximum(p, p.T).sum()),
        "p_j|i is right, but for P you took the larger one of p_j|i and p_i|j. P takes their sum, divided by 2N.",
    ),
    Misconception(
        "product_of_both",
        _joint(lambda p: (p * p.T).sqrt() / (p * p.T).sqrt().sum()),
        "p_j|i is right, but for P you multiplied p_j|i and p_i|j, so that an outlier has no weight. P takes their "
        "sum, divided by 2N.",
    ),
    Misconception(
        "swapped_outputs",
        lambda distances, perplexity: both(conditional(distances, perplexity))[::-1],
        "The two results are in the other order: return (p_j|i, P), first the rows that sum to 1, then the symmetric "
        "P.",
    ),
)
