"""Right answers to the exercises of lesson 15, which map, written in different ways."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
import torch.nn.functional as F


def pointing_by_broadcast(maps, boxes, tolerance):
    _, H, W = maps.shape
    peak = maps == maps.amax(dim=(1, 2), keepdim=True)
    top, left, bottom, right = boxes[:, :, None].unbind(dim=1)
    i, j = torch.arange(H), torch.arange(W)
    down = torch.maximum(top - i, i - bottom + 1).clamp(min=0)
    across = torch.maximum(left - j, j - right + 1).clamp(min=0)
    near = down[:, :, None] ** 2 + across[:, None, :] ** 2 <= tolerance**2
    return (peak & near).sum(dim=(1, 2)).to(maps.dtype) / peak.sum(dim=(1, 2))


def pointing_by_loops(maps, boxes, tolerance):
    result = []
    for one, (top, left, bottom, right) in zip(maps, boxes.tolist(), strict=True):
        pixels = (one == one.max()).nonzero().tolist()
        hits = 0
        for i, j in pixels:
            nearest = min(max(i, top), bottom - 1), min(max(j, left), right - 1)
            hits += math.dist((i, j), nearest) <= tolerance
        result.append(hits / len(pixels))
    return torch.tensor(result, dtype=maps.dtype)


def pointing_by_all_distances(maps, boxes, tolerance):
    """The distance to every pixel of the box, of which the least counts."""
    shares = []
    for one, (top, left, bottom, right) in zip(maps, boxes.tolist(), strict=True):
        box = torch.cartesian_prod(torch.arange(top, bottom), torch.arange(left, right)).to(maps.dtype)
        peak = torch.nonzero(one == one.max()).to(maps.dtype)
        least = ((peak[:, None] - box[None]) ** 2).sum(-1).amin(1).sqrt()
        shares.append((least <= tolerance).to(maps.dtype).mean())
    return torch.stack(shares)


def pointing_by_numpy(maps, boxes, tolerance):
    result = np.zeros(len(maps))
    for n, (one, (top, left, bottom, right)) in enumerate(zip(maps.numpy(), boxes.numpy(), strict=True)):
        rows, columns = np.where(one == one.max())
        down = rows - np.clip(rows, top, bottom - 1)
        across = columns - np.clip(columns, left, right - 1)
        result[n] = np.mean(np.hypot(down, across) <= tolerance)
    return torch.from_numpy(result)


def pointing_in_float32(maps, boxes, tolerance):
    return pointing_by_broadcast(maps, boxes, tolerance).float()


def energy_by_slices(maps, boxes):
    positive = maps.clamp(min=0)
    inside = torch.stack([m[t:b, l:r].sum() for m, (t, l, b, r) in zip(positive, boxes.tolist(), strict=True)])
    total = positive.sum(dim=(1, 2))
    return inside / torch.where(total > 0, total, 1.0)


def energy_by_masks(maps, boxes):
    rows, columns = torch.arange(maps.shape[1]), torch.arange(maps.shape[2])
    top, left, bottom, right = (edge[:, None] for edge in boxes.unbind(1))
    down = ((rows >= top) & (rows < bottom)).to(maps.dtype)
    across = ((columns >= left) & (columns < right)).to(maps.dtype)
    positive = F.relu(maps)
    inside = torch.einsum("nij,ni,nj->n", positive, down, across)
    return torch.nan_to_num(inside / positive.flatten(1).sum(1), nan=0.0)


def energy_by_loops(maps, boxes):
    result = torch.zeros(len(maps), dtype=maps.dtype)
    for n in range(len(maps)):
        inside = total = 0.0
        top, left, bottom, right = boxes[n].tolist()
        for i in range(maps.shape[1]):
            for j in range(maps.shape[2]):
                value = max(float(maps[n, i, j]), 0.0)
                total += value
                if top <= i < bottom and left <= j < right:
                    inside += value
        result[n] = inside / total if total else 0.0
    return result


def energy_by_integral_image(maps, boxes):
    table = F.pad(maps.relu().cumsum(1).cumsum(2), (1, 0, 1, 0))
    n = torch.arange(len(maps))
    top, left, bottom, right = boxes.unbind(1)
    inside = table[n, bottom, right] - table[n, top, right] - table[n, bottom, left] + table[n, top, left]
    total = table[:, -1, -1]
    return torch.where(total > 0, inside / total.clamp(min=1e-30), torch.zeros_like(inside))


def energy_by_numpy(maps, boxes):
    result = []
    for one, (top, left, bottom, right) in zip(np.maximum(maps.numpy(), 0), boxes.numpy(), strict=True):
        result.append(one[top:bottom, left:right].sum() / one.sum() if one.any() else 0.0)
    return torch.tensor(result, dtype=torch.float64)


def energy_in_float32(maps, boxes):
    return energy_by_slices(maps.float(), boxes)


@torch.no_grad()
def deletion_by_lists(model, image, target, heat, *, steps, fill):
    order = heat.flatten().argsort(descending=True)
    filling = torch.as_tensor(fill, dtype=image.dtype).expand(image.shape).flatten(1)
    pictures = []
    for k in range(steps + 1):
        gone = order[: k * heat.numel() // steps]
        picture = image.flatten(1).clone()
        picture[:, gone] = filling[:, gone]
        pictures.append(picture.view_as(image))
    return model(torch.stack(pictures))[:, target]


def deletion_one_by_one(model, image, target, heat, *, steps, fill):
    """One picture at a time, and the pixels stay gone: the same picture goes on."""
    picture, done, scores = image.clone(), 0, []
    order = torch.sort(-heat.reshape(-1)).indices
    filling = image * 0 + fill
    W = heat.shape[1]
    with torch.inference_mode():
        for k in range(steps + 1):
            number = math.floor(k * heat.numel() / steps)
            for p in order[done:number].tolist():
                picture[:, p // W, p % W] = filling[:, p // W, p % W]
            done = number
            scores.append(float(model(picture.unsqueeze(0))[0, target]))
    return torch.tensor(scores, dtype=image.dtype)


def deletion_by_ranks(model, image, target, heat, *, steps, fill):
    rank = heat.flatten().argsort(descending=True).argsort().view_as(heat)
    numbers = torch.arange(steps + 1) * heat.numel() // steps
    mask = (rank < numbers[:, None, None])[:, None]
    pictures = torch.where(mask, torch.as_tensor(fill, dtype=image.dtype), image)
    return model(pictures).detach()[:, target]


@torch.no_grad()
def deletion_by_topk(model, image, target, heat, *, steps, fill):
    """The pixels of each step are chosen anew: those that tie need not be the same ones."""
    scores = []
    for k in range(steps + 1):
        gone = torch.zeros(heat.numel(), dtype=torch.bool)
        gone[heat.flatten().topk(k * heat.numel() // steps).indices] = True
        gone = gone.view_as(heat)
        scores.append(model((image * ~gone + fill * gone)[None])[0, target])
    return torch.stack(scores)


@torch.no_grad()
def deletion_by_numpy(model, image, target, heat, *, steps, fill):
    order = np.argsort(-heat.numpy(), axis=None)
    filling = np.broadcast_to(np.asarray(fill), image.shape)
    scores = []
    for k in range(steps + 1):
        picture = image.numpy().copy()
        rows, columns = np.unravel_index(order[: k * heat.numel() // steps], heat.shape)
        picture[:, rows, columns] = filling[:, rows, columns]
        scores.append(model(torch.from_numpy(picture)[None])[0, target].item())
    return torch.tensor(scores, dtype=image.dtype)


def area_by_slices(scores):
    return ((scores[:, :-1] + scores[:, 1:]) / 2).sum(dim=1) / (scores.shape[1] - 1)


def area_by_trapezoid(scores):
    return torch.trapezoid(scores, torch.linspace(0, 1, scores.shape[1], dtype=scores.dtype), dim=1)


def area_by_weights(scores):
    weights = torch.ones(scores.shape[1], dtype=scores.dtype)
    weights[[0, -1]] = 0.5
    return scores @ weights / (len(weights) - 1)


def area_by_corrected_sum(scores):
    return (scores.sum(1) - (scores[:, 0] + scores[:, -1]) / 2) / (scores.size(1) - 1)


def area_by_numpy(scores):
    values = scores.numpy()
    return torch.from_numpy(np.mean(values[:, :-1] + np.diff(values, axis=1) / 2, axis=1))


def area_by_loops(scores):
    areas = torch.zeros(len(scores), dtype=scores.dtype)
    steps = scores.shape[1] - 1
    for n, row in enumerate(scores.tolist()):
        for left, right in pairwise(row):
            areas[n] += (left + right) / 2 / steps
    return areas


def _by_unique(values):
    _, place, count = values.unique(return_inverse=True, return_counts=True)
    return (count.cumsum(0).to(values.dtype) - (count - 1) / 2)[place]


def rank_by_unique(maps_a, maps_b):
    result = []
    for a, b in zip(maps_a.flatten(1), maps_b.flatten(1), strict=True):
        r, q = (_by_unique(x) - _by_unique(x).mean() for x in (a, b))
        whole = (r.square().sum() * q.square().sum()).sqrt()
        result.append((r * q).sum() / whole if whole > 0 else whole)
    return torch.stack(result)


def rank_by_pairs(maps_a, maps_b):
    """A pixel's rank from 0 is the number of lower pixels plus half the number of its equals."""

    def ranks(maps):
        x = maps.flatten(1)
        difference = x[:, :, None] - x[:, None, :]
        return difference.sign().sum(dim=2) / 2

    r, q = ranks(maps_a), ranks(maps_b)  # the mean is 0 already
    return torch.nan_to_num((r * q).sum(1) / (r.norm(dim=1) * q.norm(dim=1)), nan=0.0)


