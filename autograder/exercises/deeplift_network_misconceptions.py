"""Wrong answers of lesson 13, DeepLIFT, that need a network: the chain rule of multipliers through two layers."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.deeplift_misconceptions import multiplier, quotient, slope
from autograder.records import Misconception

Middle = Callable[[Tensor, Tensor], Tensor]
"""z, z⁰ [N K] -> what takes the place of the ReLU's multiplier."""


def back(x: Tensor, x0: Tensor, targets: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor, m: Middle) -> Tensor:
    """Multipliers of the inputs [N D], with `m(z, z0)` at the ReLU."""
    z, z0 = (v @ weight1.T + bias1 for v in (x, x0))
    return (weight2[targets] * m(z, z0)) @ weight1


def two_layers(x: Tensor, x0: Tensor, targets: Tensor, weight1: Tensor, bias1: Tensor, weight2: Tensor) -> Tensor:
    """C [N D]: the right answer."""
    return back(x, x0, targets, weight1, bias1, weight2, multiplier) * (x - x0)


def _with_middle(m: Middle) -> Callable[..., Tensor]:
    def wrong(x, x0, targets, weight1, bias1, weight2):
        return back(x, x0, targets, weight1, bias1, weight2, m) * (x - x0)

    return wrong


def _gradient(x, x0, targets, weight1, bias1, weight2):
    return back(x, x0, targets, weight1, bias1, weight2, lambda z, z0: slope(z))


def _gradient_x_input(x, x0, targets, weight1, bias1, weight2):
    return _gradient(x, x0, targets, weight1, bias1, weight2) * x


def _multipliers(x, x0, targets, weight1, bias1, weight2):
    return back(x, x0, targets, weight1, bias1, weight2, multiplier)


def _multipliers_x_input(x, x0, targets, weight1, bias1, weight2):
    return _multipliers(x, x0, targets, weight1, bias1, weight2) * x


def _zero_baseline(x, x0, targets, weight1, bias1, weight2):
    return two_layers(x, torch.zeros_like(x), targets, weight1, bias1, weight2)


def _swapped(x, x0, targets, weight1, bias1, weight2):
    return two_layers(x0, x, targets, weight1, bias1, weight2)


def _no_bias(x, x0, targets, weight1, bias1, weight2):
    return two_layers(x, x0, targets, weight1, torch.zeros_like(bias1), weight2)


def _predicted(x, x0, targets, weight1, bias1, weight2):
    scores = (x @ weight1.T + bias1).relu() @ weight2.T
    return two_layers(x, x0, scores.argmax(1), weight1, bias1, weight2)


def _first_target(x, x0, targets, weight1, bias1, weight2):
    return two_layers(x, x0, targets[:1].expand_as(targets), weight1, bias1, weight2)


def _all_scores(x, x0, targets, weight1, bias1, weight2):
    return two_layers(x, x0, torch.zeros_like(targets), weight1, bias1, weight2.sum(0, keepdim=True))


