"""Laws of lesson 14, LRP: what is kept, what the bias takes, and which rules are the same thing."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator

from autograder.exercises import lrp_fixtures as fixtures
from autograder.exercises import lrp_rules as rules
from autograder.exercises.lrp_method_misconceptions import gradient_x_input
from autograder.records import Arrays, Call


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def _summed(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).sum(1)


def kept(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ_i R_i = Σ_j R_j for each image."""
    return max(
        _relative(_summed(result[0]), _summed(call.inputs["R"].numpy()))
        for call, result in zip(calls, results, strict=True)
    )


def without_biases(generator: Generator) -> list[Call]:
    """A linear layer without biases, and ε = 0."""
    return [Call({**fixtures.linear(generator, 3, 4, 5, biases=False), "epsilon": 0.0})]


def with_biases(generator: Generator) -> list[Call]:
    """A linear layer with biases, and ε = 0."""
    return [Call({**fixtures.linear(generator, 3, 4, 5), "epsilon": 0.0})]


def kept_by_the_bias(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ_i R_i + Σ_j (b_j / z_j) R_j = Σ_j R_j."""
    a, weight, bias, R, _ = calls[0].inputs.values()
    lost = (bias / (a @ weight.T + bias) * R).sum(1).numpy()
    return _relative(_summed(results[0][0]) + lost, _summed(R.numpy()))


def conv_without_biases(generator: Generator) -> list[Call]:
    """Inputs and weights ≥ 0, so that no z is near 0; no biases, ε = 0."""
    layer = fixtures.conv(generator, 3, 4, 3, stride=2, padding=1, bias=0.0)
    with torch.no_grad():
        layer.weight.abs_()
    return [fixtures.layer_call(generator, layer, 2, 3, 5, 6, signed=False, epsilon=0.0)]


def as_one_matrix(generator: Generator) -> list[Call]:
    """A convolution whose kernel is as large as the image."""
    return [fixtures.layer_call(generator, fixtures.conv(generator, 2, 6, (4, 3)), 3, 2, 4, 3, epsilon=0.25)]


def equals_the_linear_rule(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """That convolution is a linear layer of the flattened image."""
    a, layer, R, epsilon = calls[0].inputs.values()
    weight = layer.weight.detach().flatten(1)
    want = rules.epsilon_rule(a.flatten(1), weight, layer.bias.detach(), R.flatten(1), epsilon)
    return _relative(results[0][0], want.view_as(a).numpy())


def positive_relevance(generator: Generator) -> list[Call]:
    """R ≥ 0, and biases ≤ 0."""
    inputs = fixtures.linear(generator, 3, 6, 4)
    inputs["weight"][:, 0] = inputs["weight"][:, 0].abs()
    inputs["weight"][:, 1] = -inputs["weight"][:, 0]
    inputs["a"][:, 1] = inputs["a"][:, 0]
    return [Call({**inputs, "bias": -inputs["bias"].abs(), "R": inputs["R"].abs()})]


def never_negative(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """R_i ≥ 0."""
    return float(max(0.0, -results[0][0].min()) / np.abs(results[0][0]).max())


def no_favour(generator: Generator) -> list[Call]:
    """γ = 0."""
    layer = fixtures.conv(generator, 3, 4, 3, padding=1, bias=0.4)
    with torch.no_grad():
        rules.bias_of(layer).abs_()
        layer.weight[:, 0].abs_()
    return [fixtures.after_a_relu(generator, layer, 2, 3, 5, 4, gamma=0.0)]


def equals_epsilon_0(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """γ = 0 is the ε-rule with ε = 0."""
    a, layer, R, _ = calls[0].inputs.values()
    return _relative(results[0][0], rules.epsilon_layer(a, layer, R, 0.0).numpy())


def endless_favour(generator: Generator) -> list[Call]:
    """γ = 10^9."""
    return [fixtures.after_a_relu(generator, fixtures.conv(generator, 2, 4, (4, 3), bias=0.4), 3, 2, 4, 3, gamma=1e9)]


def equals_z_plus(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """An endless γ is z+."""
    a, layer, R, _ = calls[0].inputs.values()
    want = rules.z_plus_rule(a.flatten(1), layer.weight.detach().flatten(1), layer.bias.detach(), R.flatten(1))
    return _relative(results[0][0], want.view_as(a).numpy())


def gamma_without_biases(generator: Generator) -> list[Call]:
    """A convolution between ReLUs, without biases."""
    return [
        fixtures.after_a_relu(generator, fixtures.conv(generator, 3, 4, 3, padding=1, bias=0.0), 2, 3, 5, 4, gamma=0.5)
    ]


def networks_without_biases(generator: Generator) -> list[Call]:
    """Two networks without biases, ε = 0."""
    return [
        fixtures.scene(generator, build, 3, epsilon=0.0, gamma=0.5, bias=0.0)
        for build in (fixtures.averaged, fixtures.two_linear)
    ]


def sums_to_the_score(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ R = y^c."""
    worst = 0.0
    for call, result in zip(calls, results, strict=True):
        model, images, targets, *_ = call.inputs.values()
        with torch.no_grad():
            y = model(images).gather(1, targets[:, None])[:, 0].numpy()
        worst = max(worst, _relative(_summed(result[0]), y))
    return worst


def no_options(generator: Generator) -> list[Call]:
    """ε = 0 and γ = 0, with biases."""
    return [fixtures.scene(generator, fixtures.averaged, 3, epsilon=0.0, gamma=0.0)]


def equals_gradient_x_input(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """LRP-0 = pixel × gradient on a network of ReLUs."""
    return _relative(results[0][0], gradient_x_input(*calls[0].inputs.values()).numpy())
