"""Inputs of lesson 04, layer activation: small networks and float64 tensors on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from autograder.exercises import layer_activation_misconceptions as mistakes
from autograder.exercises import layer_activation_part_misconceptions as parts
from autograder.records import Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, NamesakeNet, calm

SIZE = (12, 8)

Calls = list[Call]


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _rand(generator: Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64)


# 1. capture


def _gap(generator: Generator, *, stride: int = 1) -> nn.Module:
    return GapNet(channels=(4, 6), stride=stride, inplace=True, generator=generator)


def look(generator: Generator, net: nn.Module, layer: str, n: int, *, frozen: bool = False) -> Call:
    """A network in float64, n images, a layer."""
    net = net.double()
    if frozen:
        net.requires_grad_(False)
    return Call({"model": net, "images": _randn(generator, n, 3, *SIZE), "layer": layer})


def _awkward(generator: Generator) -> Calls:
    """A functional ReLU in place after the layer; a name that is part of others; a network in use, which fails."""
    functional = FunctionalNet(channels=(4, 5, 4, 6), generator=generator)
    return [
        look(generator, functional, "features.conv2", 2, frozen=True),
        look(generator, NamesakeNet(generator=generator), "conv1", 1),
        look(generator, _busy(generator), "features.2", 1),
    ]


def _busy(generator: Generator) -> nn.Module:
    return BusyNet(interrupts=True, channels=(4, 6), stride=2, generator=generator)


def in_place(generator: Generator) -> Calls:
    """An in-place ReLU after the layer; then a single image, and a ReLU that is not in place."""
    flat = FlattenNet(size=SIZE, channels=(4, 6), generator=generator)
    return [
        look(generator, _gap(generator), "features.0", 3),
        look(generator, flat, "features.0", 1),
        *_awkward(generator),
    ]


def other_layers(generator: Generator) -> Calls:
    """BatchNorm before dropout, a single image."""
    norm = BatchNormNet(channels=(4, 6), generator=generator)
    return [look(generator, norm, "features.1", 1), *_awkward(generator)]


# 2. channel_thresholds


def layer_values(generator: Generator, n: int, k: int, h: int, w: int) -> Tensor:
    """Maps of both signs; channels of different scale, images of different brightness, long tails above."""
    values = _randn(generator, n, k, h, w) + 0.8 * _randn(generator, n, k, 1, 1)
    return (values + 0.3 * values.relu().square()) * (0.5 + torch.arange(k, dtype=torch.float64))[:, None, None]


def _thresholds(generator: Generator, *shapes: tuple[tuple[int, int, int, int], float]) -> Calls:
    """Layers to cut; and the last one again behind a ReLU, where many values are 0."""
    calls = [Call({"activations": layer_values(generator, *shape), "quantile": q}) for shape, q in shapes]
    A = calls[0].inputs["activations"]
    return [*calls, Call({"activations": (A + 0.1 * A.amax((0, 2, 3), keepdim=True)).relu(), "quantile": 0.7})]


def three_quantiles(generator: Generator) -> Calls:
    """Places 37.2 of 45 values, 2.3 of 24 and 5.7 of 20: every way to round between two values shows."""
    return _thresholds(generator, ((3, 4, 3, 5), 0.845), ((2, 3, 4, 3), 0.1), ((1, 5, 5, 4), 0.3))


def other_quantiles(generator: Generator) -> Calls:
    """Places 64.4 of 70 values, 2.9 of 30 and 3.3 of 12."""
    return _thresholds(generator, ((5, 3, 7, 2), 64.4 / 69), ((2, 4, 3, 5), 0.1), ((1, 4, 3, 4), 0.3))


# 3. upsample_and_mask


def _clear(activations: Tensor, thresholds: Tensor, size: tuple[int, int], margin: float) -> bool:
    """Whether no enlarged value is so near to its threshold that rounding could decide."""
    gaps = (parts.enlarge(activations, size) - parts.per_channel(thresholds)).abs()
    spread = activations.std((0, 2, 3), correction=0)
    return bool(((gaps > margin * spread[:, None, None]) | (spread == 0)[:, None, None]).all())


def maps_to_cut(generator: Generator, n: int, grid: tuple[int, int], size: tuple[int, int]) -> Call:
    """Maps, thresholds of both signs, and one channel that is 0 everywhere, whose threshold is 0."""
    for _ in range(300):
        activations = layer_values(generator, n, 4, *grid)
        shares = torch.tensor([0.75, 0.35, 0.85, 0.6])
        thresholds = torch.stack(
            [row.quantile(float(q)) for row, q in zip(parts.values_of_channels(activations), shares, strict=True)]
        )
        activations[:, 2], thresholds[2] = 0.0, 0.0
        if _clear(activations, thresholds, size, 3e-4):
            return Call({"activations": activations, "thresholds": thresholds, "size": size})
    raise RuntimeError("no maps found that keep away from their thresholds")


def _tiny(call: Call) -> Call:
    """The same maps in a unit in which all numbers are tiny."""
    return Call({**call.inputs, **{name: 1e-9 * call.inputs[name] for name in ("activations", "thresholds")}})


def cuts(generator: Generator) -> Calls:
    """Three images, a 4 x 3 grid to 10 x 9 pixels; and a single image, enlarged four times, of tiny numbers."""
    return [maps_to_cut(generator, 3, (4, 3), (10, 9)), _tiny(maps_to_cut(generator, 1, (3, 5), (12, 20)))]


def other_cuts(generator: Generator) -> Calls:
    """Other grids and sizes."""
    return [maps_to_cut(generator, 4, (3, 4), (7, 13)), _tiny(maps_to_cut(generator, 1, (5, 2), (15, 8)))]


# 4. dataset_iou


def boxes(generator: Generator, n: int, size: tuple[int, int]) -> Tensor:
    """One box of random size and place in each image but the last [n H W]; a single image has one."""
    concept = torch.zeros(n, *size, dtype=torch.bool)
    for one in concept[: max(1, n - 1)]:
        top, left = (int(_rand(generator) * side * 0.5) for side in size)
        height, width = (2 + int(_rand(generator) * side * 0.5) for side in size)
        one[top : top + height, left : left + width] = True
    return concept


def overlapping(generator: Generator, n: int, k: int, size: tuple[int, int]) -> Call:
    """Masks that like the concept more or less and cover images unevenly; the last channel is never on."""
    concept = boxes(generator, n, size)
    wide = torch.linspace(0.05, 0.8, k, dtype=torch.float64)[:, None, None]  # masks smaller and larger than the concept
    density = _rand(generator, n, k, 1, 1) * wide
    liking = torch.linspace(0.5, 0.3, k, dtype=torch.float64)[:, None, None] * concept[:, None]
    masks = _rand(generator, n, k, *size) < density + liking
    masks[:, -1] = False
    masks[0, 1] = False  # the concept is there, and this channel misses it
    return Call({"masks": masks, "concept": concept})


def _nowhere(call: Call) -> Call:
    return Call({**call.inputs, "concept": torch.zeros_like(call.inputs["concept"])})


def _one_channel(call: Call) -> Call:
    return Call({**call.inputs, "masks": call.inputs["masks"][:, :1]})


def overlaps(generator: Generator) -> Calls:
    """Four images, one without the concept, and a channel that is never on; one channel; a concept that is nowhere."""
    four, two = overlapping(generator, 4, 5, (6, 8)), overlapping(generator, 2, 3, (4, 5))
    return [four, _one_channel(two), _nowhere(two)]


def other_overlaps(generator: Generator) -> Calls:
    """Other sizes, a single image with all channels and with one, and a concept that is nowhere."""
    one = overlapping(generator, 1, 3, (9, 6))
    return [
        overlapping(generator, 5, 4, (7, 5)),
        one,
        _one_channel(one),
        _nowhere(overlapping(generator, 1, 4, (5, 5))),
    ]


# 5. dissect


@calm()
def scene(
    generator: Generator,
    build: Callable[[Generator], nn.Module],
    layer: str,
    n: int,
    quantile: float,
    size: tuple[int, int] = SIZE,
) -> Call:
    """A network, images, a concept of some size; no enlarged value near its threshold."""
    for _ in range(300):
        call = look(generator, build(generator), layer, n)
        concept = boxes(generator, n, size)
        A = mistakes.right(**call.inputs)
        if _clear(A, parts.quantiles(A, quantile), size, 2e-5):
            model, images = call.inputs["model"], call.inputs["images"]
            given = {"model": model, "images": images, "concept": concept, "layer": layer, "quantile": quantile}
            return Call(given)
    raise RuntimeError("no scene found whose maps keep away from their thresholds")


def half_grid(generator: Generator) -> nn.Module:
    """A network whose layer features.2 has half the rows and columns; an in-place ReLU follows."""
    return _gap(generator, stride=2)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), generator=generator)


def dissections(generator: Generator) -> Calls:
    """Five images on a grid of half the size; a concept that is drawn larger than the images, a network in use."""
    return [
        scene(generator, half_grid, "features.2", 5, 0.8),
        scene(generator, _busy, "features.2", 3, 0.75, (14, 15)),
    ]


def other_dissections(generator: Generator) -> Calls:
    """Other networks, numbers of images and quantiles; a concept that is drawn smaller than the images."""
    return [
        scene(generator, half_grid, "features.2", 4, 0.7),
        scene(generator, _flatten, "features.3", 3, 0.9),
        scene(generator, _busy, "features.2", 3, 0.8, (10, 7)),
    ]
