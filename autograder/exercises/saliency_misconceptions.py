"""Wrong answers of lesson 8, saliency, that need a network: the gradient of the input, and the whole method."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.exercises.saliency_part_misconceptions import over_maximum, strongest, strongest_with_sign
from autograder.records import Misconception

Objective = Callable[[Tensor, Tensor], Tensor]
"""Scores [N classes], targets [N] -> the number that is differentiated."""


def own_score(scores: Tensor, targets: Tensor) -> Tensor:
    """Σ_n y^c of image n at its own target: the gradient for image n is that of its own score."""
    return scores.gather(1, targets[:, None]).sum()


def differentiated(model: nn.Module, images: Tensor, targets: Tensor, objective: Objective = own_score) -> Tensor:
    """The gradient of `objective(scores, targets)` with respect to the images [N C H W]."""
    pixels = images.detach().clone().requires_grad_()
    with torch.enable_grad():
        return torch.autograd.grad(objective(model(pixels.clone()), targets), pixels)[0]


# Another number than y^c is differentiated: shared by `input_gradient` and `saliency`.

OBJECTIVES: dict[str, tuple[Objective, str]] = {
    "probability": (
        lambda y, c: own_score(y.softmax(1), c),
        "You differentiated the probability p^c, the softmax of the scores. G is the gradient of the score y^c before "
        "the softmax: scores[n, targets[n]].",
    ),
    "log_probability": (
        lambda y, c: own_score(y.log_softmax(1), c),
        "You differentiated log p^c. G is the gradient of the score y^c before the softmax: scores[n, targets[n]].",
    ),
    "cross_entropy": (
        lambda y, c: F.cross_entropy(y, c),
        "You differentiated the cross-entropy loss, as in training. G is the gradient of the score y^c itself: no "
        "loss, no softmax, no minus sign.",
    ),
    "predicted_class": (
        lambda y, c: own_score(y, y.argmax(1)),
        "You explained the class with the largest score. c is the class the caller asks about: targets[n], also where "
        "the network prefers another one.",
    ),
    "all_scores": (
        lambda y, c: y.sum(),
        "You differentiated the sum of all class scores (that is what scores.sum() is). Only y^c counts: pick "
        "scores[n, targets[n]] for each image n.",
    ),
    "mean_over_batch": (
        lambda y, c: own_score(y, c) / len(c),
        "You averaged y^c over the batch, so that every gradient is N times too small. Add the N scores up: each "
        "depends on its own image alone, so the gradient of the sum holds every image's own G.",
    ),
    "first_target": (
        lambda y, c: y[:, c[0]].sum(),
        "You explained the first image's class in every image. Image n has its own class c = targets[n].",
    ),
    "every_target": (
        lambda y, c: y[:, c].sum(),
        "scores[:, targets] is an N x N table: every image was asked about the targets of all images. Take one score "
        "an image: scores[torch.arange(N), targets].",
    ),
    "squared_score": (
        lambda y, c: own_score(y.square(), c),
        "You differentiated (y^c)², which gives 2 y^c G. G is the gradient of y^c itself.",
    ),
}


# 1. input_gradient(model, images, targets) -> G


def _differentiates(objective: Objective) -> Callable[..., Tensor]:
    def wrong(model, images, targets):
        return differentiated(model, images, targets, objective)

    return wrong


def _changed(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """`change(G, images)` in place of G."""

    def wrong(model, images, targets):
        return change(differentiated(model, images, targets), images)

    return wrong


GRADIENT = (
    *(Misconception(name, _differentiates(function), told) for name, (function, told) in OBJECTIVES.items()),
    Misconception(
        "times_input",
        _changed(lambda g, images: g * images),
        "You multiplied the gradient with the image. That is another method (gradient x input); G = ∂y^c/∂I alone.",
    ),
    Misconception(
        "absolute",
        _changed(lambda g, images: g.abs()),
        "You returned |G|. G keeps its sign: positive where more of the colour raises y^c. The absolute value comes in "
        "the next exercise.",
    ),
    Misconception(
        "positive_only",
        _changed(lambda g, images: g.relu()),
        "You set the negative entries of G to 0. They say where more of the colour lowers y^c: keep both signs.",
    ),
    Misconception(
        "opposite_sign",
        _changed(lambda g, images: -g),
        "The sign is turned round: G = +∂y^c/∂I is positive where more of the colour raises y^c.",
    ),
    Misconception(
        "sign_only",
        _changed(lambda g, images: g.sign()),
        "You returned the sign of G. Its size says how strongly y^c reacts: keep it.",
    ),
    Misconception(
        "scaled",
        _changed(lambda g, images: g / g.square().mean().sqrt().clamp(min=1e-12)),
        "You divided G by its own size (root mean square). G is the gradient as it is.",
    ),
    Misconception(
        "first_image",
        _changed(lambda g, images: g[:1].expand_as(g).clone()),
        "Every image has the first image's gradient. G[n] belongs to image n.",
    ),
    Misconception(
        "summed_over_batch",
        _changed(lambda g, images: g.sum(0, keepdim=True).expand_as(g).clone()),
        "You added up the gradients of all images. G[n] is the gradient of image n alone.",
    ),
    Misconception(
        "colours_summed",
        _changed(lambda g, images: g.sum(1)),
        "You added up the colours k. G is [N C H W], one number for each colour of each pixel.",
    ),
    Misconception(
        "channels_last",
        _changed(lambda g, images: g.permute(0, 2, 3, 1)),
        "The colours are on the last axis, as for a picture to be drawn. G has the axes of the images: [N C H W].",
    ),
)


# 4. saliency(model, images, targets, *, form) -> M or S


def _method(gradient: Callable[..., Tensor], drawn: Callable[[Tensor, str], Tensor]) -> Callable[..., Tensor]:
    def wrong(model, images, targets, *, form="abs_max"):
        return drawn(gradient(model, images, targets), form)

    return wrong


def _right_map(gradients: Tensor, form: str) -> Tensor:
    return strongest(gradients) if form == "abs_max" else strongest(gradients).square()


def _of(colours: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The method with `colours(G)` in place of max_k |G_k|; its square for the other form."""
    return _method(differentiated, lambda g, form: colours(g) if form == "abs_max" else colours(g).square())


