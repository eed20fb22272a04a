"""Inputs of lesson 15, which map: small float64 maps, boxes, networks and curves on which every known mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.exercises import which_map_curve_misconceptions as curves
from autograder.exercises import which_map_misconceptions as boxed
from autograder.exercises import which_map_rank_misconceptions as ranked
from autograder.records import Call, Misconception
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet

Build = Callable[[Generator], Sequence[Call]]
TRIES = 2000


def _rand(generator: Generator, *shape: int) -> Tensor:
    return torch.rand(shape, generator=generator, dtype=torch.float64)


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(shape, generator=generator, dtype=torch.float64)


def _integer(generator: Generator, low: int, high: int) -> int:
    """From low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


# Drawn again until every mistake shows


def showing(build: Build, right: Callable[..., Any], mistakes: Sequence[Misconception]) -> Build:
    """The same inputs, drawn again until each mistake is far from the right answer and from the other mistakes."""

    def calls(generator: Generator) -> Sequence[Call]:
        for _ in range(TRIES):
            drawn = build(generator)
            answers = [
                [function(**call.inputs) for call in drawn] for function in (right, *(m.wrong for m in mistakes))
            ]
            if _apart(answers):
                return drawn
        raise RuntimeError(f"no inputs found on which every mistake shows: {build.__name__}")

    return calls


def _apart(answers: Sequence[Sequence[Tensor]]) -> bool:
    expected, *wrong = answers
    size = max(float(answer.abs().max()) for answer in expected)
    return all(_far(expected, one) > 0.02 * size for one in wrong) and all(
        _far(one, other) > 0.002 * max(float(answer.nan_to_num().abs().max()) for answer in (*one, *other))
        for one, other in itertools.combinations(wrong, 2)
    )


def _far(one: Sequence[Tensor], other: Sequence[Tensor]) -> float:
    """Largest difference over all calls; infinite where shapes differ or only one of the two is a number."""
    if any(a.shape != b.shape for a, b in zip(one, other, strict=True)):
        return np.inf
    a, b = (torch.cat([answer.reshape(-1).double() for answer in answers]) for answers in (one, other))
    return float(torch.where(a.isnan() & b.isnan(), 0.0, (a - b).abs()).nan_to_num(nan=np.inf).max())


# 1. and 2. maps and boxes


def _boxes(generator: Generator, n: int, size: tuple[int, int], rim: int) -> Tensor:
    """Boxes of 3 to 5 rows and 2 to 6 columns, at least `rim` pixels away from the border, never on the diagonal."""
    H, W = size
    boxes: list[list[int]] = []
    while len(boxes) < n:
        top, left = _integer(generator, rim, H - rim - 3), _integer(generator, rim, W - rim - 2)
        bottom, right = top + _integer(generator, 3, 5), left + _integer(generator, 2, 6)
        if bottom <= H - rim and right <= W - rim and (top, bottom) != (left, right):
            boxes.append([top, left, bottom, right])
    return torch.tensor(boxes)


PLACES = ((0, 0), (2, 2), (2, 2), (3, 3), (3, 0), (0, 3), (0, 4), (4, 0), (1, 2), (0, 0))
"""Rows and columns from the box at which a map's peak stands: inside, near and far corners, straight below, beside."""


NEARLY = {0: (0, 4), 6: (0, 0)}
"""Index of a map -> the place of a pixel that is lower than the peak by 5e-7."""


def _outside(box: Tensor, place: tuple[int, int], generator: Generator) -> tuple[int, int]:
    """A pixel so many rows and columns beyond the box, towards a random side, or inside it where that is 0."""
    (top, left, bottom, right), pixel = box.tolist(), []
    for first, end, away in ((top, bottom, place[0]), (left, right, place[1])):
        before = bool(torch.rand((), generator=generator) < 0.4)
        within = _integer(generator, first, end - 1)
        pixel.append(within if away == 0 else first - away if before else end - 1 + away)
    return pixel[0], pixel[1]


def _peaked(generator: Generator, size: tuple[int, int], tolerance: float) -> Call:
    """One map a place of `PLACES`, then ties, and a map that is nowhere positive.

    In two maps another pixel is nearly as high: outside where the peak is inside, and the other way round.
    """
    n = len(PLACES) + 4
    boxes = _boxes(generator, n, size, rim=4)
    maps = 2 * _rand(generator, n, *size) - 1
    for i, (one, box) in enumerate(zip(maps, boxes, strict=True)):
        places = [PLACES[i]] if i < len(PLACES) else [(0, 0), (0, 4), (4, 1)]
        for place in places:
            one[_outside(box, place, generator)] = 2.0
        if i in NEARLY:
            one[_outside(box, NEARLY[i], generator)] = 2.0 - 5e-7
        low = [(0, 0), (0, 4)][i % 2]
        one[_outside(box, low, generator)] -= 4.0 if i % 3 == 0 else 0.5
    maps[-1] -= 3.0
    flat = torch.zeros(1, *size, dtype=torch.float64)
    order = torch.randperm(n + 1, generator=generator)
    boxes = torch.cat([boxes, _boxes(generator, 1, size, rim=4)])
    return Call({"maps": torch.cat([maps, flat])[order], "boxes": boxes[order], "tolerance": tolerance})


