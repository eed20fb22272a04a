"""Inputs and laws of lesson 13, DeepLIFT: small float64 tensors on which every known mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor

from autograder.exercises import deeplift_misconceptions as mistakes
from autograder.exercises.deeplift_network_misconceptions import NETWORK, two_layers
from autograder.exercises.deeplift_revealcancel_misconceptions import REVEAL_CANCEL, signed_multipliers
from autograder.fixtures import mixed_order
from autograder.records import Arrays, Call, Misconception

Results = list[tuple[Tensor, ...]]


def _uniform(generator: Generator, *shape: int, low: float = 0.5, high: float = 1.5) -> Tensor:
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)


def _signed(generator: Generator, *shape: int) -> Tensor:
    """Size 0.5 to 1.5, either sign."""
    sign = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return sign * _uniform(generator, *shape)


# Drawn again until every known mistake is far from the right answer, and from every other mistake.


def _telling(
    generator: Generator,
    draw: Callable[[Generator], list[Call]],
    right: Callable[..., object],
    known: Sequence[Misconception],
) -> list[Call]:
    for _ in range(1000):
        calls = draw(generator)
        expected = _results(right, calls)
        wrong = [_results(m.wrong, calls) for m in known]
        if all(_far(expected, results, expected, 0.03) for results in wrong) and all(
            _far(one, other, one, 0.003) and _far(one, other, other, 0.003)
            for one, other in itertools.combinations(wrong, 2)
        ):
            return calls
    raise RuntimeError(f"no inputs found on which all of {[m.name for m in known]} show")


def _results(function: Callable[..., object], calls: Sequence[Call]) -> Results:
    results = (function(**call.inputs) for call in calls)
    return [result if isinstance(result, tuple) else (result,) for result in results]


def _far(one: Results, other: Results, scale: Results, least: float) -> bool:
    """Whether outputs differ by over `least` of the largest value in `scale`, or in shape, or in which are NaN."""
    return any(_apart(_output(one, k), _output(other, k), _output(scale, k), least) for k in range(len(one[0])))


def _output(results: Results, k: int) -> list[Tensor]:
    return [result[k] for result in results]


def _apart(one: Sequence[Tensor], other: Sequence[Tensor], scale: Sequence[Tensor], least: float) -> bool:
    size = max(float(values.nan_to_num(0, 0, 0).abs().max()) for values in scale)
    for a, b in zip(one, other, strict=True):
        if a.shape != b.shape or not torch.equal(a.isfinite(), b.isfinite()):
            return True
        if float((a - b).nan_to_num(0, 0, 0).abs().max()) > least * size:
            return True
    return False


# 1. Linear rule


def _weighed(generator: Generator, n: int, k: int, d: int) -> Call:
    """The second of several rows is its own baseline."""
    x0 = _signed(generator, n, d)
    dx = _signed(generator, n, d)
    dx[1:2] = 0.0
    return Call({"x": x0 + dx, "x0": x0, "weight": _signed(generator, k, d)})


def three_rows(generator: Generator) -> list[Call]:
    """Three rows of five inputs, four units; and a single row."""
    return _telling(
        generator, lambda g: [_weighed(g, 3, 4, 5), _weighed(g, 1, 3, 4)], mistakes.each_input, mistakes.LINEAR
    )


def other_rows(generator: Generator) -> list[Call]:
    """Four rows of three inputs, six units; and a single row."""
    return _telling(
        generator, lambda g: [_weighed(g, 4, 6, 3), _weighed(g, 1, 2, 7)], mistakes.each_input, mistakes.LINEAR
    )


# 2. Rescale: every way of lying beside the corner, in a random order


def _beside_the_corner(generator: Generator, n: int, k: int) -> Call:
    """Twelve places: both sides, not moved, at 0 and not moved, and two that move by 1e-7 across the corner."""
    near = _uniform(generator, 4, low=0.4, high=0.7)
    far = _uniform(generator, 4, low=1.0, high=1.5)
    tiny, none = 1e-7 * torch.stack([near[2], -far[2]]), torch.zeros(1, dtype=torch.float64)
    still = torch.cat([near[:1], -far[3:], none])
    z0 = torch.cat([-near[:1], -far[:1], near[1:2], far[1:2], near[2:3], far[2:3], -near[3:], still, tiny])
    z = torch.cat([far[:1], near[:1], -far[1:2], -near[1:2], far[2:3], near[2:3], -far[3:], still, tiny.flip(0)])
    order = torch.cat([torch.randperm(12, generator=generator) for _ in range(-(-n * k // 12))])[: n * k]
    return Call({"z": z[order].view(n, k), "z0": z0[order].view(n, k)})


def units(generator: Generator) -> list[Call]:
    """Twelve places, one of each kind."""
    return _telling(generator, lambda g: [_beside_the_corner(g, 3, 4)], mistakes.multiplier, mistakes.RESCALE)


def feature_maps(generator: Generator) -> list[Call]:
    """The same for maps [N K h w] and for a single row."""

    def draw(g: Generator) -> list[Call]:
        grid = {name: value.view(2, 3, 3, 2) for name, value in _beside_the_corner(g, 6, 6).inputs.items()}
        return [Call(grid), _beside_the_corner(g, 1, 12)]

    return _telling(generator, draw, mistakes.multiplier, mistakes.RESCALE)


# 3. Two layers: multiples of 1/4, so that a unit that did not move has z = z⁰ to the last bit


def _quarters(generator: Generator, *shape: int) -> Tensor:
    """Multiples of 1/4 from 1/4 to 3/2, either sign."""
    sign = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return sign * torch.randint(1, 7, shape, generator=generator).to(torch.float64) / 4


def _network(generator: Generator, n: int, d: int, k: int, classes: int) -> Call:
    """Units 0 to 2 hardly move in row 0: two of their inputs move, and cancel.

    Unit 0 stays at 1 and unit 1 at 0; unit 2 crosses the corner, from -2^-19 to 2^-19.
    """
    x0, weight1 = _quarters(generator, n, d), _quarters(generator, k, d)
    dx = _quarters(generator, n, d)
    dx[0, 1] = dx[0, 1].sign()
    weight1[0] = 0
    weight1[0, 0], weight1[0, 1] = dx[0, 1], -dx[0, 0]
    bias1 = _quarters(generator, k)
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
            "weight2": _quarters(generator, classes, k),
        }
    )


def small_network(generator: Generator) -> list[Call]:
    """Three rows, five inputs, four units, six classes; and a single row."""
    return _telling(generator, lambda g: [_network(g, 3, 5, 4, 6), _network(g, 1, 4, 5, 3)], two_layers, NETWORK)


def other_networks(generator: Generator) -> list[Call]:
    """Four rows through seven units; and a single row."""

    def draw(g: Generator) -> list[Call]:
        return [_network(g, 4, 3, 7, 5), _network(g, 1, 6, 5, 3)]

    return _telling(generator, draw, two_layers, NETWORK)


def without_biases(generator: Generator) -> list[Call]:
    """No bias, and a baseline of zeros."""
    call = _network(generator, 3, 5, 4, 6)
    nothing = {name: torch.zeros_like(call.inputs[name]) for name in ("x0", "bias1")}
    return [Call({**call.inputs, **nothing})]


# 4. Gap


def _accounts(generator: Generator, *shape: int) -> Call:
    """Contributions of either sign whose sum is not y - y⁰: of the size of the scores, but for a second image's."""
    scores, baseline_scores = _signed(generator, shape[0]), _signed(generator, shape[0]) / 2
    contributions = _signed(generator, *shape) / 2
    scores[1:2] = baseline_scores[1:2] + mistakes.total(contributions)[1:2] - 5e-4
    return Call({"contributions": contributions, "scores": scores, "baseline_scores": baseline_scores})


