"""Wrong answers of lesson 14, LRP, for the whole method through a small network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from autograder.exercises.lrp_rules import (
    Step,
    at_the_targets,
    composite,
    epsilon_layer,
    gamma_layer,
    handed_back,
    having,
    inputs_of,
    lrp,
    share,
    weight_and_bias,
    with_back,
)
from autograder.records import Misconception

Start = Callable[[Tensor, Tensor], Tensor]
"""Scores [N classes], targets [N] -> R of the scores."""


def _starts_from(start: Start) -> Callable[..., Tensor]:
    def wrong(model, images, targets, epsilon, gamma):
        return handed_back(model, images, lambda y: start(y, targets), composite(epsilon, gamma))

    return wrong


def _steps_by(change: Callable[[Step, float, float], Step]) -> Callable[..., Tensor]:
    """The method with `change(the right step, ε, γ)` at each layer."""

    def wrong(model, images, targets, epsilon, gamma):
        step = change(composite(epsilon, gamma), epsilon, gamma)
        return handed_back(model, images, lambda y: at_the_targets(y, targets), step)

    return wrong


def _at(kinds: tuple[type[nn.Module], ...], other: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """The method with `other(layer, a, R, ε, γ)` at layers of these kinds."""

    def change(step: Step, epsilon: float, gamma: float) -> Step:
        def changed(layer, a, R):
            return other(layer, a, R, epsilon, gamma) if isinstance(layer, kinds) else step(layer, a, R)

        return changed

    return _steps_by(change)


AVERAGES = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)


def _windows(layer: nn.MaxPool2d, a: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """Each window's values [N C k·k places], and the way back from them; padding is 0."""

    def unfolded(x: Tensor) -> Tensor:
        flat = F.unfold(x, layer.kernel_size, padding=layer.padding, stride=layer.stride)
        return flat.unflatten(1, (x.shape[1], -1))

    return with_back(unfolded, a)


def _pool_evenly(layer, a, R, epsilon, gamma):
    values, back = _windows(layer, a)
    return back((R.flatten(2)[:, :, None] / values.shape[2]).expand_as(values))


def _pool_in_proportion(layer, a, R, epsilon, gamma):
    values, back = _windows(layer, a)
    return back(values * share(R.flatten(2), values.sum(2))[:, :, None])


def _same_gradient(layer, a, R, epsilon, gamma):
    return with_back(layer, a)[1](R)


def _positive_relevance(layer, a, R, epsilon, gamma):
    return R.relu()


def gradient_x_input(model, images, targets, epsilon, gamma):
    """Pixel times gradient; ε and γ are not used."""
    with torch.enable_grad():
        x = images.detach().clone().requires_grad_()
        y = model(x).gather(1, targets[:, None]).sum()
    return images * torch.autograd.grad(y, x)[0]


def _stops_before_the_pixels(model, images, targets, epsilon, gamma):
    entering, _ = inputs_of(model, images)
    return lrp(model[1:], entering[1], targets, epsilon, gamma)


def _without_share(layer, a, R, epsilon, gamma):
    w, b = weight_and_bias(layer)
    z, back = with_back(having(layer, w + gamma * w.clamp(min=0), b + gamma * b.clamp(min=0)), a)
    return a * back(R / z)


def _without_the_input(layer, a, R, epsilon, gamma):
    w, b = weight_and_bias(layer)
    favoured = {"weight": w + gamma * w.relu(), "bias": b + gamma * b.relu()}
    z, back = with_back(lambda x: torch.func.functional_call(layer, favoured, (x,)), a)
    return back(share(R, z)) if layer.in_channels == 2 else a * back(share(R, z))


