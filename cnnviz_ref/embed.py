"""Embedding: one row of numbers for each image, read from a layer."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnviz.shapes import Features, Images
from cnnviz_ref._mechanism import Layer, check_images, layer_name, run_from, undisturbed


def embed(model: nn.Module, images: Images, layer: Layer = None) -> Features:
    r"""Turns each image into one row of features: a layer's maps by their averages, anything else flattened.

    Formula:
        $x_{nk} = \frac{1}{Z} \sum_{ij} A^k_{ij}$ where the layer gives maps $A$ of $Z = h \cdot w$ positions; where it
        gives something else, all of its numbers for image $n$.

    Args:
        model, images, layer: As in every method (`help(cnnviz_ref)`); the layer gives one float tensor `[N ...]`. A
            large data set goes in parts: a row does not depend on the other images.

    Returns:
        `[N D]`, a copy: `D = K` for maps `[N K h w]`.

    Raises:
        ValueError: An argument does not fit the model; the sentence says which and what is allowed.

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Identity(), nn.Flatten())
    >>> image = torch.tensor([[[[1.0, 2.0]], [[0.0, -4.0]]]])
    >>> embed(net, image, "0"), embed(net, image, "1")
    (tensor([[ 1.5000, -2.0000]]), tensor([[ 1.,  2.,  0., -4.]]))
    """
    check_images(model, images)
    layer = layer_name(model, layer, images)
    with undisturbed(model, images), torch.no_grad():
        output, _ = run_from(model, images, layer)
        if output.ndim < 2 or len(output) != len(images):
            raise ValueError(
                f"layer {layer!r}: gives {list(output.shape)}, needs [N ...] for N = {len(images)}; "
                f"choose a layer that gives something for each image."
            )
        return image_rows(output.detach())


def image_rows(output: Tensor) -> Features:
    """`[N K h w] -> [N K]` by global averages; `[N ...] -> [N D]` by flattening.

    >>> import torch
    >>> image_rows(torch.ones(2, 3, 4, 5)).shape, image_rows(torch.ones(2, 3, 4)).shape
    (torch.Size([2, 3]), torch.Size([2, 12]))
    """
    return output.mean(dim=(2, 3)) if output.ndim == 4 else output.flatten(1)
