"""Filters: the weights of a convolution, and their scaling for display."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from cnnviz.shapes import Filters
from cnnviz_ref._mechanism import Layer, find_layer, layer_name, undisturbed


def filters(model: nn.Module, layer: Layer) -> Filters:
    r"""The weights of a convolution, raw; `scale_filters` prepares them for display.

    Formula:
        $W_{kluv}$, with which the layer computes $A^k_{ij} = b_k + \sum_{luv} W_{kluv} I_{l, i+u, j+v}$ (at stride 1,
        without padding).

    Args:
        model: Left as found; it does not run.
        layer: A `Conv2d` or its dotted name.

    Returns:
        A copy `[K C kh kw]` of the weights' dtype; in a convolution with groups `C` counts one group's channels.

    Raises:
        ValueError: No such layer, or not a convolution; the sentence lists the convolutions.

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet Classification with Deep Convolutional Neural Networks", 2012.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(1, 2, (1, 2)), nn.ReLU())
    >>> _ = net[0].weight.data.copy_(torch.tensor([[[[1.0, -1.0]]], [[[0.0, 2.0]]]]))
    >>> filters(net, "0")
    tensor([[[[ 1., -1.]]],
    <BLANKLINE>
    <BLANKLINE>
            [[[ 0.,  2.]]]])
    """
    layer = layer_name(model, layer)
    module = find_layer(model, layer)
    if not isinstance(module, nn.Conv2d):
        raise ValueError(_not_a_convolution(model, layer, module))
    with undisturbed(model), torch.no_grad():  # eval: a spectral norm in training mode moves with every look at it
        return module.weight.detach().clone()


def scale_filters(filters: Filters) -> Filters:
    r"""Each filter stretched to [0, 1] by its own minimum and maximum; a constant filter becomes 0.5.

    Formula:
        $\frac{W_{kluv} - \min_{luv} W_k}{\max_{luv} W_k - \min_{luv} W_k}$, the extremes over all of filter $k$ with
        its colours together, so that the colours keep their balance.

    Args:
        filters: `[K C kh kw]`, finite floats; left as found.

    Returns:
        `[K C kh kw]` in [0, 1], a new tensor, never NaN.

    Raises:
        ValueError: Not such a tensor; the sentence says what is allowed.

    >>> import torch
    >>> scale_filters(torch.tensor([[[[-1.0, 0.0, 3.0]]], [[[7.0, 7.0, 7.0]]]])).flatten(1)
    tensor([[0.0000, 0.2500, 1.0000],
            [0.5000, 0.5000, 0.5000]])
    """
    _check_filters(filters)
    W = filters.detach()
    low, high = W.amin(dim=(1, 2, 3), keepdim=True), W.amax(dim=(1, 2, 3), keepdim=True)
    return torch.where(high > low, (W - low) / (high - low), 0.5)


def _not_a_convolution(model: nn.Module, layer: str, module: nn.Module) -> str:
    names = [name for name, inside in model.named_modules() if isinstance(inside, nn.Conv2d) and name]
    listed = ", ".join(names[:40]) + (f" and {len(names) - 40} more" if len(names) > 40 else "")
    return f"layer: got {layer!r}, of type {type(module).__name__}, needs a Conv2d; " + (
        f"choose one of {listed}." if names else "this model has none, so choose another model."
    )


def _check_filters(filters: object) -> None:
    if not isinstance(filters, Tensor) or not filters.is_floating_point():
        got = filters.dtype if isinstance(filters, Tensor) else type(filters).__name__
        raise ValueError(f"filters: got {got}, needs floats [K C kh kw]; take them from filters(model, layer).")
    if filters.ndim != 4 or not filters.numel():
        raise ValueError(f"filters: got shape {list(filters.shape)}, needs [K C kh kw]; one filter is W[k : k + 1].")
    if not torch.isfinite(filters).all():
        raise ValueError("filters: got NaN or infinity, needs finite values; look at how the network was trained.")
