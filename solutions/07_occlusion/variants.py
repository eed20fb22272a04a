"""Right answers to the exercises on occlusion, written in different ways."""

from __future__ import annotations

import copy
import itertools
import math
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F


def hide_by_where(images, box, fill):
    top, left, bottom, right = box
    mask = torch.zeros(images.shape[2:], dtype=torch.bool)
    mask[top:bottom, left:right] = True
    return torch.where(mask, fill, images)


def hide_by_slice(images, box, fill):
    top, left, bottom, right = box.tolist()
    covered = images.clone()
    if not torch.is_tensor(fill):
        covered[..., top:bottom, left:right] = fill
    else:
        covered[..., top:bottom, left:right] = fill.expand(images.shape[1:])[:, top:bottom, left:right]
    return covered


def hide_by_arithmetic(images, box, fill):
    rows, columns = torch.arange(images.shape[2]), torch.arange(images.shape[3])
    down = (rows >= box[0]) & (rows < box[2])
    across = (columns >= box[1]) & (columns < box[3])
    mask = (down[:, None] & across[None, :]).to(images.dtype)
    return images * (1 - mask) + fill * mask


def hide_by_loops(images, box, fill):
    filling = torch.as_tensor(fill, dtype=images.dtype).broadcast_to(images.shape)
    covered = images.clone()
    for i in range(int(box[0]), int(box[2])):
        for j in range(int(box[1]), int(box[3])):
            covered[:, :, i, j] = filling[:, :, i, j]
    return covered


def hide_by_padding(images, box, fill):
    """A window of ones, padded with zeros to the picture's size."""
    top, left, bottom, right = box.tolist()
    H, W = images.shape[-2:]
    mask = F.pad(torch.ones(bottom - top, right - left), (left, W - right, top, H - bottom)).bool()
    return images.masked_fill(mask, 0) + mask * fill


def hide_by_numpy(images, box, fill):
    top, left, bottom, right = box.numpy()
    covered = images.numpy().copy()
    filling = np.broadcast_to(np.asarray(fill), covered.shape)
    covered[:, :, top:bottom, left:right] = filling[:, :, top:bottom, left:right]
    return torch.from_numpy(covered)


def hide_in_float32(images, box, fill):
    return hide_by_arithmetic(images.float(), box, fill.float() if torch.is_tensor(fill) else fill)


def boxes_by_two_loops(H, W, window, stride):
    boxes = []
    for i in range(math.ceil((H - window) / stride) + 1):
        for j in range(math.ceil((W - window) / stride) + 1):
            top, left = i * stride, j * stride
            boxes.append([top, left, min(top + window, H), min(left + window, W)])
    return torch.tensor(boxes)


def boxes_until_the_border(H, W, window, stride):
    def along(length):
        start, found = 0, [(0, min(window, length))]
        while found[-1][1] < length:
            start += stride
            found.append((start, min(start + window, length)))
        return found

    return torch.tensor([(t, a, b, z) for (t, b), (a, z) in itertools.product(along(H), along(W))])


def boxes_by_meshgrid(H, W, window, stride):
    tops = torch.arange(0, H - window + stride, stride)
    lefts = torch.arange(0, W - window + stride, stride)
    corners = torch.stack(torch.meshgrid(tops, lefts, indexing="ij"), dim=-1).reshape(-1, 2)
    return torch.cat([corners, (corners + window).minimum(torch.tensor([H, W]))], dim=1)


