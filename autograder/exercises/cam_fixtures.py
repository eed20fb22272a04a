"""Inputs for the exercises of the lesson on class activation maps: small, float64, and drawn so that no mistake "
"hides."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from autograder.records import Call

Generator = torch.Generator


def normal(generator: Generator, *shape: int) -> torch.Tensor:
    """Standard normal numbers."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def between(generator: Generator, low: float, high: float, *shape: int) -> torch.Tensor:
    """Uniform numbers in [low, high)."""
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)


def redrawn(draw: Callable[[], Any], holds: Callable[[Any], bool], tries: int = 1000) -> Any:
    """The first drawing that has a property: a fixture without it would let some mistake pass.

    Raises:
        RuntimeError: none of the drawings has it.
    """
    for _ in range(tries):
        if holds(drawing := draw()):
            return drawing
    raise RuntimeError(f"fixture: {tries} drawings lack the property; widen the ranges it is drawn from.")


def targets(generator: Generator, classes: int, count: int) -> torch.Tensor:
    """Different classes, none of them twice."""
    return torch.randperm(classes, generator=generator)[:count]


def head(generator: Generator, channels: int, classes: int, scale: float = 1.0) -> nn.Linear:
    """A linear layer with weights and biases of both signs."""
    layer = nn.Linear(channels, classes, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(scale * normal(generator, classes, channels))
        layer.bias.copy_(scale * normal(generator, classes))
    return layer


def convolutions(generator: Generator, channels: tuple[int, int, int]) -> nn.Sequential:
    """conv-BatchNorm-ReLU-maxpool-conv-ReLU in eval mode; the BatchNorm has statistics unlike those of a batch."""
    first, middle, last = channels
    one, norm, two = (
        nn.Conv2d(first, middle, 3, padding=1),
        nn.BatchNorm2d(middle),
        nn.Conv2d(middle, last, 3, padding=1),
    )
    net = nn.Sequential(one, norm, nn.ReLU(), nn.MaxPool2d(2), two, nn.ReLU()).double()
    with torch.no_grad():
        for conv in (one, two):
            conv.weight.copy_(normal(generator, *conv.weight.shape) / conv.weight[0].numel() ** 0.5)
            conv.bias.copy_(0.3 * normal(generator, conv.out_channels))  # type: ignore[union-attr]
        norm.running_mean.copy_(between(generator, 0.2, 0.5, middle))  # type: ignore[union-attr]
        norm.running_var.copy_(between(generator, 0.2, 0.4, middle))  # type: ignore[union-attr]
    return net.eval()


def frozen(module: nn.Module) -> nn.Module:
    """The module with gradients switched off."""
    return module.requires_grad_(False)


def head_calls(generator: Generator, channels: int, classes: int) -> list[Call]:
    """Three targets and one target, for the same head."""
    layer = head(generator, channels, classes)
    return [Call({"head": layer, "targets": targets(generator, classes, n)}) for n in (3, 1)]


def map_calls(generator: Generator, channels: int, grid: tuple[int, int]) -> list[Call]:
    """Three images, one of them all dark, then one image; every map that is not zero has both signs."""
    dark = int(torch.randint(1, 3, (1,), generator=generator))
    calls = [redrawn(partial(_map_inputs, generator, n, channels, grid), _both_signs) for n in (3, 1)]
    calls[0]["activations"][dark] = 0
    return [Call(inputs) for inputs in calls]


def _map_inputs(generator, count, channels, grid) -> dict[str, torch.Tensor]:
    activations = F.relu(normal(generator, count, channels, *grid))
    return {"activations": activations, "weights": normal(generator, count, channels)}


def _both_signs(inputs: dict[str, torch.Tensor]) -> bool:
    """Also of the weights: two of each, so that a sum over the positive ones is not their largest."""
    weights = inputs["weights"]
    maps = (weights[:, :, None, None] * inputs["activations"]).sum(1)
    mixed = ((weights > 0.1).sum(1) >= 2) & ((weights < -0.1).sum(1) >= 2)
    return bool(mixed.all() and (maps.amax((1, 2)) > 1.2).all() and (maps.amin((1, 2)) < -0.4).all())


def convert_calls(generator: Generator, channels: tuple[int, int, int], classes: int) -> list[Call]:
    """Three pictures and one picture; scores of both signs. Gradients are off, so that scores come without a graph."""

    def draw():
        features, layer = convolutions(generator, channels), head(generator, channels[-1], classes)
        return frozen(features), frozen(layer), normal(generator, 4, channels[0], 10, 14)

    def holds(drawing):
        features, layer, images = drawing
        scores = layer(features(images).mean((2, 3)))
        before = layer(features[:-1](images).mean((2, 3)))
        return bool(scores.min() < -0.3 and scores.max() > 0.3 and (scores - before).abs().max() > 0.1)

    features, layer, images = redrawn(draw, holds)
    return [Call({"features": features, "head": layer}, then=(part,)) for part in (images[:3], images[3:])]


def train_calls(generator: Generator, channels: tuple[int, int, int], classes: int) -> list[Call]:
    """Two small training sets: one backbone comes in training mode, the other in eval mode."""
    calls = []
    for count, steps, lr, training in ((6, 4, 1.5, True), (5, 3, 2.0, False)):
        labels = torch.arange(count) % classes
        images = normal(generator, count, channels[0], 8, 12) + between(generator, -1, 1, count, 1, 1, 1)
        inputs = {"features": convolutions(generator, channels).train(training), "images": images, "labels": labels,
                  "head": head(generator, channels[-1], classes, scale=0.5), "steps": steps, "lr": lr}  # fmt: skip
        calls.append(Call(inputs))
    return calls


def box_calls(generator: Generator, grid: tuple[int, int], size: tuple[int, int]) -> list[Call]:
    """A broad low hill beside a sharp peak, the same kind turned round, and a map without a positive value."""

    def clear(heat: torch.Tensor) -> bool:
        return _clear(heat, size, 0.2) and _clear(heat, size, 0.25)

    first, second = (redrawn(partial(_hills, generator, grid, turn), clear) for turn in (False, True))
    flat = -between(generator, 0.1, 2.0, *grid)
    return [Call({"heatmap": m, "size": size, "fraction": f}) for m, f in ((first, 0.2), (second, 0.25), (flat, 0.2))]


def _hills(generator: Generator, grid: tuple[int, int], turn: bool) -> torch.Tensor:
    """One sharp peak (the maximum) in the top left, a spot in the top right, a broad hill below them: largest, not "
    "highest."""
    heat = between(generator, -0.5, -0.3, *grid)
    heat[0, 0] = 1.0
    heat[1, -1] = between(generator, 0.5, 0.9, 1)
    left = int(torch.randint(1, grid[1] - 4, (1,), generator=generator))
    heat[3:-1, left : left + 3] = between(generator, 0.38, 0.5, grid[0] - 4, 3)
    return (heat.flip(0, 1) if turn else heat) * float(between(generator, 0.45, 0.6, 1))


def _clear(heat: torch.Tensor, size: tuple[int, int], fraction: float) -> bool:
    """Whether no pixel lies near the threshold, so that rounding (float32 too) cannot move the box."""
    large = F.interpolate(heat[None, None], size=size, mode="bilinear", align_corners=False)[0, 0] / heat.max()
    return bool((large / large.max() - fraction).abs().min() > 1e-4)


def hill_calls(generator: Generator, grid: tuple[int, int], size: tuple[int, int]) -> list[Call]:
    """One round hill at two heights and two fractions."""
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in grid)

    def draw():
        top = float(between(generator, 1.0, grid[0] - 2.0, 1)), float(between(generator, 1.0, grid[1] - 2.0, 1))
        return torch.exp(-((rows[:, None] - top[0]) ** 2 + (columns - top[1]) ** 2) / 3.0)

    heat = redrawn(draw, lambda m: _clear(m, size, 0.2) and _clear(m, size, 0.5))
    return [Call({"heatmap": s * heat, "size": size, "fraction": f}) for s, f in ((1.0, 0.2), (7.0, 0.2), (1.0, 0.5))]
