"""Wrong answers to the exercises on guided Grad-CAM, as students write them."""

from __future__ import annotations

import torch
from torch.nn import functional as F


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
}
