"""Wrong answers to the exercises on guided backpropagation, as students write them."""

from __future__ import annotations

import torch
from torch.nn import functional as F


def _perceptron(inputs, weights, targets, is_open):
    entering, a = [], inputs
    for W in weights[:-1]:
        entering.append(a @ W.T)
        a = entering[-1].relu()
    R = weights[-1][targets]
    for W, x in zip(reversed(weights[:-1]), reversed(entering), strict=True):
        R = (R.clamp(min=0) * is_open(x)) @ W
    return R.detach()


def perceptron_open_at_zero(inputs, weights, targets):
    return _perceptron(inputs, weights, targets, lambda x: x >= 0)


def perceptron_open_where_not_closed(inputs, weights, targets):
    return _perceptron(inputs, weights, targets, lambda x: ~(x < 0))


def perceptron_half_open_at_zero(inputs, weights, targets):
    return _perceptron(inputs, weights, targets, lambda x: torch.heaviside(x, x.new_tensor(0.5)))


def perceptron_open_by_the_relu(inputs, weights, targets):
    return _perceptron(inputs, weights, targets, lambda x: x.relu() >= 0)


def perceptron_open_over_a_threshold(inputs, weights, targets):
    return _perceptron(inputs, weights, targets, lambda x: x > 0.1)


def cosine_with_an_epsilon(maps, others):
    u, v = maps.flatten(1), others.flatten(1)
    return (u * v).sum(1) / (u.norm(dim=1) * v.norm(dim=1) + 1e-8)


def cosine_of_at_least(maps, others):
    u, v = maps.flatten(1), others.flatten(1)
    return (u * v).sum(1) / (u.norm(dim=1) * v.norm(dim=1)).clamp(min=1e-6)


def cosine_of_lengths_of_at_least(maps, others):
    u, v = (F.normalize(m.flatten(1), dim=1, eps=1e-3) for m in (maps, others))
    return (u * v).sum(1)


def cosine_where_not_close_to_zero(maps, others):
    u, v = maps.flatten(1), others.flatten(1)
    below = u.norm(dim=1) * v.norm(dim=1)
    return torch.where(below > 1e-6, (u * v).sum(1) / below, 0.0)


def cosine_with_nan_made_one(maps, others):
    u, v = maps.flatten(1), others.flatten(1)
    return ((u * v).sum(1) / (u.norm(dim=1) * v.norm(dim=1))).nan_to_num(1.0)


def rules_of_halves(x, R):
    return _rules(x.half(), R)


def rules_of_a_rounded_signal(x, R):
    return _rules(x, R.half().to(R))


def rules_of_the_first_input(x, R):
    return _rules(x[:1].expand_as(x), R)


def rules_in_place(x, R):
    gradient = R.mul_(x > 0)
    return gradient, R.clamp(min=0), R.clamp(min=0)


def rules_of_a_leaking_relu(x, R):
    gradient, deconvnet, guided = _rules(x, R)
    return gradient + 0.01 * R * (x < 0), deconvnet, guided


def rules_half_open_at_zero(x, R):
    passed = torch.heaviside(x, x.new_tensor(0.5))
    return R * passed, R.relu(), R.relu() * passed


def rules_of_a_relu6(x, R):
    return _rules(torch.where(x < 1, x, 0.0), R)


def rules_of_rows(x, R):
    return _rules(x.flatten(1).amax(1).view(-1, *[1] * (x.ndim - 1)), R)


def _rules(x, R):
    return R * (x > 0), R.relu(), R.relu() * (x > 0)


def guided_map(model, images, targets, rule=lambda module, inputs, R: R.relu(), kind=(torch.nn.ReLU, torch.nn.ReLU6)):
    """The guided map, where each module of this kind changes the signal by `rule`, for what entered it."""

    def watch(module, inputs, output):
        entered = inputs[0].detach().clone()
        output.register_hook(lambda R: rule(module, entered, R))

    handles = [module.register_forward_hook(watch) for module in model.modules() if isinstance(module, kind)]
    start = images.detach().clone().requires_grad_()
    try:
        scores = model(start)
    finally:
        for handle in handles:
            handle.remove()
    return torch.autograd.grad(scores.gather(1, targets[:, None]).sum(), start)[0]


def network_without_relu6(model, images, targets):
    return guided_map(model, images, targets, kind=torch.nn.ReLU)


def network_with_a_small_leak(model, images, targets):
    return guided_map(model, images, targets, lambda module, x, R: R.clamp(min=0) + 0.01 * R.clamp(max=0))


def network_named_relu(model, images, targets):
    named = tuple(type(m) for name, m in model.named_modules() if "relu" in name.lower()) or ()
    return guided_map(model, images, targets, kind=named)


def network_of_the_sum_of_the_batch(model, images, targets):
    return guided_map(model, images, targets, lambda module, x, R: R * (R.sum(0, keepdim=True) > 0))


def network_once_a_module(model, images, targets):
    seen = set()

    def rule(module, x, R):
        first = module not in seen
        seen.add(module)
        return R.relu() if first else R

    return guided_map(model, images, targets, rule)


def network_in_halves(model, images, targets):
    return guided_map(model, images, targets).half().to(images)


def network_of_sorted_targets(model, images, targets):
    return guided_map(model, images, targets.sort().values)


WRONG = {
    "guided_backprop.guided_perceptron": (
        perceptron_open_at_zero, perceptron_open_where_not_closed, perceptron_half_open_at_zero,
        perceptron_open_by_the_relu, perceptron_open_over_a_threshold,
    ),
    "guided_backprop.class_insensitivity": (
        cosine_with_an_epsilon, cosine_of_at_least, cosine_of_lengths_of_at_least, cosine_where_not_close_to_zero,
        cosine_with_nan_made_one,
    ),
    "guided_backprop.backward_rules": (
        rules_of_halves, rules_of_a_rounded_signal, rules_of_the_first_input, rules_in_place, rules_of_a_leaking_relu,
        rules_half_open_at_zero, rules_of_a_relu6, rules_of_rows,
    ),
    "guided_backprop.guided_backprop": (
        network_without_relu6, network_with_a_small_leak, network_named_relu, network_of_the_sum_of_the_batch,
        network_once_a_module, network_in_halves, network_of_sorted_targets,

    ),
}  # fmt: skip
