"""Wrong answers to the exercises on Grad-CAM, as students write them."""

from __future__ import annotations

import torch


def _energies(maps, quadrants):
    inside = [maps[:, top:bottom, left:right].sum((1, 2)) for top, left, bottom, right in quadrants.tolist()]
    return torch.stack(inside, 1), maps.sum((1, 2))[:, None]


def shares_with_an_epsilon(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return inside / (whole + 1e-8)


def shares_of_at_least(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return inside / whole.clamp(min=1e-6)


def shares_unless_small(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return torch.where(whole > 1e-5, inside / whole, 0.0)


def shares_where_not_close_to_zero(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return torch.where(torch.isclose(whole, torch.zeros_like(whole), atol=1e-4), 0.0, inside / whole)


def shares_with_nan_made_one(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return (inside / whole).nan_to_num(1.0)


def importance_where_not_zero(gradients):
    return gradients.sum((2, 3)) / (gradients != 0).sum((2, 3)).clamp(min=1)


def importance_by_the_median(gradients):
    return gradients.flatten(2).median(2).values


def importance_of_the_largest(gradients):
    return gradients.flatten(2).gather(2, gradients.flatten(2).abs().argmax(2, keepdim=True))[:, :, 0]


def importance_with_signs_averaged(gradients):
    return gradients.sign().mean((2, 3))


def importance_over_places_less_one(gradients):
    return gradients.sum((2, 3)) / (gradients[0, 0].numel() - 1)


WRONG = {
    "grad_cam.neuron_importance": (
        importance_where_not_zero, importance_by_the_median, importance_of_the_largest, importance_with_signs_averaged,
        importance_over_places_less_one,
    ),
    "grad_cam.quadrant_shares": (
        shares_with_an_epsilon, shares_of_at_least, shares_unless_small, shares_where_not_close_to_zero,
        shares_with_nan_made_one,
    ),
}  # fmt: skip
