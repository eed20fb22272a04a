"""What the inputs and laws of many lessons are made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.course.records import Arrays, Call

Drawn = TypeVar("Drawn")


def randn(generator: Generator, *shape: int) -> Tensor:
    """Normal float64 numbers."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def signs(generator: Generator, *shape: int) -> Tensor:
    """+1 and -1 in turn along the last axis, the first at random."""
    turns = torch.where(torch.arange(shape[-1]) % 2 == 0, 1.0, -1.0).to(torch.float64)
    return turns * (torch.randint(0, 2, (*shape[:-1], 1), generator=generator) * 2 - 1)


def mixed_order(generator: Generator, classes: int, count: int) -> Tensor:
    """All classes in a random order; the first `count` neither rise nor fall, and none of them stands at its own place.

    Targets that are sorted, or that count the images, would pass for others.
    """
    while True:
        order = torch.randperm(classes, generator=generator)
        steps = order[:count].diff().sign()
        one_way = count > 1 and bool((steps > 0).all() | ((steps < 0).all() & (count > 2)))
        if not one_way and bool((order[:count] != torch.arange(count)).all()):
            return order


@torch.no_grad()
def moderate_scores(net: nn.Module, images: Tensor, preferred: int, *, factor: float, lead: float = 0.5) -> None:
    """Scales the last layer, so that no probability saturates, and makes it prefer one class, no image's target."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + lead


def array(value: Any) -> np.ndarray:
    """A tensor as an array on the CPU."""
    return value.detach().cpu().numpy()


def relative(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference, relative to max|want|."""
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def weights_against(call: Call) -> Call:
    """The call, with all weights of its classes made negative in the last layer of its network."""
    with torch.no_grad():
        weight = call.inputs["model"].classifier.weight
        weight[call.inputs["targets"]] = -weight[call.inputs["targets"]].abs() - 0.1 * weight.abs().max()
    return call


def batch_and_singles(batch: Call) -> list[Call]:
    """A call for several images, then one for each of them alone."""
    images, targets = (batch.inputs[name] for name in ("images", "targets"))
    alone = [{"images": images[[n]], "targets": targets[[n]]} for n in range(len(images))]
    return [batch, *(Call({**batch.inputs, **one}) for one in alone)]


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """How far each image's result alone is from its result in the batch."""
    return relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])


def between(generator: Generator, low: float, high: float, *shape: int) -> Tensor:
    """Uniform float64 numbers in [low, high)."""
    return low + (high - low) * torch.rand(*shape, generator=generator, dtype=torch.float64)


def redrawn(draw: Callable[[], Drawn], holds: Callable[[Drawn], bool]) -> Drawn:
    """The first drawing that has a property which no known mistake needs; the engine sees to those.

    Raises:
        RuntimeError: none of a thousand has it.
    """
    for _ in range(1000):
        if holds(drawing := draw()):
            return drawing
    raise RuntimeError("fixture: 1000 drawings lack the property; widen the ranges it is drawn from.")
