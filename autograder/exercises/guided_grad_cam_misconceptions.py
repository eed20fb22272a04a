"""Wrong answers of lesson 12, guided Grad-CAM, that need a network: the whole method."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from autograder.exercises.grad_cam_misconceptions import observed
from autograder.exercises.grad_cam_part_misconceptions import localised, min_max, over_maximum, weighted_sum, weights
from autograder.exercises.guided_backprop_misconceptions import (
    Objective,
    deconvnet,
    network_map,
    own_score,
    plain,
    relus_of,
)
from autograder.exercises.guided_grad_cam_alpha_misconceptions import OBJECTIVES
from autograder.exercises.guided_grad_cam_part_misconceptions import enlarged, over_largest, resized
from autograder.records import Misconception

Heat = Callable[[Tensor, Tensor], Tensor]
"""A, ∂y^c/∂A -> the map that is enlarged."""
Join = Callable[[Tensor, Tensor], Tensor]
"""R [N C H W], L [N h w] -> G."""


def product(R: Tensor, L: Tensor) -> Tensor:
    """R·U."""
    return R * enlarged(L, (R.shape[2], R.shape[3]))[:, None]


def joined(
    model,
    images,
    targets,
    layer,
    *,
    heat: Heat = localised,
    join: Join = product,
    objective: Objective = own_score,
    enters: bool = False,
    **rules: Any,
) -> Tensor:
    """The method, with another map, another way to join it, or other rules for the guided factor."""
    R = network_map(model, images, targets, objective=objective, **rules)
    A, dA = observed(model, images, layer, lambda scores: objective(scores, targets), enters=enters)
    return join(R, heat(A, dA))


def _method(**options) -> Callable[..., Tensor]:
    return lambda model, images, targets, layer: joined(model, images, targets, layer, **options)


@contextmanager
def _guided_relus(model: nn.Module) -> Iterator[None]:
    """Every ReLU of the model clamps the signal that arrives."""

    def keep_positive(_module, _inputs, output):
        if output.requires_grad:
            output.register_hook(lambda R: R.clamp(min=0))

    handles = [relu.register_forward_hook(keep_positive) for relu in relus_of(model)]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _guided_at_the_layer(model, images, targets, layer):
    """Grad-CAM's gradients, computed while the ReLUs follow the guided rule."""
    with _guided_relus(model):
        A, dA = observed(model, images, layer, lambda scores: own_score(scores, targets))
    return A, dA


def _grad_cam_guided(model, images, targets, layer):
    return product(network_map(model, images, targets), localised(*_guided_at_the_layer(model, images, targets, layer)))


def _switched(model, images, targets, layer):
    """The rule is active for Grad-CAM and not for the pixels."""
    A, dA = _guided_at_the_layer(model, images, targets, layer)
    return product(network_map(model, images, targets, send=plain), localised(A, dA))


def _size(R: Tensor) -> tuple[int, int]:
    return R.shape[2], R.shape[3]


def _coarse_product(R: Tensor, L: Tensor) -> Tensor:
    return F.interpolate(F.adaptive_avg_pool2d(R, (L.shape[1], L.shape[2])) * L[:, None], _size(R), mode="bilinear")


_RAW = "G = R·U has raw factors, so that the maps of two classes can be compared; scaling is for the picture only."