def boxes_by_cartesian_product(H, W, window, stride):
    starts = [torch.arange(-(-(length - window) // stride) + 1) * stride for length in (H, W)]
    top, left = torch.cartesian_prod(*starts).T
    return torch.stack([top, left, (top + window).clamp(max=H), (left + window).clamp(max=W)], dim=1)


def boxes_by_numpy(H, W, window, stride):
    rows, columns = (np.arange(0, length - window + stride, stride) for length in (H, W))
    top, left = np.repeat(rows, len(columns)), np.tile(columns, len(rows))
    boxes = np.stack([top, left, np.minimum(top + window, H), np.minimum(left + window, W)], axis=1)
    return torch.tensor(boxes.astype(np.int64))


def boxes_in_int32(H, W, window, stride):
    return boxes_by_two_loops(H, W, window, stride).int()


def drops_by_where(model, images, targets, boxes, fill):
    n = torch.arange(len(images))
    with torch.no_grad():
        y = model(images)[n, targets]
        drops = [y - model(hide_by_where(images, box, fill))[n, targets] for box in boxes]
    return torch.stack(drops, dim=1)


@torch.inference_mode()
def drops_image_by_image(model, images, targets, boxes, fill):
    """All windows of an image as one batch."""
    drops = []
    for image, c in zip(images, targets, strict=True):
        covered = torch.cat([hide_by_slice(image[None], box, fill) for box in boxes])
        drops.append(model(image[None])[0, c] - model(covered)[:, c])
    return torch.stack(drops).clone()


def drops_in_one_batch(model, images, targets, boxes, fill):
    N, P = len(images), len(boxes)
    covered = torch.stack([hide_by_arithmetic(images, box, fill) for box in boxes], dim=1)
    y = model(torch.cat([images, covered.flatten(0, 1)])).detach()
    own = y[:N].gather(1, targets[:, None])
    return own - y[N:].view(N, P, -1).gather(2, targets[:, None, None].expand(N, P, 1))[..., 0]


@torch.no_grad()
def drops_by_putting_back(model, images, targets, boxes, fill):
    """One working copy: hide, ask, put the pixels back."""
    work, chosen = images.clone(), F.one_hot(targets, model(images).shape[1]).to(images.dtype)
    y = (model(work.clone()) * chosen).sum(1)
    drops = torch.zeros(len(images), len(boxes), dtype=images.dtype)
    for p, (t, a, b, z) in enumerate(boxes.tolist()):
        kept = work[:, :, t:b, a:z].clone()
        work[:, :, t:b, a:z] = torch.as_tensor(fill).expand(images.shape[1:])[:, t:b, a:z]
        drops[:, p] = y - (model(work.clone()) * chosen).sum(1)
        work[:, :, t:b, a:z] = kept
    return drops


def drops_with_a_graph(model, images, targets, boxes, fill):
    before = [model(images)[n, c].item() for n, c in enumerate(targets)]
    drops = torch.empty(len(images), len(boxes), dtype=images.dtype)
    for p, box in enumerate(boxes):
        scores = model(hide_by_loops(images, box, fill))
        for n, c in enumerate(targets):
            drops[n, p] = before[n] - scores[n, c].item()
    return drops


def drops_in_float32(model, images, targets, boxes, fill):
    single = fill.float() if torch.is_tensor(fill) else fill
    return drops_by_where(copy.deepcopy(model).float(), images.float(), targets, boxes, single)


def average_by_two_sums(drops, boxes, size):
    total, count = torch.zeros(len(drops), *size, dtype=drops.dtype), torch.zeros(*size)
    for p, (top, left, bottom, right) in enumerate(boxes):
        total[:, top:bottom, left:right] += drops[:, p].view(-1, 1, 1)
        count[top:bottom, left:right] += 1
    return total / count


def average_by_masks(drops, boxes, size):
    rows, columns = torch.arange(size[0]), torch.arange(size[1])
    top, left, bottom, right = boxes[:, :, None].unbind(1)
    down = ((rows >= top) & (rows < bottom)).to(drops)
    across = ((columns >= left) & (columns < right)).to(drops)
    total = torch.einsum("np,pi,pj->nij", drops, down, across)
    return total / torch.einsum("pi,pj->ij", down, across)


def average_by_matmul(drops, boxes, size):
    masks = torch.stack([hide_by_padding(torch.zeros(1, 1, *size), box, 1.0)[0, 0] for box in boxes])
    weights = masks.flatten(1).to(drops)
    return (drops @ (weights / weights.sum(0))).unflatten(1, tuple(size))


def average_pixel_by_pixel(drops, boxes, size):
    maps = torch.zeros(len(drops), *size, dtype=drops.dtype)
    for i in range(size[0]):
        for j in range(size[1]):
            covering = [p for p, (t, a, b, z) in enumerate(boxes.tolist()) if t <= i < b and a <= j < z]
            maps[:, i, j] = drops[:, covering].mean(dim=1)
    return maps


def average_by_running_mean(drops, boxes, size):
    maps, count = drops.new_zeros(len(drops), *size), drops.new_zeros(size)
    for p, (t, a, b, z) in enumerate(boxes.tolist()):
        count[t:b, a:z] += 1
        maps[:, t:b, a:z] += (drops[:, p, None, None] - maps[:, t:b, a:z]) / count[t:b, a:z]
    return maps


def average_by_numpy(drops, boxes, size):
    layers = np.full((len(drops), len(boxes), *size), np.nan)
    for p, (t, a, b, z) in enumerate(boxes.numpy()):
        layers[:, p, t:b, a:z] = drops.numpy()[:, p, None, None]
    return torch.from_numpy(np.nanmean(layers, axis=1))


def average_in_float32(drops, boxes, size):
    return average_by_masks(drops.float(), boxes, size)


def composed(boxes_of, drops_of, average) -> Callable:
    def occlusion(model, images, targets, *, window=32, stride=16, fill=0.0):
        size = images.shape[-2:]
        boxes = boxes_of(size[0], size[1], window, stride)
        return average(drops_of(model, images, targets, boxes, fill), boxes, size)

    occlusion.__name__ = f"occlusion_of_{boxes_of.__name__}_{drops_of.__name__}_{average.__name__}"
    return occlusion


@torch.no_grad()
def occlusion_in_one_function(model, images, targets, window=32, stride=16, fill=0.0):
    (H, W), n = images.shape[2:], torch.arange(len(images))
    y, total, count = model(images)[n, targets], 0.0, 0.0
    for top in range(0, H - window + stride, stride):
        for left in range(0, W - window + stride, stride):
            mask = torch.zeros(H, W, dtype=images.dtype)
            mask[top : top + window, left : left + window] = 1  # a slice ends at the border by itself
            drop = y - model(torch.where(mask > 0, fill, images))[n, targets]
            total, count = total + drop[:, None, None] * mask, count + mask
    return total / count


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "occlusion.hide": (
        hide_by_where,
        hide_by_slice,
        hide_by_arithmetic,
        hide_by_loops,
        hide_by_padding,
        hide_by_numpy,
        hide_in_float32,
    ),
    "occlusion.window_boxes": (
        boxes_by_two_loops,
        boxes_until_the_border,
        boxes_by_meshgrid,
        boxes_by_cartesian_product,
        boxes_by_numpy,
        boxes_in_int32,
    ),
    "occlusion.score_drops": (
        drops_by_where,
        drops_image_by_image,
        drops_in_one_batch,
        drops_by_putting_back,
        drops_with_a_graph,
        drops_in_float32,
    ),
    "occlusion.coverage_average": (
        average_by_two_sums,
        average_by_masks,
        average_by_matmul,
        average_pixel_by_pixel,
        average_by_running_mean,
        average_by_numpy,
        average_in_float32,
    ),
    "occlusion.occlusion": (
        occlusion_in_one_function,
        composed(boxes_by_two_loops, drops_by_where, average_by_two_sums),
        composed(boxes_until_the_border, drops_image_by_image, average_by_masks),
        composed(boxes_by_meshgrid, drops_in_one_batch, average_by_matmul),
        composed(boxes_by_cartesian_product, drops_by_putting_back, average_by_running_mean),
        composed(boxes_by_numpy, drops_in_float32, average_in_float32),
    ),
}
