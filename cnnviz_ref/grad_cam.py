"""Grad-CAM (Selvaraju et al. 2017): which positions of a layer speak for a class, in any network."""

from __future__ import annotations

from torch import nn

from cnnviz.shapes import Activations, ChannelWeights, Gradients, Images, Map, Targets
from cnnviz_ref._mechanism import (
    Layer,
    check_grid,
    check_targets,
    gradient,
    layer_name,
    run_from,
    target_scores,
    undisturbed,
)


def grad_cam(model: nn.Module, images: Images, targets: Targets | int, layer: Layer = None) -> Map:
    r"""Where the layer's channels, weighted by their importance for the class, speak for it.

    Formula:
        $\alpha_k^c = \frac{1}{Z} \sum_{ij} \frac{\partial y^c}{\partial A_{ij}^k}$,
        $L^c = \mathrm{ReLU}\left(\sum_k \alpha_k^c A^k\right)$,
        with $y^c$ the score before softmax and $Z = h \cdot w$.

    Args:
        model, images, targets, layer: As in every method (`help(cnnviz_ref)`); the layer gives maps `[N K h w]`.

    Returns:
        Raw maps `[N h w]` on the layer's grid, never negative; neither upsampled nor normalised.

    Raises:
        ValueError: An argument does not fit the model; the sentence says which and what is allowed.

    Paper: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization", 2017.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Identity(), nn.Flatten(), nn.Linear(4, 2, bias=False))
    >>> _ = net[2].weight.data.copy_(torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, -1.0]]))
    >>> image = torch.tensor([[[[1.0, 0.0], [0.0, 2.0]]]])
    >>> grad_cam(net, image, torch.tensor([0]), "0")  # alpha = (1 + 2 + 3 + 4) / 4
    tensor([[[2.5000, 0.0000],
             [0.0000, 5.0000]]])
    """
    A, dA = activations_and_gradients(model, images, targets, layer)
    alpha = neuron_importance(dA)
    return weighted_sum(alpha, A).relu()


def activations_and_gradients(
    model: nn.Module, images: Images, targets: Targets | int, layer: Layer
) -> tuple[Activations, Gradients]:
    r"""The maps $A^k$ of a layer and $\partial y^c / \partial A_{ij}^k$, both `[N K h w]` and detached.

    Arguments and errors are those of `grad_cam`. One forward pass; one backward pass, down to the layer only.
    """
    targets, layer = check_targets(model, images, targets), layer_name(model, layer, images)
    with undisturbed(model, images):
        A, scores = run_from(model, images, layer)
        check_grid(A, layer)
        y = target_scores(scores, targets)
        # A sample's score depends on that sample alone, so the gradient of the sum holds every sample's own.
        dA = gradient(y.sum(), A, f"layer {layer!r}")
    return A.detach(), dA


def neuron_importance(dA: Gradients) -> ChannelWeights:
    r"""$\alpha_k^c = \frac{1}{Z} \sum_{ij} \partial y^c / \partial A_{ij}^k$: `[N K h w] -> [N K]`."""
    Z = dA.shape[2] * dA.shape[3]
    return dA.sum(dim=(2, 3)) / Z


def weighted_sum(alpha: ChannelWeights, A: Activations) -> Map:
    r"""$\sum_k \alpha_k A^k$, before the ReLU: `[N K], [N K h w] -> [N h w]`."""
    return (alpha[:, :, None, None] * A).sum(dim=1)
