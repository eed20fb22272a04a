"""Wrong answers to the exercises on filters, as students write them."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from tests.exercises.written import variants

RIGHT = variants("filters")


def _extremes(filters):
    return filters.amin((1, 2, 3), keepdim=True), filters.amax((1, 2, 3), keepdim=True)


def scale_but_nearly_flat(filters):
    low, high = _extremes(filters)
    return torch.where(high - low < 1e-6, 0.5, (filters - low) / (high - low))


def scale_but_close(filters):
    low, high = _extremes(filters)
    return torch.where(torch.isclose(low, high), 0.5, (filters - low) / (high - low))


def scale_with_an_epsilon(filters):
    low, high = _extremes(filters)
    return torch.where(high > low, (filters - low) / (high - low + 1e-8), 0.5)


def scale_with_a_smallest_range(filters):
    low, high = _extremes(filters)
    return torch.where(high > low, (filters - low) / (high - low).clamp(min=1e-5), 0.5)


def scale_where_they_spread(filters):
    low, high = _extremes(filters)
    return torch.where(filters.std((1, 2, 3), keepdim=True) > 1e-3, (filters - low) / (high - low), 0.5)


def scale_from_zero_where_positive(filters):
    low, high = _extremes(filters)
    return torch.where(high > low, (filters - low.clamp(max=0)) / (high - low.clamp(max=0)), 0.5)


def scale_to_zero_where_negative(filters):
    low, high = _extremes(filters)
    return torch.where(high > low, (filters - low) / (high.clamp(min=0) - low), 0.5)


def scale_in_255_steps(filters):
    return (RIGHT.scale_by_where(filters) * 255).to(torch.uint8).to(filters.dtype) / 255


def scale_and_squeeze(filters):
    return RIGHT.scale_by_where(filters).squeeze()


def tile_no_wider_than_filters(filters, columns):
    return RIGHT.tile_by_copying(filters, min(columns, len(filters)))


def tile_one_row_more(filters, columns):
    picture = RIGHT.tile_by_copying(filters, columns)
    return F.pad(picture, (0, 0, 0, filters.shape[2] + 1), value=1.0)


def tile_of_square_filters(filters, columns):
    return RIGHT.tile_by_copying(F.pad(filters, (0, 1), value=1.0), columns)


def tile_clipped(filters, columns):
    return RIGHT.tile_by_copying(filters.clamp(0, 1), columns)


def tile_with_the_largest_value(filters, columns):
    empty = RIGHT.tile_by_copying(torch.zeros_like(filters), columns) == 1
    return torch.where(empty, filters.max(), RIGHT.tile_by_copying(filters, columns))


def responses_of_the_same_size(images, weight, bias, stride, padding):
    H, W = images.shape[2:]
    padded = F.pad(images, [weight.shape[3] // 2] * 2 + [weight.shape[2] // 2] * 2)
    return F.conv2d(padded, weight, bias, stride=stride)[:, :, : H // stride, : W // stride]


def responses_rounded_up(images, weight, bias, stride, padding):
    h, w = (
        math.ceil((side + 2 * padding - kernel) / stride) + 1
        for side, kernel in zip(images.shape[2:], weight.shape[2:], strict=True)
    )
    padded = F.pad(images, (padding, padding + stride, padding, padding + stride))
    return F.conv2d(padded, weight, bias, stride=stride)[:, :, :h, :w]


def responses_on_a_square_grid(images, weight, bias, stride, padding):
    A = RIGHT.responses_by_conv2d(images, weight, bias, stride, padding)
    return A[:, :, : A.shape[3], : A.shape[2]]


def responses_of_clamped_images(images, weight, bias, stride, padding):
    return RIGHT.responses_by_conv2d(images.clamp(-1, 1), weight, bias, stride, padding)


def responses_with_one_bias(images, weight, bias, stride, padding):
    return F.conv2d(images, weight, stride=stride, padding=padding) + bias[0]


def responses_with_a_stride_for_rows(images, weight, bias, stride, padding):
    return F.conv2d(images, weight, bias, stride=(stride, 1), padding=padding)


def _slices(weights, k, n, strength, size=lambda W: W.abs().max()):
    W = weights[k]
    largest = size(W) if W.any() else 1.0
    return 0.5 + W[strength(W).argsort(descending=True, stable=True)[:n]] / (2 * largest)


def _sums(W):
    return W.abs().sum((1, 2))


def slices_by_norm(weights, k, n):
    return _slices(weights, k, n, lambda W: W.flatten(1).norm(dim=1))


def slices_by_deviation(weights, k, n):
    return _slices(weights, k, n, lambda W: W.flatten(1).std(dim=1))


def slices_by_range(weights, k, n):
    return _slices(weights, k, n, lambda W: W.amax((1, 2)) - W.amin((1, 2)))


def slices_by_size_of_the_sum(weights, k, n):
    return _slices(weights, k, n, lambda W: W.sum((1, 2)).abs())


def slices_by_the_layer(weights, k, n):
    return _slices(weights, k, n, lambda W: weights.abs().sum((0, 2, 3)))


def slices_over_the_largest_weight(weights, k, n):
    return _slices(weights, k, n, _sums, torch.max)


def slices_with_an_epsilon(weights, k, n):
    return _slices(weights, k, n, _sums, lambda W: W.abs().max() + 1e-8)


def slices_with_a_smallest_size(weights, k, n):
    return _slices(weights, k, n, _sums, lambda W: W.abs().max().clamp(min=1e-3))


def slices_in_order_of_channel(weights, k, n):
    order = _sums(weights[k]).argsort(descending=True)[:n].sort().values
    return 0.5 + weights[k, order] / (2 * (weights[k].abs().max() or 1.0))


WRONG = {
    "filters.scale_filters": (
        scale_but_nearly_flat,
        scale_but_close,
        scale_with_an_epsilon,
        scale_with_a_smallest_range,
        scale_where_they_spread,
        scale_from_zero_where_positive,
        scale_to_zero_where_negative,
        scale_in_255_steps,
        scale_and_squeeze,
    ),
    "filters.tile": (
        tile_no_wider_than_filters,
        tile_one_row_more,
        tile_of_square_filters,
        tile_clipped,
        tile_with_the_largest_value,
    ),
    "filters.responses": (
        responses_of_the_same_size,
        responses_rounded_up,
        responses_on_a_square_grid,
        responses_of_clamped_images,
        responses_with_one_bias,
        responses_with_a_stride_for_rows,
    ),
    "filters.channel_slices": (
        slices_by_norm,
        slices_by_deviation,
        slices_by_range,
        slices_by_size_of_the_sum,
        slices_by_the_layer,
        slices_over_the_largest_weight,
        slices_with_an_epsilon,
        slices_with_a_smallest_size,
        slices_in_order_of_channel,
    ),
}
