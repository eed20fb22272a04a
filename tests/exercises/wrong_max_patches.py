"""Wrong answers to the exercises on maximum patches, as students write them."""

from __future__ import annotations

import math

import torch
from torch.nn import functional as F

from tests.exercises.written import variants

VARIANTS = variants("max_patches").VARIANTS
receptive_field, unit_box, top_images, cut_patches = (
    VARIANTS[f"max_patches.{name}"][0] for name in ("receptive_field", "unit_box", "top_images", "cut_patches")
)


def field_of_odd_kernels(chain):
    return receptive_field([(f - (f % 2 == 0), s, p, d) for f, s, p, d in chain])


def field_by_the_last_stride_first(chain):
    size, jump, start = receptive_field(chain)
    return size, jump, start if len(chain) < 3 else start - chain[-1][2]


def field_with_padding_of_the_same_size(chain):
    return receptive_field([(f, s, p if p else (f - 1) * d // 2, d) for f, s, p, d in chain])


def field_without_stride_one(chain):
    return receptive_field([layer for layer in chain if layer[1] > 1])


def field_of_nothing_is_nothing(chain):
    return receptive_field(chain) if chain else (0, 1, 0.0)


def field_rounded_to_even(chain):
    size, jump, start = receptive_field(chain)
    return size, jump, float(round(start))


def _box(first, i, j, size, jump, start):
    top, left = (first(start + n * jump, size) for n in (i, j))
    return top, left, top + size, left + size


def box_rounded(i, j, size, jump, start):
    return _box(lambda at, r: round(at - r / 2), i, j, size, jump, start)


def box_cut_to_whole_numbers(i, j, size, jump, start):
    return _box(lambda at, r: int(at - r // 2), i, j, size, jump, start)


def box_rounded_down(i, j, size, jump, start):
    return _box(lambda at, r: math.floor(at) - r // 2, i, j, size, jump, start)


def box_cut_towards_zero(i, j, size, jump, start):
    return _box(lambda at, r: int(at - r / 2 + 0.25), i, j, size, jump, start)


def box_of_positive_places(i, j, size, jump, start):
    return tuple(map(abs, unit_box(i, j, size, jump, start)))


def images_without_equals(activations, channel, count):
    scores, images, places = top_images(activations, channel, len(activations))
    kept = torch.cat([torch.tensor([True]), scores[1:] < scores[:-1]])
    return scores[kept][:count], images[kept][:count], places[kept][:count]


def images_by_topk_of_all_places(activations, channel, count):
    _, _, h, w = activations.shape
    scores, at = activations[:, channel].flatten().topk(count)
    return scores, at // (h * w), torch.stack([at % (h * w) // w, at % w], dim=1)


def images_with_their_last_place(activations, channel, count):
    scores, images, _ = top_images(activations, channel, count)
    h, w = activations.shape[2:]
    at = h * w - 1 - activations[images, channel].flatten(1).flip(1).argmax(1)
    return scores, images, torch.stack([at // w, at % w], dim=1)


def images_of_the_rectified_map(activations, channel, count):
    return top_images(activations.relu().clamp(max=3.75), channel, count)


def images_with_places_by_height(activations, channel, count):
    scores, images, _ = top_images(activations, channel, count)
    h = activations.shape[2]
    at = activations[images, channel].flatten(1).argmax(1)
    return scores, images, torch.stack([at // h, at % h], dim=1)


def patches_of_the_first_image(images, boxes):
    boxes = boxes.clone()
    boxes[:, 0] = 0
    return cut_patches(images, boxes)


def patches_with_the_border_repeated(images, boxes):
    return torch.stack(
        [
            images[n][:, torch.arange(t, b).clamp(0, images.shape[2] - 1)][
                :, :, torch.arange(left, right).clamp(0, images.shape[3] - 1)
            ]
            for n, t, left, b, right in boxes.tolist()
        ]
    )


def patches_as_numpy_counts(images, boxes):
    return torch.stack(
        [
            images[n][:, torch.arange(t, b) % images.shape[2]][:, :, torch.arange(left, right) % images.shape[3]]
            for n, t, left, b, right in boxes.tolist()
        ]
    )


def patches_at_the_top_left(images, boxes):
    patches = images.new_zeros(len(boxes), images.shape[1], *(boxes[0, 3:] - boxes[0, 1:3]).tolist())
    for m, (n, top, left, bottom, right) in enumerate(boxes.tolist()):
        seen = images[n][:, max(top, 0) : bottom, max(left, 0) : right]
        patches[m, :, : seen.shape[1], : seen.shape[2]] = seen
    return patches


def patches_in_order_of_images(images, boxes):
    return cut_patches(images, boxes[boxes[:, 0].argsort(stable=True)])


right_field, right_box, right_top, right_cut = (
    VARIANTS[f"max_patches.{name}"][0] for name in ("receptive_field", "unit_box", "top_images", "cut_patches")
)


def field_of_a_chain_that_is_not_empty(chain):
    size, jump, start = right_field(chain)
    return (size, jump, start) if chain else (0, 1, 0.0)


def field_with_a_whole_start(chain):
    size, jump, start = right_field(chain)
    return size, jump, float(int(start))


def field_with_half_the_kernel(chain):
    size, jump, start = 1, 1, 0.0
    for kernel, stride, padding, dilation in chain:
        size, start = size + (kernel - 1) * dilation * jump, start + (kernel * dilation // 2 - padding) * jump
        jump *= stride
    return size, jump, start


def field_with_the_largest_stride(chain):
    size, _, start = right_field(chain)
    return size, max((layer[1] for layer in chain), default=1), start


def field_without_dilation_in_the_start(chain):
    return (*right_field(chain)[:2], right_field([(*layer[:3], 1) for layer in chain])[2])


def _box_from(first):
    def box(i, j, size, jump, start):
        top, left = (first(start + k * jump, size) for k in (i, j))
        return top, left, top + size, left + size

    return box


def _named(name, function):
    function.__name__ = name
    return function


BOX = (
    _named("box_truncated_from_half_of_r", _box_from(lambda middle, size: int(middle - size / 2))),
    _named("box_rounded_from_half_of_r", _box_from(lambda middle, size: round(middle - size / 2))),
    _named("box_up_from_half_of_r", _box_from(lambda middle, size: math.ceil(middle - size / 2 - 0.5))),
    _named("box_from_a_whole_middle", _box_from(lambda middle, size: int(middle) - (size - 1) // 2)),
    _named("box_from_a_rounded_middle", _box_from(lambda middle, size: round(middle) - size // 2)),
    _named("box_never_below_zero", _box_from(lambda middle, size: abs(int(middle - (size - 1) / 2)))),
)


def top_from_zero(activations, channel, count):
    found = []
    for n, one in enumerate(activations[:, channel]):
        best, at = 0.0, (0, 0)
        for i, row in enumerate(one.tolist()):
            for j, value in enumerate(row):
                if value > best:
                    best, at = value, (i, j)
        found.append((best, n, at))
    found.sort(key=lambda each: -each[0])
    scores, images, places = zip(*found[:count], strict=True)
    return torch.tensor(scores, dtype=activations.dtype), torch.tensor(images), torch.tensor(places)


def top_of_rounded(activations, channel, count):
    images = activations[:, channel].amax((1, 2)).round(decimals=4).argsort(descending=True, stable=True)[:count]
    scores, order, places = right_top(activations, channel, len(activations))
    at = [order.tolist().index(n) for n in images.tolist()]
    return scores[at], images, places[at]


def top_one_less(activations, channel, count):
    return right_top(activations, channel, min(count, len(activations) - 1))


def top_of_the_last_place(activations, channel, count):
    scores, images, _ = right_top(activations, channel, count)
    return scores, images, torch.stack([(one == one.max()).nonzero()[-1] for one in activations[images, channel]])


def top_after_a_relu(activations, channel, count):
    return right_top(activations.relu(), channel, count)


def cut_with_a_frame_of_half_the_box(images, boxes):
    tall = int(boxes[0, 3] - boxes[0, 1]) // 2
    padded = F.pad(images, (tall,) * 4)
    return torch.stack([padded[n, :, t + tall : b + tall, l + tall : r + tall] for n, t, l, b, r in boxes.tolist()])


def cut_and_moved_inside(images, boxes):
    H, W = images.shape[2:]
    first = boxes[:, 1:3].minimum(torch.tensor([H, W]) - (boxes[0, 3:] - boxes[0, 1:3])).clamp(min=0)
    return right_cut(images, torch.cat([boxes[:, :1], first, first + boxes[:, 3:] - boxes[:, 1:3]], dim=1))


def cut_with_the_mean_beyond(images, boxes):
    inside = right_cut(torch.ones_like(images), boxes)
    return right_cut(images, boxes) + (1 - inside) * images.mean()


def cut_of_the_images_in_order(images, boxes):
    return right_cut(images, torch.cat([boxes[:, :1] * 0, boxes[:, 1:]], dim=1))


def cut_square(images, boxes):
    side = (boxes[:, 3] - boxes[:, 1])[:, None] + 1
    return right_cut(images, torch.cat([boxes[:, :3], boxes[:, 1:2] + side, boxes[:, 2:3] + side], dim=1))


def _method(find, top=right_top, box=right_box):
    def method(model, images, layer, channel, chain, count):
        kept = []
        handle = find(model, layer).register_forward_hook(lambda m, i, output: kept.append(output.clone()))
        try:
            with torch.no_grad():
                model(images)
        finally:
            handle.remove()
        scores, chosen, places = top(kept[0], channel, count)
        pairs = zip(chosen.tolist(), places.tolist(), strict=True)
        boxes = torch.tensor([(n, *box(i, j, *right_field(chain))) for n, (i, j) in pairs])
        return right_cut(images, boxes), scores, boxes

    return method


def _by_name(model, layer):
    return model.get_submodule(layer)


METHOD = (
    _named(
        "method_of_the_first_namesake",
        _method(lambda model, layer: next(m for name, m in model.named_modules() if layer in name)),
    ),
    _named(
        "method_of_the_last_namesake",
        _method(lambda model, layer: [m for name, m in model.named_modules() if layer in name][-1]),
    ),
    _named("method_from_zero", _method(_by_name, top=top_after_a_relu)),
    _named("method_with_half_of_r", _method(_by_name, box=BOX[0])),
    _named("method_never_below_zero", _method(_by_name, box=BOX[5])),
)


WRONG = {
    "max_patches.receptive_field": (
        field_of_odd_kernels,
        field_by_the_last_stride_first,
        field_with_padding_of_the_same_size,
        field_without_stride_one,
        field_of_nothing_is_nothing,
        field_rounded_to_even,
        field_of_a_chain_that_is_not_empty,
        field_with_a_whole_start,
        field_with_half_the_kernel,
        field_with_the_largest_stride,
        field_without_dilation_in_the_start,
    ),
    "max_patches.unit_box": (
        box_rounded,
        box_cut_to_whole_numbers,
        box_rounded_down,
        box_cut_towards_zero,
        box_of_positive_places,
        *BOX,
    ),
    "max_patches.top_images": (
        images_without_equals,
        images_by_topk_of_all_places,
        images_with_their_last_place,
        images_of_the_rectified_map,
        images_with_places_by_height,
        top_from_zero,
        top_of_rounded,
        top_one_less,
        top_of_the_last_place,
        top_after_a_relu,
    ),
    "max_patches.cut_patches": (
        patches_of_the_first_image,
        patches_with_the_border_repeated,
        patches_as_numpy_counts,
        patches_at_the_top_left,
        patches_in_order_of_images,
        cut_with_a_frame_of_half_the_box,
        cut_with_the_mean_beyond,
        cut_of_the_images_in_order,
        cut_square,
        cut_and_moved_inside,
    ),
    "max_patches.max_patches": (*METHOD,),
}
