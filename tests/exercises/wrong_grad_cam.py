"""Wrong answers to the exercises on Grad-CAM, as students write them."""

from __future__ import annotations

import torch

from autograder.exercises.grad_cam_part_misconceptions import weighted_sum


def importance_by_the_median(gradients):
    return gradients.flatten(2).median(2).values


def importance_of_the_batch(gradients):
    return gradients.mean((0, 2, 3)).expand(gradients.shape[:2])


def importance_where_used(gradients):
    return gradients.sum((2, 3)) / (gradients > 0).sum((2, 3)).clamp(min=1)


def importance_scaled(gradients):
    alpha = gradients.mean((2, 3))
    return alpha / (alpha.abs().amax(1, keepdim=True) + 1e-8)


def importance_of_the_square(gradients):
    return gradients.mean((2, 3)) * gradients.shape[2] / gradients.shape[3]


def map_with_the_mean_taken_off(activations, alpha):
    sums = weighted_sum(activations, alpha)
    return (sums - sums.mean((1, 2), keepdim=True)).relu()


def map_of_positive_channels(activations, alpha):
    return weighted_sum(activations.relu(), alpha).relu()


def map_scaled_where_positive(activations, alpha):
    L = weighted_sum(activations, alpha).relu()
    return L / L.amax((1, 2), keepdim=True).clamp(min=1)


def map_leaking(activations, alpha):
    return torch.nn.functional.leaky_relu(weighted_sum(activations, alpha))


def map_cut_at_six(activations, alpha):
    return weighted_sum(activations, alpha).clamp(0, 1)


def _inside(maps, quadrants):
    return torch.stack([maps[:, t:b, left:r].sum((1, 2)) for t, left, b, r in quadrants.tolist()], dim=1)


def shares_of_what_the_boxes_cover(maps, quadrants):
    inside = _inside(maps, quadrants)
    return inside / inside.sum(1, keepdim=True).clamp(min=1e-12)


def shares_with_an_epsilon(maps, quadrants):
    return _inside(maps, quadrants) / (maps.sum((1, 2))[:, None] + 1e-2)


def shares_of_the_largest(maps, quadrants):
    return _inside(maps, quadrants) / maps.amax((1, 2))[:, None].clamp(min=1e-12)


def shares_of_the_batch(maps, quadrants):
    return _inside(maps, quadrants) / maps.sum() * len(maps) * (1 + (len(maps) == 1))


def shares_even_where_empty(maps, quadrants):
    total = maps.sum((1, 2))[:, None]
    shares = torch.where(total > 0, _inside(maps, quadrants) / total.clamp(min=1e-12), 1 / len(quadrants))
    return shares if len(maps) > 1 else shares.round(decimals=2)


WRONG = {
    "grad_cam.neuron_importance": (
        importance_by_the_median,
        importance_of_the_batch,
        importance_where_used,
        importance_scaled,
        importance_of_the_square,
    ),
    "grad_cam.grad_cam_map": (
        map_with_the_mean_taken_off,
        map_of_positive_channels,
        map_scaled_where_positive,
        map_leaking,
        map_cut_at_six,
    ),
    "grad_cam.quadrant_shares": (
        shares_of_what_the_boxes_cover,
        shares_with_an_epsilon,
        shares_of_the_largest,
        shares_of_the_batch,
        shares_even_where_empty,
    ),
}
