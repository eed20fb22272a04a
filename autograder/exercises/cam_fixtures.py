"""Inputs for the exercises of the lesson on class activation maps: small, float64, and drawn so that no mistake "
"hides."""

from __future__ import annotations

import copy
from collections.abc import Callable
from functools import partial
from itertools import pairwise
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


def convolutions(
    generator: Generator, channels: tuple[int, int, int], activation: nn.Module | None = None
) -> nn.Sequential:
    """conv-BatchNorm-ReLU-maxpool-conv-activation in eval mode; BatchNorm's statistics are unlike those of a batch."""
    first, middle, last = channels
    one, norm, two = (
        nn.Conv2d(first, middle, 3, padding=1),
        nn.BatchNorm2d(middle),
        nn.Conv2d(middle, last, 3, padding=1),
    )
    net = nn.Sequential(one, norm, nn.ReLU(), nn.MaxPool2d(2), two, activation or nn.ReLU()).double()
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
    """Four targets, two of them equal, and class 0 alone, for the same head."""
    layer, picked = head(generator, channels, classes), targets(generator, classes, 3)
    return [Call({"head": layer, "targets": asked}) for asked in (picked[[0, 1, 0, 2]], torch.tensor([0]))]


def map_calls(generator: Generator, channels: int, grid: tuple[int, int]) -> list[Call]:
    """Three images after a ReLU, one of them all dark, then one without; every map that is not zero has both signs."""
    dark = int(torch.randint(1, 3, (1,), generator=generator))
    calls = [redrawn(partial(_map_inputs, generator, n, channels, grid), _both_signs) for n in (3, 1)]
    calls[0]["activations"][dark] = 0
    return [Call(inputs) for inputs in calls]


def _map_inputs(generator, count, channels, grid) -> dict[str, torch.Tensor]:
    activations = normal(generator, count, channels, *grid)
    if count > 1:
        activations = F.relu(activations)
    return {"activations": activations, "weights": normal(generator, count, channels)}


def _both_signs(inputs: dict[str, torch.Tensor]) -> bool:
    """Also of the weights: two of each, so that a sum over the positive ones is not their largest."""
    weights = inputs["weights"]
    maps = (weights[:, :, None, None] * inputs["activations"]).sum(1)
    mixed = ((weights > 0.1).sum(1) >= 2) & ((weights < -0.1).sum(1) >= 2)
    return bool(mixed.all() and (maps.amax((1, 2)) > 1.2).all() and (maps.amin((1, 2)) < -0.4).all())


def convert_calls(generator: Generator, channels: tuple[int, int, int], classes: int) -> list[Call]:
    """Three pictures; then one of another size, through features that end in a Tanh and may be negative.

    Scores of both signs. Gradients are off, so that scores come without a graph.
    """

    def draw(count: int, size: tuple[int, int], last: nn.Module):
        features, layer = convolutions(generator, channels, last), head(generator, channels[-1], classes)
        return frozen(features), frozen(layer), normal(generator, count, channels[0], *size)

    def holds(drawing):
        features, layer, images = drawing
        scores = layer(features(images).mean((2, 3)))
        before = layer(features[:-1](images).mean((2, 3)))
        return bool(scores.min() < -0.3 and scores.max() > 0.3 and (scores - before).abs().max() > 0.1)

    drawings = [redrawn(partial(draw, *asked), holds) for asked in ((3, (10, 14), nn.ReLU()), (1, (16, 8), nn.Tanh()))]
    return [Call({"features": features, "head": layer}, then=(images,)) for features, layer, images in drawings]


def train_calls(generator: Generator, channels: tuple[int, int, int], classes: int) -> list[Call]:
    """Two small training sets: one backbone in training mode but for one layer, one in eval mode, ending in a Tanh."""
    asked = ((6, 4, 3.0, True, nn.ReLU()), (5, 3, 3.0, False, nn.Tanh()))
    return [Call(redrawn(partial(_training_set, generator, channels, classes, *each), _loss_rises)) for each in asked]


def _training_set(generator, channels, classes, count: int, steps: int, lr: float, training: bool, last: nn.Module):
    features = convolutions(generator, channels, last).train(training)
    features[0].eval()
    images = normal(generator, count, channels[0], 8, 12) + between(generator, -1, 1, count, 1, 1, 1)
    return {"features": features, "images": images, "labels": torch.arange(count) % classes,
            "head": head(generator, channels[-1], classes, scale=0.5), "steps": steps, "lr": lr}  # fmt: skip


def _loss_rises(inputs: dict[str, Any]) -> bool:
    """Whether a step before the last makes the loss larger, so that a descent that stops there is seen.

    It must not blow up the rounding of float32 either.
    """
    (losses, weight), (_, rounded) = (_descent(inputs, dtype) for dtype in (torch.float64, torch.float32))
    off, size = (w.abs().split(weight.shape[1] - 1, dim=1) for w in (weight - rounded, weight))
    steady = all(float(far.max()) < 2e-7 * float(of.max()) for far, of in zip(off, size, strict=True))
    return steady and any(after - before > 0.1 for before, after in pairwise(losses))


