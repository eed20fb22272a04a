"""Wrong answers to the exercises on guided backpropagation, as students write them."""

from __future__ import annotations

import torch

from autograder.exercises.guided_backprop_part_misconceptions import cosine, rules


def rules_with_a_leaking_relu(x, R):
    return R * torch.where(x > 0, 1.0, 0.01), R.relu(), R.relu() * (x > 0)


def rules_cut_at_six(x, R):
    gradient, deconvnet, guided = rules(x, R)
    return gradient * (x < 1), deconvnet, guided * (x < 1)


def rules_for_the_first_sample(x, R):
    return rules(x[:1].expand_as(x), R)


def rules_with_rounded_signals(x, R):
    return rules(x, R.round(decimals=1))


def rules_scaled_to_one(x, R):
    gradient, deconvnet, guided = rules(x, R)
    return gradient, deconvnet, guided / guided.amax().clamp(min=1e-12)


def cosine_of_signs(maps, others):
    return cosine(maps.sign(), others.sign())


def cosine_cut_at_zero(maps, others):
    return cosine(maps, others).clamp(min=0)


def cosine_of_the_first_pair(maps, others):
    return cosine(maps, others)[:1].expand(len(maps)).clone()


def cosine_of_positive_parts(maps, others):
    return cosine(maps.relu(), others.relu())


def cosine_rounded(maps, others):
    return cosine(maps, others).round(decimals=2)


WRONG = {
    "guided_backprop.backward_rules": (
        rules_with_a_leaking_relu,
        rules_cut_at_six,
        rules_for_the_first_sample,
        rules_with_rounded_signals,
        rules_scaled_to_one,
    ),
    "guided_backprop.class_insensitivity": (
        cosine_of_signs,
        cosine_cut_at_zero,
        cosine_of_the_first_pair,
        cosine_of_positive_parts,
        cosine_rounded,
    ),
}
