# made by `cnnviz build` from solutions/02_nearest_neighbors/nearest_neighbors.md; the functions and answers are yours to write
"""Nearest neighbours: write the functions, then run `pytest lessons/02_nearest_neighbors` or `cnnviz check 02_nearest_neighbors`."""

import torch
from torch import Tensor, nn


def embed(model: nn.Module, images: Tensor, layer: str) -> Tensor:
    """How much of each channel's pattern there is in each image: x_nk = (1/Z) Σ_i Σ_j A^k_ij.

    Args:
        model: takes images; it is in eval mode and may be frozen.
        images: [N C H W].
        layer: full name of a layer that gives maps A [N K h w], as in model.get_submodule(layer); it can be a part
            of other names.

    Returns:
        x [N K], raw and detached. No hook stays behind, not even if the forward pass fails.

    About 10 lines.
    """
    # Your code here: about 10 lines.
    raise NotImplementedError("nearest_neighbors.embed is not written yet")


def euclidean_distances(queries: Tensor, features: Tensor) -> Tensor:
    """How far each query is from each image: d(q, x) = ‖q - x‖ = √(Σ_k (q_k - x_k)²).

    Args:
        queries: q [Q D].
        features: x [N D].

    Returns:
        d [Q N], one row for each query; exact also in float32, where q and x are near to each other and far from 0.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("nearest_neighbors.euclidean_distances is not written yet")


def cosine_distances(queries: Tensor, features: Tensor) -> Tensor:
    """How much the directions of each query and each image differ: d(q, x) = 1 - q·x / (‖q‖ ‖x‖).

    Args:
        queries: q [Q D], no row all zeros; some may be very short.
        features: x [N D], no row all zeros.

    Returns:
        d [Q N], from 0 (the same direction) to 2 (opposite).

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("nearest_neighbors.cosine_distances is not written yet")


def nearest(distances: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k images with the smallest distance to each query, the nearest first; ties by the lowest index.

    Args:
        distances: d [Q N].
        k: how many, at most N. (Distances that differ at all are no ties.)

    Returns:
        Distances [Q k], ascending, and indices int64 [Q k] into the data set.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("nearest_neighbors.nearest is not written yet")


def nearest_others(distances: Tensor, rows: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """The k nearest images, where query q does not find image rows[q]: d(q, x_(rows[q])) ← ∞, then as in `nearest`.

    Args:
        distances: d [Q N]; it stays as it is.
        rows: r int64 [Q], the row of the data set that each query leaves out.
        k: how many, at most N - 1.

    Returns:
        Distances [Q k], ascending, and indices int64 [Q k] into the whole data set.

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("nearest_neighbors.nearest_others is not written yet")


whose_distances = None  # "city_block", "negative", "root_mean_square" or "squared"

whose_angles = None  # "absolute", "angle", "halved" or "similarity"

raised_by_one = None  # "both", "cosine", "euclidean" or "neither"

squared_or_not = None  # "front", "nothing" or "order"

grid_kept = None  # "chance", "half" or "nearly_all"

copies_of_half = None  # a number, at most 0.05 from the right one