METHOD = (
    Misconception(
        "grad_cam_under_the_rule",
        _grad_cam_guided,
        "Your Grad-CAM was computed while the guided rule was active. α_k is the mean of the plain gradient ∂y^c/∂A: "
        "call grad_cam outside the with block.",
    ),
    Misconception(
        "rules_switched",
        _switched,
        "The guided rule was active for Grad-CAM and not for the pixels. It is the other way round: plain gradients "
        "for α, guided ones for R.",
    ),
    Misconception(
        "saliency_for_guided",
        _method(send=plain),
        "Your fine factor is the plain gradient at the pixels. R is guided backpropagation: the signal that passes "
        "every ReLU by [x > 0] [R > 0] R.",
    ),
    Misconception(
        "saliency_map",
        _method(send=plain, join=lambda R, L: R.abs().amax(1) * enlarged(L, _size(R))),
        "Your fine factor is a saliency map, the largest |gradient| of the colours. R is guided backpropagation, "
        "[N C H W], with its signs.",
    ),
    Misconception(
        "deconvnet",
        _method(send=deconvnet),
        "Your fine factor is the deconvnet, [R > 0] R at every ReLU. The guided rule also asks whether the ReLU is "
        "open: [x > 0] [R > 0] R.",
    ),
    Misconception(
        "no_relu",
        _method(heat=lambda a, g: weighted_sum(a, weights(g))),
        "You left out the ReLU of Grad-CAM. Where Σ_k α_k A^k is negative, the place speaks against the class: L is 0 "
        "there, and so is G.",
    ),
    Misconception(
        "absolute_map",
        _method(heat=lambda a, g: weighted_sum(a, weights(g)).abs()),
        "You took |Σ_k α_k A^k| in Grad-CAM. That lights up what speaks against the class; the ReLU sets it to 0.",
    ),
    Misconception(
        "sum_for_mean",
        _method(heat=lambda a, g: weighted_sum(a, g.sum((2, 3))).relu()),
        "You summed the gradients over i, j in Grad-CAM; α_k is their mean: divide by Z = h·w.",
    ),
    Misconception(
        "elementwise",
        _method(heat=lambda a, g: (g * a).sum(1).relu()),
        "You multiplied ∂y^c/∂A^k and A^k place by place: that is HiResCAM. Grad-CAM first averages the gradient to "
        "one number α_k a channel.",
    ),
    Misconception(
        "layer_input",
        _method(enters=True),
        "You explained what enters the layer. A is what leaves it: the third argument of a forward hook, output.",
    ),
    Misconception(
        "adds",
        _method(join=lambda R, L: R + enlarged(L, _size(R))[:, None]),
        "You added R and U. The product is what makes G zero where Grad-CAM sees nothing: G = R·U.",
    ),
    Misconception(
        "mask",
        _method(join=lambda R, L: R * (enlarged(L, _size(R)) > 0)[:, None]),
        "You used Grad-CAM as a mask: R where U > 0. The formula multiplies by the value of U.",
    ),
    Misconception(
        "coarse_product",
        _method(join=_coarse_product),
        "You multiplied on the layer's grid and enlarged the product, so that the fine lines of R are gone. Enlarge L "
        "to U first: G = R·U at every pixel.",
    ),
    Misconception(
        "nearest",
        _method(join=lambda R, L: R * resized(L, _size(R), "nearest")[:, None]),
        "You enlarged Grad-CAM by copying the nearest place. U is bilinear: it mixes the four places round a pixel.",
    ),
    Misconception(
        "corners_aligned",
        _method(join=lambda R, L: R * resized(L, _size(R), align_corners=True)[:, None]),
        "You enlarged Grad-CAM with align_corners=True. The centre of a place is the middle of its H/h pixels: "
        "align_corners=False.",
    ),
    Misconception(
        "map_over_maximum",
        _method(join=lambda R, L: product(R, over_maximum(L))),
        "You divided Grad-CAM by its maximum before you multiplied. " + _RAW,
    ),
    Misconception(
        "map_min_max",
        _method(join=lambda R, L: R * min_max(enlarged(L, _size(R)))[:, None]),
        "You scaled Grad-CAM to [0, 1] before you multiplied. " + _RAW,
    ),
    Misconception(
        "guided_over_maximum",
        _method(join=lambda R, L: product(over_largest(R), L)),
        "You divided R by its largest |value| before you multiplied. " + _RAW,
    ),
    Misconception(
        "result_over_maximum",
        _method(join=lambda R, L: over_largest(product(R, L))),
        "You divided G by its largest |value|. It is returned raw; scaling is for the picture only.",
    ),
    Misconception(
        "positive_only",
        _method(join=lambda R, L: product(R.clamp(min=0), L)),
        "You dropped the negative values of R. G keeps both signs.",
    ),
    Misconception(
        "absolute",
        _method(join=lambda R, L: product(R.abs(), L)),
        "You took the absolute value. G keeps the signs of R: say |·| only for a picture.",
    ),
    Misconception(
        "sum_over_colours",
        _method(join=lambda R, L: product(R, L).sum(1)),
        "You summed over the colours. G is [N C H W], one signed value for each colour of each pixel.",
    ),
    Misconception(
        "times_the_image",
        lambda model, images, targets, layer: images * joined(model, images, targets, layer),
        "You multiplied by the image as well. G = R·U has two factors only.",
    ),
    Misconception(
        "cross_entropy",
        _method(objective=F.cross_entropy),
        "You started from the cross-entropy loss, as in training. Both factors explain the score itself: R is 1 at y^c "
        "and 0 at every other score.",
    ),
    *(Misconception(name, _method(objective=function), told) for name, (function, told) in OBJECTIVES.items()),
)