METHOD = (
    Misconception(
        "starts_from_one",
        _starts_from(lambda y, c: at_the_targets(torch.ones_like(y), c)),
        "You started from R = 1 at the target. What is handed back is the score: R = y^c at the target. The picture "
        "looks the same, the values no longer add up to y^c.",
    ),
    Misconception(
        "starts_from_all_scores",
        _starts_from(lambda y, c: y),
        "You started from all scores. Only y^c is to be explained: R is 0 for every other class.",
    ),
    Misconception(
        "starts_from_the_probability",
        _starts_from(lambda y, c: at_the_targets(y.softmax(1), c)),
        "You started from the probability. y^c is the score before the softmax; the softmax is no part of the network "
        "here.",
    ),
    Misconception(
        "predicted_class",
        _starts_from(lambda y, c: at_the_targets(y, y.argmax(1))),
        "You explained the class with the largest score. c is the class the caller asks about: targets[n].",
    ),
    Misconception(
        "first_target",
        _starts_from(lambda y, c: at_the_targets(y, c[:1].expand_as(c))),
        "You explained the first image's class in every image. Image n has its own class c = targets[n].",
    ),
    Misconception(
        "every_target",
        _starts_from(lambda y, c: y * (torch.zeros_like(y).index_fill(1, c, 1.0))),
        "R[:, targets] sets the classes of all images in every image. Image n starts with one entry: "
        "R[torch.arange(N), targets].",
    ),
    Misconception(
        "mean_over_batch",
        _starts_from(lambda y, c: at_the_targets(y, c) / len(y)),
        "You divided by the number of images N. Each image hands back its own whole score y^c.",
    ),
    Misconception(
        "absolute_score",
        _starts_from(lambda y, c: at_the_targets(y.abs(), c)),
        "You started from |y^c|. A negative score is handed back as it is: the relevances then add up to a negative "
        "number.",
    ),
    Misconception(
        "epsilon_everywhere",
        _at((nn.Conv2d,), lambda layer, a, R, e, g: epsilon_layer(a, layer, R, e)),
        "You used the ε-rule in the convolutions too. The composite takes γ there: gamma_layer(a, layer, R, gamma).",
    ),
    Misconception(
        "gamma_everywhere",
        _at((nn.Linear,), lambda layer, a, R, e, g: gamma_layer(a, layer, R, g)),
        "You used the γ-rule in the linear layers too. The composite takes ε there: epsilon_layer(a, layer, R, "
        "epsilon).",
    ),
    Misconception(
        "rules_swapped",
        _steps_by(
            lambda step, e, g: (
                lambda layer, a, R: (
                    epsilon_layer(a, layer, R, e)
                    if isinstance(layer, nn.Conv2d)
                    else gamma_layer(a, layer, R, g)
                    if isinstance(layer, nn.Linear)
                    else step(layer, a, R)
                )
            )
        ),
        "The rules are swapped: γ belongs to the convolutions, ε to the linear layers above them.",
    ),
    Misconception(
        "max_pool_evenly",
        _at((nn.MaxPool2d,), _pool_evenly),
        "You spread the relevance of a max-pool evenly over its window. Only the largest value made the output: the "
        "winner takes all.",
    ),
    Misconception(
        "max_pool_in_proportion",
        _at((nn.MaxPool2d,), _pool_in_proportion),
        "You shared the relevance of a max-pool in proportion to the values of the window. Only the largest value "
        "made the output: the winner takes all.",
    ),
    Misconception(
        "average_evenly",
        _at(AVERAGES, _same_gradient),
        "You spread the relevance of an average evenly over its window. An average is a linear layer of equal "
        "weights: the share of place i is in proportion to a_i. Use epsilon_layer.",
    ),
    Misconception(
        "relu_on_relevance",
        _at((nn.ReLU,), _positive_relevance),
        "You clipped relevance at the ReLUs. A ReLU hands R on as it is, with its sign.",
    ),
    Misconception(
        "gradient_x_input",
        gradient_x_input,
        "You returned gradient × input. That is LRP with ε = 0 and γ = 0 in every layer; here the convolutions favour "
        "what is positive.",
    ),
    Misconception(
        "division_by_zero",
        _at((nn.Conv2d,), _without_share),
        "Where a convolution puts out 0 you divided 0 by 0: NaN. An output of 0 hands nothing on: `share` gives 0.",
    ),
    Misconception(
        "stops_before_the_pixels",
        _stops_before_the_pixels,
        "You stopped one layer too early: R belongs to what leaves the first layer. Hand it through that layer as "
        "well, to the pixels.",
    ),
    Misconception(
        "no_input_at_the_pixels",
        _at((nn.Conv2d,), _without_the_input),
        "In the first layer you did not multiply by the pixels. What pixel i contributes is a_i·w_ij there as well.",
    ),
    Misconception(
        "absolute",
        lambda *arguments: lrp(*arguments).abs(),
        "You returned |R|. The sign says whether a pixel speaks for class c or against it: keep it.",
    ),
    Misconception(
        "clipped",
        lambda *arguments: lrp(*arguments).relu(),
        "You cut off negative relevance. LRP returns it raw: what speaks against class c is part of the account.",
    ),
)