def _pointing(*sizes: tuple[int, int, float]) -> Build:
    def pointing(generator: Generator) -> list[Call]:
        return [_peaked(generator, (H, W), tolerance) for H, W, tolerance in sizes]

    return showing(pointing, boxed.game, boxed.POINTING)


pointing = _pointing((13, 17, 3), (12, 14, 0), (13, 12, 2.5))
other_pointing = _pointing((16, 13, 3), (14, 12, 1), (12, 15, 2.5))


def tiled_games(generator: Generator) -> list[Call]:
    """Maps with ties and, one after the other, the left and the right part of the picture as the box."""
    maps = torch.randint(-3, 3, (4, 6, 7), generator=generator).double()
    border = _integer(generator, 2, 5)
    halves = ([0, 0, 6, border], [0, border, 6, 7])
    return [Call({"maps": maps, "boxes": torch.tensor([half] * 4), "tolerance": 0}) for half in halves]


def grown_games(generator: Generator) -> list[Call]:
    """The same boxes for maps M and for e^M."""
    call = _peaked(generator, (13, 17), 2)
    return [call, Call({**call.inputs, "maps": call.inputs["maps"].exp()})]


def _signed(generator: Generator, n: int, size: tuple[int, int]) -> Call:
    maps = _randn(generator, n, *size) + 0.3
    dark, faint = torch.randperm(n, generator=generator)[:2].tolist()
    maps[dark] = -0.2 - _rand(generator, *size)
    maps[faint] *= 1e-9
    return Call({"maps": maps, "boxes": _boxes(generator, n, size, rim=1)})


def _energy(*sizes: tuple[int, int, int]) -> Build:
    def energies(generator: Generator) -> list[Call]:
        return [_signed(generator, n, (H, W)) for n, H, W in sizes]

    return showing(energies, lambda maps, boxes: boxed.energy(boxed.positive(maps), boxes), boxed.ENERGY)


energy = _energy((4, 9, 12), (2, 8, 10))
other_energy = _energy((3, 11, 8))


def tiled_energy(generator: Generator) -> list[Call]:
    """Three maps and, one after the other, the upper and the lower part of the picture as the box; then 5·M."""
    maps = _randn(generator, 3, 8, 6)
    border = _integer(generator, 3, 5)
    halves = ([0, 0, border, 6], [border, 0, 8, 6])
    calls = [Call({"maps": maps, "boxes": torch.tensor([half] * 3)}) for half in halves]
    return [*calls, Call({**calls[0].inputs, "maps": 5 * maps})]


# 3. deletion curves

CLASSES = 5


def _gap(generator: Generator) -> nn.Module:
    return GapNet(channels=(4, 6), classes=CLASSES, generator=generator, inplace=True)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=(8, 4), channels=(4, 6), classes=CLASSES, generator=generator)


def _functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _pixelwise(generator: Generator) -> nn.Module:
    """A network that sees the colours of pixels and not their places."""
    return GapNet(channels=(6,), kernel=1, classes=CLASSES, generator=generator)


def _tied(call: Call, generator: Generator) -> Call:
    """A rectified map of few levels, most of it 0; pixels of one level have one colour; a number as fill.

    In a network that does not see places, the order of such pixels plays no part; how many of them are gone does.
    """
    heat = (2 * call.inputs["heat"]).round().clamp(0, 3)
    image = _randn(generator, 3, 4)[:, heat.long()]
    return Call({**call.inputs, "heat": heat, "image": image, "fill": 0.75})


def _linear(generator: Generator) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 4, CLASSES))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net.eval()


@torch.no_grad()
def _scene(
    generator: Generator,
    build: Callable[[Generator], nn.Module],
    size: tuple[int, int],
    steps: int,
    *,
    drawn: bool = False,
    frozen: bool = False,
) -> Call:
    """A network, a picture, a target that it does not prefer, a signed map and a fill: a colour, or a drawn picture."""
    net = build(generator).double()
    image, heat = _randn(generator, 3, *size), _randn(generator, *size)
    fill = 1.5 * _randn(generator, 3, *(size if drawn else (1, 1)))
    scores = net(torch.stack([image, fill.expand_as(image)]))
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    factor = 1.5 / float((scores[0] - scores[1]).abs().max())
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    target = int(net(image[None])[0].argsort()[_integer(generator, 0, CLASSES - 2)])
    net.requires_grad_(not frozen)
    return Call({"model": net, "image": image, "target": target, "heat": heat, "steps": steps, "fill": fill})


