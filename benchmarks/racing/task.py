"""The same objects for every contestant, and the passes through a network that no method can avoid."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

import cnnviz


@dataclass(frozen=True)
class Task:
    """What every contestant of a race is given."""

    network: str
    model: nn.Module
    images: Tensor
    targets: Tensor
    layer: str


Call: TypeAlias = Callable[[], Any]
Contestant: TypeAlias = Callable[[Task], Call]
"""Prepares what a user prepares once; the call that it returns is timed."""


def task(network: str, *, images: int, device: str, dtype: torch.dtype = torch.float32) -> Task:
    """A network of `cnnviz.load_model`, pictures of noise, and a different class for each."""
    model = cnnviz.load_model(network).to(device, dtype)
    shape = (1, 64, 64) if network == "digit_net" else (3, 224, 224)
    x = torch.randn(images, *shape, generator=torch.Generator().manual_seed(1)).to(device, dtype)
    targets = torch.arange(1, images + 1, device=device) % (10 if network == "digit_net" else 1000)
    return Task(network, model, x, targets, {"vgg11_bn": "features", **cnnviz.LAST_LAYER}[network])


def points(network: str, *, images: int, device: str, dtype: torch.dtype = torch.float32) -> Task:
    """Digits, or features such as a network gives: `images` of the task are as many queries, `targets` the data."""
    size = {"digits": (1797, 64), "5000 x 1280": (5000, 1280)}[network]
    data = torch.randn(size, generator=torch.Generator().manual_seed(1)).relu()
    if network == "digits":
        data = torch.as_tensor(load_digits().data)
    data = data.to(device, dtype)
    return Task(network, nn.Identity(), data[:images] + 0.5, data, "")


def weights(t: Task) -> Call:
    """A copy of the first convolution's weights."""
    _, convolution = first_convolution(t)
    return lambda: convolution.weight.detach().clone()


def first_convolution(t: Task) -> tuple[str, nn.Conv2d]:
    """Its name and itself."""
    return next((name, module) for name, module in t.model.named_modules() if isinstance(module, nn.Conv2d))


def forward(t: Task) -> Call:
    """One forward pass."""
    return torch.no_grad()(lambda: t.model(t.images))


def forward_to_layer(t: Task) -> Call:
    """One forward pass that ends at the layer."""
    body, _ = halves(t)
    return torch.no_grad()(lambda: body(t.images))


def backward_to_layer(t: Task) -> Call:
    """One forward pass, and a backward pass through what follows the layer."""
    body, head = halves(t)

    def call() -> Tensor:
        with frozen(t.model):
            A = body(t.images).requires_grad_()
            return torch.autograd.grad(_scores(head(A), t), A)[0]

    return call


def backward_to_images(t: Task, *, times: int = 1) -> Call:
    """Forward and backward passes, one after the other."""

    def call() -> None:
        with frozen(t.model):
            for _ in range(times):
                x = t.images.clone().requires_grad_()
                torch.autograd.grad(_scores(t.model(x), t), x)

    return call


def forward_of(t: Task, *, windows: int, batches: tuple[int, ...]) -> Call:
    """As many forward passes as there are images and windows, in batches of the fastest size."""
    x = t.images[:1].repeat(max(batches), 1, 1, 1)

    def images(total: int, batch: int) -> Call:
        sizes = [min(batch, total - start) for start in range(0, total, batch)]
        return torch.no_grad()(lambda: [t.model(x[:n]) for n in sizes])

    best = fastest({batch: images(2 * max(batches), batch) for batch in batches})
    return images((windows + 1) * len(t.images), best)


def fastest(calls: dict[int, Call]) -> int:
    """The key of the call that takes the least time."""
    seconds = {}
    for key, call in calls.items():
        start = clock()
        call()
        synchronise()
        seconds[key] = clock() - start
    return min(seconds, key=seconds.__getitem__)


def clock() -> float:
    """Seconds; of work by all cores where the environment says `RACING_CLOCK=cpu`."""
    return time.process_time() if os.environ.get("RACING_CLOCK") == "cpu" else time.perf_counter()


def halves(t: Task) -> tuple[nn.Module, nn.Module]:
    """The network up to its layer, and the rest, without hooks."""
    parts = dict(t.model.named_children())
    at = list(parts).index(t.layer) + 1
    *pool, classifier = list(parts.values())[at:]
    return nn.Sequential(*list(parts.values())[:at]), nn.Sequential(*pool, nn.Flatten(), classifier)


@contextmanager
def frozen(model: nn.Module) -> Iterator[None]:
    """Inside, no graph is kept for parameters."""
    model.requires_grad_(False)
    yield
    model.requires_grad_(True)


def synchronise() -> None:
    """Waits for the accelerator."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def _scores(scores: Tensor, t: Task) -> Tensor:
    return scores.gather(1, t.targets[:, None]).sum()
