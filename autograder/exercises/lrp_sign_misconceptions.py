"""Wrong answers of lesson 14, LRP, of the rules that favour what is positive: z+ and γ."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from autograder.exercises.lrp_misconceptions import CLIPPED, NO_INPUT, NO_SHARE
from autograder.exercises.lrp_rules import having, share, weight_and_bias, with_back
from autograder.records import Misconception

# 3. z_plus_rule(a, weight, bias, R) -> R of the inputs


def _by(
    contribution: Callable[[Tensor, Tensor], Tensor], bias_part: Callable[[Tensor], Tensor] = torch.relu
) -> Callable[..., Tensor]:
    """z+ with `contribution(a_i, w_ij)` for (a_i w_ij)^+ and `bias_part(b)` for b^+."""

    def wrong(a, weight, bias, R):
        q = contribution(a[:, None], weight)
        return (q * share(R, q.sum(2) + bias_part(bias))[:, :, None]).sum(1)

    return wrong


def _positive(a: Tensor, w: Tensor) -> Tensor:
    return (a * w).relu()


def _whole_z_below(a, weight, bias, R):
    return (_positive(a[:, None], weight) * share(R, a @ weight.T + bias)[:, :, None]).sum(1)


def _clamped_at_the_end(a, weight, bias, R):
    return (a * (share(R, a @ weight.T + bias) @ weight)).relu()


def _plus_without_share(a, weight, bias, R):
    q = _positive(a[:, None], weight)
    return (q * (R / (q.sum(2) + bias.relu()))[:, :, None]).sum(1)


def _plus_over_outputs(a, weight, bias, R):
    q = _positive(a[:, None], weight)
    return share((q * R[:, :, None]).sum(1), q.sum(1))


def _alpha_2_beta_1(a, weight, bias, R):
    minus = _by(lambda a, w: (a * w).clamp(max=0), lambda b: b.clamp(max=0))
    return 2 * _by(_positive)(a, weight, bias, R) - minus(a, weight, bias, R)


Z_PLUS = (
    Misconception(
        "weights_clamped",
        _by(lambda a, w: a * w.relu()),
        "You clamped only the weights, a_i·w_ij^+. With a_i < 0 that is negative. The product decides: (a_i·w_ij)^+.",
    ),
    Misconception(
        "both_clamped",
        _by(lambda a, w: a.relu() * w.relu()),
        "You clamped a_i and w_ij apart. Two negative factors make a positive contribution, and it is lost: "
        "(a_i·w_ij)^+ clamps the product.",
    ),
    Misconception(
        "inputs_clamped",
        _by(lambda a, w: a.relu() * w),
        "You clamped only the inputs, a_i^+·w_ij. With w_ij < 0 that is negative. The product decides: (a_i·w_ij)^+.",
    ),
    Misconception(
        "all_contributions",
        _by(torch.mul, lambda b: b),
        "You shared by a_i·w_ij with both signs: that is the rule with ε = 0. z+ keeps the positive part of each "
        "contribution, (a_i·w_ij)^+, above and below the bar.",
    ),
    Misconception(
        "absolute_contributions",
        _by(lambda a, w: (a * w).abs()),
        "You shared by |a_i·w_ij|. What lowers z_j gets nothing under z+: clamp at 0 instead.",
    ),
    Misconception(
        "whole_z_below",
        _whole_z_below,
        "You divided the positive contributions by the whole z_j. Part and whole must be of one kind: the denominator "
        "is Σ_i (a_i·w_ij)^+ + b_j^+.",
    ),
    Misconception(
        "clamped_at_the_end",
        _clamped_at_the_end,
        "You shared with both signs and clamped R_i at the end. Then relevance is lost: clamp each contribution "
        "(a_i·w_ij)^+ before you share.",
    ),
    Misconception(
        "no_bias",
        _by(_positive, torch.zeros_like),
        "You left b_j^+ out of the denominator. A positive bias is a positive contribution like the others and keeps "
        "its share.",
    ),
    Misconception(
        "whole_bias",
        _by(_positive, lambda b: b),
        "You put b_j into the denominator with either sign. A negative bias is a negative contribution: only b_j^+ "
        "takes part.",
    ),
    Misconception("divided_without_share", _plus_without_share, NO_SHARE),
    Misconception(
        "over_outputs",
        _plus_over_outputs,
        "You divided by a sum over the outputs j. Each output j divides its own R_j among its inputs: sum over i.",
    ),
    Misconception(
        "no_division",
        lambda a, weight, bias, R: (_positive(a[:, None], weight) * R[:, :, None]).sum(1),
        "You multiplied (a_i·w_ij)^+ with R_j and did not divide by their sum. A share is part over whole.",
    ),
    Misconception(
        "alpha_2_beta_1",
        _alpha_2_beta_1,
        "You took α = 2 and β = 1 of the α-β-rule: twice the positive shares less the negative ones. z+ is α = 1, "
        "β = 0.",
    ),
)


# 4. gamma_layer(a, layer, R, gamma) -> R of the inputs


def _favoured(
    weights: Callable[[Tensor, float], Tensor], biases: Callable[[Tensor, float], Tensor] | None = None
) -> Callable[..., Tensor]:
    """The γ-rule with `weights(w, γ)` for w + γ w^+ and `biases(b, γ)` for b + γ b^+."""

    def wrong(a, layer, R, gamma):
        w, b = weight_and_bias(layer)
        z, back = with_back(having(layer, weights(w, gamma), (biases or weights)(b, gamma)), a)
        return a * back(share(R, z))

    return wrong


def _more_of_the_positive(t: Tensor, gamma: float) -> Tensor:
    return t + gamma * t.relu()


def _z_as_it_was(a, layer: nn.Module, R, gamma):
    w, b = weight_and_bias(layer)
    _, back = with_back(having(layer, _more_of_the_positive(w, gamma), b), a)
    return a * back(share(R, with_back(layer, a)[0]))


def _plain_way_back(a, layer: nn.Module, R, gamma):
    w, b = weight_and_bias(layer)
    z, _ = with_back(having(layer, _more_of_the_positive(w, gamma), _more_of_the_positive(b, gamma)), a)
    return a * with_back(layer, a)[1](share(R, z))


def _gamma_without_share(a, layer: nn.Module, R, gamma):
    w, b = weight_and_bias(layer)
    z, back = with_back(having(layer, _more_of_the_positive(w, gamma), _more_of_the_positive(b, gamma)), a)
    return a * back(R / z)


def _gamma_no_input(a, layer: nn.Module, R, gamma):
    w, b = weight_and_bias(layer)
    z, back = with_back(having(layer, _more_of_the_positive(w, gamma), _more_of_the_positive(b, gamma)), a)
    return back(share(R, z))


GAMMA = (
    Misconception(
        "gamma_on_all",
        _favoured(lambda t, g: t + g * t),
        "You took w + γ·w. Then all contributions grow by the same factor, which cancels, and nothing is favoured. "
        "γ multiplies the positive weights alone: w + γ·w^+.",
    ),
    Misconception(
        "only_positive",
        _favoured(lambda t, g: t.relu()),
        "You kept w^+ alone: that is z+, the rule with endless γ. γ adds to the weight: w + γ·w^+.",
    ),
    Misconception(
        "gamma_for_one_plus_gamma",
        _favoured(lambda t, g: g * t.relu() + t.clamp(max=0)),
        "You multiplied the positive weights by γ. They are multiplied by 1 + γ: w + γ·w^+.",
    ),
    Misconception(
        "absolute_weights",
        _favoured(lambda t, g: t + g * t.abs()),
        "You took w + γ·|w|, which also weakens the negative weights. w^+ is 0 where w is negative.",
    ),
    Misconception(
        "negative_favoured",
        _favoured(lambda t, g: t + g * t.clamp(max=0)),
        "You favoured the negative weights, w + γ·w^-. w^+ is max(w, 0): clamp(min=0).",
    ),
    Misconception(
        "bias_as_it_was",
        _favoured(_more_of_the_positive, lambda b, g: b),
        "The bias is unchanged in your denominator. It is one of the contributions: b_j + γ·b_j^+.",
    ),
    Misconception(
        "no_bias",
        _favoured(_more_of_the_positive, lambda b, g: torch.zeros_like(b)),
        "You left the bias out of the denominator. It is one of the contributions and keeps its share: b_j + γ·b_j^+.",
    ),
    Misconception(
        "z_as_it_was",
        _z_as_it_was,
        "The parts have w + γ·w^+, your denominator is the plain z_j. Part and whole must be of one kind: run the "
        "layer with the changed weights and bias, and divide by that.",
    ),
    Misconception(
        "plain_way_back",
        _plain_way_back,
        "The denominator has w + γ·w^+, the way back has the plain w. Take the gradient of the layer with the "
        "changed weights.",
    ),
    Misconception("divided_without_share", _gamma_without_share, NO_SHARE),
    Misconception("no_input", _gamma_no_input, NO_INPUT),
    Misconception(
        "clipped", lambda a, layer, R, gamma: _favoured(_more_of_the_positive)(a, layer, R, gamma).relu(), CLIPPED
    ),
)
