"""Networks small enough to check by hand: fixtures of the exercises and of the tests.

All share one outline, `features -> pool -> flatten -> classifier`; the layer to explain is `"features"`, which ends
in a ReLU. Weights are drawn from `generator` alone (a fresh one with seed 0 where none is given), so equal seeds give
equal networks and torch's global generator is left as it was. Every network starts in eval mode and in float32;
`.double()` gives the same numbers in float64.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

__all__ = [
    "BatchNormNet",
    "BusyNet",
    "FlattenNet",
    "FunctionalNet",
    "GapNet",
    "Interruption",
    "NamesakeNet",
    "ScoreNet",
    "calm",
]


class ScoreNet(nn.Module):
    """The outline: scores `[N classes]` of images `[N C H W]` by features, pool, flatten, classifier."""

    features: nn.Module
    pool: nn.Module
    classifier: nn.Module

    def forward(self, images: Tensor) -> Tensor:
        """Scores `[N classes]` before softmax."""
        return self.classifier(self.pool(self.features(images)).flatten(1))


class GapNet(ScoreNet):
    """Convolutions with ReLUs, global average pooling, one linear layer: the network that CAM is made for.

    `channels` gives one convolution each (`kernel` x `kernel`, same padding); the last one has `stride`, so that with
    `stride=2` the layer's grid is half the image's. `bias=False` leaves out every bias; `inplace` is the ReLUs' flag.

    >>> net = GapNet(channels=(4, 6), classes=5, generator=torch.Generator().manual_seed(0))
    >>> net(torch.zeros(2, 3, 8, 6)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        channels: Sequence[int] = (4, 6),
        classes: int = 5,
        in_channels: int = 3,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = True,
        inplace: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for i, (c, d) in enumerate(zip((in_channels, *channels[:-1]), channels, strict=True)):
            step = stride if i == len(channels) - 1 else 1
            layers += [_conv(c, d, kernel=kernel, stride=step, bias=bias), nn.ReLU(inplace=inplace)]
        self.features = nn.Sequential(*layers)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = _linear(channels[-1], classes, bias=bias)
        _draw(self, generator)


class FlattenNet(ScoreNet):
    """A small VGG: max-pooling, then flatten and a two-layer perceptron, so no average pooling and no CAM.

    `features` is conv-ReLU-MaxPool-conv-ReLU, `pool` a 2x2 max-pooling; the classifier's first layer is as wide as what
    remains of an image of `size` = (H, W) pixels, so the network takes images of that size only.

    >>> FlattenNet(size=(12, 8), classes=5)(torch.zeros(2, 3, 12, 8)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        size: tuple[int, int] = (12, 8),
        channels: tuple[int, int] = (4, 6),
        hidden: int = 7,
        classes: int = 5,
        in_channels: int = 3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        c, d = channels
        convolutions = (_conv(in_channels, c), nn.ReLU(), nn.MaxPool2d(2), _conv(c, d), nn.ReLU())
        self.features = nn.Sequential(*convolutions)
        self.pool = nn.MaxPool2d(2)
        height, width = size
        flat = d * (height // 4) * (width // 4)
        self.classifier = nn.Sequential(_linear(flat, hidden), nn.ReLU(), _linear(hidden, classes))
        _draw(self, generator)


class BatchNormNet(ScoreNet):
    """conv-BN-ReLU-dropout-conv-BN-ReLU, global average pooling, one linear layer.

    The BatchNorm layers have running statistics and affine parameters as after training, so that a network left in
    training mode gives other scores, changes its buffers, and is noisy by its dropout.

    >>> net = BatchNormNet(classes=5)
    >>> net.training, net.features[1].running_mean.abs().min().item() > 0
    (False, True)
    """

    def __init__(
        self,
        *,
        channels: tuple[int, int] = (4, 6),
        classes: int = 5,
        in_channels: int = 3,
        dropout: float = 0.5,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        c, d = channels
        first = (_conv(in_channels, c), nn.BatchNorm2d(c), nn.ReLU(), nn.Dropout(dropout))
        self.features = nn.Sequential(*first, _conv(c, d), nn.BatchNorm2d(d), nn.ReLU())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = _linear(d, classes)
        _draw(self, generator)


class _FunctionalFeatures(nn.Module):
    def __init__(self, channels: tuple[int, int, int, int], in_channels: int) -> None:
        super().__init__()
        sizes = (in_channels, *channels)
        self.conv1, self.conv2, self.conv3, self.conv4 = (_conv(*pair) for pair in pairwise(sizes))
        self.relu = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        x = F.relu(self.conv1(images))
        x = F.relu(self.conv2(x), inplace=True)
        x = self.relu(self.conv3(x))
        return self.relu(self.conv4(x))


class FunctionalNet(ScoreNet):
    """The ways to write a ReLU that hooks on modules miss: `F.relu`, one in place, and one module used twice.

    `features` holds `conv1` to `conv4` and `relu`; the output of `features.conv2` is overwritten by the in-place ReLU
    after it. Global average pooling and one linear layer follow, so CAM applies.

    >>> FunctionalNet(classes=5)(torch.zeros(2, 3, 8, 6)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        *,
        channels: tuple[int, int, int, int] = (4, 5, 4, 6),
        classes: int = 5,
        in_channels: int = 3,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.features = _FunctionalFeatures(channels, in_channels)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = _linear(channels[-1], classes)
        _draw(self, generator)


class NamesakeNet(nn.Sequential):
    """Convolutions whose names hold each other, in an order in which neither the first nor the last of them is `conv1`.

    A ReLU, global average pooling and one linear layer follow.

    >>> [name for name, _ in NamesakeNet().named_modules() if "conv1" in name]
    ['pre_conv1', 'conv10', 'conv1', 'conv11', 'more.conv1']
    """

    def __init__(
        self, *, width: int = 4, classes: int = 5, in_channels: int = 3, generator: torch.Generator | None = None
    ) -> None:
        first = OrderedDict(pre_conv1=_conv(in_channels, width))
        for name in ("conv10", "conv1", "conv11"):
            first[name] = _conv(width, width)
        more = nn.Sequential(OrderedDict(conv1=_conv(width, width), relu=nn.ReLU()))
        head = OrderedDict(pool=nn.AdaptiveAvgPool2d(1), flatten=nn.Flatten(), classifier=_linear(width, classes))
        super().__init__(OrderedDict(first, more=more, **head))
        _draw(self, generator)


class Interruption(RuntimeError):
    """The forward pass of a `BusyNet` failed, as one does for which the memory is not enough."""


_CALM: list[None] = []


@contextmanager
def calm() -> Iterator[None]:
    """Within this block no forward pass is interrupted."""
    _CALM.append(None)
    try:
        yield
    finally:
        _CALM.pop()


class BusyNet(GapNet):
    """A `GapNet` that somebody is using: `.grad` is filled, one bias is frozen, and a hook of theirs looks on.

    What a function clears, switches over or leaves behind shows on it. With `interrupts=True` its forward pass
    fails, except within `calm()`: a function that is called again after that should have left nothing.

    >>> net = BusyNet(interrupts=True)
    >>> with calm():
    ...     net(torch.zeros(1, 3, 8, 6)).shape
    torch.Size([1, 5])
    """

    def __init__(self, *, interrupts: bool = False, **options: Any) -> None:
        super().__init__(**options)
        self._interrupts = interrupts
        self.features.get_parameter("0.bias").requires_grad_(False)
        self.features._forward_hooks["theirs"] = _look_on  # type: ignore[index]  # a number could be given out again
        self._fill()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self._fill()  # a copy of a parameter has no `.grad`

    def forward(self, images: Tensor) -> Tensor:
        """Scores `[N classes]`, or an `Interruption`."""
        if self._interrupts and not _CALM:
            raise Interruption("this network was interrupted on purpose; call your function again.")
        return super().forward(images)

    def _fill(self) -> None:
        for parameter in self.parameters():
            parameter.grad = torch.ones_like(parameter)


def _look_on(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    """A hook that changes nothing."""


def _conv(c: int, d: int, *, kernel: int = 3, stride: int = 1, bias: bool = True) -> nn.Conv2d:
    with torch.random.fork_rng(devices=[]):  # the usual initialisation would advance torch's global generator
        return nn.Conv2d(c, d, kernel, stride=stride, padding=kernel // 2, bias=bias)


def _linear(c: int, d: int, *, bias: bool = True) -> nn.Linear:
    with torch.random.fork_rng(devices=[]):
        return nn.Linear(c, d, bias=bias)


@torch.no_grad()
def _draw(net: nn.Module, generator: torch.Generator | None) -> None:
    """Fills weights with N(0, 2/fan_in), biases with N(0, 0.1^2), BatchNorm with statistics as after training."""
    g = torch.Generator().manual_seed(0) if generator is None else generator
    for module in net.modules():
        if isinstance(module, (nn.Conv2d, nn.Linear)):
            fan_in = module.weight[0].numel()
            module.weight.copy_(_normal(module.weight, g) * (2 / fan_in) ** 0.5)
            if module.bias is not None:
                module.bias.copy_(0.1 * _normal(module.bias, g))
        elif isinstance(module, nn.BatchNorm2d):
            module.weight.copy_(0.5 + _uniform(module.weight, g))
            module.bias.copy_(0.3 * _normal(module.bias, g))
            module.running_mean.copy_(0.3 * _normal(module.bias, g))  # type: ignore[union-attr]
            module.running_var.copy_(0.5 + _uniform(module.bias, g))  # type: ignore[union-attr]
    net.eval()


def _normal(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=generator, dtype=torch.float32)


def _uniform(like: Tensor, generator: torch.Generator) -> Tensor:
    return torch.rand(like.shape, generator=generator, dtype=torch.float32)
