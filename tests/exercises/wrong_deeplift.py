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


def contributions_squeezed(x, x0, weight):
    return (weight * (x - x0)[:, None]).squeeze()


def contributions_in_halves(x, x0, weight):
    return weight * (x.half() - x0.half()).to(x)[:, None]


def contributions_as_shares(x, x0, weight):
    C = weight * (x - x0)[:, None]
    return C / C.sum(2, keepdim=True) * ((x - x0) @ weight.T)[:, :, None]


def contributions_of_the_batch_mean(x, x0, weight):
    return weight * (x - x0.mean(0, keepdim=True))[:, None]


def contributions_never_over_one(x, x0, weight):
    return (weight * (x - x0)[:, None]).clamp(-1, 1)


def contributions_of_units_that_rise(x, x0, weight):
    return weight * (x - x0)[:, None] * (((x - x0) @ weight.T) > 0)[:, :, None]


def _back(m, change=lambda C: C):
    def wrong(x, x0, targets, weight1, bias1, weight2):
        z, z0 = (a @ weight1.T + bias1 for a in (x, x0))
        return change(((weight2[targets] * m(z, z0)) @ weight1) * (x - x0))

    return wrong


def _slope(z, z0, close=0.0):
    near = (z - z0).abs() <= close
    return torch.where(near, (z > 0).to(z), (z.relu() - z0.relu()) / torch.where(near, 1.0, z - z0))


def layers_with_a_wide_fallback(*args):
    return _back(lambda z, z0: _slope(z, z0, close=1e-5))(*args)


def layers_open_at_zero(*args):
    return _back(lambda z, z0: torch.where(z == z0, (z >= 0).to(z), _slope(z, z0)))(*args)


def layers_with_an_epsilon(*args):
    return _back(lambda z, z0: (z.relu() - z0.relu()) / (z - z0 + 1e-10))(*args)


def layers_with_nan_made_zero(*args):
    return _back(lambda z, z0: ((z.relu() - z0.relu()) / (z - z0)).nan_to_num())(*args)


def layers_with_nan_made_half(*args):
    return _back(lambda z, z0: ((z.relu() - z0.relu()) / (z - z0)).nan_to_num(0.5))(*args)


def layers_in_halves(*args):
    return _back(lambda z, z0: _slope(z, z0).half().to(z))(*args)


def layers_squeezed(*args):
    return _back(_slope, lambda C: C.squeeze())(*args)


def layers_of_sorted_targets(x, x0, targets, *weights):
    return _back(_slope)(x, x0, targets.sort().values, *weights)


def gap_that_is_close(contributions, scores, baseline_scores):
    gap = contributions.flatten(1).sum(1) - (scores - baseline_scores)
    return torch.where(gap.abs() < 1e-3, 0.0, gap)


def gap_in_halves(contributions, scores, baseline_scores):
    return (contributions.half().flatten(1).sum(1) - (scores - baseline_scores)).to(scores)


def gap_of_the_batch_of_baselines(contributions, scores, baseline_scores):
    return contributions.flatten(1).sum(1) - (scores - baseline_scores.mean())


def gap_squeezed(contributions, scores, baseline_scores):
    return (contributions.flatten(1).sum(1) - (scores - baseline_scores)).squeeze()


def gap_of_maps_alone(contributions, scores, baseline_scores):
    total = contributions.sum((2, 3)).sum(1) if contributions.ndim == 4 else contributions.mean(1)
    return total - (scores - baseline_scores)


WRONG = {
    "deeplift.rescale_multiplier": (
        rescale_where_not_close, rescale_with_captums_threshold_in_float32, rescale_with_an_epsilon,
        rescale_open_at_zero, rescale_with_half_at_zero, rescale_with_the_slope_between, rescale_with_nan_made_zero,
    ),
    "deeplift.revealcancel_multipliers": (
        reveal_with_an_epsilon, reveal_where_not_small, reveal_clamped, reveal_with_nan, reveal_from_both_halves,
    ),
    "deeplift.linear_contributions": (
        contributions_squeezed, contributions_in_halves, contributions_never_over_one, contributions_as_shares,
        contributions_of_the_batch_mean, contributions_of_units_that_rise,
    ),
    "deeplift.deeplift_two_layers": (
        layers_with_a_wide_fallback, layers_open_at_zero, layers_with_an_epsilon, layers_with_nan_made_zero,
        layers_with_nan_made_half, layers_in_halves, layers_squeezed, layers_of_sorted_targets,
    ),
    "deeplift.completeness_gap": (
        gap_that_is_close, gap_in_halves, gap_of_the_batch_of_baselines, gap_squeezed, gap_of_maps_alone,
    ),
}  # fmt: skip
