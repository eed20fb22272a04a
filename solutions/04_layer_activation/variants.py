"""Right answers to the exercises on layer activation, written in different ways."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import contextmanager

import numpy as np
import torch
import torch.nn.functional as F


@contextmanager
def forward_hook(model, layer, hook):
    handle = model.get_submodule(layer).register_forward_hook(hook)
    try:
        yield
    finally:
        handle.remove()


def capture_by_a_clone(model, images, layer):
    kept = []
    with torch.no_grad(), forward_hook(model, layer, lambda m, i, output: kept.append(output.clone())):
        model(images)
    return kept[-1]


def capture_by_detach_and_clone(model, images, layer):
    kept = {}

    def keep(module, inputs, output):
        kept["A"] = output.detach().clone()

    with forward_hook(model, layer, keep):
        model(images)
    return kept["A"]


def capture_and_hand_on_a_clone(model, images, layer):
    kept = []

    def keep(module, inputs, output):
        kept.append(output)
        return output.clone()

    with torch.inference_mode(False), torch.no_grad(), forward_hook(model, layer, keep):
        model(images)
    return kept[0]


def capture_by_numpy(model, images, layer):
    kept = []
    with forward_hook(model, layer, lambda m, i, output: kept.append(output.detach().numpy().copy())):
        model(images)
    return torch.from_numpy(kept[0])


def capture_by_stopping(model, images, layer):
    class Enough(Exception):
        pass

    def stop(module, inputs, output):
        raise Enough(output.detach())

    try:
        with forward_hook(model, layer, stop):
            model(images)
    except Enough as enough:
        return enough.args[0]


def capture_by_a_patched_forward(model, images, layer):
    module, kept = model.get_submodule(layer), []
    original = module.forward

    def forward(x):
        kept.append(original(x).detach())
        return kept[-1].clone()

    module.forward = forward
    try:
        model(images)
    finally:
        del module.forward
    return kept[-1]


def capture_one_by_one(model, images, layer):
    return torch.cat([capture_by_a_clone(model, image[None], layer) for image in images])


def capture_in_float32(model, images, layer):
    return capture_by_a_clone(copy.deepcopy(model).float(), images.float(), layer)


def thresholds_by_quantile(activations, quantile):
    return activations.transpose(0, 1).flatten(1).quantile(quantile, dim=1)


def thresholds_by_permute(activations, quantile):
    return torch.quantile(activations.permute(0, 2, 3, 1).reshape(-1, activations.shape[1]), quantile, dim=0)


def thresholds_by_a_loop(activations, quantile):
    K = activations.shape[1]
    return torch.stack([torch.quantile(activations[:, k].flatten(), quantile) for k in range(K)])


def thresholds_by_sorting(activations, quantile):
    ordered = activations.movedim(1, 0).flatten(1).sort(dim=1).values
    place = quantile * (ordered.shape[1] - 1)
    below = int(place)
    share = place - below
    return (1 - share) * ordered[:, below] + share * ordered[:, min(below + 1, ordered.shape[1] - 1)]


def thresholds_by_numpy(activations, quantile):
    return torch.from_numpy(np.quantile(activations.numpy(), quantile, axis=(0, 2, 3)))


def thresholds_by_percentile(activations, quantile):
    rows = np.swapaxes(activations.numpy(), 0, 1).reshape(activations.shape[1], -1)
    return torch.tensor([np.percentile(row, 100 * quantile) for row in rows], dtype=activations.dtype)


def thresholds_from_above(activations, quantile):
    """The quantile 1 - q of -a, with its sign turned round."""
    return -thresholds_by_quantile(-activations, 1 - quantile)


def thresholds_in_float32(activations, quantile):
    return thresholds_by_quantile(activations.float(), quantile)


def masks_by_interpolate(activations, thresholds, size):
    large = F.interpolate(activations, size=size, mode="bilinear", align_corners=False)
    return large > thresholds[:, None, None]


def masks_by_difference(activations, thresholds, size):
    """Bilinear weights sum to 1, so T may be taken away before enlarging."""
    above = activations - thresholds.view(1, -1, 1, 1)
    above = F.interpolate(above, size=size, mode="bilinear")
    return above > 0


def masks_by_a_loop(activations, thresholds, size):
    masks = torch.zeros(*activations.shape[:2], *size, dtype=torch.bool)
    for n, maps in enumerate(activations):
        for k, one in enumerate(maps):
            masks[n, k] = F.interpolate(one[None, None], size=size, mode="bilinear")[0, 0] > thresholds[k]
    return masks


def masks_by_upsample(activations, thresholds, size):
    enlarge = torch.nn.Upsample(size=size, mode="bilinear", align_corners=False)
    return torch.gt(enlarge(activations), thresholds.reshape(-1, 1, 1))


def _weights(small: int, large: int) -> torch.Tensor:
    """Each pixel's weights on the cells [large small], corners not aligned."""
    centre = ((torch.arange(large, dtype=torch.float64) + 0.5) * small / large - 0.5).clamp(0, small - 1)
    return (1 - (centre[:, None] - torch.arange(small)).abs()).clamp(min=0)


