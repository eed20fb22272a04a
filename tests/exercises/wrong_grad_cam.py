"""Wrong answers to the exercises on Grad-CAM, as students write them."""

from __future__ import annotations

import torch


def _energies(maps, quadrants):
    inside = [maps[:, top:bottom, left:right].sum((1, 2)) for top, left, bottom, right in quadrants.tolist()]
    return torch.stack(inside, 1), maps.sum((1, 2))[:, None]


def shares_with_an_epsilon(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return inside / (whole + 1e-8)


def shares_of_at_least(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return inside / whole.clamp(min=1e-6)


def shares_unless_small(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return torch.where(whole > 1e-5, inside / whole, 0.0)


def shares_where_not_close_to_zero(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return torch.where(torch.isclose(whole, torch.zeros_like(whole), atol=1e-4), 0.0, inside / whole)


def shares_with_nan_made_one(maps, quadrants):
    inside, whole = _energies(maps, quadrants)
    return (inside / whole).nan_to_num(1.0)


def importance_where_not_zero(gradients):
    return gradients.sum((2, 3)) / (gradients != 0).sum((2, 3)).clamp(min=1)


def importance_by_the_median(gradients):
    return gradients.flatten(2).median(2).values


def importance_of_the_largest(gradients):
    return gradients.flatten(2).gather(2, gradients.flatten(2).abs().argmax(2, keepdim=True))[:, :, 0]


def importance_with_signs_averaged(gradients):
    return gradients.sign().mean((2, 3))


def importance_over_places_less_one(gradients):
    return gradients.sum((2, 3)) / (gradients[0, 0].numel() - 1)


def map_squeezed(activations, alpha):
    return (alpha[:, :, None, None] * activations).sum(1, keepdim=True).relu().squeeze()


def map_in_halves(activations, alpha):
    return torch.einsum("nk,nkhw->nhw", alpha.half(), activations.half()).relu().to(alpha)


def map_leaking(activations, alpha):
    return torch.nn.functional.leaky_relu((alpha[:, :, None, None] * activations).sum(1))


def map_of_absolute_activations(activations, alpha):
    return (alpha[:, :, None, None] * activations.abs()).sum(1).relu()


def map_of_positive_activations(activations, alpha):
    return (alpha[:, :, None, None] * activations.relu()).sum(1).relu()


def map_of_the_strongest_channels(activations, alpha):
    kept = alpha.abs() >= alpha.abs().median(1, keepdim=True).values
    return ((alpha * kept)[:, :, None, None] * activations).sum(1).relu()


def map_less_its_mean(activations, alpha):
    weighted = (alpha[:, :, None, None] * activations).sum(1)
    return (weighted - weighted.mean((1, 2), keepdim=True)).relu()


def map_never_over_six(activations, alpha):
    return torch.nn.functional.relu6((alpha[:, :, None, None] * activations).sum(1))


def map_over_the_largest_of_all(activations, alpha):
    weighted = (alpha[:, :, None, None] * activations).sum(1).relu()
    return weighted / weighted.max().clamp(min=1)


def _captured(
    model, images, targets, layer, *, module=None, picked=lambda y, c: y.gather(1, c[:, None]).sum(), copy=True
):
    """A and its gradient, by a hook on `module`."""
    seen = []

    def keep(module, inputs, output):
        seen.append(output)
        return output.clone() if copy else None

    handle = (module or model.get_submodule(layer)).register_forward_hook(keep)
    try:
        scores = model(images.detach().clone().requires_grad_())
    finally:
        handle.remove()
    return seen[0].detach(), torch.autograd.grad(picked(scores, targets), seen[0])[0]


def captured_at_the_last_of_its_kind(model, images, targets, layer):
    kind = type(model.get_submodule(layer))
    return _captured(model, images, targets, layer, module=[m for m in model.modules() if isinstance(m, kind)][-1])


def captured_at_the_end_of_a_name(model, images, targets, layer):
    named = [m for name, m in model.named_modules() if name.endswith(layer.split(".")[-1])]
    return _captured(model, images, targets, layer, module=named[0])


def captured_at_the_start_of_a_name(model, images, targets, layer):
    named = [m for name, m in model.named_modules() if name.startswith(layer)]
    return _captured(model, images, targets, layer, module=named[-1])


def captured_for_sorted_targets(model, images, targets, layer):
    return _captured(model, images, targets.sort().values, layer)


def captured_in_halves(model, images, targets, layer):
    return tuple(part.half().to(images) for part in _captured(model, images, targets, layer))


def captured_from_the_first_image(model, images, targets, layer):
    return _captured(model, images[:1].expand_as(images), targets, layer)


def captured_in_training_mode(model, images, targets, layer):
    model.train()
    try:
        return _captured(model, images, targets, layer)
    finally:
        model.eval()


def captured_as_overwritten(model, images, targets, layer):
    return _captured(model, images, targets, layer, copy=False)


CAPTURED = (
    captured_at_the_last_of_its_kind, captured_at_the_end_of_a_name, captured_at_the_start_of_a_name,
    captured_for_sorted_targets, captured_in_halves, captured_from_the_first_image, captured_in_training_mode,
    captured_as_overwritten,
)  # fmt: skip


def _as_a_method(wrong):
    def grad_cam(model, images, targets, layer):
        A, gradients = wrong(model, images, targets, layer)
        return (gradients.mean((2, 3), keepdim=True) * A).sum(1).relu()

    grad_cam.__name__ = f"grad_cam_{wrong.__name__}"
    return grad_cam


def grad_cam_of_a_square(model, images, targets, layer):
    A, gradients = _captured(model, images, targets, layer)
    return (gradients.sum((2, 3), keepdim=True) / A.shape[-1] ** 2 * A).sum(1).relu()


def grad_cam_squeezed(model, images, targets, layer):
    A, gradients = _captured(model, images, targets, layer)
    return (gradients.mean((2, 3), keepdim=True) * A).sum(1).relu().squeeze()


def grad_cam_normalised_gradients(model, images, targets, layer):
    A, gradients = _captured(model, images, targets, layer)
    gradients = gradients / gradients.square().mean().sqrt().clamp(min=1e-12)
    return (gradients.mean((2, 3), keepdim=True) * A).sum(1).relu()


WRONG = {
    "grad_cam.neuron_importance": (
        importance_where_not_zero, importance_by_the_median, importance_of_the_largest, importance_with_signs_averaged,
        importance_over_places_less_one,
    ),
    "grad_cam.quadrant_shares": (
        shares_with_an_epsilon, shares_of_at_least, shares_unless_small, shares_where_not_close_to_zero,
        shares_with_nan_made_one,
    ),
    "grad_cam.grad_cam_map": (
        map_squeezed, map_in_halves, map_leaking, map_of_absolute_activations, map_of_positive_activations,
        map_of_the_strongest_channels, map_less_its_mean, map_never_over_six, map_over_the_largest_of_all,
    ),
    "grad_cam.capture": (
        *CAPTURED,
    ),
    "grad_cam.grad_cam": (
        *map(_as_a_method, CAPTURED), grad_cam_of_a_square, grad_cam_squeezed, grad_cam_normalised_gradients,
    ),
}  # fmt: skip
