"""Inputs of lesson 04, layer activation: small networks and float64 tensors on which every known mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Generator, Tensor, nn

from autograder.exercises import layer_activation_iou_misconceptions as overlap
from autograder.exercises import layer_activation_misconceptions as mistakes
from autograder.exercises import layer_activation_part_misconceptions as parts
from autograder.records import Call, Misconception
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet

SIZE = (12, 8)

Calls = Sequence[Call]

# Draw again until every mistake shows, and no two look alike.


def _results(function: Callable[..., Tensor], calls: Calls) -> list[Tensor]:
    return [function(**call.inputs).double() for call in calls]


def _far(one: list[Tensor], other: list[Tensor]) -> float:
    """Largest difference over the calls, relative to max|one|; infinite where shapes differ or a value is NaN."""
    if any(a.shape != b.shape for a, b in zip(one, other, strict=True)):
        return float("inf")
    scale = max(float(a.abs().max()) for a in one) or 1.0
    apart = [(a - b).abs().nan_to_num(nan=float("inf")).max() for a, b in zip(one, other, strict=True)]
    return max(map(float, apart)) / scale


def _shows(reference: Callable[..., Tensor], known: Sequence[Misconception], calls: Calls) -> bool:
    right = _results(reference, calls)
    wrong = [_results(mistake.wrong, calls) for mistake in known]
    if any(_far(right, result) < 0.03 for result in wrong):
        return False
    return all(min(_far(a, b), _far(b, a)) > 1e-3 for a, b in itertools.combinations(wrong, 2))


def _first(draws: Iterator[Calls], reference: Callable[..., Tensor], known: Sequence[Misconception]) -> Calls:
    for calls in itertools.islice(draws, 300):
        if _shows(reference, known, calls):
            return calls
    raise RuntimeError("no inputs found on which every mistake shows")


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _rand(generator: Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64)


# 1. capture


def _gap(generator: Generator, *, stride: int = 1) -> nn.Module:
    return GapNet(channels=(4, 6), stride=stride, inplace=True, generator=generator)


def look(generator: Generator, net: nn.Module, layer: str, n: int, *, frozen: bool = False) -> Call:
    """A network in float64, n images, a layer."""
    net = net.double().requires_grad_(not frozen)
    return Call({"model": net, "images": _randn(generator, n, 3, *SIZE), "layer": layer})


def in_place(generator: Generator) -> Calls:
    """An in-place ReLU after the layer; then a single image, and a ReLU that is not in place."""

    def draws():
        while True:
            flat = FlattenNet(size=SIZE, channels=(4, 6), generator=generator)
            yield [
                look(generator, _gap(generator), "features.0", 3),
                look(generator, flat, "features.0", 1),
            ]

    return _first(draws(), mistakes.right, mistakes.CAPTURE)


def other_layers(generator: Generator) -> Calls:
    """A functional in-place ReLU after the layer, frozen; BatchNorm before dropout, a single image."""

    def draws():
        while True:
            functional = FunctionalNet(channels=(4, 5, 4, 6), generator=generator)
            norm = BatchNormNet(channels=(4, 6), generator=generator)
            yield [
                look(generator, functional, "features.conv2", 3, frozen=True),
                look(generator, norm, "features.1", 1),
            ]

    return _first(draws(), mistakes.right, mistakes.CAPTURE)


# 2. channel_thresholds


def layer_values(generator: Generator, n: int, k: int, h: int, w: int) -> Tensor:
    """Maps of both signs; channels of different scale, images of different brightness, long tails above."""
    values = _randn(generator, n, k, h, w) + 0.8 * _randn(generator, n, k, 1, 1)
    return (values + 0.3 * values.relu().square()) * (0.5 + torch.arange(k, dtype=torch.float64))[:, None, None]


def _threshold_draws(generator: Generator, shapes: Sequence[tuple[tuple[int, int, int, int], float]]):
    while True:
        yield [Call({"activations": layer_values(generator, *shape), "quantile": q}) for shape, q in shapes]


def three_quantiles(generator: Generator) -> Calls:
    """Places 35.2 of 45 values, 2.3 of 24 and 5.7 of 20: every way to round between two values shows."""
    shapes = (((3, 4, 3, 5), 0.8), ((2, 3, 4, 3), 0.1), ((1, 5, 5, 4), 0.3))
    return _first(_threshold_draws(generator, shapes), parts.quantiles, parts.THRESHOLDS)


def other_quantiles(generator: Generator) -> Calls:
    """Places 64.4 of 70 values, 2.9 of 30 and 3.3 of 12."""
    shapes = (((5, 3, 7, 2), 64.4 / 69), ((2, 4, 3, 5), 0.1), ((1, 4, 3, 4), 0.3))
    return _first(_threshold_draws(generator, shapes), parts.quantiles, parts.THRESHOLDS)


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


def cuts(generator: Generator) -> Calls:
    """Three images, a 4 x 3 grid to 10 x 9 pixels; and a single image, enlarged four times."""

    def draws():
        while True:
            yield [maps_to_cut(generator, 3, (4, 3), (10, 9)), maps_to_cut(generator, 1, (3, 5), (12, 20))]

    return _first(draws(), parts.masked, parts.MASKS)


def other_cuts(generator: Generator) -> Calls:
    """Other grids and sizes."""

    def draws():
        while True:
            yield [maps_to_cut(generator, 4, (3, 4), (7, 13)), maps_to_cut(generator, 1, (5, 2), (15, 8))]

    return _first(draws(), parts.masked, parts.MASKS)


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
    return Call({"masks": masks, "concept": concept})


def _nowhere(call: Call) -> Call:
    return Call({**call.inputs, "concept": torch.zeros_like(call.inputs["concept"])})


def _overlap_draws(generator: Generator, *shapes: tuple[int, int, tuple[int, int]]):
    while True:
        calls = [overlapping(generator, *shape) for shape in shapes]
        yield [*calls[:-1], _nowhere(calls[-1])]


def overlaps(generator: Generator) -> Calls:
    """Four images, one without the concept, and a channel that is never on; then a concept that is nowhere."""
    draws = _overlap_draws(generator, (4, 5, (6, 8)), (2, 3, (4, 5)))
    return _first(draws, overlap.iou_of_the_data_set, overlap.IOU)


def other_overlaps(generator: Generator) -> Calls:
    """Other sizes, a single image, and a concept that is nowhere."""
    draws = _overlap_draws(generator, (5, 4, (7, 5)), (1, 3, (9, 6)), (1, 4, (5, 5)))
    return _first(draws, overlap.iou_of_the_data_set, overlap.IOU)


# 5. dissect


def scene(generator: Generator, build: Callable[[Generator], nn.Module], layer: str, n: int, quantile: float) -> Call:
    """A network, images, a concept; no enlarged value near its threshold."""
    for _ in range(300):
        call = look(generator, build(generator), layer, n)
        concept = boxes(generator, n, SIZE)
        A = mistakes.right(**call.inputs)
        if _clear(A, parts.quantiles(A, quantile), SIZE, 2e-5):
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
    """Five images on a grid of half the size."""

    def draws():
        while True:
            yield [scene(generator, half_grid, "features.2", 5, 0.8)]

    return _first(draws(), mistakes.pipeline(), mistakes.METHOD)


def other_dissections(generator: Generator) -> Calls:
    """Other networks, numbers of images and quantiles."""

    def draws():
        while True:
            yield [
                scene(generator, half_grid, "features.2", 4, 0.7),
                scene(generator, _flatten, "features.3", 3, 0.9),
            ]

    return _first(draws(), mistakes.pipeline(), mistakes.METHOD)