def masks_by_matrices(activations, thresholds, size):
    rows, columns = (_weights(a, b) for a, b in zip(activations.shape[2:], size, strict=True))
    large = torch.einsum("ri,nkij,cj->nkrc", rows, activations, columns)
    return large > thresholds[None, :, None, None]


def masks_by_numpy(activations, thresholds, size):
    large = F.interpolate(activations, size=size, mode="bilinear").numpy()
    return torch.from_numpy(np.greater(large, thresholds.numpy()[:, None, None]))


def masks_in_float32(activations, thresholds, size):
    return masks_by_interpolate(activations.float(), thresholds.float(), size)


def iou_by_operators(masks, concept):
    concept = concept[:, None]
    intersection = (masks & concept).sum(dim=(0, 2, 3))
    union = (masks | concept).sum(dim=(0, 2, 3))
    return intersection / union.clamp(min=1)


def iou_by_areas(masks, concept):
    both = torch.einsum("nkij,nij->k", masks.double(), concept.double())
    union = masks.sum((0, 2, 3)) + concept.sum() - both
    return torch.where(union > 0, both / union.clamp(min=1), 0.0)


def iou_by_loops(masks, concept):
    result = torch.zeros(masks.shape[1])
    for k in range(masks.shape[1]):
        pairs = [(m & c, m | c) for m, c in zip(masks[:, k], concept, strict=True)]
        intersection, union = (sum(int(part.sum()) for part in parts) for parts in zip(*pairs, strict=True))
        result[k] = intersection / union if union else 0.0
    return result


def iou_by_logic(masks, concept):
    L = concept.unsqueeze(1).expand_as(masks)
    I = torch.logical_and(masks, L).sum(0).sum(1).sum(1)
    U = torch.logical_or(masks, L).sum(0).sum(1).sum(1)
    return torch.nan_to_num(I.float() / U.float(), nan=0.0)


def iou_by_counting(masks, concept):
    flat, wanted = masks.movedim(1, 0).flatten(1), concept.flatten()
    hits = flat[:, wanted].sum(1).float()
    false_alarms, misses = flat[:, ~wanted].sum(1), wanted.sum() - hits
    return hits / (hits + false_alarms + misses).clamp(min=1)


def iou_by_numpy(masks, concept):
    m, c = masks.numpy(), concept.numpy()[:, None]
    both, either = (m & c).sum((0, 2, 3)), (m | c).sum((0, 2, 3))
    return torch.from_numpy(np.divide(both, either, out=np.zeros(len(both)), where=either > 0))


def composed(capture, thresholds, masks, iou) -> Callable:
    def dissect(model, images, concept, layer, *, quantile):
        A = capture(model, images, layer)
        return iou(masks(A, thresholds(A, quantile), tuple(concept.shape[-2:])), concept)

    dissect.__name__ = f"dissect_of_{capture.__name__}_{thresholds.__name__}_{masks.__name__}_{iou.__name__}"
    return dissect


def dissect_in_one_function(model, images, concept, layer, *, quantile):
    kept = []
    handle = model.get_submodule(layer).register_forward_hook(lambda m, i, out: kept.append(out.detach().clone()))
    try:
        model(images)
    finally:
        handle.remove()
    (A,) = kept
    T = torch.quantile(A.permute(1, 0, 2, 3).reshape(A.shape[1], -1), quantile, dim=1)
    M = F.interpolate(A, size=concept.shape[1:], mode="bilinear", align_corners=False) > T.view(-1, 1, 1)
    L = concept[:, None]
    return (M & L).sum((0, 2, 3)) / (M | L).sum((0, 2, 3)).clamp(min=1)


VARIANTS: dict[str, tuple[Callable, ...]] = {
    "layer_activation.capture": (
        capture_by_a_clone,
        capture_by_detach_and_clone,
        capture_and_hand_on_a_clone,
        capture_by_numpy,
        capture_by_stopping,
        capture_by_a_patched_forward,
        capture_one_by_one,
        capture_in_float32,
    ),
    "layer_activation.channel_thresholds": (
        thresholds_by_quantile,
        thresholds_by_permute,
        thresholds_by_a_loop,
        thresholds_by_sorting,
        thresholds_by_numpy,
        thresholds_by_percentile,
        thresholds_from_above,
        thresholds_in_float32,
    ),
    "layer_activation.upsample_and_mask": (
        masks_by_interpolate,
        masks_by_difference,
        masks_by_a_loop,
        masks_by_upsample,
        masks_by_matrices,
        masks_by_numpy,
        masks_in_float32,
    ),
    "layer_activation.dataset_iou": (
        iou_by_operators,
        iou_by_areas,
        iou_by_loops,
        iou_by_logic,
        iou_by_counting,
        iou_by_numpy,
    ),
    "layer_activation.dissect": (
        dissect_in_one_function,
        composed(capture_by_stopping, thresholds_by_sorting, masks_by_matrices, iou_by_areas),
        composed(capture_by_a_patched_forward, thresholds_by_numpy, masks_by_a_loop, iou_by_loops),
        composed(capture_one_by_one, thresholds_from_above, masks_by_difference, iou_by_counting),
        composed(capture_in_float32, thresholds_by_permute, masks_by_interpolate, iou_by_numpy),
        composed(capture_by_numpy, thresholds_by_a_loop, masks_by_numpy, iou_by_logic),
    ),
}
