"""Wrong answers of lesson 15, which map: deletion curves, and the area under a curve."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from autograder.records import Misconception


def filling(image: Tensor, fill: float | Tensor) -> Tensor:
    """The fill as a picture [C H W]."""
    return torch.as_tensor(fill, dtype=image.dtype).expand(image.shape)


def counts(pixels: int, steps: int) -> list[int]:
    """n_k = ⌊k·P/S⌋ for k = 0 ... S."""
    return [k * pixels // steps for k in range(steps + 1)]


def ranking(heat: Tensor) -> Tensor:
    """The pixels, the most important one first: int64 [P]."""
    return heat.flatten().argsort(descending=True, stable=True)


def without(image: Tensor, gone: Tensor, fill: float | Tensor) -> Tensor:
    """The picture with fill in the pixels of this list [n]."""
    result = image.flatten(1).clone()
    result[:, gone] = filling(image, fill).flatten(1)[:, gone]
    return result.view_as(image)


def pictures(image: Tensor, order: Tensor, numbers: list[int], fill: float | Tensor) -> Tensor:
    """The picture without its first n pixels, for each n: [len(numbers) C H W]."""
    return torch.stack([without(image, order[:n], fill) for n in numbers])


Objective = Callable[[Tensor, int], Tensor]
"""Scores [K classes], target -> [K]."""


def own(scores: Tensor, target: int) -> Tensor:
    """y^c."""
    return scores[:, target]


@torch.no_grad()
def curve(
    model: nn.Module,
    image: Tensor,
    target: int,
    order: Tensor,
    *,
    numbers: list[int],
    fill: float | Tensor,
    objective: Objective = own,
) -> Tensor:
    """The objective after each number of pixels is gone."""
    return objective(model(pictures(image, order, numbers, fill)), target)


def deletion(model: nn.Module, image: Tensor, target: int, heat: Tensor, *, steps: int, fill: float | Tensor) -> Tensor:
    """s [S+1], as the formula has it."""
    return curve(model, image, target, ranking(heat), numbers=counts(heat.numel(), steps), fill=fill)


# 3. deletion_curve(model, image, target, heat, *, steps, fill) -> s


def _ranked(rank: Callable[[Tensor], Tensor]):
    def wrong(model, image, target, heat, *, steps, fill):
        return curve(model, image, target, rank(heat), numbers=counts(heat.numel(), steps), fill=fill)

    return wrong


def _counted(number: Callable[[int, int], list[int]]):
    def wrong(model, image, target, heat, *, steps, fill):
        return curve(model, image, target, ranking(heat), numbers=number(heat.numel(), steps), fill=fill)

    return wrong


def _scored(objective: Objective):
    def wrong(model, image, target, heat, *, steps, fill):
        numbers = counts(heat.numel(), steps)
        return curve(model, image, target, ranking(heat), numbers=numbers, fill=fill, objective=objective)

    return wrong


def _fill_ignored(model, image, target, heat, *, steps, fill):
    return deletion(model, image, target, heat, steps=steps, fill=0.0)


def _insertion(model, image, target, heat, *, steps, fill):
    return deletion(model, filling(image, fill).clone(), target, heat, steps=steps, fill=image)


@torch.no_grad()
def _one_channel(model, image, target, heat, *, steps, fill):
    shown = pictures(image, ranking(heat), counts(heat.numel(), steps), fill)
    shown[:, 1:] = image[1:]
    return model(shown)[:, target]


@torch.no_grad()
def _not_kept(model, image, target, heat, *, steps, fill):
    order, numbers = ranking(heat), counts(heat.numel(), steps)
    shares = [order[:0], *(order[a:b] for a, b in pairwise(numbers))]
    return model(torch.stack([without(image, gone, fill) for gone in shares]))[:, target]


@torch.no_grad()
def _by_value(model, image, target, heat, *, steps, fill):
    low, high = heat.min(), heat.max()
    heights = [high - (high - low) * k / steps for k in range(steps + 1)]
    gone = [(heat.flatten() > height).nonzero()[:, 0] for height in heights]
    return model(torch.stack([without(image, pixels, fill) for pixels in gone]))[:, target]


@torch.no_grad()
def _ties_together(model, image, target, heat, *, steps, fill):
    falling = heat.flatten().sort(descending=True).values
    gone = [(heat.flatten() >= falling[n - 1]).nonzero()[:, 0] if n else [] for n in counts(heat.numel(), steps)]
    return model(torch.stack([without(image, torch.as_tensor(pixels).long(), fill) for pixels in gone]))[:, target]


def _chosen(scores: Tensor, _target: int) -> Tensor:
    return scores[:, int(scores[0].argmax())]


DELETION = (
    Misconception(
        "least_important_first",
        _ranked(lambda heat: heat.flatten().argsort(stable=True)),
        "You removed the least important pixels first. The curve removes the pixels with the largest values of the map "
        "first: sort downwards.",
    ),
    Misconception(
        "absolute_values",
        _ranked(lambda heat: ranking(heat.abs())),
        "You sorted by |M|. A strongly negative pixel speaks against the class and comes last, not first.",
    ),
    Misconception(
        "ties_together",
        _ties_together,
        "Pixels of equal value left together. After step k exactly n_k = ⌊k·P/S⌋ pixels are gone, also where that cuts "
        "through a tie.",
    ),
    Misconception(
        "columns_first",
        _ranked(lambda heat: ranking(heat.T)),
        "Rows and columns are swapped: pixel number p lies in row p // W and column p % W, as `flatten` counts them.",
    ),
    Misconception(
        "ranks_for_order",
        _ranked(lambda heat: ranking(heat).argsort()),
        "You used each pixel's rank as if it were a pixel. One argsort gives the pixels in order; a second one turns "
        "them into ranks.",
    ),
    Misconception(
        "insertion",
        _insertion,
        "That is the insertion curve: you started from fill and put the picture's pixels in. Here s_0 is the whole "
        "picture, and its pixels go.",
    ),
    Misconception(
        "not_kept",
        _not_kept,
        "You brought back at each step what the step before had removed. After step k all of the first n_k pixels are "
        "gone.",
    ),
    Misconception(
        "one_channel",
        _one_channel,
        "You removed the pixels from the first channel only. A pixel is a place: all its C numbers become fill.",
    ),
    Misconception(
        "fill_ignored",
        _fill_ignored,
        "You filled with 0. Pixels that are removed take the value of fill, which may be a number or a picture.",
    ),
    Misconception(
        "first_point_missing",
        _counted(lambda pixels, steps: counts(pixels, steps)[1:]),
        "Your curve begins after the first step. It begins with the whole picture: s_0 = y^c(I), and has S + 1 points.",
    ),
    Misconception(
        "last_point_missing",
        _counted(lambda pixels, steps: counts(pixels, steps)[:-1]),
        "Your curve stops before the end. Its last point s_S is the picture with every pixel removed: S + 1 points.",
    ),
    Misconception(
        "one_step_late",
        _counted(lambda pixels, steps: [0, *counts(pixels, steps)[:-1]]),
        "Your curve has the whole picture twice and lags one step behind: s_k is the score after n_k = ⌊k·P/S⌋ pixels.",
    ),
    Misconception(
        "one_pixel_a_step",
        _counted(lambda pixels, steps: list(range(steps + 1))),
        "You removed one pixel at each step. After step k of S, n_k = ⌊k·P/S⌋ of the P = H·W pixels are gone, at the "
        "end all.",
    ),
    Misconception(
        "remainder_left",
        _counted(lambda pixels, steps: [k * (pixels // steps) for k in range(steps + 1)]),
        "You removed ⌊P/S⌋ pixels at each step, and where S does not divide P some are left at the end. Round after "
        "the product: n_k = ⌊k·P/S⌋.",
    ),
    Misconception(
        "rounded_up",
        _counted(lambda pixels, steps: [-(-k * pixels // steps) for k in range(steps + 1)]),
        "You rounded k·P/S up. n_k = ⌊k·P/S⌋ rounds down: `k * P // S`.",
    ),
    Misconception(
        "steps_of_value",
        _by_value,
        "You lowered a threshold on the map's values in equal steps. The steps are equal in the number of pixels: "
        "after step k, n_k = ⌊k·P/S⌋ are gone.",
    ),
    Misconception(
        "probability",
        _scored(lambda scores, target: scores.softmax(1)[:, target]),
        "You returned the probability. The curve shows y^c, the score before the softmax.",
    ),
    Misconception(
        "logarithm_of_the_probability",
        _scored(lambda scores, target: scores.log_softmax(1)[:, target]),
        "You returned the logarithm of the probability. The curve shows y^c, the score before the softmax.",
    ),
    Misconception(
        "predicted_class",
        _scored(_chosen),
        "You followed the class that the network prefers. The curve follows the class that was asked for: "
        "scores[:, target].",
    ),
    Misconception(
        "drops",
        _scored(lambda scores, target: scores[0, target] - scores[:, target]),
        "You returned how far the score has dropped. s_k is the score itself: s_0 = y^c(I).",
    ),
    Misconception(
        "relative_to_the_start",
        _scored(lambda scores, target: scores[:, target] / scores[0, target]),
        "You divided by s_0. The curve is returned raw: s_0 = y^c(I).",
    ),
)


# 4. area_under_curve(scores) -> a


def steps_of(scores: Tensor) -> int:
    """S."""
    return scores.shape[1] - 1


def area(scores: Tensor) -> Tensor:
    """a [N], as the formula has it."""
    return (scores[:, 1:] + scores[:, :-1]).sum(1) / (2 * steps_of(scores))


def _simpson(scores: Tensor) -> Tensor:
    """Parabolas through three points each; the last interval by a trapezoid where S is odd."""
    S = steps_of(scores) // 2 * 2
    even = scores[:, : S + 1]
    total = (even[:, :-2:2] + 4 * even[:, 1::2] + even[:, 2::2]).sum(1) / 3
    return (total + (scores[:, S:-1] + scores[:, S + 1 :]).sum(1) / 2) / steps_of(scores)


AREA = (
    Misconception(
        "whole_ends",
        lambda scores: scores.sum(1) / steps_of(scores),
        "You counted the two ends in full. Each belongs to one trapezoid only: s_0 and s_S count half.",
    ),
    Misconception(
        "plain_mean",
        lambda scores: scores.mean(1),
        "You took the mean of the S + 1 points. Trapezoids give the two ends half the weight of the others and divide "
        "by S.",
    ),
    Misconception(
        "left_heights",
        lambda scores: scores[:, :-1].mean(1),
        "You took the left end of each step as its height. A trapezoid's height is the mean of both ends.",
    ),
    Misconception(
        "right_heights",
        lambda scores: scores[:, 1:].mean(1),
        "You took the right end of each step as its height. A trapezoid's height is the mean of both ends.",
    ),
    Misconception(
        "width_one",
        lambda scores: area(scores) * steps_of(scores),
        "You gave each step the width 1. The fractions run from 0 to 1, so a step is 1/S wide.",
    ),
    Misconception(
        "points_for_steps",
        lambda scores: area(scores) * steps_of(scores) / (steps_of(scores) + 1),
        "You divided by the number of points. S + 1 points have S steps between them, each 1/S wide.",
    ),
    Misconception(
        "half_everywhere",
        lambda scores: scores.sum(1) / (2 * steps_of(scores)),
        "You took half of every point. Only the two ends count half: the points between belong to two trapezoids.",
    ),
    Misconception(
        "ends_only",
        lambda scores: (scores[:, 0] + scores[:, -1]) / 2,
        "You drew one trapezoid from the first point to the last. There is one for each step k.",
    ),
    Misconception(
        "ends_left_out",
        lambda scores: scores[:, 1:-1].sum(1) / steps_of(scores),
        "You left out the two ends. s_0 and s_S count half each.",
    ),
    Misconception(
        "parabolas",
        _simpson,
        "You drew parabolas through the points (Simpson's rule). Here the points are joined by straight lines: "
        "trapezoids.",
    ),
    Misconception(
        "above_the_curve",
        lambda scores: 1 - area(scores),
        "That is 1 minus the area: the part above the curve. a is the area under it.",
    ),
    Misconception(
        "negative_cut_off",
        lambda scores: area(scores.clamp(min=0)),
        "You cut off what lies below 0. A score may be negative, and its area counts negatively.",
    ),
    Misconception(
        "negative_areas_cut_off",
        lambda scores: area(scores).clamp(min=0),
        "You cut off what is below 0 at the end. An area keeps its sign: a curve below 0 has a negative one.",
    ),
    Misconception(
        "absolute_scores",
        lambda scores: area(scores.abs()),
        "You took |s|. A score may be negative, and its area counts negatively.",
    ),
    Misconception(
        "relative_to_the_start",
        lambda scores: area(scores / scores[:, :1]),
        "You divided each curve by its first point. a is the area under the curve as it is given.",
    ),
    Misconception(
        "lowered_to_the_end",
        lambda scores: area(scores - scores[:, -1:]),
        "You subtracted the last point first. a is the area between the curve and 0.",
    ),
    Misconception(
        "over_the_curves",
        lambda scores: torch.trapezoid(scores, dim=0) / max(len(scores) - 1, 1),
        "You integrated from one curve to the next. Each row of scores is one curve: integrate along axis 1.",
    ),
    Misconception(
        "mean_over_curves",
        lambda scores: area(scores).mean(),
        "You averaged over the curves n already. Return one area for each curve: [N].",
    ),
)
