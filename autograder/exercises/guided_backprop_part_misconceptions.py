"""Wrong answers of lesson 09, guided backpropagation, on plain tensors: the three rules, the cosine of two maps."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.records import Misconception

Three = tuple[Tensor, Tensor, Tensor]


def rules(x: Tensor, R: Tensor) -> Three:
    """Gradient [x > 0] R, deconvnet [R > 0] R, guided [x > 0] [R > 0] R."""
    return R * (x > 0), R * (R > 0), R * ((x > 0) & (R > 0))


# 1. backward_rules(x, R) -> gradient, deconvnet, guided


def _changed(change: Callable[..., Three]) -> Callable[..., Three]:
    """The right three rules, then a change that also sees x and R."""
    return lambda x, R: change(x, R, *rules(x, R))


RULES = (
    Misconception(
        "relu_of_everything",
        _changed(lambda x, R, g, d, b: (x.relu(), R.relu(), (x * R).relu())),
        "You rectified values: ReLU(x), ReLU(R), ReLU(x·R). Each rule sends R back, or 0 in its place: x is only asked "
        "for its sign.",
    ),
    Misconception(
        "times_x",
        _changed(lambda x, R, g, d, b: (g * x, d, b * x)),
        "You multiplied R by ReLU(x) instead of [x > 0]. [x > 0] is 1 or 0: the size of x plays no part.",
    ),
    Misconception(
        "masks",
        _changed(lambda x, R, g, d, b: ((x > 0).to(R), (R > 0).to(R), ((x > 0) & (R > 0)).to(R))),
        "You returned the masks, 1 and 0. Multiply them by R: what is sent back is the signal itself.",
    ),
    Misconception(
        "closed_for_open",
        lambda x, R: rules(-x, R),
        "You let R pass where x < 0. A ReLU is open where x > 0, and its derivative is 1 there.",
    ),
    Misconception(
        "open_at_zero",
        _changed(lambda x, R, g, d, b: (R * (x >= 0), d, R * ((x >= 0) & (R > 0)))),
        "You let R pass where x = 0. The brackets say x > 0: PyTorch, too, takes 0 for the derivative of the ReLU at "
        "0.",
    ),
    Misconception(
        "closed_near_zero",
        lambda x, R: rules(torch.where(x < 1e-6, 0.0, x), R),
        "You let R pass only where x is well over 0. [x > 0] is 1 for every positive x, also for 1e-7.",
    ),
    Misconception(
        "negative_kept",
        _changed(lambda x, R, g, d, b: (g, R.clamp(max=0), g.clamp(max=0))),
        "deconvnet and guided keep the negative R and drop the positive ones. [R > 0] R lets R pass where it is "
        "positive.",
    ),
    Misconception(
        "absolute_signal",
        _changed(lambda x, R, g, d, b: (g, R.abs(), g.abs())),
        "In deconvnet and guided a negative R became |R|. It is not turned round: it becomes 0.",
    ),
    Misconception(
        "gradient_unchanged",
        _changed(lambda x, R, g, d, b: (R, d, b)),
        "Your gradient is R as it arrived. The derivative of ReLU is 1 for x > 0 and 0 elsewhere: gradient = [x > 0] "
        "R.",
    ),
    Misconception(
        "gradient_clamped",
        _changed(lambda x, R, g, d, b: (b, d, b)),
        "Your gradient also drops the negative R. The chain rule knows nothing of the sign of R: gradient = [x > 0] R.",
    ),
    Misconception(
        "deconvnet_looks_at_x",
        _changed(lambda x, R, g, d, b: (g, b, b)),
        "Your deconvnet also asks for x > 0: that is the guided rule. The deconvnet looks at R alone: [R > 0] R.",
    ),
    Misconception(
        "guided_forgets_x",
        _changed(lambda x, R, g, d, b: (g, d, d)),
        "Your guided is the deconvnet once more: it forgets x. Guided asks for both, x > 0 and R > 0.",
    ),
    Misconception(
        "guided_forgets_R",
        _changed(lambda x, R, g, d, b: (g, d, g)),
        "Your guided is the gradient once more: it forgets the sign of R. Guided asks for both, x > 0 and R > 0.",
    ),
    Misconception(
        "either_positive",
        _changed(lambda x, R, g, d, b: (g, d, R * ((x > 0) | (R > 0)))),
        "Your guided lets R pass where x > 0 or R > 0. Both must hold: x > 0 and R > 0.",
    ),
    Misconception(
        "same_sign",
        _changed(lambda x, R, g, d, b: (g, d, R * (x * R > 0))),
        "Your guided asks whether x·R > 0. That also lets two negative ones pass: ask x > 0 and R > 0.",
    ),
    Misconception(
        "sum_of_both",
        _changed(lambda x, R, g, d, b: (g, d, g + d)),
        "Your guided adds the gradient and the deconvnet. It multiplies the two brackets: [x > 0] [R > 0] R.",
    ),
    Misconception(
        "deconvnet_before_gradient",
        _changed(lambda x, R, g, d, b: (d, g, b)),
        "gradient and deconvnet are in the other order: return (gradient, deconvnet, guided). The gradient is the one "
        "with [x > 0].",
    ),
    Misconception(
        "guided_before_deconvnet",
        _changed(lambda x, R, g, d, b: (g, b, d)),
        "deconvnet and guided are in the other order: return (gradient, deconvnet, guided).",
    ),
)


# 4. class_insensitivity(maps, others) -> cosine


def _guarded(above: Tensor, below: Tensor) -> Tensor:
    """above / below, 0 where below is 0."""
    return torch.where(below > 0, above / torch.where(below > 0, below, torch.ones_like(below)), 0.0)


def cosine(maps: Tensor, others: Tensor) -> Tensor:
    """Σ u·v / (‖u‖ ‖v‖) for each image [N]; 0 where a map is 0 everywhere."""
    u, v = maps.flatten(1), others.flatten(1)
    return _guarded((u * v).sum(1), u.norm(dim=1) * v.norm(dim=1))


def _centred(maps: Tensor) -> Tensor:
    return maps - maps.mean((1, 2, 3), keepdim=True)


def _scaled(maps: Tensor) -> Tensor:
    return maps / maps.abs().amax((1, 2, 3), keepdim=True).clamp(min=1e-12)


def _of_the_batch(maps: Tensor, others: Tensor) -> Tensor:
    return cosine(maps[None].flatten(1), others[None].flatten(1)).expand(len(maps)).clone()


def _mean_of_places(maps: Tensor, others: Tensor) -> Tensor:
    length = maps.norm(dim=1) * others.norm(dim=1)
    return _guarded((maps * others).sum(1), length).mean((1, 2))


def _empty(maps: Tensor, others: Tensor) -> Tensor:
    return (maps.flatten(1).norm(dim=1) == 0) | (others.flatten(1).norm(dim=1) == 0)


COSINE = (
    Misconception(
        "dot_product",
        lambda maps, others: (maps * others).flatten(1).sum(1),
        "You returned the dot product Σ u·v. Divide it by the lengths ‖u‖ and ‖v‖: a cosine does not know how large "
        "the "
        "maps are.",
    ),
    Misconception(
        "squared_lengths",
        lambda maps, others: _guarded(
            (maps * others).flatten(1).sum(1), maps.flatten(1).square().sum(1) * others.flatten(1).square().sum(1)
        ),
        "You divided by ‖u‖²·‖v‖². The length is the root of the sum of squares: ‖u‖ = √(Σ u²).",
    ),
    Misconception(
        "one_length",
        lambda maps, others: _guarded((maps * others).flatten(1).sum(1), maps.flatten(1).square().sum(1)),
        "You divided by ‖u‖², the first map's length twice. Divide by ‖u‖·‖v‖.",
    ),
    Misconception(
        "sums_for_lengths",
        lambda maps, others: _guarded(
            (maps * others).flatten(1).sum(1), maps.flatten(1).abs().sum(1) * others.flatten(1).abs().sum(1)
        ),
        "You divided by the sums Σ|u| and Σ|v|. The length in a cosine is ‖u‖ = √(Σ u²).",
    ),
    Misconception(
        "scaled_by_maximum",
        lambda maps, others: (_scaled(maps) * _scaled(others)).flatten(1).mean(1),
        "You divided each map by its largest value and averaged the product. The cosine divides Σ u·v by the lengths "
        "‖u‖·‖v‖.",
    ),
    Misconception(
        "absolute_values",
        lambda maps, others: cosine(maps.abs(), others.abs()),
        "You compared |u| and |v|. Then a map and its negative look alike: keep the signs.",
    ),
    Misconception(
        "absolute_cosine",
        lambda maps, others: cosine(maps, others).abs(),
        "You returned the cosine without its sign. Two maps that say the opposite have cosine -1, not 1.",
    ),
    Misconception(
        "centred",
        lambda maps, others: cosine(_centred(maps), _centred(others)),
        "You subtracted each map's mean first: that is the correlation. The cosine takes the maps as they are, with "
        "0 as "
        "their zero.",
    ),
    Misconception(
        "whole_batch",
        _of_the_batch,
        "You compared all images at once, as one long vector. Give one cosine an image: sum over colours, rows and "
        "columns, not over n.",
    ),
    Misconception(
        "mean_over_images",
        lambda maps, others: cosine(maps, others).mean().expand(len(maps)).clone(),
        "You averaged the cosines over the images. Give one number for each image n: [N].",
    ),
    Misconception(
        "one_a_pixel",
        _mean_of_places,
        "You took a cosine over the colours at every pixel and averaged these. A map is one vector: flatten colours, "
        "rows and columns, then one cosine an image.",
    ),
    Misconception(
        "colours_summed",
        lambda maps, others: cosine(maps.sum(1, keepdim=True), others.sum(1, keepdim=True)),
        "You summed over the colours first. Each of the C·H·W values counts by itself.",
    ),
    Misconception(
        "distance",
        lambda maps, others: 1 - cosine(maps, others),
        "You returned 1 minus the cosine. That is a distance: equal maps should get 1 here, not 0.",
    ),
    Misconception(
        "angle",
        lambda maps, others: cosine(maps, others).clamp(-1, 1).arccos(),
        "You returned the angle. Its cosine is asked for: 1 for maps of equal direction, 0 for unrelated ones.",
    ),
    Misconception(
        "nan_for_empty",
        lambda maps, others: torch.where(_empty(maps, others), float("nan"), cosine(maps, others)),
        "A map that is 0 everywhere gave 0/0 = NaN. It has no direction: its cosine is 0 by definition.",
    ),
    Misconception(
        "small_number_below",
        lambda maps, others: (
            (maps * others).flatten(1).sum(1) / (maps.flatten(1).norm(dim=1) * others.flatten(1).norm(dim=1) + 1e-8)
        ),
        "You added a small number below the bar, against 0/0. Two faint maps then have a smaller cosine: how large the "
        "maps are plays no part. Put a 1 in place of a product of lengths that is 0.",
    ),
    Misconception(
        "one_for_empty",
        lambda maps, others: torch.where(_empty(maps, others), 1.0, cosine(maps, others)),
        "A map that is 0 everywhere got cosine 1. It has no direction: its cosine is 0 by definition.",
    ),
)
