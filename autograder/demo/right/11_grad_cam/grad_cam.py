"""Grad-CAM, handed in: a right answer."""

import torch
from torch import Tensor, nn


class _Tap:
    """Keeps what a layer puts out; the network goes on with a copy."""

    def __init__(self, module: nn.Module) -> None:
        self._handle = module.register_forward_hook(self._keep)

    def _keep(self, module, inputs, output):
        self.output = output
        return output.clone()

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self._handle.remove()


def capture(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """Activations of the layer and their gradients."""
    with torch.enable_grad(), _Tap(model.get_submodule(layer)) as tap:
        # The pixels need a gradient so that there is a graph even where all weights are frozen.
        scores = model(images.detach().clone().requires_grad_())
        y = scores.gather(1, targets.unsqueeze(1)).squeeze(1)
        (gradients,) = torch.autograd.grad(y, tap.output, grad_outputs=torch.ones_like(y))
    return tap.output.detach(), gradients.detach()


def neuron_importance(gradients: Tensor) -> Tensor:
    """One weight a channel."""
    h, w = gradients.shape[-2:]
    return torch.einsum("nkij->nk", gradients) / (h * w)


def grad_cam_map(activations: Tensor, alpha: Tensor) -> Tensor:
    """The map, as a matrix product."""
    n, _, h, w = activations.shape
    summed = torch.bmm(alpha.unsqueeze(1), activations.flatten(2))
    return summed.view(n, h, w).clamp(min=0)


def grad_cam(model: nn.Module, images: Tensor, targets: Tensor, layer: str) -> Tensor:
    """The whole method."""
    activations, gradients = capture(model, images, targets, layer)
    return grad_cam_map(activations, neuron_importance(gradients))


def quadrant_shares(maps: Tensor, quadrants: Tensor) -> Tensor:
    """Energy in each box over energy of the map."""
    shares = maps.new_zeros(len(maps), len(quadrants))
    for n, one in enumerate(maps):
        energy = one.sum()
        if energy == 0:
            continue
        for q, (top, left, bottom, right) in enumerate(quadrants.tolist()):
            shares[n, q] = one[top:bottom, left:right].sum() / energy
    return shares


whose_alpha = "absolute_alpha"
whose_map = "opposite_sign"
sum_or_mean = "same_picture"
bias_raised = "unchanged"
absent_class = "positive"
