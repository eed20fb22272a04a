# made by `cnnviz build` from solutions/15_which_map/which_map.md; the functions and answers are yours to write
"""Which map?: write the functions, then run `pytest lessons/15_which_map` or `cnnviz check 15_which_map`."""

import torch
from torch import Tensor, nn


def pointing_game(maps: Tensor, boxes: Tensor, tolerance: float) -> Tensor:
    """Whether each map's highest pixel lies in its box or at most `tolerance` pixels from it.

    h_n = |{p ∈ argmax M_n : d(p, B_n) ≤ δ}| / |argmax M_n|. argmax M_n: the pixels of map n whose value is exactly its
    maximum. d(p, B_n): the straight distance √(rows² + columns²) from p to the nearest pixel of the box, 0 inside.

    Args:
        maps: [N H W], of any sign.
        boxes: int64 [N 4], (top, left, bottom, right); bottom and right are exclusive.
        tolerance: δ in pixels, any number from 0.

    Returns:
        h [N] in the dtype of the maps: 1, 0, or the share that hits where several pixels share the maximum.

    About 9 lines.
    """
    # Your code here: about 9 lines.
    raise NotImplementedError("which_map.pointing_game is not written yet")


def energy_in_box(maps: Tensor, boxes: Tensor) -> Tensor:
    """The share of each map's positive part that lies in its box: e = Σ_(p in B) M⁺(p) / Σ_p M⁺(p).

    Args:
        maps: [N H W], of any sign.
        boxes: int64 [N 4], (top, left, bottom, right); bottom and right are exclusive.

    Returns:
        e [N], 0 to 1, however faint the map; 0 where it is nowhere positive.

    About 4 lines.
    """
    # Your code here: about 4 lines.
    raise NotImplementedError("which_map.energy_in_box is not written yet")


def deletion_curve(
    model: nn.Module, image: Tensor, target: int, heat: Tensor, *, steps: int, fill: float | Tensor
) -> Tensor:
    """The score of a class as the most important pixels are removed first.

    y_t = y^c(I with fill in its ⌊t·H·W/T⌋ most important pixels), t = 0 ... T; y^c is the score before the softmax. Pixels of
    equal value go one by one, in any order.

    Args:
        model: gives scores [N classes] for images [N C H W]; it is in eval mode.
        image: I [C H W].
        target: the class c.
        heat: the map [H W]; the larger, the more important.
        steps: T.
        fill: what removed pixels become: a number, a colour [C 1 1] or a picture [C H W].

    Returns:
        y [T+1], detached.

    About 10 lines.
    """
    # Your code here: about 10 lines.
    raise NotImplementedError("which_map.deletion_curve is not written yet")


def area_under_curve(scores: Tensor) -> Tensor:
    """The area under each curve over the fractions 0 to 1: a = (1/T) Σ_t (y_(t-1) + y_t) / 2.

    Args:
        scores: y [N T+1], one curve per row.

    Returns:
        a [N], with its sign.

    About 2 lines.
    """
    # Your code here: about 2 lines.
    raise NotImplementedError("which_map.area_under_curve is not written yet")


def rank_correlation(maps_a: Tensor, maps_b: Tensor) -> Tensor:
    """Spearman's rank correlation of each pair of maps over their pixels; ties share their mean rank.

    ρ = Σ_p (r_p - r̄)(q_p - q̄) / √(Σ_p (r_p - r̄)² · Σ_p (q_p - q̄)²).

    Args:
        maps_a: [N H W].
        maps_b: [N H W].

    Returns:
        ρ [N], -1 to 1; 0 where one of the two maps is constant. Only equal values tie.

    About 12 lines.
    """
    # Your code here: about 12 lines.
    raise NotImplementedError("which_map.rank_correlation is not written yet")


whose_energy = None  # "inside_over_outside", "outside_the_box", "raw_sum" or "squared"

whose_curve = None  # "drops", "insertion", "one_step_late" or "relative_to_the_start"

half_a_map = None  # a number, at most 0.005 from the right one

map_raised = None  # "all", "energy", "hits" or "none"

least_first = None  # "deletion", "insertion", "one_minus" or "unknown"
