"""Wrong answers to the exercises on measuring maps, as students write them."""

from __future__ import annotations

import torch

from tests.exercises.written import variants

rank_by_unique = variants("which_map").rank_by_unique


def _hits(maps, boxes, tolerance):
    top, left, bottom, right = boxes[:, :, None, None].double().unbind(1)
    i, j = (torch.arange(n, dtype=torch.float64) for n in maps.shape[1:])
    down = torch.maximum(top - i[:, None], i[:, None] - bottom + 1).clamp(min=0)
    across = torch.maximum(left - j, j - right + 1).clamp(min=0)
    return down**2 + across**2 <= tolerance**2


def _share(peaks, hits):
    return (peaks & hits).sum((1, 2)).double() / peaks.sum((1, 2))


def _highest(maps):
    return maps.amax((1, 2), keepdim=True)


def pointing_where_close(maps, boxes, tolerance):
    return _share(torch.isclose(maps, _highest(maps)), _hits(maps, boxes, tolerance))


def pointing_above_a_share_of_the_maximum(maps, boxes, tolerance):
    return _share(maps >= 0.9999999 * _highest(maps), _hits(maps, boxes, tolerance))


def pointing_in_half_precision(maps, boxes, tolerance):
    return _share(maps.half() == _highest(maps).half(), _hits(maps, boxes, tolerance))


def pointing_at_the_last_peak(maps, boxes, tolerance):
    last = maps[0].numel() - 1 - maps.flatten(1).flip(1).argmax(1)
    return _hits(maps, boxes, tolerance).flatten(1)[torch.arange(len(maps)), last].double()


def pointing_with_a_rounded_tolerance(maps, boxes, tolerance):
    return _share(maps == _highest(maps), _hits(maps, boxes, round(tolerance)))