def _changed(change: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def wrong(x, x0, targets, weight1, bias1, weight2):
        return change(two_layers(x, x0, targets, weight1, bias1, weight2))

    return wrong


def _no_fallback(z: Tensor, z0: Tensor) -> Tensor:
    return (z.relu() - z0.relu()) / (z - z0)


def _zero_fallback(z: Tensor, z0: Tensor) -> Tensor:
    return quotient(z.relu() - z0.relu(), z - z0, torch.zeros_like(z))


def _wide_fallback(z: Tensor, z0: Tensor) -> Tensor:
    return torch.where((z - z0).abs() < 1e-5, slope(z), _no_fallback(z, z0))


def _rescaled(x, x0, targets, weight1, bias1, weight2):
    C = _gradient(x, x0, targets, weight1, bias1, weight2) * (x - x0)
    dy = two_layers(x, x0, targets, weight1, bias1, weight2).sum(1, keepdim=True)
    return C * quotient(dy, C.sum(1, keepdim=True), torch.zeros_like(dy))


def _by_units(x, x0, targets, weight1, bias1, weight2):
    z, z0 = (v @ weight1.T + bias1 for v in (x, x0))
    return weight2[targets] * (z.relu() - z0.relu())


NETWORK = (
    Misconception(
        "gradient",
        _gradient,
        "You returned the gradient ∂y^c/∂x. DeepLIFT puts m_k = Δh_k/Δz_k in place of the ReLU's derivative, and "
        "C_i is the multiplier times Δx_i.",
    ),
    Misconception(
        "gradient_x_input",
        _gradient_x_input,
        "You multiplied the gradient with x. DeepLIFT compares with the baseline twice: m_k = Δh_k/Δz_k at the ReLU, "
        "Δx_i = x_i - x⁰_i at the input.",
    ),
    Misconception(
        "gradient_x_difference",
        _with_middle(lambda z, z0: slope(z)),
        "Δx_i is right, but at the ReLU you took the derivative at z_k. Its multiplier is m_k = Δh_k/Δz_k.",
    ),
    Misconception(
        "gradient_at_baseline",
        _with_middle(lambda z, z0: slope(z0)),
        "At the ReLU you took the derivative at the baseline's z⁰_k. Its multiplier is m_k = Δh_k/Δz_k.",
    ),
    Misconception(
        "multipliers_only",
        _multipliers,
        "You returned the multipliers of the inputs. C_i is the multiplier times the difference, Δx_i = x_i - x⁰_i.",
    ),
    Misconception(
        "multipliers_x_input",
        _multipliers_x_input,
        "You multiplied the multipliers with x_i. C_i takes the difference from the baseline: Δx_i = x_i - x⁰_i.",
    ),
    Misconception(
        "zero_baseline",
        _zero_baseline,
        "You compared with zeros. The baseline is the argument x0, in Δx and in z⁰ = W1 x⁰ + b1.",
    ),
    Misconception(
        "baseline_and_input_swapped",
        _swapped,
        "The sign is turned round: x and x⁰ have changed places. All differences go from the baseline to the input: "
        "Δx = x - x⁰.",
    ),
    Misconception(
        "bias_forgotten",
        _no_bias,
        "You left out b1. It cancels in Δz_k, but not in m_k: where the ReLU has its corner depends on z_k and z⁰_k "
        "themselves.",
    ),
    Misconception(
        "no_relu",
        _with_middle(lambda z, z0: torch.ones_like(z)),
        "You went through the ReLU as if it were not there (m_k = 1). Its multiplier is m_k = Δh_k/Δz_k.",
    ),
    Misconception(
        "difference_for_multiplier",
        _with_middle(lambda z, z0: z.relu() - z0.relu()),
        "At the ReLU you multiplied with Δh_k. The chain rule multiplies multipliers: m_k = Δh_k/Δz_k.",
    ),
    Misconception(
        "no_fallback",
        _with_middle(_no_fallback),
        "Where z_k = z⁰_k you divided 0 by 0: NaN. There m_k is the derivative of ReLU: 1 where z_k > 0, else 0.",
    ),
    Misconception(
        "zero_fallback",
        _with_middle(_zero_fallback),
        "Where z_k = z⁰_k you gave m_k = 0. Its Δz_k = 0 may be made of parts that cancel, and each input keeps its "
        "part: m_k is the derivative of ReLU there.",
    ),
    Misconception(
        "wide_fallback",
        _with_middle(_wide_fallback),
        "You took the ReLU's derivative where z_k and z⁰_k are only close. It takes the place of Δy/Δz where they are "
        "equal: a unit that hardly moves may cross the corner, by parts that are not small.",
    ),
    Misconception(
        "one_at_zero",
        _with_middle(lambda z, z0: quotient(z.relu() - z0.relu(), z - z0, (z >= 0).to(z))),
        "Where z_k = z⁰_k = 0 you gave m_k = 1. The derivative of ReLU is 1 where z > 0, and 0 at 0 as well as below.",
    ),
    Misconception(
        "rescaled_to_the_sum",
        _rescaled,
        "You scaled gradient · Δx_i until each row sums to Δy^c: the sum is right, the shares are not. With "
        "m_k = Δh_k/Δz_k at the ReLU the sum comes out by itself.",
    ),
    Misconception(
        "predicted_class",
        _predicted,
        "You explained the class with the largest score. c is the class the caller asks about: targets[n].",
    ),
    Misconception(
        "first_target",
        _first_target,
        "You explained the first row's class in every row. Row n has its own class c = targets[n].",
    ),
    Misconception(
        "all_scores",
        _all_scores,
        "You explained the sum of all scores. Only y^c counts: weight2[targets[n]].",
    ),
    Misconception(
        "positive_only",
        _changed(torch.relu),
        "You set negative contributions to 0. An input may lower the score: all C_i together sum to Δy^c.",
    ),
    Misconception(
        "absolute_contributions",
        _changed(torch.abs),
        "You returned |C_i|. Contributions of both signs must cancel, or they do not sum to Δy^c.",
    ),
    Misconception(
        "hidden_units",
        _by_units,
        "You returned what each hidden unit contributes, [N K]. Go on to the inputs: times W1, times Δx_i, summed "
        "over k.",
    ),
)
