"""Inputs and laws of DeepLIFT: small float64 tensors, with units that did not move or lie beside the ReLU's corner."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Generator, Tensor
from torch.nn import functional as F

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, mixed_order, relative
from autograder.course.records import Arrays, Call, Case, Law


def either_sign(generator: Generator, *shape: int) -> Tensor:
    """Numbers between 0.5 and 1.5 in size."""
    return coin(generator, *shape) * between(generator, 0.5, 1.5, *shape)


def quarters(generator: Generator, *shape: int) -> Tensor:
    """Multiples of 1/4 from 1/4 to 3/2 in size: sums of their products are exact."""
    return coin(generator, *shape) * torch.randint(1, 7, shape, generator=generator).to(torch.float64) / 4


def coin(generator: Generator, *shape: int) -> Tensor:
    """+1 or -1."""
    return torch.randint(0, 2, shape, generator=generator) * 2 - 1


def arrays(call: Call, *names: str) -> list[np.ndarray]:
    return [array(call.inputs[name]) for name in names]


def relu(values: np.ndarray) -> np.ndarray:
    return values.clip(min=0)


def weighed(generator: Generator, n: int, k: int, d: int) -> Call:
    """The second of several rows is its own baseline."""
    x0, dx = either_sign(generator, n, d), either_sign(generator, n, d)
    dx[1:2] = 0.0
    return Call({"x": x0 + dx, "x0": x0, "weight": either_sign(generator, k, d)})


def three_rows(generator: Generator) -> list[Call]:
    return [weighed(generator, 3, 4, 5), weighed(generator, 1, 3, 4)]


def sums_to_dz(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    x, x0, weight = arrays(calls[0], "x", "x0", "weight")
    return relative(results[0][0].sum(2), x @ weight.T - x0 @ weight.T)


def beside_the_corner(generator: Generator, n: int, k: int) -> Call:
    """Twelve places: both sides, not moved, at 0 and not moved, and two that move by 1e-7 across the corner."""
    near, far = between(generator, 0.4, 0.7, 4), between(generator, 1.0, 1.5, 4)
    tiny, none = 1e-7 * torch.stack([near[2], -far[2]]), torch.zeros(1, dtype=torch.float64)
    still = torch.cat([near[:1], -far[3:], none])
    z0 = torch.cat([-near[:1], -far[:1], near[1:2], far[1:2], near[2:3], far[2:3], -near[3:], still, tiny])
    z = torch.cat([far[:1], near[:1], -far[1:2], -near[1:2], far[2:3], near[2:3], -far[3:], still, tiny.flip(0)])
    order = torch.cat([torch.randperm(12, generator=generator) for _ in range(-(-n * k // 12))])[: n * k]
    return Call({"z": z[order].view(n, k), "z0": z0[order].view(n, k)})


def units(generator: Generator) -> list[Call]:
    return [beside_the_corner(generator, 3, 4)]


def feature_maps(generator: Generator) -> list[Call]:
    grid = {name: value.view(2, 3, 3, 2) for name, value in beside_the_corner(generator, 6, 6).inputs.items()}
    return [Call(grid), beside_the_corner(generator, 1, 12)]


def crosses(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    z, z0 = arrays(calls[0], "z", "z0")
    return relative(results[0][0] * (z - z0), relu(z) - relu(z0))


def there_and_back_calls(generator: Generator) -> list[Call]:
    (call,) = units(generator)
    return [call, Call({"z": call.inputs["z0"], "z0": call.inputs["z"]})]


def there_and_back(_calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0], results[0][0])


def network(generator: Generator, n: int, d: int, k: int, classes: int) -> Call:
    """Units 0 to 2 hardly move in row 0: two of their inputs move, and cancel.

    Unit 0 stays at 1 and unit 1 at 0, to the last bit; unit 2 crosses the corner, from -2^-19 to 2^-19.
    """
    x0, weight1, dx = quarters(generator, n, d), quarters(generator, k, d), quarters(generator, n, d)
    dx[0, 1] = dx[0, 1].sign()
    weight1[0] = 0
    weight1[0, 0], weight1[0, 1] = dx[0, 1], -dx[0, 0]
    bias1 = quarters(generator, k)
    weight1[1], weight1[2] = -weight1[0], weight1[0]
    weight1[2, 1] += 2**-18 * dx[0, 1]
    bias1[0], bias1[1] = 1 - weight1[0] @ x0[0], weight1[0] @ x0[0]
    bias1[2] = -(weight1[2] @ x0[0]) - 2**-19
    return Call(
        {
            "x": x0 + dx,
            "x0": x0,
            "targets": mixed_order(generator, classes, n)[:n],
            "weight1": weight1,
            "bias1": bias1,
            "weight2": quarters(generator, classes, k),
        }
    )


def small_network(generator: Generator) -> list[Call]:
    return [network(generator, 3, 5, 4, 6), network(generator, 1, 4, 5, 3)]


def score(x: np.ndarray, targets: np.ndarray, *layers: np.ndarray) -> np.ndarray:
    weight1, bias1, weight2 = layers
    return (relu(x @ weight1.T + bias1) @ weight2.T)[np.arange(len(x)), targets]


def complete(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    x, x0, *rest = arrays(calls[0], "x", "x0", "targets", "weight1", "bias1", "weight2")
    return relative(results[0][0].sum(1), score(x, *rest) - score(x0, *rest))


def without_biases(generator: Generator) -> list[Call]:
    """No bias, and a baseline of zeros."""
    call = network(generator, 3, 5, 4, 6)
    nothing = {name: torch.zeros_like(call.inputs[name]) for name in ("x0", "bias1")}
    return [Call({**call.inputs, **nothing})]


def gradient_x_input(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    x, targets, weight1, weight2 = arrays(calls[0], "x", "targets", "weight1", "weight2")
    gradient = (weight2[targets] * (x @ weight1.T > 0)) @ weight1
    return relative(results[0][0], gradient * x)


def accounts(generator: Generator, *shape: int) -> Call:
    """Contributions of either sign whose sum is not y - y⁰: of the size of the scores, but for a second image's."""
    scores, baseline_scores = either_sign(generator, shape[0]), either_sign(generator, shape[0]) / 2
    contributions = either_sign(generator, *shape) / 2
    scores[1:2] = baseline_scores[1:2] + contributions.flatten(1).sum(1)[1:2] - 5e-4
    return Call({"contributions": contributions, "scores": scores, "baseline_scores": baseline_scores})


