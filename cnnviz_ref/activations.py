"""Activations: what a layer gives for an image."""

from __future__ import annotations

import torch
from torch import nn

from cnnviz.shapes import Activations, Images
from cnnviz_ref._mechanism import Layer, check_grid, check_images, layer_name, run_from, undisturbed


def activations(model: nn.Module, images: Images, layer: Layer = None) -> Activations:
    r"""The maps of a layer, as they are when the layer returns: an in-place ReLU after it does not show.

    Formula:
        $A^k_{ij}$, the output of channel $k$ at place $(i, j)$ of the layer's grid.

    Args:
        model, images, layer: As in every method (`help(cnnviz_ref)`); the layer gives maps `[N K h w]`.

    Returns:
        Raw maps `[N K h w]`, a copy.

    Raises:
        ValueError: An argument does not fit the model; the sentence says which and what is allowed.

    Paper: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", 2014.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Identity(), nn.ReLU(inplace=True), nn.Flatten())
    >>> activations(net, torch.tensor([[[[1.0, -2.0]]]]), "0")
    tensor([[[[ 1., -2.]]]])
    """
    check_images(model, images)
    layer = layer_name(model, layer, images)
    with undisturbed(model, images), torch.no_grad():
        A, _ = run_from(model, images, layer)
        check_grid(A, layer)
    return A.detach()