def maps_of_three(generator: Generator) -> list[Call]:
    """Three images of two channels, one of them nearly accounted for; and a single row."""
    return _telling(
        generator, lambda g: [_accounts(g, 3, 2, 3, 4), _accounts(g, 1, 5)], mistakes.right_gap, mistakes.GAP
    )


def rows_and_one_map(generator: Generator) -> list[Call]:
    """Four rows of six inputs; and a single image."""
    return _telling(
        generator, lambda g: [_accounts(g, 4, 6), _accounts(g, 1, 3, 2, 3)], mistakes.right_gap, mistakes.GAP
    )


# 5. RevealCancel


def _parts(generator: Generator, n: int, k: int) -> Call:
    """z⁰ of either sign, differences of both signs; at a few places one sign only, or none, or all three tiny."""
    positive, negative = _uniform(generator, n, k, high=2.5), -_uniform(generator, n, k, high=2.5)
    z0 = _signed(generator, n, k)
    z0[0, :2], positive[0, 0], negative[0, 1] = 3.0, 0.0, 0.0
    z0[0, 2], positive[0, 2] = -1.0, 0.0
    positive[-1, -2], negative[-1, -2] = 0.0, 0.0
    z0[-1, -1], positive[-1, -1], negative[-1, -1] = -2e-7, 5e-7, -1e-7
    return Call({"positive": positive, "negative": negative, "z0": z0})


