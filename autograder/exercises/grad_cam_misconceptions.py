"""Wrong answers of lesson 11, Grad-CAM, that need a network: `capture` and the whole method."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.exercises.grad_cam_part_misconceptions import localised, min_max, over_maximum, weighted_sum, weights
from autograder.records import Misconception

Objective = Callable[[Tensor, Tensor], Tensor]
"""Scores [N classes], targets [N] -> the number that is differentiated."""


def own_score(scores: Tensor, targets: Tensor) -> Tensor:
    """Σ_n y^c of image n at its own target: the gradient for image n is that of its own score."""
    return scores.gather(1, targets[:, None]).sum()


def observed(
    model: nn.Module,
    images: Tensor,
    layer: str,
    objective: Callable[[Tensor], Tensor],
    *,
    copy: bool = True,
    enters: bool = False,
) -> tuple[Tensor, Tensor]:
    """What leaves (or `enters`) the layer, and the gradient of `objective(scores)` with respect to it."""
    seen: list[Tensor] = []
    module = model.get_submodule(layer)

    def leaving(module, inputs, output):
        seen.append(output)
        return output.clone() if copy else None

    def entering(module, inputs):
        seen.append(inputs[0])

    handle = module.register_forward_pre_hook(entering) if enters else module.register_forward_hook(leaving)
    try:
        with torch.enable_grad():
            scores = model(images.detach().clone().requires_grad_())
            (gradient,) = torch.autograd.grad(objective(scores), seen[0])
    finally:
        handle.remove()
    return seen[0].detach(), gradient


# Another number than y^c is differentiated: shared by `capture` and `grad_cam`.

OBJECTIVES: dict[str, tuple[Objective, str]] = {
    "probability": (
        lambda y, c: own_score(y.softmax(1), c),
        "You differentiated the probability, softmax(y)^c. y^c is the score before the softmax: the probability "
        "also moves when another class's score does, and its gradient fades to nothing where the network is sure.",
    ),
    "log_probability": (
        lambda y, c: own_score(y.log_softmax(1), c),
        "You differentiated the logarithm of the probability. y^c is the score before the softmax, scores[n, "
        "targets[n]].",
    ),
    "cross_entropy": (
        lambda y, c: F.cross_entropy(y, c),
        "You differentiated the cross-entropy loss, as in training. Grad-CAM asks for ∂y^c/∂A, the gradient of "
        "the score itself: no loss, no softmax, no minus sign.",
    ),
    "predicted_class": (
        lambda y, c: own_score(y, y.argmax(1)),
        "You explained the class with the largest score. c is the class the caller asks about: targets[n], also "
        "where the network prefers another one.",
    ),
    "all_scores": (
        lambda y, c: y.sum(),
        "You differentiated the sum of all class scores. Only y^c counts: pick scores[n, targets[n]] for each image n.",
    ),
    "mean_over_batch": (
        lambda y, c: own_score(y, c) / len(c),
        "You averaged y^c over the batch, so that every gradient is N times too small. Add the N scores up: each "
        "depends on its own image alone, so the gradient of the sum gives every image its own ∂y^c/∂A.",
    ),
    "first_target": (
        lambda y, c: y[:, c[0]].sum(),
        "You explained the first image's class in every image. Image n has its own class c = targets[n].",
    ),
    "every_target": (
        lambda y, c: y[:, c].sum(),
        "scores[:, targets] is an N x N table: every image was asked about the targets of all images. Take one "
        "score an image: scores[torch.arange(N), targets].",
    ),
}


# 1. capture(model, images, targets, layer) -> A, ∂y^c/∂A


def _differentiates(objective: Objective) -> Callable[..., tuple[Tensor, Tensor]]:
    def wrong(model, images, targets, layer):
        return observed(model, images, layer, lambda scores: objective(scores, targets))

    return wrong


def _right(model, images, targets, layer, **options):
    return observed(model, images, layer, lambda scores: own_score(scores, targets), **options)


def _layer_input(model, images, targets, layer):
    return _right(model, images, targets, layer, enters=True)


def _overwritten(model, images, targets, layer):
    return _right(model, images, targets, layer, copy=False)


def _overwritten_activations(model, images, targets, layer):
    return _overwritten(model, images, targets, layer)[0], _right(model, images, targets, layer)[1]


def _positive_gradients(model, images, targets, layer):
    activations, gradients = _right(model, images, targets, layer)
    return activations, gradients.relu()


def _absolute_gradients(model, images, targets, layer):
    activations, gradients = _right(model, images, targets, layer)
    return activations, gradients.abs()


def _scaled_gradients(model, images, targets, layer):
    activations, gradients = _right(model, images, targets, layer)
    return activations, gradients / (gradients.square().mean().sqrt() + 1e-5)


def _swapped(model, images, targets, layer):
    activations, gradients = _right(model, images, targets, layer)
    return gradients, activations


def by_part_of_its_name(model: nn.Module, layer: str) -> str:
    """The first layer whose name holds the one asked for."""
    return next(name for name, _ in model.named_modules() if layer in name)


_PART_OF_A_NAME = (
    'You took the first layer whose name holds `layer`: "conv1" is also part of "conv10". Take the layer of exactly '
    "that name: model.get_submodule(layer)."
)


_OVERWRITTEN = (
    "You kept the layer's own tensor, and an in-place ReLU after the layer overwrote it: what you hold is "
    "ReLU(A), not A. Hand the network a copy, `return A.clone()` in the hook, and keep A."
)

CAPTURE = (
    Misconception(
        "layer_input",
        _layer_input,
        "You took what enters the layer. A is what leaves it: the third argument of a forward hook, output, not "
        "inputs.",
    ),
    Misconception(
        "part_of_a_name",
        lambda model, images, targets, layer: _right(model, images, targets, by_part_of_its_name(model, layer)),
        _PART_OF_A_NAME,
    ),
    Misconception("overwritten", _overwritten, _OVERWRITTEN),
    Misconception(
        "overwritten_activations",
        _overwritten_activations,
        "∂y^c/∂A is right, but A was overwritten by the in-place ReLU after the layer: `detach` shares memory "
        "with the layer's tensor. Keep `output.detach().clone()`, taken inside the hook.",
    ),
    *(Misconception(name, _differentiates(function), told) for name, (function, told) in OBJECTIVES.items()),
    Misconception(
        "positive_gradients",
        _positive_gradients,
        "You set the negative entries of ∂y^c/∂A to zero. Keep both signs: the only ReLU of Grad-CAM comes at the "
        "very end.",
    ),
    Misconception(
        "absolute_gradients",
        _absolute_gradients,
        "You returned |∂y^c/∂A|. The sign says whether more of A^k raises or lowers the score: keep it.",
    ),
    Misconception(
        "scaled_gradients",
        _scaled_gradients,
        "You divided ∂y^c/∂A by its own size (root mean square). The formula takes the gradient as it is.",
    ),
    Misconception(
        "swapped_outputs",
        _swapped,
        "The two results are in the other order: return (activations, gradients), first A, then ∂y^c/∂A.",
    ),
)


# 4. grad_cam(model, images, targets, layer) -> L


def _explains(objective: Objective) -> Callable[..., Tensor]:
    def wrong(model, images, targets, layer):
        return localised(*observed(model, images, layer, lambda scores: objective(scores, targets)))

    return wrong


def _from_capture(change: Callable[[Tensor, Tensor], Tensor]) -> Callable[..., Tensor]:
    """The method with `change(activations, gradients)` in place of its last two steps."""

    def wrong(model, images, targets, layer):
        return change(*_right(model, images, targets, layer))

    return wrong


def _plus_plus(activations: Tensor, gradients: Tensor) -> Tensor:
    cubes = activations.sum((2, 3), keepdim=True) * gradients**3
    at_each = gradients**2 / (2 * gradients**2 + cubes + 1e-7)
    return weighted_sum(activations, (at_each * gradients.relu()).sum((2, 3))).relu()


def _reweighted(alpha: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    """The method with `alpha(gradients)` in place of the mean."""
    return _from_capture(lambda activations, gradients: weighted_sum(activations, alpha(gradients)).relu())


METHOD = (
    Misconception(
        "no_relu",
        _from_capture(lambda a, g: weighted_sum(a, weights(g))),
        "You left out the ReLU. L keeps only the places that raise y^c: set the negative values of Σ_k α_k A^k to 0.",
    ),
    Misconception(
        "absolute_map",
        _from_capture(lambda a, g: weighted_sum(a, weights(g)).abs()),
        "You took the absolute value of Σ_k α_k A^k. That lights up what speaks against class c; ReLU sets it to 0.",
    ),
    Misconception(
        "sum_for_mean",
        _reweighted(lambda g: g.sum((2, 3))),
        "You summed the gradients over i, j; α_k is their mean: divide by Z = h·w. The picture looks the same "
        "once it is scaled, the values are Z times too large.",
    ),
    Misconception(
        "positive_gradients",
        _reweighted(lambda g: g.relu().mean((2, 3))),
        "You put a ReLU on ∂y^c/∂A. α_k is the mean of all gradients; the only ReLU comes after the sum over k.",
    ),
    Misconception(
        "absolute_gradients",
        _reweighted(lambda g: g.abs().mean((2, 3))),
        "You averaged |∂y^c/∂A|. Without its sign, a channel that speaks against class c counts in favour of it.",
    ),
    Misconception(
        "mean_alpha_of_batch",
        _reweighted(lambda g: g.mean((0, 2, 3)).expand(g.shape[:2])),
        "You averaged α_k over the batch. Every image n has its own α[n, k]: average over i and j alone.",
    ),
    Misconception(
        "max_for_mean",
        _reweighted(lambda g: g.amax((2, 3))),
        "You took the largest ∂y^c/∂A^k_ij of each channel as its weight. α_k is the mean over i, j.",
    ),
    Misconception(
        "one_axis",
        _from_capture(lambda a, g: (g.mean(3, keepdim=True) * a).sum(1).relu()),
        "You averaged ∂y^c/∂A over the columns j alone, so that every row has weights of its own. α_k averages "
        "over i and j.",
    ),
    Misconception(
        "elementwise",
        _from_capture(lambda a, g: (g * a).sum(1).relu()),
        "You multiplied ∂y^c/∂A^k and A^k place by place: that is HiResCAM (Draelos & Carin 2020). Grad-CAM first "
        "averages the gradient to one number α_k a channel.",
    ),
    Misconception(
        "relu_before_sum",
        _from_capture(lambda a, g: (weights(g)[..., None, None] * a).relu().sum(1)),
        "You put the ReLU on each α_k A^k before the sum. Channels for and against must cancel first: sum over k, "
        "then ReLU.",
    ),
    Misconception(
        "mean_over_k",
        _from_capture(lambda a, g: localised(a, g) / a.shape[1]),
        "You averaged over the channels k: the map is K times too small. L sums α_k A^k over k.",
    ),
    Misconception(
        "min_max",
        _from_capture(lambda a, g: min_max(weighted_sum(a, weights(g))).relu()),
        "You scaled to [0, 1] before the ReLU. Then nothing is negative any more, and the ReLU cuts off nothing. "
        "Return raw values; scaling is for the picture only.",
    ),
    Misconception(
        "divided_by_maximum",
        _from_capture(lambda a, g: over_maximum(localised(a, g))),
        "You divided each map by its maximum. L is returned raw, so that the maps of two images can be compared.",
    ),
    Misconception(
        "rows_for_columns",
        _from_capture(lambda a, g: localised(a, g).transpose(1, 2)),
        "Rows and columns of the map are swapped: L is [N h w], i down and j across, as in A.",
    ),
    Misconception(
        "layer_input",
        lambda model, images, targets, layer: localised(*_layer_input(model, images, targets, layer)),
        "You explained what enters the layer. A is what leaves it: the third argument of a forward hook, output, "
        "not inputs.",
    ),
    Misconception(
        "overwritten",
        lambda model, images, targets, layer: localised(*_overwritten(model, images, targets, layer)),
        _OVERWRITTEN,
    ),
    Misconception(
        "overwritten_activations",
        lambda model, images, targets, layer: localised(*_overwritten_activations(model, images, targets, layer)),
        "α is right, but A was overwritten by the in-place ReLU after the layer: `detach` shares memory with the "
        "layer's tensor. Keep `output.detach().clone()`, taken inside the hook.",
    ),
    Misconception(
        "part_of_a_name",
        lambda model, images, targets, layer: localised(
            *_right(model, images, targets, by_part_of_its_name(model, layer))
        ),
        _PART_OF_A_NAME,
    ),
    Misconception(
        "xgrad_cam",
        _from_capture(lambda a, g: weighted_sum(a, (g * a).sum((2, 3)) / (a.sum((2, 3)) + 1e-7)).relu()),
        "Your α_k is Σ_ij A^k_ij ∂y^c/∂A^k_ij / Σ_ij A^k_ij: that is XGrad-CAM. Grad-CAM's α_k is the plain mean of "
        "the gradient over i, j.",
    ),
    Misconception(
        "layer_cam",
        _from_capture(lambda a, g: (g.relu() * a).sum(1).relu()),
        "You weighted each place by its own positive gradient: that is LayerCAM. Grad-CAM has one α_k for each "
        "channel, the mean of the gradient over i, j.",
    ),
    Misconception(
        "grad_cam_plus_plus",
        _from_capture(_plus_plus),
        "You weighted the positive gradients by the α_ij of Grad-CAM++. Grad-CAM's α_k is the plain mean of the "
        "gradient over i, j.",
    ),
    *(Misconception(name, _explains(function), told) for name, (function, told) in OBJECTIVES.items()),
)