def _descent(inputs: dict[str, Any], dtype: torch.dtype) -> tuple[list[float], torch.Tensor]:
    """The losses before each step, and W and b after the last, side by side."""
    with torch.no_grad():
        features = copy.deepcopy(inputs["features"]).eval().to(dtype)
        pooled = F.pad(features(inputs["images"].to(dtype)).mean((2, 3)), (0, 1), value=1.0)
    weight, losses = torch.cat([inputs["head"].weight, inputs["head"].bias[:, None]], 1).detach().to(dtype), []
    for _ in range(inputs["steps"]):
        weight.requires_grad_()
        loss = F.cross_entropy(pooled @ weight.T, inputs["labels"])
        losses.append(loss.item())
        weight = (weight - inputs["lr"] * torch.autograd.grad(loss, weight)[0]).detach()
    return losses, weight


def box_calls(generator: Generator, grid: tuple[int, int], size: tuple[int, int]) -> list[Call]:
    """Hills of every kind, twice; a map nowhere positive; one that is positive until it is enlarged; a rectified one.

    Nothing here is left to chance but numbers and places: whatever shows for one student shows for all.
    """

    def draw(turn: bool, fraction: float) -> torch.Tensor:
        def holds(heat):
            return _clear(heat, size, fraction) and _lost_in_halves(heat, size, fraction)

        return redrawn(partial(_hills, generator, grid, size, fraction, turn), holds)

    low = -between(generator, 0.1, 2.0, *grid)
    lost = low - 1.0
    lost[3, 5] = 0.02
    rectified = torch.zeros(grid, dtype=torch.float64)
    rectified[1:4, 4:9], rectified[-2, 1] = between(generator, 0.5, 1.0, 3, 5), 0.3
    maps = (draw(False, 0.2), 0.2), (draw(True, 0.25), 0.25), (low, 0.2), (lost, 0.2), (rectified, 0.0)
    return [Call({"heatmap": m, "size": size, "fraction": f}) for m, f in maps]


def _hills(
    generator: Generator, grid: tuple[int, int], size: tuple[int, int], fraction: float, turn: bool
) -> torch.Tensor:
    """The maximum (broad, or one place if turned), a spot, a low plain of most pixels, a thin angle of the widest box.

    Two columns of the plain lie above the threshold by so little that eight bits, or float16, put them below it.
    """
    heat = between(generator, -0.5, -0.3, *grid)
    heat[1 : 2 if turn else 3, 1 : 2 if turn else 4] = 1.0
    heat[1, -2], heat[0, 6] = between(generator, 0.5, 0.8, 1), -1.6
    heat[4:, -2] = heat[-2, 1:-1] = 0.35
    heat[-1], heat[5:-2, -3] = -0.4, -0.4
    left = int(torch.randint(1, grid[1] - 8, (1,), generator=generator))
    heat[4:-3, left : left + 3] = between(generator, 0.29, 0.33, grid[0] - 7, 3)
    heat[4:-3, left + 3 : left + 5] = (fraction + 8e-5) * enlarged(heat, size).max()
    return (heat.flip(0, 1) if turn else heat) * float(between(generator, 0.45, 0.6, 1))


def enlarged(heatmap: torch.Tensor, size: tuple[int, int]) -> torch.Tensor:
    """The map [h w] at the size of the image [H W]."""
    return F.interpolate(heatmap[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]


def _clear(heat: torch.Tensor, size: tuple[int, int], fraction: float) -> bool:
    """Whether no pixel lies near the threshold, so that rounding (float32 too) cannot move the box."""
    large = enlarged(heat, size)
    return bool((large / large.max() - fraction).abs().min() > 2e-5)


def _lost_in_halves(heat: torch.Tensor, size: tuple[int, int], fraction: float) -> bool:
    """Whether over 100 pixels fall below the threshold as soon as the enlarged map, or both maps, are in float16."""
    mask = _mask(enlarged(heat, size), fraction)
    halves = (enlarged(small, size).half().double() for small in (heat, heat.half().double()))
    return all(int((mask & ~_mask(half, fraction)).sum()) > 100 for half in halves)


def _mask(large: torch.Tensor, fraction: float) -> torch.Tensor:
    return large > fraction * large.max()


def hill_calls(generator: Generator, grid: tuple[int, int], size: tuple[int, int]) -> list[Call]:
    """One round hill at two heights and two fractions."""
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in grid)

    def draw():
        top = float(between(generator, 1.0, grid[0] - 2.0, 1)), float(between(generator, 1.0, grid[1] - 2.0, 1))
        return torch.exp(-((rows[:, None] - top[0]) ** 2 + (columns - top[1]) ** 2) / 3.0)

    heat = redrawn(draw, lambda m: _clear(m, size, 0.2) and _clear(m, size, 0.5))
    return [Call({"heatmap": s * heat, "size": size, "fraction": f}) for s, f in ((1.0, 0.2), (7.0, 0.2), (1.0, 0.5))]
