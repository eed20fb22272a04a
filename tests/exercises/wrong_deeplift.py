"""Wrong answers to the exercises on DeepLIFT, as students write them."""

from __future__ import annotations

import torch


def _slope(z):
    return (z > 0).to(z)


def _multiplier(z, z0):
    dz = z - z0
    return torch.where(dz == 0, _slope(z), (z.relu() - z0.relu()) / torch.where(dz == 0, 1.0, dz))


def rescale_where_not_close(z, z0):
    return torch.where(torch.isclose(z, z0, atol=1e-6), _slope(z), _multiplier(z, z0))


def rescale_with_captums_threshold_in_float32(z, z0):
    return torch.where((z - z0).abs() < 1e-6, _slope(z), _multiplier(z, z0))


def rescale_with_an_epsilon(z, z0):
    return torch.where(z == z0, _slope(z), (z.relu() - z0.relu()) / (z - z0 + 1e-7))


def rescale_open_at_zero(z, z0):
    return torch.where(z == z0, (z >= 0).to(z), _multiplier(z, z0))


def rescale_with_half_at_zero(z, z0):
    return torch.where(z == z0, torch.heaviside(z, z.new_tensor(0.5)), _multiplier(z, z0))


def rescale_with_the_slope_between(z, z0):
    return torch.where((z - z0).abs() < 1e-3, _slope((z + z0) / 2), _multiplier(z, z0))


def rescale_with_nan_made_zero(z, z0):
    return ((z.relu() - z0.relu()) / (z - z0)).nan_to_num()


def reveal_with_an_epsilon(positive, negative, z0):
    y_plus, y_minus = _reveal(positive, negative, z0)
    return y_plus / (positive + 1e-7), y_minus / (negative - 1e-7)


def reveal_where_not_small(positive, negative, z0):
    y_plus, y_minus = _reveal(positive, negative, z0)
    far = positive > 1e-6, negative < -1e-6
    return tuple(
        torch.where(f, y / torch.where(f, d, 1.0), 0.0)
        for f, y, d in zip(far, (y_plus, y_minus), (positive, negative), strict=True)
    )


def reveal_clamped(positive, negative, z0):
    y_plus, y_minus = _reveal(positive, negative, z0)
    return y_plus / positive.clamp(min=1e-6), y_minus / negative.clamp(max=-1e-6)


def reveal_with_nan(positive, negative, z0):
    y_plus, y_minus = _reveal(positive, negative, z0)
    return y_plus / positive, (y_minus / negative).nan_to_num()


def reveal_from_both_halves(positive, negative, z0):
    start, end = z0.relu(), (z0 + positive + negative).relu()
    share = positive / (positive - negative).clamp(min=1e-12)
    whole = end - start
    return share * whole / torch.where(positive == 0, 1.0, positive), (1 - share) * whole / torch.where(
        negative == 0, 1.0, negative
    )


def _reveal(positive, negative, z0):
    start, end = z0.relu(), (z0 + positive + negative).relu()
    plus, minus = (z0 + positive).relu(), (z0 + negative).relu()
    return ((plus - start) + (end - minus)) / 2, ((minus - start) + (end - plus)) / 2


WRONG = {
    "deeplift.rescale_multiplier": (
        rescale_where_not_close, rescale_with_captums_threshold_in_float32, rescale_with_an_epsilon,
        rescale_open_at_zero, rescale_with_half_at_zero, rescale_with_the_slope_between, rescale_with_nan_made_zero,
    ),
    "deeplift.revealcancel_multipliers": (
        reveal_with_an_epsilon, reveal_where_not_small, reveal_clamped, reveal_with_nan, reveal_from_both_halves,
    ),
}  # fmt: skip
