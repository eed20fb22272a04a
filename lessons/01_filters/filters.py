# made by `cnnviz build` from solutions/01_filters/filters.md; the functions and answers are yours to write
"""Filters: write the functions, then run `pytest lessons/01_filters` or `cnnviz check 01_filters`."""

import torch
from torch import Tensor
from torch.nn import functional as F


def scale_filters(filters: Tensor) -> Tensor:
    """Each filter from its own minimum, 0, to its own maximum, 1: S = (W - min W_k) / (max W_k - min W_k).

    Args:
        filters: W [K C kh kw].

    Returns:
        S [K C kh kw], a new tensor; a filter whose weights are all equal, and no other, is 0.5 everywhere.

    About 3 lines.
    """
    # Your code here: about 3 lines.
    raise NotImplementedError("filters.scale_filters is not written yet")


def tile(filters: Tensor, columns: int) -> Tensor:
    """All filters in one picture: P[l, r(kh+1)+u, t(kw+1)+v] = S_kluv, with k = r·columns + t, and 1 elsewhere.

    Args:
        filters: S [K C kh kw].
        columns: how many filters have room side by side, also where there are fewer.

    Returns:
        P [C H W] with H = rows·(kh+1) - 1 and W = columns·(kw+1) - 1.

    About 7 lines.
    """
    # Your code here: about 7 lines.
    raise NotImplementedError("filters.tile is not written yet")


def responses(images: Tensor, weight: Tensor, bias: Tensor, stride: int, padding: int) -> Tensor:
    """The response of each filter at each position: A^k_ij = b_k + Σ_luv W_kluv I_l,si+u,sj+v.

    Args:
        images: I [N C H W], without the padding.
        weight: W [K C kh kw], raw.
        bias: b [K].
        stride: s, pixels from one position to the next.
        padding: p, zeros added on each of the four sides.

    Returns:
        A [N K h w] with h = (H + 2p - kh) // s + 1, and w likewise.

    About 9 lines.
    """
    # Your code here: about 9 lines.
    raise NotImplementedError("filters.responses is not written yet")


def channel_slices(weights: Tensor, k: int, n: int) -> Tensor:
    """The n strongest slices of filter k: S_luv = 1/2 + W_kluv / (2 max |W_k|), by Σ_uv |W_kluv|, largest first.

    Args:
        weights: W [K C kh kw].
        k: number of the filter, from 0.
        n: how many slices.

    Returns:
        S [n kh kw]; 0.5 everywhere for a filter of zeros, and for no other.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("filters.channel_slices is not written yet")


whose_tile = None  # "clamped", "only_shifted", "round_zero" or "turned_round"

whose_response = None  # "absolute_response", "bias_subtracted", "mean_for_sum" or "relu_added"

turned_filter = None  # "black", "contrast", "negative" or "unchanged"

flat_patch = None  # "bright", "position" or "zero"

renumbered = None  # "both", "neither" or "picture"

strongest_patch = None  # "itself", "signs" or "white"