def _explains(objective: Objective) -> Callable[..., Tensor]:
    return _method(_differentiates(objective), _right_map)


def _times_input(model, images, targets):
    return differentiated(model, images, targets) * images


def _sum_of_squares(gradients, form):
    return strongest(gradients) if form == "abs_max" else gradients.square().sum(1)


METHOD = (
    Misconception(
        "form_ignored",
        _method(differentiated, lambda g, form: strongest(g)),
        'You returned M = max_k |G_k| for both forms. With form="squared" the map is S = max_k G_k².',
    ),
    Misconception(
        "always_squared",
        _method(differentiated, lambda g, form: strongest(g).square()),
        'You returned S = max_k G_k² for both forms. With form="abs_max", which is also the default, the map is '
        "M = max_k |G_k|.",
    ),
    Misconception(
        "forms_swapped",
        _method(differentiated, lambda g, form: strongest(g) if form == "squared" else strongest(g).square()),
        'The two forms are swapped: "abs_max" gives M = max_k |G_k|, "squared" gives S = max_k G_k².',
    ),
    Misconception(
        "no_abs",
        _of(lambda g: g.amax(1)),
        "You took the largest G_k without its absolute value. Negative entries count as much: abs first, then max.",
    ),
    Misconception(
        "abs_after_sum",
        _of(lambda g: g.sum(1).abs()),
        "You added the colours up before the absolute value, so that +2 and -2 cancel. M = max_k |G_k|.",
    ),
    Misconception(
        "sum_for_max",
        _of(lambda g: g.abs().sum(1)),
        "You summed |G_k| over the colours k. M keeps the largest of them: max_k |G_k|.",
    ),
    Misconception(
        "mean_for_max",
        _of(lambda g: g.abs().mean(1)),
        "You averaged |G_k| over the colours k. M keeps the largest of them: max_k |G_k|.",
    ),
    Misconception(
        "norm_for_max",
        _of(lambda g: g.square().sum(1).sqrt()),
        "You took the length of the colour vector, √(Σ_k G_k²). M is the largest of its |G_k|: max_k |G_k|.",
    ),
    Misconception(
        "sum_of_squares",
        _method(differentiated, _sum_of_squares),
        'The form "abs_max" is right, but "squared" sums G_k² over the colours k. S keeps the largest: max_k G_k².',
    ),
    Misconception(
        "positive_only",
        _of(lambda g: g.relu().amax(1)),
        "You dropped the negative G_k. The score then rises when the pixel gets darker, and that counts as much: "
        "M = max_k |G_k|.",
    ),
    Misconception(
        "sign_kept",
        _method(differentiated, lambda g, form: strongest_with_sign(g) * (1 if form == "abs_max" else strongest(g))),
        "You kept the sign of G_k. A saliency map is never negative: M = max_k |G_k|.",
    ),
    Misconception(
        "times_input",
        _method(_times_input, _right_map),
        "You multiplied the gradient with the image. A dark pixel then looks unimportant. M = max_k |∂y^c/∂I_k| alone.",
    ),
    Misconception(
        "divided_by_maximum",
        _method(differentiated, lambda g, form: over_maximum(_right_map(g, form))),
        "You divided each map by its maximum. The map is returned raw, so that the maps of two images can be compared.",
    ),
    Misconception(
        "rows_for_columns",
        _method(differentiated, lambda g, form: _right_map(g, form).transpose(1, 2)),
        "Rows and columns of the map are swapped: it is [N H W], i down and j across, as in the image.",
    ),
    *(Misconception(name, _explains(function), told) for name, (function, told) in OBJECTIVES.items()),
)