def linear_model_calls(generator: Generator) -> list[Call]:
    """C = w (x - x⁰) of a linear model with a bias, and its scores."""
    x, x0, w = (either_sign(generator, *shape) for shape in ((3, 5), (3, 5), (5,)))
    bias = between(generator, 0.5, 1.5, 1)
    return [Call({"contributions": w * (x - x0), "scores": x @ w + bias, "baseline_scores": x0 @ w + bias})]


def no_gap(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    scores, baseline_scores = arrays(calls[0], "scores", "baseline_scores")
    return float(np.abs(results[0][0]).max() / np.abs(scores - baseline_scores).max())


def parts(generator: Generator, n: int, k: int) -> Call:
    """z⁰ of either sign, differences of both signs; at a few places one sign only, or none, or all three tiny."""
    positive, negative = between(generator, 0.5, 2.5, n, k), -between(generator, 0.5, 2.5, n, k)
    z0 = either_sign(generator, n, k)
    z0[0, :2], positive[0, 0], negative[0, 1] = 3.0, 0.0, 0.0
    z0[0, 2], positive[0, 2] = -1.0, 0.0
    positive[-1, -2], negative[-1, -2] = 0.0, 0.0
    z0[-1, -1], positive[-1, -1], negative[-1, -1] = -2e-7, 5e-7, -1e-7
    return Call({"positive": positive, "negative": negative, "z0": z0})


def both_signs(generator: Generator) -> list[Call]:
    return [parts(generator, 3, 4)]


def both_parts(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    p, n, z0 = arrays(calls[0], "positive", "negative", "z0")
    m_plus, m_minus = results[0]
    return relative(m_plus * p + m_minus * n, relu(z0 + p + n) - relu(z0))


def minima(generator: Generator) -> list[Call]:
    """a - b beside the corner, from 0: min(a, b) = a - ReLU(a - b)."""
    a, b = between(generator, 0.5, 5.0, 8), between(generator, 0.5, 5.0, 8)
    return [Call({"positive": a, "negative": -b, "z0": torch.zeros(8, dtype=torch.float64)})]


def shared_evenly(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    a, minus_b = arrays(calls[0], "positive", "negative")
    m_plus, m_minus = results[0]
    half = np.minimum(a, -minus_b) / 2
    return max(relative(a - m_plus * a, half), relative(-m_minus * minus_b, half))


def first_layer() -> Call:
    """One channel of the first convolution of EfficientNet-Lite0, on a photo and on a uniform grey."""
    model, photo = cnnviz.efficientnet_lite0().requires_grad_(False), cnnviz.preprocess(cnnviz.photo("camera"))
    stem = model.get_submodule("features.stem")
    padded = F.pad(torch.cat([photo, torch.zeros_like(photo)]), (0, 1, 0, 1))
    z = stem.get_submodule("conv")(padded)
    crossing = ((z[0] > 0) != (z[1] > 0)).float().mean(dim=(1, 2))
    k = int((crossing - 0.5).abs().argmin())
    return Call({"z": z[:1, k].contiguous(), "z0": z[1:, k].contiguous()})


CHECKS = {
    "linear_contributions": Checks(
        cases=(
            Case("three rows of five inputs, one of them its baseline; and a single row", three_rows),
            Case(
                "other sizes, and a single row",
                lambda g: [weighed(g, 4, 6, 3), weighed(g, 1, 2, 7)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "sums_to_dz",
                "The contributions to a unit sum to its difference: Σ_i C_ki = z_k - z⁰_k, whatever the bias.",
                three_rows,
                sums_to_dz,
            ),
        ),
    ),
    "rescale_multiplier": Checks(
        cases=(
            Case("units beside the corner, some that did not move, one of them at 0", units),
            Case("feature maps, and a single row", feature_maps, hidden=True),
        ),
        laws=(
            Law("m_dz_is_dy", "A multiplier carries the whole difference: m·Δz = Δy.", units, crosses),
            Law(
                "there_and_back",
                "The line from z⁰ to z is the line from z to z⁰: exchanging both leaves m as it is.",
                there_and_back_calls,
                there_and_back,
            ),
        ),
        showcase=first_layer,
    ),
    "deeplift_two_layers": Checks(
        cases=(
            Case("three rows with a class each, units that hardly moved; and a single row", small_network, draw=3),
            Case(
                "other networks, and a single row",
                lambda g: [network(g, 4, 3, 7, 5), network(g, 1, 6, 5, 3)],
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law("complete", "Completeness: Σ_i C_i = y^c(x) - y^c(x⁰).", small_network, complete),
            Law(
                "gradient_x_input_without_biases",
                "Without biases and with a baseline of zeros, C_i = x_i · ∂y^c/∂x_i.",
                without_biases,
                gradient_x_input,
            ),
        ),
    ),
    "completeness_gap": Checks(
        cases=(
            Case(
                "three images of two channels, and a single row",
                lambda g: [accounts(g, 3, 2, 3, 4), accounts(g, 1, 5)],
            ),
            Case(
                "rows of inputs, and a single image",
                lambda g: [accounts(g, 4, 6), accounts(g, 1, 3, 2, 3)],
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "linear_model_has_no_gap",
                "Of a linear model, C_i = w_i (x_i - x⁰_i) sums to the difference of the scores: g = 0.",
                linear_model_calls,
                no_gap,
            ),
        ),
    ),
    "revealcancel_multipliers": Checks(
        cases=(
            Case("three rows of four units, some with one sign only, one of tiny differences", both_signs),
            Case(
                "other sizes, and a single row",
                lambda g: [parts(g, 2, 7), parts(g, 1, 6)],
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "both_parts_sum_to_dy",
                "Both parts together carry the whole difference: m⁺·Δz⁺ + m⁻·Δz⁻ = Δy.",
                both_signs,
                both_parts,
            ),
            Law(
                "min_is_shared_evenly",
                "Of min(a, b) = a - ReLU(a - b), from a baseline of 0, a and b get one half each.",
                minima,
                shared_evenly,
            ),
        ),
    ),
}
