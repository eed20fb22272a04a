"""Wrong answers to the exercises on layer activation, as students write them."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from tests.exercises.written import variants

VARIANTS = variants("layer_activation").VARIANTS
right_capture, right_thresholds, right_masks, right_iou = (
    VARIANTS[f"layer_activation.{name}"][0]
    for name in ("capture", "channel_thresholds", "upsample_and_mask", "dataset_iou")
)


def _capture_of(model, images, name, keep=torch.clone):
    kept = []
    handle = dict(model.named_modules())[name].register_forward_hook(lambda m, i, output: kept.append(keep(output)))
    try:
        with torch.no_grad():
            model(images)
    finally:
        handle.remove()
    return kept[-1]


def capture_the_last_with_this_name_in_it(model, images, layer):
    return _capture_of(model, images, [name for name, _ in model.named_modules() if layer in name][-1])


def capture_the_first_with_this_name_in_it(model, images, layer):
    return _capture_of(model, images, next(name for name, _ in model.named_modules() if layer in name))


def capture_the_last_that_ends_so(model, images, layer):
    return _capture_of(model, images, [name for name, _ in model.named_modules() if name.endswith(layer)][-1])


def capture_detached(model, images, layer):
    return _capture_of(model, images, layer, torch.detach)


def capture_with_relus_made_not_in_place(model, images, layer):
    changed = [m for m in model.modules() if getattr(m, "inplace", False)]
    for module in changed:
        module.inplace = False
    A = _capture_of(model, images, layer, torch.detach)
    for module in changed:
        module.inplace = True
    return A


def capture_of_batches_of_one(model, images, layer):
    return right_capture(model, images[:1], layer)


def thresholds_of_different_values(activations, quantile):
    return torch.stack([row.unique().quantile(quantile) for row in activations.transpose(0, 1).flatten(1)])


def thresholds_of_what_is_not_zero(activations, quantile):
    rows = activations.transpose(0, 1).flatten(1)
    return torch.stack([row[row != 0].quantile(quantile) for row in rows])


def thresholds_by_a_count(activations, quantile):
    rows = activations.transpose(0, 1).flatten(1)
    count = max(1, round((1 - quantile) * rows.shape[1]))
    return rows.topk(count).values[:, -1]


def thresholds_of_a_wrong_reshape(activations, quantile):
    return activations.reshape(activations.shape[1], -1).quantile(quantile, dim=1)


def thresholds_with_two_digits(activations, quantile):
    return right_thresholds(activations, round(quantile, 1))


def masks_with_a_margin(activations, thresholds, size):
    return right_masks(activations, thresholds + 1e-8, size)


def masks_of_equal_factors(activations, thresholds, size):
    large = F.interpolate(activations, scale_factor=size[0] / activations.shape[2], mode="bilinear")
    return F.interpolate(large, size=size, mode="nearest") > thresholds[:, None, None]


def masks_of_positive_values(activations, thresholds, size):
    return right_masks(activations.relu(), thresholds, size)


def masks_not_closed(activations, thresholds, size):
    return ~right_masks(-activations, -thresholds, size)


def masks_of_squares(activations, thresholds, size):
    return right_masks(activations, thresholds, (size[1], size[1]))[:, :, : size[0]]


def iou_squeezed(masks, concept):
    return right_iou(masks, concept).squeeze()


def iou_of_images_with_a_mask(masks, concept):
    on = masks.flatten(2).any(2)[:, :, None, None]
    inside, union = (masks & concept[:, None]).sum((0, 2, 3)), ((masks | concept[:, None]) & on).sum((0, 2, 3))
    return inside / union.clamp(min=1)


def iou_smoothed(masks, concept):
    inside, union = (masks & concept[:, None]).sum((0, 2, 3)), (masks | concept[:, None]).sum((0, 2, 3))
    return (inside + 1e-6) / (union + 1e-6)


def iou_with_one_added(masks, concept):
    return (masks & concept[:, None]).sum((0, 2, 3)) / ((masks | concept[:, None]).sum((0, 2, 3)) + 1)


def iou_of_the_first_concept(masks, concept):
    return right_iou(masks, concept[:1].expand_as(concept))


def _dissect(model, images, concept, layer, quantile, size):
    A = right_capture(model, images, layer)
    return right_iou(right_masks(A, right_thresholds(A, quantile), size), concept)


def dissect_at_the_images_size(model, images, concept, layer, *, quantile):
    return _dissect(model, images, concept, layer, quantile, images.shape[2:])


def dissect_with_the_concept_brought_to_the_images(model, images, concept, layer, *, quantile):
    concept = F.interpolate(concept[:, None].float(), size=images.shape[2:])[:, 0].bool()
    return _dissect(model, images, concept, layer, quantile, images.shape[2:])


def dissect_on_the_grid(model, images, concept, layer, *, quantile):
    A = right_capture(model, images, layer)
    small = F.adaptive_max_pool2d(concept[:, None].double(), A.shape[2:])[:, 0].bool()
    return right_iou(right_thresholds(A, quantile)[:, None, None] < A, small)


def dissect_with_a_threshold_of_the_first_image(model, images, concept, layer, *, quantile):
    A = right_capture(model, images, layer)
    return right_iou(right_masks(A, right_thresholds(A[:1], quantile), concept.shape[1:]), concept)


def dissect_image_by_image(model, images, concept, layer, *, quantile):
    single = [
        _dissect(model, image[None], one[None], layer, quantile, one.shape)
        for image, one in zip(images, concept, strict=True)
    ]
    return torch.stack(single).mean(0)


def dissect_where_positive(model, images, concept, layer, *, quantile):
    A = right_capture(model, images, layer).relu()
    return right_iou(right_masks(A, right_thresholds(A, quantile), concept.shape[1:]), concept)


WRONG = {
    "layer_activation.capture": (
        capture_the_last_with_this_name_in_it,
        capture_the_first_with_this_name_in_it,
        capture_the_last_that_ends_so,
        capture_detached,
        capture_with_relus_made_not_in_place,
        capture_of_batches_of_one,
    ),
    "layer_activation.channel_thresholds": (
        thresholds_of_different_values,
        thresholds_of_what_is_not_zero,
        thresholds_by_a_count,
        thresholds_of_a_wrong_reshape,
        thresholds_with_two_digits,
    ),
    "layer_activation.upsample_and_mask": (
        masks_with_a_margin,
        masks_of_equal_factors,
        masks_of_positive_values,
        masks_not_closed,
        masks_of_squares,
    ),
    "layer_activation.dataset_iou": (
        iou_squeezed,
        iou_of_images_with_a_mask,
        iou_smoothed,
        iou_with_one_added,
        iou_of_the_first_concept,
    ),
    "layer_activation.dissect": (
        dissect_at_the_images_size,
        dissect_with_the_concept_brought_to_the_images,
        dissect_on_the_grid,
        dissect_with_a_threshold_of_the_first_image,
        dissect_image_by_image,
        dissect_where_positive,
    ),
}
