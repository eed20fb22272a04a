"""Grad-CAM, handed in: right but for one common mistake, the sum of the gradients in place of their mean."""

import torch
from torch import Tensor, nn


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """Activations of the layer and their gradients."""
    kept = []

    def hook(module, inputs, output):
        kept.append(output.detach().clone().requires_grad_())
        return kept[0].clone()

    handle = model.get_submodule(layer).register_forward_hook(hook)
    try:
        scores = model(images)
    finally:
        handle.remove()
    y = scores[torch.arange(len(images)), targets].sum()
    gradients = torch.autograd.grad(y, kept[0])[0]
    return kept[0].detach(), gradients


def neuron_importance(gradients: Tensor) -> Tensor:
    """One weight a channel."""
    return gradients.sum(dim=(2, 3))


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    """The map."""
    return torch.relu((alpha[:, :, None, None] * activations).sum(dim=1))


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """The whole method."""
    activations, gradients = capture(model, images, targets, layer)
    weights = gradients.sum(dim=(2, 3), keepdim=True)
    return torch.relu((weights * activations).sum(dim=1))


def quadrant_shares(maps: Tensor, quadrants: Tensor) -> Tensor:
    """Energy in each box over energy of the map."""
    total = maps.sum(dim=(1, 2))
    total = torch.where(total == 0, torch.ones_like(total), total)
    columns = []
    for top, left, bottom, right in quadrants.tolist():
        columns.append(maps[:, top:bottom, left:right].sum(dim=(1, 2)) / total)
    return torch.stack(columns, dim=1)


whose_alpha = "absolute_alpha"
whose_map = "opposite_sign"
sum_or_mean = "same_picture"
bias_raised = "unchanged"
absent_class = "positive"
