"""Grad-CAM, handed in."""

import torch
from torch import Tensor


def neuron_importance(gradients: Tensor) -> Tensor:
    return gradients.mean(dim=(2, 3)).to(torch.complex128)


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    return (alpha[:, :, None, None] * activations).sum(dim=1).relu()[None, None]


def quadrant_shares(maps: Tensor, quadrants: Tensor):
    shares = []
    for top, left, bottom, right in quadrants.tolist():
        inside, total = maps[:, top:bottom, left:right].sum(dim=(1, 2)), maps.sum(dim=(1, 2))
        shares.append(torch.where(total > 0, inside / total.clamp(min=1e-300), 0.0))
    return torch.stack(shares, dim=1).numpy().astype(object)
