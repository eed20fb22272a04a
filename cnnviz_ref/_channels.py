"""How many channels a network's images have: found by what runs, since no list of layers tells which one sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from cnnviz_ref._mechanism import first_weight

MOST = 512
"""Channels up to which an image is tried."""


def blank_image(model: nn.Module, C: int, H: int, W: int) -> Tensor:
    """Zeros `[1 C H W]` of the model's dtype on its device."""
    weight = first_weight(model)
    return torch.zeros(1, C, H, W, device="cpu") if weight is None else weight.new_zeros(1, C, H, W)


def channels_that_run(model: nn.Module, size: tuple[int, int], run: Callable[[Tensor], object]) -> int:
    """The first of 3, what some layer of the model reads, and 1, with which `run(image)` of a blank image succeeds.

    Raises:
        Exception: None does; what went wrong with the channels of the first layer.
    """
    read = list(dict.fromkeys(_read_by_layers(model, size)))
    errors: dict[int, Exception] = {}
    for C in dict.fromkeys([3, *read, 1]):
        try:
            run(blank_image(model, C, *size))
        except Exception as error:
            errors[C] = error
        else:
            return C
    raise errors[[*read, 3][0]]


def _read_by_layers(model: nn.Module, size: tuple[int, int]) -> Iterator[int]:
    """What convolutions read, and linear layers of flattened images, in the order of their listing."""
    for module in model.modules():
        for weight in module.parameters(recurse=False):
            if weight.ndim == 4:
                C = getattr(module, "in_channels", weight.shape[1])
            elif weight.ndim == 2 and weight.shape[1] % (size[0] * size[1]) == 0:
                C = weight.shape[1] // (size[0] * size[1])
            else:
                continue
            if C <= MOST:
                yield C