def pointing_with_a_tolerance_rounded_up(maps, boxes, tolerance):
    return _share(maps == _highest(maps), _hits(maps, boxes, -int(-tolerance // 1)))


def _energy(maps, boxes):
    positive = maps.clamp(min=0)
    return (positive * _hits(maps, boxes, 0)).sum((1, 2)), positive.sum((1, 2))


def energy_with_an_epsilon(maps, boxes):
    inside, whole = _energy(maps, boxes)
    return inside / (whole + 1e-12 + 1e-7)


def energy_of_at_least(maps, boxes):
    inside, whole = _energy(maps, boxes)
    return inside / whole.clamp(min=1e-6)


def energy_unless_small(maps, boxes):
    inside, whole = _energy(maps, boxes)
    return torch.where(whole > 1e-5, inside / whole, 0.0)


def energy_or_one(maps, boxes):
    inside, whole = _energy(maps, boxes)
    return torch.where(whole > 0, inside / whole, 1.0)


def energy_of_scaled_maps(maps, boxes):
    low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
    inside, whole = _energy((maps - low) / (high - low), boxes)
    return inside / whole


def _deletion(model, image, heat, gone, fill, target):
    filling = torch.as_tensor(fill, dtype=image.dtype).expand_as(image)
    with torch.no_grad():
        return model(torch.stack([torch.where(mask.view_as(heat), filling, image) for mask in gone]))[:, target]


def _falling(heat, steps):
    values, P = heat.flatten().sort(descending=True).values, heat.numel()
    return [(values, k * P // steps) for k in range(steps + 1)]


def deletion_by_threshold(model, image, target, heat, *, steps, fill):
    gone = [heat >= v[n - 1] if n else torch.zeros_like(heat, dtype=torch.bool) for v, n in _falling(heat, steps)]
    return _deletion(model, image, heat, gone, fill, target)


def deletion_above_a_threshold(model, image, target, heat, *, steps, fill):
    gone = [heat > v[n] if n < len(v) else torch.ones_like(heat, dtype=torch.bool) for v, n in _falling(heat, steps)]
    return _deletion(model, image, heat, gone, fill, target)


def deletion_by_quantile(model, image, target, heat, *, steps, fill):
    cuts = [heat.flatten().quantile(1 - k / steps) for k in range(steps + 1)]
    return _deletion(model, image, heat, [heat > cut for cut in cuts[:-1]] + [heat >= cuts[-1]], fill, target)


def deletion_of_positive_pixels(model, image, target, heat, *, steps, fill):
    rank = heat.flatten().argsort(descending=True, stable=True).argsort().view_as(heat)
    gone = [(rank < k * heat.numel() // steps) & (heat > 0) for k in range(steps + 1)]
    return _deletion(model, image, heat, gone, fill, target)


def deletion_of_dense_ranks(model, image, target, heat, *, steps, fill):
    rank = (-heat).unique(return_inverse=True)[1]
    return _deletion(model, image, heat, [rank < k * heat.numel() // steps for k in range(steps + 1)], fill, target)


def rank_after_rounding(maps_a, maps_b):
    return rank_by_unique(maps_a.round(decimals=4), maps_b.round(decimals=4))


def rank_in_255_steps(maps_a, maps_b):
    return rank_by_unique(*((255 * m / m.abs().amax().clamp(min=1e-9)).round() for m in (maps_a, maps_b)))


def rank_of_positive_pixels_only(maps_a, maps_b):
    return rank_by_unique(torch.where(maps_a > 1e-6, maps_a, maps_a.clamp(max=0)), maps_b.where(maps_b > 1e-6, 0.0))


def rank_with_an_epsilon(maps_a, maps_b):
    return rank_by_unique(maps_a, maps_b) * (1 - 1e-3)


def rank_of_near_zeros_tied(maps_a, maps_b):
    return rank_by_unique(*(m.where(~torch.isclose(m, torch.zeros_like(m), atol=1e-6), 0.0) for m in (maps_a, maps_b)))


def area_by_sums(scores):
    return torch.trapezoid(scores, dim=1) / max(2, scores.shape[1] - 1)


def area_squeezed(scores):
    return (torch.trapezoid(scores, dim=1) / (scores.shape[1] - 1)).squeeze()


def area_over_the_steps_of_the_first(scores):
    return torch.trapezoid(scores, torch.linspace(0, 1, 6)[: scores.shape[1]].to(scores), dim=1)


def area_below_one(scores):
    return torch.trapezoid(scores.clamp(max=1), dim=1) / (scores.shape[1] - 1)


def area_of_falling_curves(scores):
    return torch.trapezoid(scores.cummin(1).values, dim=1) / (scores.shape[1] - 1)


def area_in_halves(scores):
    return (torch.trapezoid(scores.half(), dim=1) / (scores.shape[1] - 1)).to(scores)


def area_over_the_largest(scores):
    return torch.trapezoid(scores, dim=1) / (scores.shape[1] - 1) / scores.amax(1).clamp(min=1)


def area_never_negative(scores):
    return (torch.trapezoid(scores, dim=1) / (scores.shape[1] - 1)).clamp(min=0)


def area_sorted(scores):
    return torch.trapezoid(scores.sort(1, descending=True).values, dim=1) / (scores.shape[1] - 1)


WRONG = {
    "which_map.pointing_game": (
        pointing_where_close, pointing_above_a_share_of_the_maximum, pointing_in_half_precision,
        pointing_at_the_last_peak, pointing_with_a_rounded_tolerance, pointing_with_a_tolerance_rounded_up,
    ),
    "which_map.energy_in_box": (
        energy_with_an_epsilon, energy_of_at_least, energy_unless_small, energy_or_one, energy_of_scaled_maps,
    ),
    "which_map.deletion_curve": (
        deletion_by_threshold, deletion_above_a_threshold, deletion_by_quantile, deletion_of_positive_pixels,
        deletion_of_dense_ranks,
    ),
    "which_map.rank_correlation": (
        rank_after_rounding, rank_in_255_steps, rank_of_positive_pixels_only, rank_with_an_epsilon,
        rank_of_near_zeros_tied,
    ),
    "which_map.area_under_curve": (
        area_by_sums, area_squeezed, area_over_the_steps_of_the_first, area_below_one, area_of_falling_curves,
        area_in_halves, area_over_the_largest, area_never_negative, area_sorted,
    ),
}  # fmt: skip
