"""Wrong answers to the exercises on LRP, as students write them."""

from __future__ import annotations

import torch
from torch.func import functional_call

from autograder.exercises.lrp_rules import share, weight_and_bias


def _rule(below):
    """The ε-rule with `below(z, ε s)` as denominator."""

    def wrong(a, weight, bias, R, epsilon):
        z = a @ weight.T + bias
        return a * (below(R, z, epsilon * z.abs().mean(1, keepdim=True)) @ weight)

    return wrong


def _layer(below):
    def wrong(a, layer, R, epsilon):
        x = a.detach().requires_grad_()
        z = layer(x)
        size = epsilon * z.detach().abs().mean(dim=tuple(range(1, z.ndim)), keepdim=True)
        return a * torch.autograd.grad(z, x, below(R, z.detach(), size))[0]

    return wrong


STABILISED = {
    "sign_of_zero": lambda R, z, e: share(R, z + e * z.sign()),
    "sign_of_zero_unshared": lambda R, z, e: R / (z + e * z.sign()),
    "unshared": lambda R, z, e: R / (z + e * torch.where(z < 0, -1.0, 1.0)),
    "minus_at_zero": lambda R, z, e: share(R, z + e * torch.where(z > 0, 1.0, -1.0)),
    "nothing_at_zero": lambda R, z, e: torch.where(z == 0, 0.0, share(R, z + e * torch.where(z < 0, -1.0, 1.0))),
    "tiny_besides": lambda R, z, e: R / (z + (e + 1e-3) * torch.where(z < 0, -1.0, 1.0)),
    "at_least": lambda R, z, e: share(R, torch.where(z < 0, -1.0, 1.0) * torch.maximum(z.abs(), e)),
}


def _named(make, name):
    wrong = make(STABILISED[name])
    wrong.__name__ = name
    return wrong


def z_plus_unshared(a, weight, bias, R):
    q = (a[:, None] * weight).relu()
    return (q * (R / (q.sum(2) + bias.relu()))[:, :, None]).sum(1)


def z_plus_over_a_tiny_whole(a, weight, bias, R):
    q = (a[:, None] * weight).relu() + 1e-3
    return (q * share(R, q.sum(2) + bias.relu())[:, :, None]).sum(1)


def z_plus_of_positive_outputs(a, weight, bias, R):
    q = (a[:, None] * weight).relu()
    R = R * ((a @ weight.T + bias) > 0)
    return (q * share(R, q.sum(2) + bias.relu())[:, :, None]).sum(1)


def z_plus_of_positive_relevance(a, weight, bias, R):
    q = (a[:, None] * weight).relu()
    return (q * share(R.relu(), q.sum(2) + bias.relu())[:, :, None]).sum(1)


def z_plus_evenly_where_nothing_is_positive(a, weight, bias, R):
    q = (a[:, None] * weight).relu()
    q = torch.where(q.sum(2, keepdim=True) == 0, 1.0, q)
    return (q * share(R, q.sum(2) + bias.relu())[:, :, None]).sum(1)


def _gamma(below, favoured=lambda t, gamma: t + gamma * t.relu()):
    def wrong(a, layer, R, gamma):
        w, b = weight_and_bias(layer)
        x = a.detach().requires_grad_()
        z = functional_call(layer, {"weight": favoured(w, gamma), "bias": favoured(b, gamma)}, (x,))
        return a * torch.autograd.grad(z, x, below(R, z.detach()))[0]

    return wrong


def gamma_unshared(*args):
    return _gamma(lambda R, z: R / z)(*args)


def gamma_with_epsilon(*args):
    return _gamma(lambda R, z: share(R, z + 0.25 * z.abs().mean()))(*args)


def gamma_over_a_smallest_whole(*args):
    return _gamma(lambda R, z: share(R, z.clamp(min=1.0)))(*args)


def gamma_squared(*args):
    return _gamma(share, lambda t, gamma: t + gamma**2 * t.relu())(*args)


def gamma_of_the_positive_relevance(*args):
    return _gamma(lambda R, z: share(R.relu(), z))(*args)


WRONG = {
    "lrp.epsilon_rule": tuple(_named(_rule, name) for name in STABILISED),
    "lrp.epsilon_layer": tuple(_named(_layer, name) for name in STABILISED),
    "lrp.z_plus_rule": (
        z_plus_unshared, z_plus_over_a_tiny_whole, z_plus_of_positive_outputs, z_plus_of_positive_relevance,
        z_plus_evenly_where_nothing_is_positive,
    ),
    "lrp.gamma_layer": (
        gamma_unshared, gamma_with_epsilon, gamma_over_a_smallest_whole, gamma_squared,
        gamma_of_the_positive_relevance,
    ),
}  # fmt: skip
