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


WRONG = {
    "guided_backprop.guided_perceptron": (
        perceptron_open_at_zero, perceptron_open_where_not_closed, perceptron_half_open_at_zero,
        perceptron_open_by_the_relu, perceptron_open_over_a_threshold,
    ),
    "guided_backprop.class_insensitivity": (
        cosine_with_an_epsilon, cosine_of_at_least, cosine_of_lengths_of_at_least, cosine_where_not_close_to_zero,
        cosine_with_nan_made_one,
    ),
}  # fmt: skip
