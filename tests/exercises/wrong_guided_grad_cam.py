"""Wrong answers to the exercises on guided Grad-CAM, as students write them."""

from __future__ import annotations

import torch
from torch.nn import functional as F

from cnnviz_ref import grad_cam, guided_backprop
from tests.exercises.wrong_guided_backprop import guided_map


def _enlarged(maps, size, **options):
    return F.interpolate(maps[:, None], size=tuple(size), **options)[:, 0]


def enlarged_by_one_factor(maps, size):
    factor = size[0] / maps.shape[1]
    U = F.interpolate(maps[:, None], scale_factor=factor, mode="bilinear", align_corners=False)[:, 0]
    return _enlarged(U, size, mode="nearest")


def enlarged_and_cut(maps, size):
    return _enlarged(maps, size, mode="bicubic", align_corners=False).clamp(min=0)


def enlarged_to_a_square(maps, size):
    U = _enlarged(maps, (max(size), max(size)), mode="bilinear", align_corners=False)
    return U[:, : size[0], : size[1]]


def enlarged_with_the_border_cut(maps, size):
    U = _enlarged(maps, size, mode="bilinear", align_corners=False)
    return torch.where(U > 0.05, U, 0.0)


def enlarged_in_255_steps(maps, size):
    U = _enlarged(maps, size, mode="bilinear", align_corners=False)
    top = U.amax((1, 2), keepdim=True).clamp(min=1e-12)
    return (U / top * 255).floor() / 255 * top


def combined_where_strong(guided, maps):
    return guided * torch.where(maps > 0.5, maps, 0.0)[:, None]


def combined_with_roots(guided, maps):
    return guided * maps.sqrt()[:, None]


def combined_with_maps_scaled(guided, maps):
    return guided * (maps / maps.amax((1, 2), keepdim=True).clamp(min=1e-12))[:, None]


def combined_with_the_next_map(guided, maps):
    return guided * maps.roll(1, 0)[:, None] if len(maps) > 1 else guided * maps.flip(1)[:, None]


def combined_by_smaller_size(guided, maps):
    return guided.sign() * torch.minimum(guided.abs(), maps[:, None])


def _alphas(A, hidden, output, targets, *, is_open=lambda x: x > 0, keeps=lambda R: R.relu()):
    x = A.flatten(1) @ hidden.T
    R = output[targets]
    plain, guided = (((sent * is_open(x)) @ hidden).view_as(A).mean((2, 3)) for sent in (R, keeps(R)))
    return plain, guided


def alphas_open_at_zero(*args):
    return _alphas(*args, is_open=lambda x: x >= 0)


def alphas_half_open_at_zero(*args):
    return _alphas(*args, is_open=lambda x: torch.heaviside(x, x.new_tensor(0.5)))


def alphas_open_over_a_threshold(*args):
    return _alphas(*args, is_open=lambda x: x > 0.1)


def alphas_open_where_not_small(*args):
    return _alphas(*args, is_open=lambda x: x > 1e-6)


def alphas_with_a_small_leak(*args):
    return _alphas(*args, keeps=lambda R: F.leaky_relu(R))


def alphas_of_positive_means(*args):
    plain, guided = _alphas(*args)
    return plain, guided.relu()


def alphas_of_sorted_targets(A, hidden, output, targets):
    return _alphas(A, hidden, output, targets.sort().values)


def alphas_in_halves(*args):
    return tuple(alpha.half().to(args[0]) for alpha in _alphas(*args))


def alphas_open_for_the_batch(A, hidden, output, targets):
    return _alphas(A, hidden, output, targets, is_open=lambda x: (x > 0).any(0, keepdim=True))


def alphas_of_a_square(A, *args):
    return tuple(alpha * A.shape[2] / A.shape[3] for alpha in _alphas(A, *args))


def alphas_squeezed(*args):
    return tuple(alpha.squeeze() for alpha in _alphas(*args))


def _method(model, images, targets, layer, *, enlarge=lambda L, size: _enlarged(L, size, mode="bilinear"), R=None):
    L = grad_cam(model, images, targets, layer)
    R = guided_backprop(model, images, targets) if R is None else R
    return (R * enlarge(L, images.shape[2:])[:, None]).detach()


def method_enlarged_to_a_square(*args):
    return _method(*args, enlarge=enlarged_to_a_square)


def method_enlarged_by_one_factor(*args):
    return _method(*args, enlarge=enlarged_by_one_factor)


def method_with_map_cut(*args):
    return _method(*args, enlarge=enlarged_with_the_border_cut)


def method_in_halves(*args):
    return _method(*args).half().to(args[1])


def method_with_maps_over_their_largest(*args):
    return _method(*args, enlarge=lambda L, size: _method_over_one(_enlarged(L, size, mode="bilinear")))


def _method_over_one(U):
    return U / U.amax((1, 2), keepdim=True).clamp(min=1e-7)


def method_with_the_positive_part(*args):
    return _method(*args).relu()


def method_of_sorted_targets(model, images, targets, layer):
    return _method(model, images, targets.sort().values, layer)


def method_in_training_mode(model, images, targets, layer):
    model.train()
    try:
        R = guided_map(model, images, targets)
    finally:
        model.eval()
    return _method(model, images, targets, layer, R=R)


def method_squeezed(*args):
    return _method(*args).squeeze()


def method_at_the_end_of_a_name(model, images, targets, layer):
    named = [name for name, _ in model.named_modules() if name.endswith(layer.split(".")[-1])]
    return _method(model, images, targets, named[0])


WRONG = {
    "guided_grad_cam.upsample": (
        enlarged_by_one_factor,
        enlarged_and_cut,
        enlarged_to_a_square,
        enlarged_with_the_border_cut,
        enlarged_in_255_steps,
    ),
    "guided_grad_cam.combine": (
        combined_where_strong,
        combined_with_roots,
        combined_with_maps_scaled,
        combined_with_the_next_map,
        combined_by_smaller_size,
    ),
    "guided_grad_cam.two_alphas": (
        alphas_open_at_zero, alphas_half_open_at_zero, alphas_open_over_a_threshold, alphas_open_where_not_small,
        alphas_with_a_small_leak, alphas_of_positive_means, alphas_of_sorted_targets, alphas_in_halves,
        alphas_open_for_the_batch, alphas_of_a_square, alphas_squeezed,
    ),
    "guided_grad_cam.guided_grad_cam": (
        method_enlarged_to_a_square, method_enlarged_by_one_factor, method_with_map_cut, method_in_halves,
        method_with_maps_over_their_largest, method_with_the_positive_part, method_of_sorted_targets,
        method_in_training_mode, method_squeezed, method_at_the_end_of_a_name,
    ),
}  # fmt: skip
