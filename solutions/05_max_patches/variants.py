"""Right answers to the exercises on maximum patches, written in different ways."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from functools import reduce

import numpy as np
import torch
import torch.nn.functional as F


def field_by_recursion(chain):
    size, jump, start = 1, 1, 0.0
    for kernel, stride, padding, dilation in chain:
        reach = (kernel - 1) * dilation
        size += reach * jump
        start += (reach / 2 - padding) * jump
        jump *= stride
    return size, jump, start


def field_by_sums(chain):
    """r = 1 + Σ (f − 1)·d·Π of the strides before."""
    jumps = [math.prod(stride for _, stride, _, _ in chain[:n]) for n in range(len(chain))]
    size = 1 + sum((f - 1) * d * J for (f, _, _, d), J in zip(chain, jumps, strict=True))
    start = sum(((f - 1) * d / 2 - p) * J for (f, _, p, d), J in zip(chain, jumps, strict=True))
    return size, math.prod(layer[1] for layer in chain), float(start)


def field_from_the_top(chain):
    """Backwards: which places of the grid below does a run of units need?"""

    def first_and_last(unit):
        first = last = unit
        for f, s, p, d in reversed(chain):
            first, last = first * s - p, last * s - p + (f - 1) * d
        return first, last

    (first, last), (second, _) = first_and_last(0), first_and_last(1)
    return last - first + 1, second - first, (first + last) / 2


def field_by_fold(chain):
    def step(state, layer):
        (r, J, first), (f, s, p, d) = state, layer
        return r + (f - 1) * d * J, J * s, first - p * J

    r, J, first = reduce(step, chain, (1, 1, 0))
    return r, J, first + (r - 1) / 2


def field_by_fractions(chain):
    r, J, t = 1, 1, Fraction(0)
    for f, s, p, d in chain:
        half = Fraction((f - 1) * d, 2)
        r, t, J = r + int(2 * half * J), t + (half - p) * J, J * s
    return r, J, float(t)


def field_in_tensors(chain):
    r, J, t = torch.tensor(1), torch.tensor(1), torch.tensor(0.0, dtype=torch.float64)
    for f, s, p, d in chain:
        r = r + (f - 1) * d * J
        t = t + ((f - 1) * d / 2 - p) * J
        J = J * s
    return r, J, t


def box_by_formula(i, j, size, jump, start):
    top = int(start + i * jump - (size - 1) / 2)
    left = int(start + j * jump - (size - 1) / 2)
    return top, left, top + size, left + size


def box_by_first_pixel(i, j, size, jump, start):
    first = round(start - size / 2 + 0.5)
    return first + i * jump, first + j * jump, first + i * jump + size, first + j * jump + size


def box_by_middle_and_end(i, j, size, jump, start):
    ends = [math.ceil(start + at * jump + (size - 1) / 2) + 1 for at in (i, j)]
    return ends[0] - size, ends[1] - size, ends[0], ends[1]


def box_by_numpy(i, j, size, jump, start):
    first = np.floor(start + np.array([i, j]) * jump - (size - 1) / 2).astype(int)
    return tuple(int(each) for each in np.concatenate([first, first + size]))


def box_by_doubling(i, j, size, jump, start):
    """Twice everything, so that nothing is a half."""
    twice = int(2 * start) - (size - 1)
    top, left = ((twice + 2 * at * jump) // 2 for at in (i, j))
    return top, left, top + size, left + size


def box_as_a_list_of_tensors(i, j, size, jump, start):
    first = (torch.tensor([i, j]) * jump + start - (size - 1) / 2).long()
    top, left = first
    bottom, right = first + size
    return top, left, bottom, right


def top_by_sort(activations, channel, count):
    flat = activations[:, channel].flatten(1)
    scores, order = flat.amax(dim=1).sort(descending=True, stable=True)
    at = flat.argmax(dim=1)[order[:count]]
    w = activations.shape[3]
    return scores[:count], order[:count], torch.stack([at // w, at % w], dim=1)


def top_by_python_sort(activations, channel, count):
    found = []
    for n, one in enumerate(activations[:, channel].tolist()):
        score, i, j = max((value, -i, -j) for i, row in enumerate(one) for j, value in enumerate(row))
        found.append((score, n, (-i, -j)))
    found = sorted(found, key=lambda each: -each[0])[:count]
    scores, images, places = zip(*found, strict=True)
    return torch.tensor(scores, dtype=activations.dtype), torch.tensor(images), torch.tensor(places)


def top_by_numpy(activations, channel, count):
    one = activations[:, channel].numpy()
    scores = one.max(axis=(1, 2))
    order = np.argsort(-scores, kind="stable")[:count]
    at = [np.unravel_index(one[n].argmax(), one[n].shape) for n in order]
    return torch.from_numpy(scores[order]), torch.from_numpy(order), torch.tensor(np.array(at))


def top_by_loops(activations, channel, count):
    left = list(range(len(activations)))
    scores, images, places = [], [], []
    for _ in range(count):
        best = max(left, key=lambda n: (activations[n, channel].max().item(), -n))
        left.remove(best)
        one = activations[best, channel]
        places.append((one == one.max()).nonzero()[0])
        scores.append(one.max())
        images.append(best)
    return torch.stack(scores), torch.tensor(images), torch.stack(places)


def top_by_max_pool(activations, channel, count):
    scores, at = F.max_pool2d(activations[:, [channel]], activations.shape[2:], return_indices=True)
    scores, at = scores.flatten(), at.flatten()
    order = torch.argsort(-scores, stable=True)[:count]
    row = torch.div(at[order], activations.shape[3], rounding_mode="floor")
    return scores[order], order, torch.stack([row, at[order] - row * activations.shape[3]], dim=1)


def top_by_rows_then_columns(activations, channel, count):
    one = activations[:, channel]
    rows = one.amax(2).argmax(1)
    columns = one[torch.arange(len(one)), rows].argmax(1)
    order = np.lexsort((np.arange(len(one)), -one.amax((1, 2)).numpy()))[:count].tolist()
    return one.amax((1, 2))[order], torch.tensor(order), torch.stack([rows[order], columns[order]], dim=1)


def top_in_float32(activations, channel, count):
    return top_by_sort(activations.float(), channel, count)


def cut_by_frame(images, boxes):
    H, W = images.shape[2:]
    frame = max(0, -int(boxes[:, 1:3].min()), int(boxes[:, 3].max()) - H, int(boxes[:, 4].max()) - W)
    padded = F.pad(images, (frame,) * 4)
    cut = [padded[n, :, t + frame : b + frame, l + frame : r + frame] for n, t, l, b, r in boxes.tolist()]
    return torch.stack(cut)


def cut_by_copying(images, boxes):
    patches = []
    for n, t, l, b, r in boxes.tolist():
        patch = torch.zeros(images.shape[1], b - t, r - l, dtype=images.dtype)
        part = images[n, :, max(t, 0) : max(b, 0), max(l, 0) : max(r, 0)]
        y, x = max(-t, 0), max(-l, 0)
        patch[:, y : y + part.shape[1], x : x + part.shape[2]] = part
        patches.append(patch)
    return torch.stack(patches)


def cut_pixel_by_pixel(images, boxes):
    _, C, H, W = images.shape
    n, t, l, b, r = boxes[0].tolist()
    patches = torch.zeros(len(boxes), C, b - t, r - l, dtype=images.dtype)
    for m, (n, t, l, b, r) in enumerate(boxes.tolist()):
        for i in range(max(t, 0), min(b, H)):
            for j in range(max(l, 0), min(r, W)):
                patches[m, :, i - t, j - l] = images[n, :, i, j]
    return patches


def cut_by_negative_padding(images, boxes):
    """F.pad with negative widths crops."""
    H, W = images.shape[2:]
    return torch.stack([F.pad(images[n], (-l, r - W, -t, b - H)) for n, t, l, b, r in boxes.tolist()])


def cut_by_index_and_mask(images, boxes):
    H, W = images.shape[2:]
    tall, wide = int(boxes[0, 3] - boxes[0, 1]), int(boxes[0, 4] - boxes[0, 2])
    i = boxes[:, 1, None] + torch.arange(tall)
    j = boxes[:, 2, None] + torch.arange(wide)
    inside = ((i >= 0) & (i < H))[:, :, None] & ((j >= 0) & (j < W))[:, None, :]
    n = boxes[:, 0, None, None]
    pixels = images.permute(0, 2, 3, 1)[n, i.clamp(0, H - 1)[:, :, None], j.clamp(0, W - 1)[:, None, :]]
    return (pixels * inside[..., None]).permute(0, 3, 1, 2)


def cut_by_numpy(images, boxes):
    frame = int(boxes.abs().max()) + int(max(images.shape[2:]))
    padded = np.pad(images.numpy(), ((0, 0), (0, 0), (frame, frame), (frame, frame)))
    moved = (boxes[:, 1:] + frame).tolist()
    cut = [padded[n, :, t:b, l:r] for n, (t, l, b, r) in zip(boxes[:, 0].tolist(), moved, strict=True)]
    return torch.from_numpy(np.stack(cut))


def cut_in_float32(images, boxes):
    return cut_by_copying(images.float(), boxes)


def whole_from(field, box, top, cut) -> Callable:
    def max_patches(model, images, layer, channel, chain, count):
        kept = []
        hook = lambda module, inputs, output: kept.append(output.detach().clone())  # noqa: E731
        handle = model.get_submodule(layer).register_forward_hook(hook)
        try:
            with torch.no_grad():
                model(images)
        finally:
            handle.remove()
        scores, chosen, places = top(kept[0], channel, count)
        size, jump, start = field(chain)
        boxes = [
            [n, *box(*place, size, jump, start)] for n, place in zip(chosen.tolist(), places.tolist(), strict=True)
        ]
        boxes = torch.tensor(boxes)
        return cut(images, boxes), scores, boxes

    max_patches.__name__ = f"of_{field.__name__}_{box.__name__}_{top.__name__}_{cut.__name__}"
    return max_patches


def whole_image_by_image(model, images, layer, channel, chain, count):
    """One image at a time, as for a data set that does not fit into memory."""
    size, jump, start = field_by_recursion(chain)
    found = []
    for n in range(len(images)):
        kept = []
        handle = model.get_submodule(layer).register_forward_hook(lambda m, x, out: kept.append(out.clone()))
        try:
            with torch.no_grad():
                model(images[n : n + 1])
        finally:
            handle.remove()
        score, _, place = top_by_sort(kept[0], channel, 1)
        found.append((score[0], n, place[0].tolist()))
    found.sort(key=lambda each: (-each[0].item(), each[1]))
    boxes = torch.tensor([(n, *box_by_formula(i, j, size, jump, start)) for _, n, (i, j) in found[:count]])
    return cut_by_negative_padding(images, boxes), torch.stack([each[0] for each in found[:count]]), boxes


def whole_by_stopping_at_the_layer(model, images, layer, channel, chain, count):
    """The forward pass stops at the layer: nothing after it runs."""

    class Stop(Exception):
        pass

    kept = []

    def stop(module, inputs, output):
        kept.append(output.clone())
        raise Stop

    handle = model.get_submodule(layer).register_forward_hook(stop)
    try:
        with torch.no_grad():
            model(images)
    except Stop:
        pass
    finally:
        handle.remove()
    scores, chosen, places = top_by_max_pool(kept[0], channel, count)
    field = field_by_sums(chain)
    boxes = torch.tensor(
        [(n, *box_by_doubling(*p, *field)) for n, p in zip(chosen.tolist(), places.tolist(), strict=True)]
    )
    return cut_by_index_and_mask(images, boxes), scores, boxes


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "max_patches.receptive_field": (
        field_by_recursion,
        field_by_sums,
        field_from_the_top,
        field_by_fold,
        field_by_fractions,
        field_in_tensors,
    ),
    "max_patches.unit_box": (
        box_by_formula,
        box_by_first_pixel,
        box_by_middle_and_end,
        box_by_numpy,
        box_by_doubling,
        box_as_a_list_of_tensors,
    ),
    "max_patches.top_images": (
        top_by_sort,
        top_by_python_sort,
        top_by_numpy,
        top_by_loops,
        top_by_max_pool,
        top_by_rows_then_columns,
        top_in_float32,
    ),
    "max_patches.cut_patches": (
        cut_by_frame,
        cut_by_copying,
        cut_pixel_by_pixel,
        cut_by_negative_padding,
        cut_by_index_and_mask,
        cut_by_numpy,
        cut_in_float32,
    ),
    "max_patches.max_patches": (
        whole_image_by_image,
        whole_by_stopping_at_the_layer,
        whole_from(field_by_recursion, box_by_formula, top_by_sort, cut_by_frame),
        whole_from(field_from_the_top, box_by_numpy, top_by_loops, cut_by_copying),
        whole_from(field_by_fold, box_by_first_pixel, top_by_numpy, cut_pixel_by_pixel),
        whole_from(field_by_fractions, box_by_middle_and_end, top_by_rows_then_columns, cut_by_numpy),
    ),
}