def rank_by_corrcoef(maps_a, maps_b):
    result = torch.zeros(len(maps_a), dtype=maps_a.dtype)
    for n in range(len(maps_a)):
        a, b = maps_a[n].flatten(), maps_b[n].flatten()
        if len(a.unique()) > 1 and len(b.unique()) > 1:
            result[n] = torch.corrcoef(torch.stack([_by_unique(a), _by_unique(b)]))[0, 1]
    return result


def rank_by_searchsorted(maps_a, maps_b):
    def ranks(values):
        ordered = np.sort(values, axis=None)
        return (np.searchsorted(ordered, values, "left") + np.searchsorted(ordered, values, "right")).ravel() / 2

    result = []
    for a, b in zip(maps_a.numpy(), maps_b.numpy(), strict=True):
        r, q = ranks(a), ranks(b)
        result.append(np.corrcoef(r, q)[0, 1] if r.std() and q.std() else 0.0)
    return torch.tensor(result, dtype=torch.float64)


def rank_by_loops(maps_a, maps_b):
    def ranks(values):
        ordered = sorted(values)
        places = {v: [k + 1 for k, other in enumerate(ordered) if other == v] for v in set(values)}
        return [sum(places[v]) / len(places[v]) for v in values]

    result = []
    for a, b in zip(maps_a.flatten(1).tolist(), maps_b.flatten(1).tolist(), strict=True):
        r, q = ranks(a), ranks(b)
        middle = (len(a) + 1) / 2
        part = sum((x - middle) * (y - middle) for x, y in zip(r, q, strict=True))
        whole = math.sqrt(sum((x - middle) ** 2 for x in r) * sum((y - middle) ** 2 for y in q))
        result.append(part / whole if whole else 0.0)
    return torch.tensor(result, dtype=maps_a.dtype)


def rank_in_float32(maps_a, maps_b):
    return rank_by_unique(maps_a.float(), maps_b.float())


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "which_map.pointing_game": (
        pointing_by_broadcast,
        pointing_by_loops,
        pointing_by_all_distances,
        pointing_by_numpy,
        pointing_in_float32,
    ),
    "which_map.energy_in_box": (
        energy_by_slices,
        energy_by_masks,
        energy_by_loops,
        energy_by_integral_image,
        energy_by_numpy,
        energy_in_float32,
    ),
    "which_map.deletion_curve": (
        deletion_by_lists,
        deletion_one_by_one,
        deletion_by_ranks,
        deletion_by_topk,
        deletion_by_numpy,
    ),
    "which_map.area_under_curve": (
        area_by_slices,
        area_by_trapezoid,
        area_by_weights,
        area_by_corrected_sum,
        area_by_numpy,
        area_by_loops,
    ),
    "which_map.rank_correlation": (
        rank_by_unique,
        rank_by_pairs,
        rank_by_corrcoef,
        rank_by_searchsorted,
        rank_by_loops,
        rank_in_float32,
    ),
}
