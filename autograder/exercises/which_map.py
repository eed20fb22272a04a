"""Lesson 15, which map: measure maps, check that they depend on the network, and rank the methods of the course."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from autograder.exercises import which_map_curve_misconceptions as curve_mistakes
from autograder.exercises import which_map_fixtures as fixtures
from autograder.exercises import which_map_laws as laws
from autograder.exercises import which_map_misconceptions as box_mistakes
from autograder.exercises import which_map_rank_misconceptions as rank_mistakes
from autograder.exercises.which_map_questions import QUESTIONS
from autograder.records import Case, Exercise, Law, Lesson
from cnnviz_ref import localisation

# References: each measure, under the name that the student's function has.


def pointing_game(maps: Tensor, boxes: Tensor, tolerance: float) -> Tensor:
    """h [N]: the share of each map's highest pixels that lie in the box or at most `tolerance` pixels from it."""
    return localisation.pointing_game(maps, boxes, tolerance=tolerance)


def energy_in_box(maps: Tensor, boxes: Tensor) -> Tensor:
    """e [N]: the share of each map's positive part that lies in the box; 0 where nothing is positive."""
    return localisation.energy_in_box(maps, boxes)


@torch.no_grad()
def deletion_curve(
    model: nn.Module, image: Tensor, target: int, heat: Tensor, *, steps: int, fill: float | Tensor
) -> Tensor:
    """s [S+1]: y^c of the picture without its ⌊k·P/S⌋ most important pixels, k = 0 ... S."""
    rank = heat.flatten().argsort(descending=True).argsort().view_as(heat)
    gone = [rank < k * heat.numel() // steps for k in range(steps + 1)]
    filling = torch.as_tensor(fill, dtype=image.dtype, device=image.device)
    return model(torch.stack([torch.where(mask, filling, image) for mask in gone]))[:, target]


def area_under_curve(scores: Tensor) -> Tensor:
    """a [N]: the area under each curve, by trapezoids over the fractions k/S from 0 to 1."""
    return torch.trapezoid(scores, dx=1 / (scores.shape[1] - 1), dim=1)


def rank_correlation(maps_a: Tensor, maps_b: Tensor) -> Tensor:
    """ρ [N]: the correlation of the pixels' ranks, ties sharing their mean rank; 0 where a map is constant."""
    a, b = (torch.stack([_ranks(one) for one in maps.flatten(1)]) for maps in (maps_a, maps_b))
    a, b = (ranks - ranks.mean(dim=1, keepdim=True) for ranks in (a, b))
    whole = (a.square().sum(dim=1) * b.square().sum(dim=1)).sqrt()
    return (a * b).sum(dim=1) / torch.where(whole == 0, 1.0, whole)


def _ranks(values: Tensor) -> Tensor:
    """1 to P, the mean of their ranks for ties."""
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    last = count.cumsum(0).to(values.dtype)
    return (last - (count - 1) / 2)[place]


EXERCISES = (
    Exercise(
        id="which_map.pointing_game",
        title="The pointing game",
        reference=pointing_game,
        formula=r"h_n = \frac{|\{p \in T_n : d(p, B_n) \le t\}|}{|T_n|}, \quad T_n = \{p : M_n(p) = \max_q M_n(q)\}",
        outputs=("h",),
        cases=(
            Case("peaks inside, beside and at the corners of their boxes; ties and near ties", fixtures.pointing),
            Case("other sizes, boxes and tolerances", fixtures.other_pointing, hidden=True, points=2),
        ),
        laws=(
            Law(
                "left_and_right",
                "At t = 0, the h of the left part of the picture and the h of the rest sum to 1, with ties too.",
                fixtures.tiled_games,
                laws.sum_to_one,
            ),
            Law(
                "only_the_order_counts",
                "e^M orders the pixels as M does, so h is the same for both.",
                fixtures.grown_games,
                laws.equal,
            ),
        ),
        special={
            "bottom and right are exclusive": "last_included",
            "where several pixels share the maximum": "first_of_the_ties",
        },
        misconceptions=box_mistakes.POINTING,
        hints=(
            "Where is the nearest pixel of the box if a peak lies straight below it? And if it lies off a corner? How "
            "many rows and how many columns away is that?",
            "peak = maps == maps.amax(dim=(1, 2), keepdim=True) marks all highest pixels. For the rows, "
            "torch.maximum(top - i, i - (bottom - 1)).clamp(min=0) is the number of rows from row i to the box, 0 "
            "inside; the same for the columns. The distance is √(rows² + columns²).",
            "1. peak = maps == maps.amax(dim=(1, 2), keepdim=True)\n"
            "2. top, left, bottom, right = boxes[:, :, None].unbind(dim=1); i, j = arange(H), arange(W)\n"
            "3. down = maximum(top - i, i - bottom + 1).clamp(min=0); across likewise with left, right and j\n"
            "4. near = down[:, :, None]**2 + across[:, None, :]**2 <= tolerance**2\n"
            "5. return (peak & near).sum((1, 2)) / peak.sum((1, 2)), in the dtype of maps",
        ),
        minutes=20,
        difficulty=3,
        lines=9,
    ),
    Exercise(
        id="which_map.energy_in_box",
        title="The energy in the box",
        reference=energy_in_box,
        formula=r"e_n = \frac{\sum_{p \in B_n} M_n^+(p)}{\sum_p M_n^+(p)}, \quad e_n = 0 \text{ where } M_n^+ = 0",
        outputs=("e",),
        cases=(
            Case("signed maps, one of them nowhere positive, one very faint", fixtures.energy),
            Case("other sizes and boxes", fixtures.other_energy, hidden=True),
        ),
        laws=(
            Law(
                "shares_of_a_tiling",
                "The shares of the upper part of the picture and of the rest sum to 1, and 5·M has the shares of M.",
                fixtures.tiled_energy,
                laws.sum_to_one,
            ),
        ),
        special={
            "bottom and right are exclusive": "last_included",
            "0 where it is nowhere positive": "nan_for_empty",
        },
        misconceptions=box_mistakes.ENERGY,
        hints=(
            "Which pixels of the map have energy at all? And what is the share of a map that has none?",
            "maps.clamp(min=0) is M⁺. Every map has a box of its own, so a loop over zip(M⁺, boxes.tolist()) with a "
            "slice is the simplest way. Put a 1 in place of a total of 0 before you divide.",
            "1. positive = maps.clamp(min=0)\n"
            "2. inside = stack([m[top:bottom, left:right].sum() for m, (top, left, bottom, right) in zip(positive, "
            "boxes.tolist())])\n"
            "3. total = positive.sum((1, 2))\n"
            "4. return inside / torch.where(total > 0, total, 1.0)",
        ),
        minutes=8,
        difficulty=1,
        lines=4,
    ),
    Exercise(
        id="which_map.deletion_curve",
        title="The deletion curve",
        reference=deletion_curve,
        formula=r"s_k = y^c\big(I \text{ with fill in its } \lfloor k P / S \rfloor \text{ most important "
        r"pixels}\big), \quad k = 0, \ldots, S",
        outputs=("s",),
        cases=(
            Case("a colour, a picture and a number as fill; a map with ties", fixtures.deletion),
            Case("BatchNorm and dropout, functional ReLUs", fixtures.other_deletion, hidden=True, points=2),
        ),
        laws=(
            Law(
                "linear_network",
                "Where y^c is linear, s_k = y^c(I) - Σ w·(x - fill) over the pixels that are gone.",
                fixtures.linear_deletion,
                laws.linear_parts,
            ),
            Law(
                "insertion_is_deletion_backwards",
                "Putting the picture into the fill, the least important pixels first, gives s_S, ..., s_1, s_0.",
                fixtures.there_and_back,
                laws.backwards,
            ),
            Law(
                "both_ends",
                "s_0 = y^c(I), and s_S = y^c of a picture that is all fill.",
                fixtures.linear_deletion,
                laws.both_ends,
            ),
        ),
        misconceptions=curve_mistakes.DELETION,
        hints=(
            "In which order do the pixels go? After step k, how many are gone, and is any of them back?",
            "heat.flatten().argsort(descending=True) lists the pixels, the most important one first. A copy of the "
            "picture as [C P] (flatten(1)) can be written at a list of pixels. fill may be a number, a colour [C 1 1] "
            "or a picture: torch.as_tensor(fill, dtype=image.dtype).expand(image.shape) makes it a picture always.",
            "1. order = heat.flatten().argsort(descending=True); P = heat.numel()\n"
            "2. filling = as_tensor(fill, dtype=image.dtype).expand(image.shape).flatten(1)\n"
            "3. for k in range(steps + 1): gone = order[: k * P // steps]\n"
            "4.     picture = image.flatten(1).clone(); picture[:, gone] = filling[:, gone]\n"
            "5.     pictures.append(picture.view_as(image))\n"
            "6. return model(torch.stack(pictures))[:, target], inside `with torch.no_grad():`",
        ),
        minutes=18,
        difficulty=2,
        lines=10,
    ),
    Exercise(
        id="which_map.area_under_curve",
        title="One number for a curve",
        reference=area_under_curve,
        formula=r"a_n = \frac{1}{S} \sum_{k=1}^{S} \frac{s_{n,k-1} + s_{n,k}}{2}",
        outputs=("a",),
        cases=(
            Case("curves of five steps, of four, and of a single one", fixtures.areas),
            Case("other numbers of curves and steps", fixtures.other_areas, hidden=True),
        ),
        laws=(
            Law(
                "straight_line",
                "The area under a straight line from s_0 to s_S is (s_0 + s_S)/2.",
                fixtures.straight_curves,
                laws.mean_of_the_ends,
            ),
            Law(
                "two_halves",
                "The area of a curve is the mean of the areas of its first and its second half.",
                fixtures.joined_curves,
                laws.halves,
            ),
        ),
        misconceptions=curve_mistakes.AREA,
        hints=(
            "How many steps lie between S + 1 points? In how many trapezoids does each point take part?",
            "scores[:, :-1] are the left ends of the trapezoids and scores[:, 1:] the right ones. Each trapezoid is "
            "1/S wide.",
            "1. S = scores.shape[1] - 1\n2. heights = (scores[:, :-1] + scores[:, 1:]) / 2\n"
            "3. return heights.sum(dim=1) / S",
        ),
        minutes=5,
        difficulty=1,
        lines=2,
    ),
    Exercise(
        id="which_map.rank_correlation",
        title="How alike two maps are",
        reference=rank_correlation,
        formula=r"\rho_n = \frac{\sum_p (r_p - \bar r)(q_p - \bar q)}"
        r"{\sqrt{\sum_p (r_p - \bar r)^2 \, \sum_p (q_p - \bar q)^2}}, \quad \rho_n = 0 \text{ where a map is "
        r"constant}",
        outputs=("ρ",),
        cases=(
            Case("four pairs of maps with many ties and near ties, one map constant", fixtures.pairs),
            Case("other sizes", fixtures.other_pairs, hidden=True, points=2),
        ),
        laws=(
            Law(
                "one_and_minus_one",
                "ρ(M, e^M) = 1 and ρ(M, -M) = -1: only the order of the pixels counts.",
                fixtures.monotone_pairs,
                laws.one_and_minus_one,
            ),
            Law(
                "either_way_round",
                "ρ is the same for (M, M') and (M', M), and cubing a map changes no rank.",
                fixtures.exchanged_pairs,
                laws.equal,
            ),
        ),
        special={
            "ties share their mean rank": "ties_in_reading_order",
            "Only equal values tie": "near_ties",
            "0 where one of the two maps is constant": "nan_for_constant",
        },
        misconceptions=rank_mistakes.RANK,
        hints=(
            "Three pixels tie for the places 4, 5 and 6. Which rank does each get? And once both maps are ranks, which "
            "well-known number is left to compute?",
            "values.unique(return_inverse=True, return_counts=True) sorts the distinct values, says which of them each "
            "pixel has, and how many pixels have each. counts.cumsum(0) is the last rank that a value takes up; its "
            "first is that minus (count - 1). The mean of both is the rank of its pixels.",
            "1. for a, b in zip(maps_a.flatten(1), maps_b.flatten(1)):  one pair of maps at a time\n"
            "2.     for each of the two: _, place, count = values.unique(return_inverse=True, return_counts=True)\n"
            "3.         rank = (count.cumsum(0) - (count - 1) / 2)[place];  rank = rank - rank.mean()\n"
            "4.     below = (r.square().sum() * q.square().sum()).sqrt()\n"
            "5.     the result is (r * q).sum() / below, or 0 where below is 0; stack the results to [N]",
        ),
        minutes=20,
        difficulty=3,
        lines=12,
    ),
)

LESSON = Lesson(
    id="15_which_map",
    title="Which map?",
    summary="Score maps against known boxes, delete what they call important, randomise the network, rank the methods.",
    exercises=EXERCISES,
    questions=QUESTIONS,
)
