"""Wrong answers to the exercises on LRP, as students write them."""

from __future__ import annotations

import torch
from torch import nn
from torch.func import functional_call

from tests.exercises.written import variants

right = variants("lrp")
share = right.share
AVERAGES = (nn.AvgPool2d, nn.AdaptiveAvgPool2d)


def _rule(below):
    """The ε-rule with `below(z, ε s)` as denominator."""

    def wrong(a, weight, bias, R, epsilon):
        z = a @ weight.T + bias
        return a * (below(R, z, epsilon * z.abs().mean(1, keepdim=True)) @ weight)

    return wrong


def _layer(below):
    def wrong(a, layer, R, epsilon):
        return a * _back(layer, a, lambda z: below(R, z, epsilon * _size(z)))

    return wrong


def _size(z):
    return z.abs().mean(dim=tuple(range(1, z.ndim)), keepdim=True)


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
        w, b = layer.weight.detach(), layer.bias.detach()
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


def _composite(model, images, targets, epsilon, gamma, *, start=None, step=None):
    """The composite from `start(y^c)`, where `step(layer, a, R)` may answer for a layer."""
    entering, a = [], images
    with torch.no_grad():
        for layer in model:
            entering.append(a.clone())
            a = layer(a)
    y = a.gather(1, targets[:, None])
    R = torch.zeros_like(a).scatter(1, targets[:, None], start(y) if start else y)
    for layer, a in zip(reversed(model), reversed(entering), strict=True):
        other = step(layer, a, R) if step else None
        R = _usual(layer, a, R, epsilon, gamma) if other is None else other
    return R


def _usual(layer, a, R, epsilon, gamma):
    if isinstance(layer, nn.Conv2d):
        return right.gamma_by_where(a, layer, R, gamma)
    if isinstance(layer, nn.Linear | nn.AvgPool2d | nn.AdaptiveAvgPool2d):
        return right.layer_by_grad(a, layer, R, epsilon)
    return R if isinstance(layer, nn.ReLU) else _back(layer, a, lambda z: R)


def _back(layer, a, Q):
    """Σ_j w_ij Q_j, of Q(z)."""
    x = a.detach().clone().requires_grad_()
    z = layer(x)
    return torch.autograd.grad(z, x, Q(z.detach()))[0]


def method_of_sorted_targets(model, images, targets, epsilon, gamma):
    return _composite(model, images, targets.sort().values, epsilon, gamma)


def method_from_positive_scores(model, images, targets, epsilon, gamma):
    return _composite(model, images, targets, epsilon, gamma, start=torch.relu)


def method_from_absolute_scores(model, images, targets, epsilon, gamma):
    return _composite(model, images, targets, epsilon, gamma, start=torch.abs)


def method_in_halves(*args):
    return _composite(*args).half().to(args[1])


def method_squeezed(*args):
    return _composite(*args).squeeze()


def method_closed_relus(*args):
    return _composite(*args, step=lambda layer, a, R: R * (a > 0.05) if isinstance(layer, nn.ReLU) else None)


def method_unshared(model, images, targets, epsilon, gamma):
    def step(layer, a, R):
        if not isinstance(layer, nn.Conv2d):
            return None
        return _gamma(lambda R, z: R / z)(a, layer, R, gamma)

    return _composite(model, images, targets, epsilon, gamma, step=step)


def method_with_an_epsilon_in_convolutions(model, images, targets, epsilon, gamma):
    def step(layer, a, R):
        if not isinstance(layer, nn.Conv2d):
            return None
        return _gamma(lambda R, z: R / (z + 1e-3))(a, layer, R, gamma)

    return _composite(model, images, targets, epsilon, gamma, step=step)


def _size_of_the_batch(model, images, targets, epsilon, gamma, kinds):
    def step(layer, a, R):
        if not isinstance(layer, kinds):
            return None
        return a * _back(layer, a, lambda z: share(R, z + epsilon * z.abs().mean() * torch.where(z < 0, -1.0, 1.0)))

    return _composite(model, images, targets, epsilon, gamma, step=step)


def method_with_the_size_of_the_batch(*args):
    return _size_of_the_batch(*args, (nn.Linear, *AVERAGES))


def method_with_the_size_of_the_batch_in_averages(*args):
    return _size_of_the_batch(*args, AVERAGES)


def method_with_sign_of_zero(model, images, targets, epsilon, gamma):
    def step(layer, a, R):
        if not isinstance(layer, nn.Linear | nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            return None
        return a * _back(layer, a, lambda z: R / (z + epsilon * _size(z) * z.sign()))

    return _composite(model, images, targets, epsilon, gamma, step=step)


def method_with_a_fixed_gamma(model, images, targets, epsilon, gamma):
    return _composite(model, images, targets, epsilon, 0.25)


def method_with_a_fixed_epsilon(model, images, targets, epsilon, gamma):
    return _composite(model, images, targets, 0.25, gamma)


def method_with_averages_by_gradient(*args):
    def step(layer, a, R):
        return _back(layer, a, lambda z: R) if isinstance(layer, AVERAGES) else None

    return _composite(*args, step=step)


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
    "lrp.lrp": (
        method_of_sorted_targets, method_from_positive_scores, method_from_absolute_scores, method_in_halves,
        method_squeezed, method_closed_relus, method_unshared, method_with_an_epsilon_in_convolutions,
        method_with_the_size_of_the_batch, method_with_the_size_of_the_batch_in_averages, method_with_sign_of_zero,
        method_with_a_fixed_gamma, method_with_a_fixed_epsilon, method_with_averages_by_gradient,

    ),
}  # fmt: skip