def both_signs(generator: Generator) -> list[Call]:
    """Three rows of four units; some have differences of one sign only."""
    return _telling(generator, lambda g: [_parts(g, 3, 4)], signed_multipliers, REVEAL_CANCEL)


def other_signs(generator: Generator) -> list[Call]:
    """Two rows of seven units; and a single row."""
    return _telling(
        generator,
        lambda g: [_parts(g, 2, 7), _parts(g, 1, 6)],
        signed_multipliers,
        REVEAL_CANCEL,
    )


def minima(generator: Generator) -> list[Call]:
    """a - b beside the corner, from 0: min(a, b) = a - ReLU(a - b)."""
    a, b = _uniform(generator, 8, high=5.0), _uniform(generator, 8, high=5.0)
    return [Call({"positive": a, "negative": -b, "z0": torch.zeros(8, dtype=torch.float64)})]


# Laws


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def _arrays(call: Call, *names: str) -> list[np.ndarray]:
    return [call.inputs[name].detach().cpu().numpy() for name in names]


def _relu(values: np.ndarray) -> np.ndarray:
    return values.clip(min=0)


def sums_to_dz(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ_i C_ki = z_k - z⁰_k for any bias."""
    x, x0, weight = _arrays(calls[0], "x", "x0", "weight")
    return _relative(results[0][0].sum(2), x @ weight.T - x0 @ weight.T)


def crosses(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """m Δz = Δy."""
    z, z0 = _arrays(calls[0], "z", "z0")
    return _relative(results[0][0] * (z - z0), _relu(z) - _relu(z0))


def there_and_back_calls(generator: Generator) -> list[Call]:
    """z and z⁰, and the two exchanged."""
    (call,) = units(generator)
    return [call, Call({"z": call.inputs["z0"], "z0": call.inputs["z"]})]


def there_and_back(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """m(z, z⁰) = m(z⁰, z)."""
    return _relative(results[1][0], results[0][0])


def _score(x: np.ndarray, targets: np.ndarray, *layers: np.ndarray) -> np.ndarray:
    weight1, bias1, weight2 = layers
    return (_relu(x @ weight1.T + bias1) @ weight2.T)[np.arange(len(x)), targets]


def complete(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ_i C_i = y^c(x) - y^c(x⁰)."""
    x, x0, *rest = _arrays(calls[0], "x", "x0", "targets", "weight1", "bias1", "weight2")
    return _relative(results[0][0].sum(1), _score(x, *rest) - _score(x0, *rest))


def gradient_x_input(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Without biases, and from zeros: ∂y^c/∂x times x."""
    x, targets, weight1, weight2 = _arrays(calls[0], "x", "targets", "weight1", "weight2")
    gradient = (weight2[targets] * (x @ weight1.T > 0)) @ weight1
    return _relative(results[0][0], gradient * x)


def linear_model_calls(generator: Generator) -> list[Call]:
    """C = w (x - x⁰) of a linear model with a bias, and its scores."""
    x, x0, w = (_signed(generator, *shape) for shape in ((3, 5), (3, 5), (5,)))
    bias = _uniform(generator, 1)
    return [Call({"contributions": w * (x - x0), "scores": x @ w + bias, "baseline_scores": x0 @ w + bias})]


def no_gap(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """g = 0, measured by the scores."""
    scores, baseline_scores = _arrays(calls[0], "scores", "baseline_scores")
    return float(np.abs(results[0][0]).max() / np.abs(scores - baseline_scores).max())


def both_parts(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """m⁺ Δz⁺ + m⁻ Δz⁻ = Δy."""
    p, n, z0 = _arrays(calls[0], "positive", "negative", "z0")
    m_plus, m_minus = results[0]
    return _relative(m_plus * p + m_minus * n, _relu(z0 + p + n) - _relu(z0))


def shared_evenly(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """min(a, b) = a - ReLU(a - b) from 0: both inputs get half of it."""
    a, minus_b = _arrays(calls[0], "positive", "negative")
    m_plus, m_minus = results[0]
    half = np.minimum(a, -minus_b) / 2
    return max(_relative(a - m_plus * a, half), _relative(-m_minus * minus_b, half))
