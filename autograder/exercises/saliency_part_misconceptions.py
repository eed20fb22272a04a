"""Wrong answers of lesson 8, saliency, on plain tensors: the two maps of a gradient."""

from __future__ import annotations

from torch import Tensor

from autograder.records import Misconception


def strongest(gradients: Tensor) -> Tensor:
    """max_k |G_k| [N H W]."""
    return gradients.abs().amax(1)


def over_maximum(maps: Tensor) -> Tensor:
    """Each map divided by its maximum; a map of zeros stays."""
    return maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-12)


def strongest_with_sign(gradients: Tensor) -> Tensor:
    """The G_k with the largest |G_k| at each pixel."""
    return gradients.gather(1, gradients.abs().argmax(1, keepdim=True))[:, 0]


# 2. saliency_map(gradients) -> M


MAP = (
    Misconception(
        "no_abs",
        lambda gradients: gradients.amax(1),
        "You took the largest G_k without its absolute value. A colour with G_k = -5 moves the score more than one "
        "with +1: M = max_k |G_k|.",
    ),
    Misconception(
        "abs_after_max",
        lambda gradients: gradients.amax(1).abs(),
        "You took the maximum over k first and the absolute value after it. Of G = (1, -5) that keeps 1; max_k |G_k| "
        "is 5: first abs, then max.",
    ),
    Misconception(
        "abs_after_sum",
        lambda gradients: gradients.sum(1).abs(),
        "You added the colours up and took the absolute value of the sum, so that +2 and -2 cancel. M = max_k |G_k|.",
    ),
    Misconception(
        "abs_after_mean",
        lambda gradients: gradients.mean(1).abs(),
        "You averaged the colours and took the absolute value of the mean, so that +2 and -2 cancel. M = max_k |G_k|.",
    ),
    Misconception(
        "sum_for_max",
        lambda gradients: gradients.abs().sum(1),
        "You summed |G_k| over the colours k. M keeps the largest of them: max_k |G_k|.",
    ),
    Misconception(
        "mean_for_max",
        lambda gradients: gradients.abs().mean(1),
        "You averaged |G_k| over the colours k. M keeps the largest of them: max_k |G_k|.",
    ),
    Misconception(
        "min_for_max",
        lambda gradients: gradients.abs().amin(1),
        "You kept the smallest |G_k| of each pixel. M keeps the largest: max_k |G_k|.",
    ),
    Misconception(
        "norm_for_max",
        lambda gradients: gradients.square().sum(1).sqrt(),
        "You took the length of the colour vector, √(Σ_k G_k²). M is the largest of its |G_k|: max_k |G_k|.",
    ),
    Misconception(
        "squared",
        lambda gradients: gradients.square().amax(1),
        "You squared: that is S = max_k G_k², the next exercise. M = max_k |G_k|.",
    ),
    Misconception(
        "positive_only",
        lambda gradients: gradients.relu().amax(1),
        "You dropped the negative G_k. They say that the score rises when the pixel gets darker, and that counts as "
        "much: M = max_k |G_k|.",
    ),
    Misconception(
        "sign_kept",
        strongest_with_sign,
        "You found the colour with the largest |G_k|, but returned G_k with its sign. M is |G_k|, never negative.",
    ),
    Misconception(
        "first_colour",
        lambda gradients: gradients.abs()[:, 0],
        "You took the first colour alone. M looks at all colours k and keeps the largest |G_k|.",
    ),
    Misconception(
        "over_columns",
        lambda gradients: gradients.abs().amax(3),
        "You took the maximum over the columns j. The maximum runs over the colours k, axis 1, and keeps every pixel.",
    ),
    Misconception(
        "over_batch",
        lambda gradients: gradients.abs().amax(0),
        "You took the maximum over the images n. Every image has a map of its own: the maximum runs over k, axis 1.",
    ),
    Misconception(
        "kept_axis",
        lambda gradients: gradients.abs().amax(1, keepdim=True),
        "The numbers are right, but the axis of the colours is still there with size 1: M is [N H W], so leave out "
        "keepdim.",
    ),
    Misconception(
        "divided_by_maximum",
        lambda gradients: over_maximum(strongest(gradients)),
        "You divided each map by its maximum. M is returned raw, so that the maps of two images can be compared.",
    ),
    Misconception(
        "rows_for_columns",
        lambda gradients: strongest(gradients).transpose(1, 2),
        "Rows and columns of the map are swapped: M is [N H W], i down and j across, as in the image.",
    ),
)


