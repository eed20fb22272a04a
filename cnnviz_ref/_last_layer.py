"""The layers at which a network's maps end on each grid: a class map looks at the last one where none is named."""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor, nn

from cnnviz_ref._undisturbed import undisturbed

_Grid = tuple[int, ...]


def last_convolutional_layer(model: nn.Module, images: Tensor) -> str:
    """The dotted name of the last convolution, with what follows it on the same grid: its normalisation, ReLU, block.

    Found by one forward pass of one image: after the last convolution of more than one place, the last module that
    still gives maps of this convolution's height and width ("layer4" of a ResNet, "features.29" of vgg16).

    Raises:
        ValueError: No convolution gives more than one place.

    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))
    >>> last_convolutional_layer(net, torch.zeros(1, 1, 8, 8))
    '1'
    """
    return layers_by_grid(model, images)[-1]


def layers_by_grid(model: nn.Module, images: Tensor) -> list[str]:
    """For each size of the maps one layer, by dotted name: the last of the outermost, and the last convolutional one.

    Raises:
        ValueError: No convolution gives more than one place.

    >>> net = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 4, 2), nn.ReLU())
    >>> layers_by_grid(net, torch.zeros(1, 1, 8, 8))
    ['1', '2', '4']
    """
    returned = _returned(model, images)
    convolutions = [k for k, (_, module, grid) in enumerate(returned) if _is_convolution(module) and max(grid) > 1]
    if not convolutions:
        raise ValueError("layer: got none, and no convolution of the model gives a map; name one of its layers.")
    grids = [grid for _, _, grid in returned]
    after = (k for k in range(convolutions[-1], len(grids)) if grids[k] not in grids[k + 1 : k + 2])
    last = next(after)
    outermost: dict[_Grid, str] = {}
    for name, _, grid in returned[:last]:
        if max(grid) > 1 and grid != grids[last] and name.count(".") <= outermost.get(grid, name).count("."):
            outermost[grid] = name
    return [*outermost.values(), returned[last][0]]


def _is_convolution(module: nn.Module) -> bool:
    return isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d)


def _returned(model: nn.Module, images: Tensor) -> list[tuple[str, nn.Module, _Grid]]:
    """The model's modules in the order in which they return, each with the size of its maps; (0,) if it gives none."""
    returned: list[tuple[str, nn.Module, _Grid]] = []
    with undisturbed(model, images), torch.no_grad(), ExitStack() as hooks:
        for name, module in model.named_modules():
            if name and not isinstance(module, torch.jit.ScriptModule):
                hooks.callback(module.register_forward_hook(_keeping(returned, name)).remove)
        model(images[:1].detach().clone())
    return returned


def _keeping(returned: list[tuple[str, nn.Module, _Grid]], name: str):
    def keep(module: nn.Module, _inputs: object, output: object) -> None:
        grid = tuple(output.shape[2:]) if isinstance(output, Tensor) and output.ndim == 4 else (0,)
        returned.append((name, module, grid))

    return keep
