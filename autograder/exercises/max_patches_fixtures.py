"""Inputs of lesson 05, maximum patches: small chains, boxes, maps and networks on which every known mistake shows."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

from autograder.exercises import max_patches_data_misconceptions as data_mistakes
from autograder.exercises import max_patches_geometry_misconceptions as geometry_mistakes
from autograder.exercises import max_patches_misconceptions as mistakes
from autograder.exercises.max_patches_parts import cut_patches, receptive_field, top_images, unit_box
from autograder.exercises.telling import telling
from autograder.fixtures import mixed_order
from autograder.records import Call
from cnnviz.small_nets import BusyNet, FlattenNet, GapNet, NamesakeNet

Chain = list[tuple[int, int, int, int]]
APART = 0.015
"""Distance, relative to max|expected|, that a case keeps between any two answers, right or wrong."""


_drawn = partial(telling, shows=APART, apart=APART)


def whole(generator: Generator, low: int, high: int) -> int:
    """A whole number from low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def randn(generator: Generator, *shape: int) -> Tensor:
    """Normal float64 numbers."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# 1. receptive_field


ODD = ((3, 5), (2, 3), (1, 2), (1, 1))
DILATED = ((2, 4), (1, 1), (0, 0), (2, 2))
EVEN = ((2, 4), (2, 3), (1, 2), (1, 3))
"""Kernels, strides, paddings and dilations that a layer is drawn from; the middle of EVEN lies between two taps."""


def chain(generator: Generator, kinds: Sequence[Sequence[tuple[int, int]]]) -> Chain:
    """One layer of each kind, with one of the two values in each place."""
    drawn = [[pair[whole(generator, 0, 1)] for pair in kind] for kind in kinds]
    return [(kernel, stride, padding, dilation) for kernel, stride, padding, dilation in drawn]


def _chains(*kinds: Sequence[Sequence[tuple[int, int]]]) -> Callable[[Generator], list[Call]]:
    return lambda generator: [Call({"chain": chain(generator, each)}) for each in kinds]


visible_chains = _drawn(_chains((ODD, DILATED, EVEN), (EVEN,), ()), receptive_field, geometry_mistakes.FIELD)
hidden_chains = _drawn(_chains((ODD, DILATED, EVEN), (EVEN, DILATED), ()), receptive_field, geometry_mistakes.FIELD)


# 2. unit_box


UNITS = ((0, 4), (5, 0), (4, 3))
"""Boxes over the top, over the left and inside; their first rows and columns are odd and even ones."""


def field(generator: Generator, size: int) -> dict[str, Any]:
    """Size, odd jump and start of some layer whose unit 0 begins before the border."""
    before = whole(generator, 1, size // 2)
    return {"size": size, "jump": 3 + 2 * whole(generator, 0, 1), "start": (size - 1) / 2 - before}


def _of_each_parity(size: int, jump: int) -> list[Call]:
    """First rows and columns below and above 0, even and odd, and 0: every way to round them shows; the jump is odd."""
    inputs = {"size": size, "jump": jump, "start": (size - 1) / 2 - 4 * jump}
    return [Call({"i": i, "j": j, **inputs}) for i, j in ((0, 5), (6, 1), (4, 3))]


def _boxes(*sizes: int) -> Callable[[Generator], list[Call]]:
    def build(generator: Generator) -> list[Call]:
        fields = [field(generator, size) for size in sizes]
        calls = [Call({"i": i, "j": j, **drawn}) for drawn in fields for i, j in UNITS]
        jump = 3 + 2 * whole(generator, 0, 1)
        return [*calls, *(call for size in (11, 12) for call in _of_each_parity(size, jump))]

    return build


visible_boxes = _drawn(_boxes(7, 10), unit_box, geometry_mistakes.BOX)
hidden_boxes = _drawn(_boxes(9, 6), unit_box, geometry_mistakes.BOX)


# 3. top_images


def maps(generator: Generator, size: tuple[int, int, int, int], count: int, heights: Sequence[float]) -> Call:
    """Maps of one channel with these maxima, in a mixed order of the images; the largest stands in three places."""
    N, K, h, w = size
    activations = randn(generator, *size).clamp(-1.5, 1.5)
    channel = whole(generator, 1, K - 2)
    activations[:, channel + 1] += 4.0  # another channel is stronger
    order = mixed_order(generator, N, N)
    for n, height in zip(order.tolist(), heights, strict=True):
        row = whole(generator, 1, h - 1)  # never on the diagonal, nor where the next line writes
        activations[n, channel, row, (row + whole(generator, 1, w - 1)) % w] = height
    activations[order[-1], channel, 0, 0] = -2 * heights[0]  # the largest number without its sign
    strongest = activations[order[0], channel]
    strongest.clamp_(max=1.5)
    strongest[0, w - 2] = strongest[h - 2, 0] = strongest[h - 1, w - 1] = heights[0]
    return Call({"activations": activations, "channel": channel, "count": count})


def all_negative(generator: Generator, n: int, *size: int) -> Call:
    """All of n images by a channel that is below zero everywhere; two nearly equal maxima, the larger one later."""
    maxima = -1 - torch.arange(n, dtype=torch.float64)
    maxima[[0, 1]] = torch.tensor([-1.00001, -1.0], dtype=torch.float64)
    spread = torch.rand(n, 2, *size, generator=generator, dtype=torch.float64)
    below = spread.amax((2, 3), keepdim=True) - spread
    return Call({"activations": maxima[:, None, None, None] - below, "channel": 1, "count": n})


def _maps(*calls: tuple[tuple[int, int, int, int], int, Sequence[float]]) -> Callable[[Generator], list[Call]]:
    return lambda generator: [*(maps(generator, *call) for call in calls), all_negative(generator, 3, 4, 3)]


EQUAL_MAXIMA = (4.0, 3.5, 3.5, 3.0, 2.5, 2.0)
visible_maps = _drawn(_maps(((6, 4, 3, 5), 4, EQUAL_MAXIMA)), top_images, data_mistakes.TOP)
hidden_maps = _drawn(
    _maps(((6, 3, 5, 4), 4, EQUAL_MAXIMA), ((4, 4, 3, 6), 2, (5.0, 4.0, 4.0, 2.0))), top_images, data_mistakes.TOP
)


# 4. cut_patches


def patches(generator: Generator, size: tuple[int, int, int, int], box: tuple[int, int]) -> Call:
    """Four boxes of one size: inside; over the top and the left; over the bottom and the right; over the left alone."""
    N, _, H, W = size
    tall, wide = box
    images = randn(generator, *size) + 0.5
    corners = [
        (whole(generator, 1, H - tall - 1), whole(generator, 1, W - wide - 1)),
        (whole(generator, 1 - tall, -1), whole(generator, 1 - wide, -1)),
        (whole(generator, H - tall + 1, H - 1), whole(generator, W - wide + 1, W - 1)),
        (whole(generator, 1, H - tall - 1), whole(generator, 1 - wide, -1)),
    ]
    order = mixed_order(generator, N, 4)  # no two boxes in one image
    boxes = [(n, top, left, top + tall, left + wide) for n, (top, left) in zip(order.tolist(), corners, strict=False)]
    return Call({"images": images, "boxes": torch.tensor(boxes)})


def beyond(generator: Generator) -> Call:
    """Boxes that are larger than the image: one holds all of it, the others a corner."""
    boxes = [(1, -2, -3, 7, 6), (0, 4, -8, 13, 1), (2, 3, 2, 12, 11)]
    return Call({"images": randn(generator, 3, 2, 5, 4) + 0.5, "boxes": torch.tensor(boxes)})


def _patches(*calls: tuple[tuple[int, int, int, int], tuple[int, int]]) -> Callable[[Generator], list[Call]]:
    return lambda generator: [*(patches(generator, *call) for call in calls), beyond(generator)]


visible_patches = _drawn(_patches(((4, 3, 11, 9), (4, 4))), cut_patches, data_mistakes.CUT)
hidden_patches = _drawn(_patches(((4, 1, 9, 12), (5, 5)), ((5, 2, 8, 11), (3, 5))), cut_patches, data_mistakes.CUT)


# 5. max_patches


def contrasts(generator: Generator, n: int, *size: int) -> Tensor:
    """Pictures of noise, some with more contrast than others."""
    strength = 1 + torch.randperm(n, generator=generator).to(torch.float64) / n
    return strength[:, None, None, None] * randn(generator, n, 3, *size)


def _scene(net: nn.Module, images: Tensor, chain: Chain, *, layer: str = "features", channel: int) -> Call:
    inputs = {"model": net, "images": images, "layer": layer, "channel": channel}
    return Call({**inputs, "chain": chain, "count": 3})


def strided(generator: Generator, first: tuple[int, int, int, int] = (4, 2, 2, 1)) -> Call:
    """Two convolutions; the first steps, and its padding moves the grid off the even division of the image."""
    chain = [first, (3, 1, 1, 1)]
    sizes = zip((3, 4), (4, 6), chain, strict=True)
    features = [module for c, d, layer in sizes for module in (_conv(generator, c, d, layer), nn.ReLU())]
    head = skip_init(nn.Linear, 6, 5, dtype=torch.float64)
    with torch.no_grad():
        for parameter in head.parameters():
            parameter.copy_(randn(generator, *parameter.shape) / 2)
    layers = {"features": nn.Sequential(*features), "pool": nn.AdaptiveAvgPool2d(1), "flat": nn.Flatten(), "head": head}
    images = contrasts(generator, 5, 20, 15)
    return _scene(nn.Sequential(OrderedDict(layers)).eval(), images, chain, channel=whole(generator, 1, 4))


def _conv(generator: Generator, c: int, d: int, layer: tuple[int, int, int, int]) -> nn.Module:
    kernel, stride, padding, dilation = layer
    conv = skip_init(
        nn.Conv2d, c, d, kernel, stride=stride, padding=padding, dilation=dilation, dtype=torch.float64
    )  # no random numbers but the generator's
    with torch.no_grad():
        conv.weight.copy_(randn(generator, *conv.weight.shape) / (c * kernel**2) ** 0.5)
        conv.bias.copy_(randn(generator, d) / 10)
    return conv


def pooled(generator: Generator) -> Call:
    """A max-pool between two convolutions."""
    net = FlattenNet(size=(20, 14), channels=(4, 6), generator=generator).double()
    chain = [(3, 1, 1, 1), (2, 2, 0, 1), (3, 1, 1, 1)]
    return _scene(net, contrasts(generator, 5, 20, 14), chain, channel=whole(generator, 1, 4))


def below_zero(generator: Generator) -> Call:
    """A layer that is negative everywhere in this channel, and that an in-place ReLU overwrites right after it."""
    net = GapNet(channels=(4, 6), inplace=True, generator=generator).double()
    channel = whole(generator, 1, 2)
    with torch.no_grad():
        net.features[0].bias[channel] -= 20.0  # type: ignore[index, union-attr]
    return _scene(net, contrasts(generator, 4, 9, 7), [(3, 1, 1, 1)], layer="features.0", channel=channel)


def awkward(generator: Generator) -> list[Call]:
    """A layer whose name is part of others; a network in use, which fails."""
    busy = BusyNet(interrupts=True, channels=(4, 6), generator=generator).double()
    namesake = NamesakeNet(width=6, generator=generator).double()
    images = contrasts(generator, 4, 8, 9)
    return [
        _scene(namesake, images, [(3, 1, 1, 1)] * 3, layer="conv1", channel=whole(generator, 1, 4)),
        _scene(busy, images, [(3, 1, 1, 1)] * 2, layer="features.2", channel=whole(generator, 1, 4)),
    ]


_told = [mistake for mistake in mistakes.METHOD if mistake.name != "last_namesake"]
_visible = _drawn(lambda g: [strided(g), below_zero(g)], mistakes.max_patches, _told)
_hidden = _drawn(lambda g: [strided(g, (5, 2, 3, 1)), pooled(g), below_zero(g)], mistakes.max_patches, _told)


def visible_networks(generator: Generator) -> list[Call]:
    """A layer with stride 2, and one below zero; names, and a network in use."""
    return [*_visible(generator), *awkward(generator)]


def hidden_networks(generator: Generator) -> list[Call]:
    """Other networks, with a max-pool; names, and a network in use."""
    return [*_hidden(generator), *awkward(generator)]