# 3. squared_map(gradients) -> S


SQUARED = (
    Misconception(
        "not_squared",
        strongest,
        "You returned M = max_k |G_k|. S has the square: max_k G_k².",
    ),
    Misconception(
        "sum_of_squares",
        lambda gradients: gradients.square().sum(1),
        "You summed G_k² over the colours k. S keeps the largest of them: max_k G_k².",
    ),
    Misconception(
        "mean_of_squares",
        lambda gradients: gradients.square().mean(1),
        "You averaged G_k² over the colours k. S keeps the largest of them: max_k G_k².",
    ),
    Misconception(
        "smallest_square",
        lambda gradients: gradients.square().amin(1),
        "You kept the smallest G_k² of each pixel. S keeps the largest: max_k G_k².",
    ),
    Misconception(
        "length",
        lambda gradients: gradients.square().sum(1).sqrt(),
        "You took the length of the colour vector, √(Σ_k G_k²). S = max_k G_k²: no sum, no root.",
    ),
    Misconception(
        "square_of_sum",
        lambda gradients: gradients.sum(1).square(),
        "You added the colours up before you squared, so that +2 and -2 cancel. Square each G_k, then keep the "
        "largest.",
    ),
    Misconception(
        "square_of_mean",
        lambda gradients: gradients.mean(1).square(),
        "You averaged the colours before you squared, so that +2 and -2 cancel. Square each G_k, then keep the "
        "largest.",
    ),
    Misconception(
        "square_of_signed_max",
        lambda gradients: gradients.amax(1).square(),
        "You took the maximum over k first and squared it. Of G = (1, -5) that gives 1; max_k G_k² is 25: first "
        "square, then max.",
    ),
    Misconception(
        "sign_kept",
        lambda gradients: strongest_with_sign(gradients) * strongest(gradients),
        "You squared and put the sign of G_k back. S = max_k G_k² is never negative.",
    ),
    Misconception(
        "positive_only",
        lambda gradients: gradients.relu().square().amax(1),
        "You dropped the negative G_k before you squared. A square needs no ReLU: S = max_k G_k².",
    ),
    Misconception(
        "squared_twice",
        lambda gradients: gradients.square().amax(1).square(),
        "You squared twice: that is G_k⁴. S = max_k G_k², or M².",
    ),
    Misconception(
        "doubled",
        lambda gradients: 2 * strongest(gradients),
        "You doubled M. The square multiplies |G_k| with itself: S = max_k G_k².",
    ),
    Misconception(
        "first_colour",
        lambda gradients: gradients[:, 0].square(),
        "You squared the first colour alone. S looks at all colours k and keeps the largest G_k².",
    ),
    Misconception(
        "over_columns",
        lambda gradients: gradients.square().amax(3),
        "You took the maximum over the columns j. The maximum runs over the colours k, axis 1, and keeps every pixel.",
    ),
    Misconception(
        "kept_axis",
        lambda gradients: gradients.square().amax(1, keepdim=True),
        "The numbers are right, but the axis of the colours is still there with size 1: S is [N H W], so leave out "
        "keepdim.",
    ),
    Misconception(
        "divided_by_maximum",
        lambda gradients: over_maximum(gradients.square().amax(1)),
        "You divided each map by its maximum. S is returned raw, so that the maps of two images can be compared.",
    ),
    Misconception(
        "rows_for_columns",
        lambda gradients: gradients.square().amax(1).transpose(1, 2),
        "Rows and columns of the map are swapped: S is [N H W], i down and j across, as in the image.",
    ),
)
