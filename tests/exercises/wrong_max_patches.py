"""Wrong answers to the exercises on maximum patches, as students write them."""

from __future__ import annotations

import math

import torch

from autograder.exercises.max_patches_parts import cut_patches, receptive_field, top_images, unit_box


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


WRONG = {
    "max_patches.receptive_field": (
        field_of_odd_kernels,
        field_by_the_last_stride_first,
        field_with_padding_of_the_same_size,
        field_without_stride_one,
        field_of_nothing_is_nothing,
        field_rounded_to_even,
    ),
    "max_patches.unit_box": (
        box_rounded,
        box_cut_to_whole_numbers,
        box_rounded_down,
        box_cut_towards_zero,
        box_of_positive_places,
    ),
    "max_patches.top_images": (
        images_without_equals,
        images_by_topk_of_all_places,
        images_with_their_last_place,
        images_of_the_rectified_map,
        images_with_places_by_height,
    ),
    "max_patches.cut_patches": (
        patches_of_the_first_image,
        patches_with_the_border_repeated,
        patches_as_numpy_counts,
        patches_at_the_top_left,
        patches_in_order_of_images,
    ),
}
