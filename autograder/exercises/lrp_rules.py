"""The right answers of lesson 14, LRP: its rules for one layer, and the composite through a small network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call


def share(R: Tensor, z: Tensor) -> Tensor:
    """R / z, and 0 where z is 0."""
    return torch.where(z == 0, 0.0, R / torch.where(z == 0, 1.0, z))


def size_of(z: Tensor) -> Tensor:
    """s = mean|z| of each image, with axes of length 1 so that it broadcasts over z."""
    return z.abs().mean(dim=tuple(range(1, z.ndim)), keepdim=True)


def away_from_zero(z: Tensor, epsilon: float) -> Tensor:
    """z + ε s sign(z), where the sign of 0 is +1."""
    return z + epsilon * size_of(z) * torch.where(z < 0, -1.0, 1.0).to(z)


def with_back(layer: Callable[[Tensor], Tensor], a: Tensor) -> tuple[Tensor, Callable[[Tensor], Tensor]]:
    """z of the layer, and the way back: Q_j ↦ Σ_j w_ij Q_j."""
    with torch.enable_grad():
        leaf = a.detach().requires_grad_()
        z = layer(leaf)
    return z.detach(), lambda Q: torch.autograd.grad(z, leaf, Q, retain_graph=True)[0]


def having(layer: nn.Module, weight: Tensor, bias: Tensor) -> Callable[[Tensor], Tensor]:
    """The layer with other weights and another bias."""
    return lambda a: functional_call(layer, {"weight": weight, "bias": bias}, (a,))


def weight_and_bias(layer: nn.Module) -> tuple[Tensor, Tensor]:
    """w and b, detached."""
    return layer.get_parameter("weight").detach(), bias_of(layer).detach()


def bias_of(layer: nn.Module) -> nn.Parameter:
    """b, of a layer that has one."""
    return layer.get_parameter("bias")


def epsilon_rule(a: Tensor, weight: Tensor, bias: Tensor, R: Tensor, epsilon: float) -> Tensor:
    """R of the inputs of a linear layer [N I]."""
    z = a @ weight.T + bias
    return a * (share(R, away_from_zero(z, epsilon)) @ weight)


def epsilon_layer(a: Tensor, layer: nn.Module, R: Tensor, epsilon: float) -> Tensor:
    """R of the inputs of a convolution, an average pooling or a linear layer, in the shape of a."""
    z, back = with_back(layer, a)
    return a * back(share(R, away_from_zero(z, epsilon)))


def z_plus_rule(a: Tensor, weight: Tensor, bias: Tensor, R: Tensor) -> Tensor:
    """R of the inputs of a linear layer [N I], from the positive contributions alone."""
    q = (a[:, None] * weight).clamp(min=0)
    return (q * share(R, q.sum(dim=2) + bias.clamp(min=0))[:, :, None]).sum(dim=1)


def gamma_layer(a: Tensor, layer: nn.Module, R: Tensor, gamma: float) -> Tensor:
    """R of the inputs of a convolution between ReLUs, in the shape of a."""
    w, b = weight_and_bias(layer)
    z, back = with_back(having(layer, w + gamma * w.clamp(min=0), b + gamma * b.clamp(min=0)), a)
    return a * back(share(R, z))


Step = Callable[[nn.Module, Tensor, Tensor], Tensor]
"""`layer, a, R of its output -> R of a`."""


def composite(epsilon: float, gamma: float) -> Step:
    """γ at convolutions, ε at linear layers and averages, the winner at a max-pool."""

    def step(layer: nn.Module, a: Tensor, R: Tensor) -> Tensor:
        if isinstance(layer, nn.Conv2d):
            return gamma_layer(a, layer, R, gamma)
        if isinstance(layer, nn.Linear | nn.AvgPool2d | nn.AdaptiveAvgPool2d):
            return epsilon_layer(a, layer, R, epsilon)
        if isinstance(layer, nn.ReLU):
            return R
        return with_back(layer, a)[1](R)

    return step


def inputs_of(model: nn.Sequential, images: Tensor) -> tuple[list[Tensor], Tensor]:
    """What enters each layer, and the scores."""
    entering, a = [], images
    with torch.no_grad():
        for layer in model:
            entering.append(a.clone())
            a = layer(a)
    return entering, a


def at_the_targets(scores: Tensor, targets: Tensor) -> Tensor:
    """y^c at the target and 0 elsewhere."""
    return torch.zeros_like(scores).scatter(1, targets[:, None], scores.gather(1, targets[:, None]))


def handed_back(model: nn.Sequential, images: Tensor, start: Callable[[Tensor], Tensor], step: Step) -> Tensor:
    """R of the pixels, from R = start(scores)."""
    entering, scores = inputs_of(model, images)
    R = start(scores)
    for layer, a in zip(reversed(model), reversed(entering), strict=True):
        R = step(layer, a, R)
    return R


def lrp(model: nn.Sequential, images: Tensor, targets: Tensor, epsilon: float, gamma: float) -> Tensor:
    """R of the pixels [N C H W]."""
    return handed_back(model, images, lambda y: at_the_targets(y, targets), composite(epsilon, gamma))