def _deletion(*scenes: dict[str, Any]) -> Build:
    def deletions(generator: Generator) -> list[Call]:
        tied = _scene(generator, _pixelwise, (6, 7), 8)
        return [*(_scene(generator, **scene) for scene in scenes), _tied(tied, generator)]

    return showing(deletions, curves.deletion, curves.DELETION)


deletion = _deletion(
    {"build": _gap, "size": (6, 5), "steps": 4},
    {"build": _flatten, "size": (8, 4), "steps": 5, "drawn": True, "frozen": True},
)
other_deletion = _deletion(
    {"build": _batch_norm, "size": (5, 7), "steps": 6, "drawn": True},
    {"build": _functional, "size": (7, 4), "steps": 3, "frozen": True},
)


def linear_deletion(generator: Generator) -> list[Call]:
    """A linear network: one weight a number of the picture."""
    return [_scene(generator, _linear, (6, 4), 5)]


def there_and_back(generator: Generator) -> list[Call]:
    """A picture that is deleted, and an empty one into which the picture is put, the least important pixels first."""
    there = _scene(generator, _flatten, (8, 4), 8)
    image, fill = there.inputs["image"], there.inputs["fill"]
    back = {"image": fill.expand_as(image).clone(), "fill": image, "heat": -there.inputs["heat"]}
    return [there, Call({**there.inputs, **back})]


# 4. the area under a curve


def _scores(generator: Generator, n: int, steps: int) -> Tensor:
    """n falling curves that start above 1, with noise, the second of several upside down."""
    start, end = 1.5 + _rand(generator, n, 1), _randn(generator, n, 1)
    fractions = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    scores = start + (end.abs() - start) * fractions + 0.5 * _randn(generator, n, steps + 1)
    scores[1:2] = -scores[1:2]
    return scores


def _areas(*sizes: tuple[int, int]) -> Build:
    def areas(generator: Generator) -> list[Call]:
        return [Call({"scores": _scores(generator, n, steps)}) for n, steps in sizes]

    return showing(areas, curves.area, curves.AREA)


areas = _areas((3, 5), (1, 4), (2, 1))
other_areas = _areas((4, 6), (1, 3), (3, 1))


def straight_curves(generator: Generator) -> list[Call]:
    """Straight lines from one random height to another."""
    ends = _randn(generator, 3, 2)
    return [Call({"scores": ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.linspace(0, 1, 6).double()})]


def joined_curves(generator: Generator) -> list[Call]:
    """A curve of eight steps, its first four, and its last four."""
    scores = _scores(generator, 3, 8)
    return [Call({"scores": part.clone()}) for part in (scores, scores[:, :5], scores[:, 4:])]


# 5. rank correlation


def _levels(values: Tensor) -> Tensor:
    """The values in steps: many ties, and steps of unequal height on both sides of 0."""
    steps = (2 * values).round().clamp(-3, 4)
    return steps.sign() * (steps.abs().exp() - 1)


def _pair(generator: Generator, n: int, size: tuple[int, int]) -> Call:
    """n pairs of maps, alike to different degrees, one of them oppositely; then one map that is constant."""
    a, noise = _randn(generator, n, *size), _randn(generator, n, *size)
    mixed = torch.linspace(-0.8, 0.9, n).double()[torch.randperm(n, generator=generator)][:, None, None]
    b = mixed * a + 0.7 * noise
    a, b = _levels(a), _levels(b)
    constant, *others = torch.randperm(n, generator=generator).tolist()
    b[constant] = 0.0
    for one in others:  # a third of the zeros are nearly zero: no ties
        b[one] += 1e-7 * (b[one] == 0) * (_rand(generator, *size) < 0.35)
    return Call({"maps_a": a, "maps_b": b})


def _pairs(*sizes: tuple[int, int, int]) -> Build:
    def pairs(generator: Generator) -> list[Call]:
        return [_pair(generator, n, (H, W)) for n, H, W in sizes]

    return showing(pairs, ranked.spearman, ranked.RANK)


pairs = _pairs((4, 5, 7))
other_pairs = _pairs((3, 7, 4), (2, 4, 5))


def monotone_pairs(generator: Generator) -> list[Call]:
    """A map with ties and its exponential; the same map and its negative."""
    maps = _levels(_randn(generator, 3, 5, 6))
    return [Call({"maps_a": maps, "maps_b": other}) for other in (maps.exp(), -maps)]


def exchanged_pairs(generator: Generator) -> list[Call]:
    """Two maps, and the same the other way round, one of them cubed."""
    call = _pair(generator, 3, (5, 6))
    a, b = call.inputs["maps_a"], call.inputs["maps_b"]
    return [call, Call({"maps_a": b**3, "maps_b": a})]
