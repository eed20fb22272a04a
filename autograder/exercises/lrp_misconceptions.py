"""Wrong answers of lesson 14, LRP, of the ε-rule: at a linear layer, and at any other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from autograder.exercises.lrp_rules import away_from_zero, share, size_of, with_back
from autograder.records import Misconception

# Wrong denominators of the ε-rule: shared by the linear layer and by any other.

Denominator = Callable[[Tensor, float], Tensor]
"""z, ε -> what R is divided by."""


def _sign(z: Tensor) -> Tensor:
    return torch.where(z < 0, -1.0, 1.0).to(z)


DENOMINATORS: dict[str, tuple[Denominator, str]] = {
    "no_epsilon": (
        lambda z, e: z,
        "You divided by z_j alone: that is the rule with ε = 0. The denominator is z_j + ε·s·sign(z_j), which keeps "
        "a share from exploding where z_j is close to 0.",
    ),
    "unsigned_epsilon": (
        lambda z, e: z + e * size_of(z),
        "You added ε·s to every z_j. Where z_j is negative, that moves the denominator towards 0, the very thing ε "
        "should prevent: add ε·s·sign(z_j).",
    ),
    "absolute_epsilon": (
        lambda z, e: z + e * _sign(z),
        "You added ε as it stands. Here ε is measured in units of the layer: s = mean|z| of the image, so the term "
        "is ε·s·sign(z_j).",
    ),
    "size_of_the_batch": (
        lambda z, e: z + e * z.abs().mean() * _sign(z),
        "You took s = mean|z| over the whole batch. Every image n has its own s: average over all axes except the "
        "first, or an image's relevance depends on its neighbours.",
    ),
    "size_with_signs": (
        lambda z, e: z + e * z.mean(dim=tuple(range(1, z.ndim)), keepdim=True) * _sign(z),
        "You took the mean of z for s. Values of both signs cancel in it: s is the mean of |z|.",
    ),
    "largest_for_mean": (
        lambda z, e: z + e * z.abs().amax(dim=tuple(range(1, z.ndim)), keepdim=True) * _sign(z),
        "You took the largest |z_j| for s. s is the mean of |z| over the layer's outputs.",
    ),
    "absolute_of_the_mean": (
        lambda z, e: z + e * z.mean(dim=tuple(range(1, z.ndim)), keepdim=True).abs() * _sign(z),
        "You took |mean z| for s. Values of both signs cancel before the bars: s is the mean of |z|.",
    ),
    "root_mean_square": (
        lambda z, e: z + e * z.square().mean(dim=tuple(range(1, z.ndim)), keepdim=True).sqrt() * _sign(z),
        "You took the root of the mean of z² for s. s is the mean of |z|.",
    ),
    "zero_has_no_sign": (
        lambda z, e: z + e * size_of(z) * z.sign(),
        "You took sign(0) = 0. An output of z_j = 0 then has no denominator and hands nothing on: here sign(0) is +1, "
        "and its denominator ε·s.",
    ),
    "sum_for_mean": (
        lambda z, e: z + e * z.abs().sum(dim=tuple(range(1, z.ndim)), keepdim=True) * _sign(z),
        "You summed |z| over the outputs; s is their mean. With the sum, a wide layer loses nearly everything to ε.",
    ),
}

BIAS_LEFT_OUT = (
    "You left the bias out of the denominator. z_j = Σ_i a_i w_ij + b_j is what the layer really puts out; the bias "
    "is a contribution like the others and keeps its share."
)
NO_INPUT = (
    "You did not multiply by a_i. What input i contributes is a_i·w_ij: a pixel of value 0 contributes nothing, "
    "whatever its weight."
)
NO_DIVISION = "You multiplied with R_j without dividing by z_j. A share is a_i·w_ij / z_j: part over whole, times R_j."
CLIPPED = "You cut off negative relevance. An input that lowers z_j gets a share of the other sign: keep it."
ABSOLUTE = "You returned |R_i|. The sign says whether the input speaks for the class or against it: keep it."


# 1. epsilon_rule(a, weight, bias, R, epsilon) -> R of the inputs


def _divided_by(denominator: Denominator) -> Callable[..., Tensor]:
    def wrong(a, weight, bias, R, epsilon):
        return a * (share(R, denominator(a @ weight.T + bias, epsilon)) @ weight)

    return wrong


_right = _divided_by(away_from_zero)


def _no_bias(a, weight, bias, R, epsilon):
    return a * (share(R, away_from_zero(a @ weight.T, epsilon)) @ weight)


def _no_input(a, weight, bias, R, epsilon):
    return share(R, away_from_zero(a @ weight.T + bias, epsilon)) @ weight


def _bias_shared_out(a, weight, bias, R, epsilon):
    s = share(R, away_from_zero(a @ weight.T + bias, epsilon))
    return a * (s @ weight) + (s * bias).sum(dim=1, keepdim=True) / a.shape[1]


def _shares_of_absolute_values(a, weight, bias, R, epsilon):
    q = (a[:, None] * weight).abs()
    z = q.sum(2) + bias.abs()
    return (q * share(R, away_from_zero(z, epsilon))[:, :, None]).sum(1)


def _over_outputs(a, weight, bias, R, epsilon):
    q = a[:, None] * weight
    return (q * R[:, :, None]).sum(1) / away_from_zero(q.sum(1), epsilon)


NO_SHARE = (
    "You divided by a denominator of 0: NaN or infinity. share(R, z) gives 0 there: such an output hands nothing on."
)


EPSILON = (
    *(Misconception(name, _divided_by(function), told) for name, (function, told) in DENOMINATORS.items()),
    Misconception("no_bias", _no_bias, BIAS_LEFT_OUT),
    Misconception(
        "divided_without_share",
        lambda a, weight, bias, R, e: a * ((R / away_from_zero(a @ weight.T + bias, e)) @ weight),
        NO_SHARE,
    ),
    Misconception("no_input", _no_input, NO_INPUT),
    Misconception("no_division", lambda a, weight, bias, R, epsilon: a * (R @ weight), NO_DIVISION),
    Misconception(
        "bias_shared_out",
        _bias_shared_out,
        "You spread the bias's share b_j over the inputs. That makes the sums match, and gives every input relevance "
        "that it did not earn. Here the bias keeps its share.",
    ),
    Misconception(
        "absolute_contributions",
        _shares_of_absolute_values,
        "You shared by |a_i·w_ij|. A contribution keeps its sign: what lowers z_j gets a share of the other sign.",
    ),
    Misconception(
        "over_outputs",
        _over_outputs,
        "You divided by a sum over the outputs j. Each output j divides its own R_j among its inputs: the denominator "
        "z_j sums over the inputs i.",
    ),
    Misconception("clipped", lambda *arguments: _right(*arguments).relu(), CLIPPED),
    Misconception("absolute", lambda *arguments: _right(*arguments).abs(), ABSOLUTE),
)


# 2. epsilon_layer(a, layer, R, epsilon) -> R of the inputs


def _layer_divided_by(denominator: Denominator) -> Callable[..., Tensor]:
    def wrong(a, layer, R, epsilon):
        z, back = with_back(layer, a)
        return a * back(share(R, denominator(z, epsilon)))

    return wrong


_right_layer = _layer_divided_by(away_from_zero)


def _layer_no_bias(a, layer, R, epsilon):
    z, back = with_back(layer, a)
    return a * back(share(R, away_from_zero(z - with_back(layer, torch.zeros_like(a))[0], epsilon)))


def _layer_no_input(a, layer, R, epsilon):
    z, back = with_back(layer, a)
    return back(share(R, away_from_zero(z, epsilon)))


def _layer_without_share(a, layer, R, epsilon):
    z, back = with_back(layer, a)
    return a * back(R / away_from_zero(z, epsilon))


def _size_per_channel(z: Tensor, epsilon: float) -> Tensor:
    return z + epsilon * z.abs().mean(dim=(2, 3), keepdim=True) * _sign(z)


def _size_per_place(z: Tensor, epsilon: float) -> Tensor:
    return z + epsilon * z.abs().mean(dim=1, keepdim=True) * _sign(z)


EPSILON_LAYER = (
    *(
        Misconception(name, _layer_divided_by(function), told)
        for name, (function, told) in DENOMINATORS.items()
        if name != "largest_for_mean"
    ),
    Misconception(
        "size_per_channel",
        _layer_divided_by(_size_per_channel),
        "You averaged |z| over the places alone, so that every channel has an s of its own. s is one number an "
        "image: average over channels, rows and columns.",
    ),
    Misconception(
        "size_per_place",
        _layer_divided_by(_size_per_place),
        "You averaged |z| over the channels alone, so that every place has an s of its own. s is one number an "
        "image: average over channels, rows and columns.",
    ),
    Misconception("no_bias", _layer_no_bias, BIAS_LEFT_OUT),
    Misconception("divided_without_share", _layer_without_share, NO_SHARE),
    Misconception("no_input", _layer_no_input, NO_INPUT),
    Misconception("no_division", lambda a, layer, R, epsilon: a * with_back(layer, a)[1](R), NO_DIVISION),
    Misconception("clipped", lambda *arguments: _right_layer(*arguments).relu(), CLIPPED),
    Misconception("absolute", lambda *arguments: _right_layer(*arguments).abs(), ABSOLUTE),
)
