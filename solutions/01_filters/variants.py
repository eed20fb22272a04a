"""Right answers to the exercises on filters, written in different ways."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


def scale_by_where(filters):
    low = filters.amin(dim=(1, 2, 3), keepdim=True)
    high = filters.amax(dim=(1, 2, 3), keepdim=True)
    return torch.where(high > low, (filters - low) / (high - low), 0.5)


def scale_by_flatten(filters):
    flat = filters.flatten(1)
    low, high = flat.min(dim=1).values[:, None], flat.max(dim=1).values[:, None]
    return torch.nan_to_num((flat - low) / (high - low), nan=0.5).view_as(filters)


def scale_by_loops(filters):
    scaled = torch.full_like(filters, 0.5)
    for k, W in enumerate(filters):
        low, high = W.min().item(), W.max().item()
        if low < high:
            scaled[k] = (W - low) / (high - low)
    return scaled


def scale_by_a_copy_in_place(filters):
    scaled = filters.clone()
    constant = torch.tensor([W.unique().numel() == 1 for W in filters])
    scaled -= scaled.amin((1, 2, 3), keepdim=True)
    scaled /= scaled.amax((1, 2, 3), keepdim=True)
    scaled[constant] = 0.5
    return scaled


def scale_by_numpy(filters):
    W = filters.numpy().reshape(len(filters), -1)
    low, spread = W.min(1, keepdims=True), np.ptp(W, axis=1, keepdims=True)
    scaled = np.divide(W - low, spread, out=np.full_like(W, 0.5), where=spread > 0)
    return torch.from_numpy(scaled.reshape(filters.shape))


def scale_by_pooling(filters):
    """Extremes by max-pooling over a filter as one long row."""
    rows = filters.reshape(len(filters), 1, -1)
    high = F.max_pool1d(rows, rows.shape[-1])
    low = -F.max_pool1d(-rows, rows.shape[-1])
    spread = high - low
    return ((rows - low + 0.5 * (spread == 0)) / (spread + (spread == 0))).reshape(filters.shape)


def scale_in_float32(filters):
    return scale_by_where(filters.float())


def tile_by_copying(filters, columns):
    K, C, kh, kw = filters.shape
    rows = (K + columns - 1) // columns
    picture = torch.ones(C, rows * (kh + 1) - 1, columns * (kw + 1) - 1, dtype=filters.dtype)
    for k in range(K):
        top, left = k // columns * (kh + 1), k % columns * (kw + 1)
        picture[:, top : top + kh, left : left + kw] = filters[k]
    return picture


def tile_by_permuting(filters, columns):
    K, C, kh, kw = filters.shape
    rows = -(-K // columns)
    padded = F.pad(filters, (0, 1, 0, 1, 0, 0, 0, rows * columns - K), value=1.0)
    grid = padded.view(rows, columns, C, kh + 1, kw + 1).permute(2, 0, 3, 1, 4)
    return grid.reshape(C, rows * (kh + 1), columns * (kw + 1))[:, :-1, :-1]


def tile_by_concatenating(filters, columns):
    _, C, kh, kw = filters.shape
    white = torch.ones(C, kh, kw, dtype=filters.dtype)
    lines = []
    for start in range(0, len(filters), columns):
        row = list(filters[start : start + columns])
        row += [white] * (columns - len(row))
        between = torch.ones(C, kh, 1, dtype=filters.dtype)
        lines.append(torch.cat([part for one in row for part in (one, between)][:-1], dim=2))
    between = torch.ones(C, 1, lines[0].shape[2], dtype=filters.dtype)
    return torch.cat([part for line in lines for part in (line, between)][:-1], dim=1)


def tile_pixel_by_pixel(filters, columns):
    K, C, kh, kw = filters.shape
    H, W = -(-K // columns) * (kh + 1) - 1, columns * (kw + 1) - 1
    picture = torch.ones(C, H, W, dtype=filters.dtype)
    for y in range(H):
        for x in range(W):
            (r, i), (s, j) = divmod(y, kh + 1), divmod(x, kw + 1)
            if i < kh and j < kw and r * columns + s < K:
                picture[:, y, x] = filters[r * columns + s, :, i, j]
    return picture


def tile_by_fold(filters, columns):
    """fold adds up tiles that do not overlap: what it leaves at 0 is the border, so white is 1 - (1 - W)."""
    K, C, kh, kw = filters.shape
    rows = -(-K // columns)
    dark = torch.zeros(rows * columns, C, kh, kw, dtype=filters.dtype)
    dark[:K] = 1 - filters
    blocks = dark.flatten(1).T[None]
    size = (rows * (kh + 1) - 1, columns * (kw + 1) - 1)
    return 1 - F.fold(blocks, size, (kh, kw), stride=(kh + 1, kw + 1))[0]


def tile_by_numpy(filters, columns):
    K, C, kh, kw = filters.shape
    picture = np.ones((C, -(-K // columns) * (kh + 1), columns * (kw + 1)))
    for k, W in enumerate(filters.numpy()):
        r, s = np.unravel_index(k, (-(-K // columns), columns))
        picture[:, r * (kh + 1) :, s * (kw + 1) :][:, :kh, :kw] = W
    return torch.from_numpy(picture[:, :-1, :-1].copy())


def tile_in_float32(filters, columns):
    return tile_by_copying(filters.float(), columns)


def responses_by_conv2d(images, weight, bias, stride, padding):
    return F.conv2d(images, weight, bias, stride=stride, padding=padding)


def responses_by_shifted_images(images, weight, bias, stride, padding):
    K, _, kh, kw = weight.shape
    padded = F.pad(images, (padding,) * 4)
    h, w = (padded.shape[2] - kh) // stride + 1, (padded.shape[3] - kw) // stride + 1
    A = torch.zeros(len(images), K, h, w, dtype=images.dtype) + bias[None, :, None, None]
    for i in range(kh):
        for j in range(kw):
            pixels = padded[:, :, i::stride, j::stride][:, :, :h, :w]
            A = A + torch.einsum("kc,nchw->nkhw", weight[:, :, i, j], pixels)
    return A


def responses_by_unfold(images, weight, bias, stride, padding):
    _, _, kh, kw = weight.shape
    columns = F.unfold(images, (kh, kw), padding=padding, stride=stride)
    h = (images.shape[2] + 2 * padding - kh) // stride + 1
    return (weight.flatten(1) @ columns + bias[:, None]).unflatten(-1, (h, -1))


def responses_by_windows(images, weight, bias, stride, padding):
    _, _, kh, kw = weight.shape
    windows = F.pad(images, [padding] * 4).unfold(2, kh, stride).unfold(3, kw, stride)
    return torch.einsum("nchwij,kcij->nkhw", windows, weight) + bias.view(1, -1, 1, 1)


def responses_place_by_place(images, weight, bias, stride, padding):
    _, _, kh, kw = weight.shape
    padded = F.pad(images, [padding] * 4)
    rows = []
    for top in range(0, padded.shape[2] - kh + 1, stride):
        row = []
        for left in range(0, padded.shape[3] - kw + 1, stride):
            patch = padded[:, None, :, top : top + kh, left : left + kw]
            row.append((patch * weight).sum(dim=(2, 3, 4)) + bias)
        rows.append(torch.stack(row, dim=-1))
    return torch.stack(rows, dim=-2)


def responses_by_a_module(images, weight, bias, stride, padding):
    K, C, kh, kw = weight.shape
    layer = nn.Conv2d(C, K, (kh, kw), stride=stride, padding=padding, dtype=weight.dtype)
    with torch.no_grad():
        layer.weight.copy_(weight)
        layer.bias.copy_(bias)
        return layer(images)


def responses_in_float32(images, weight, bias, stride, padding):
    return responses_by_windows(images.float(), weight.float(), bias.float(), stride, padding)


def slices_by_argsort(weights, k, n):
    W = weights[k]
    order = W.abs().sum(dim=(1, 2)).argsort(descending=True)[:n]
    largest = W.abs().max()
    return 0.5 + W[order] / (2 * (largest if largest > 0 else 1.0))


def slices_by_topk(weights, k, n):
    strength = torch.linalg.vector_norm(weights[k].flatten(1), ord=1, dim=1)
    size = weights[k].abs().amax() + (weights[k] == 0).all()
    return (1 + weights[k, strength.topk(n).indices] / size) / 2


def slices_by_sorting_a_list(weights, k, n):
    slices = sorted(weights[k], key=lambda one: -one.abs().sum().item())[:n]
    largest = max(weights[k].abs().flatten().tolist()) or 1.0
    return torch.stack([(one + largest) / (2 * largest) for one in slices])


def slices_by_nan_to_num(weights, k, n):
    W = weights[k]
    scaled = torch.nan_to_num(W / W.abs().max(), nan=0.0)
    return 0.5 * scaled[torch.sort(W.abs().mean((1, 2)), descending=True).indices[:n]] + 0.5


def slices_by_numpy(weights, k, n):
    W = weights[k].numpy()
    order = np.argsort(-np.abs(W).sum((1, 2)))[:n]
    return torch.from_numpy(0.5 + W[order] / (2 * (np.abs(W).max() or 1.0)))


def slices_in_float32(weights, k, n):
    return slices_by_argsort(weights.float(), k, n)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "filters.scale_filters": (
        scale_by_where,
        scale_by_flatten,
        scale_by_loops,
        scale_by_a_copy_in_place,
        scale_by_numpy,
        scale_by_pooling,
        scale_in_float32,
    ),
    "filters.tile": (
        tile_by_copying,
        tile_by_permuting,
        tile_by_concatenating,
        tile_pixel_by_pixel,
        tile_by_fold,
        tile_by_numpy,
        tile_in_float32,
    ),
    "filters.responses": (
        responses_by_conv2d,
        responses_by_shifted_images,
        responses_by_unfold,
        responses_by_windows,
        responses_place_by_place,
        responses_by_a_module,
        responses_in_float32,
    ),
    "filters.channel_slices": (
        slices_by_argsort,
        slices_by_topk,
        slices_by_sorting_a_list,
        slices_by_nan_to_num,
        slices_by_numpy,
        slices_in_float32,
    ),
}
