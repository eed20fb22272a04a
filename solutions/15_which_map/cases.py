"""Inputs and laws of which map: small maps and boxes, networks whose scores fall, curves, and pairs of maps with ties."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.course.authored import Checks
from autograder.course.fixtures import between, randn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, FlattenNet, FunctionalNet, GapNet

Build = Callable[[Generator], Sequence[Call]]


def integer(generator: Generator, low: int, high: int) -> int:
    """From low to high, both included."""
    return int(torch.randint(low, high + 1, (), generator=generator))


def drawn_boxes(generator: Generator, n: int, size: tuple[int, int], rim: int) -> Tensor:
    """Boxes of 3 to 5 rows and 2 to 6 columns, at least `rim` pixels away from the border, never on the diagonal."""
    H, W = size
    boxes: list[list[int]] = []
    while len(boxes) < n:
        top, left = integer(generator, rim, H - rim - 3), integer(generator, rim, W - rim - 2)
        bottom, right = top + integer(generator, 3, 5), left + integer(generator, 2, 6)
        if bottom <= H - rim and right <= W - rim and (top, bottom) != (left, right):
            boxes.append([top, left, bottom, right])
    return torch.tensor(boxes)


PLACES = ((0, 0), (2, 2), (2, 2), (3, 3), (3, 0), (0, 3), (0, 4), (4, 0), (1, 2), (0, 0))
"""Rows and columns from the box at which a map's peak stands: inside, near and far corners, straight below, beside."""


NEARLY = {0: (0, 4), 6: (0, 0)}
"""Index of a map -> the place of a pixel that is lower than the peak by 5e-7."""


def outside(box: Tensor, place: tuple[int, int], generator: Generator) -> tuple[int, int]:
    """A pixel so many rows and columns beyond the box, towards a random side, or inside it where that is 0."""
    (top, left, bottom, right), pixel = box.tolist(), []
    for first, end, away in ((top, bottom, place[0]), (left, right, place[1])):
        before = bool(torch.rand((), generator=generator) < 0.4)
        within = integer(generator, first, end - 1)
        pixel.append(within if away == 0 else first - away if before else end - 1 + away)
    return pixel[0], pixel[1]


def peaked(generator: Generator, size: tuple[int, int], tolerance: float) -> Call:
    """One map a place of `PLACES`, then ties, and a map that is nowhere positive.

    In two maps another pixel is nearly as high: outside where the peak is inside, and the other way round.
    """
    n = len(PLACES) + 4
    boxes = drawn_boxes(generator, n, size, rim=4)
    maps = 2 * between(generator, 0, 1, n, *size) - 1
    for i, (one, box) in enumerate(zip(maps, boxes, strict=True)):
        places = [PLACES[i]] if i < len(PLACES) else [(0, 0), (0, 4), (4, 1)]
        for place in places:
            one[outside(box, place, generator)] = 2.0
        if i in NEARLY:
            one[outside(box, NEARLY[i], generator)] = 2.0 - 5e-7
        low = [(0, 0), (0, 4)][i % 2]
        one[outside(box, low, generator)] -= 4.0 if i % 3 == 0 else 0.5
    maps[-1] -= 3.0
    flat = torch.zeros(1, *size, dtype=torch.float64)
    order = torch.randperm(n + 1, generator=generator)
    boxes = torch.cat([boxes, drawn_boxes(generator, 1, size, rim=4)])
    return Call({"maps": torch.cat([maps, flat])[order], "boxes": boxes[order], "tolerance": tolerance})


def tiled_games(generator: Generator) -> list[Call]:
    """Maps with ties and, one after the other, the left and the right part of the picture as the box."""
    maps = torch.randint(-3, 3, (4, 6, 7), generator=generator).double()
    border = integer(generator, 2, 5)
    halves = ([0, 0, 6, border], [0, border, 6, 7])
    return [Call({"maps": maps, "boxes": torch.tensor([half] * 4), "tolerance": 0}) for half in halves]


def grown_games(generator: Generator) -> list[Call]:
    """The same boxes for maps M and for e^M."""
    call = peaked(generator, (13, 17), 2)
    return [call, Call({**call.inputs, "maps": call.inputs["maps"].exp()})]


def signed(generator: Generator, n: int, size: tuple[int, int]) -> Call:
    maps = randn(generator, n, *size) + 0.3
    dark, faint = torch.randperm(n, generator=generator)[:2].tolist()
    maps[dark] = -0.2 - between(generator, 0, 1, *size)
    maps[faint] *= 1e-9
    return Call({"maps": maps, "boxes": drawn_boxes(generator, n, size, rim=1)})


def tiled_energy(generator: Generator) -> list[Call]:
    """Three maps and, one after the other, the upper and the lower part of the picture as the box; then 5·M."""
    maps = randn(generator, 3, 8, 6)
    border = integer(generator, 3, 5)
    halves = ([0, 0, border, 6], [border, 0, 8, 6])
    calls = [Call({"maps": maps, "boxes": torch.tensor([half] * 3)}) for half in halves]
    return [*calls, Call({**calls[0].inputs, "maps": 5 * maps})]


CLASSES = 5


def gap(generator: Generator) -> nn.Module:
    return GapNet(channels=(4, 6), classes=CLASSES, generator=generator, inplace=True)


def flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=(8, 4), channels=(4, 6), classes=CLASSES, generator=generator)


def functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def pixelwise(generator: Generator) -> nn.Module:
    """A network that sees the colours of pixels and not their places."""
    return GapNet(channels=(6,), kernel=1, classes=CLASSES, generator=generator)


def tied(call: Call, generator: Generator) -> Call:
    """A rectified map of few levels, most of it 0; pixels of one level have one colour; a number as fill.

    In a network that does not see places, the order of such pixels plays no part; how many of them are gone does.
    """
    heat = (2 * call.inputs["heat"]).round().clamp(0, 3)
    image = randn(generator, 3, 4)[:, heat.long()]
    return Call({**call.inputs, "heat": heat, "image": image, "fill": 0.75})


def linear(generator: Generator) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * 6 * 4, CLASSES))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net.eval()


@torch.no_grad()
def scene(
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
    image, heat = randn(generator, 3, *size), randn(generator, *size)
    fill = 1.5 * randn(generator, 3, *(size if drawn else (1, 1)))
    scores = net(torch.stack([image, fill.expand_as(image)]))
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    factor = 1.5 / float((scores[0] - scores[1]).abs().max())
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    target = int(net(image[None])[0].argsort()[integer(generator, 0, CLASSES - 2)])
    net.requires_grad_(not frozen)
    return Call({"model": net, "image": image, "target": target, "heat": heat, "steps": steps, "fill": fill})


def deletions(*scenes: dict[str, Any]) -> Build:
    def build(generator: Generator) -> list[Call]:
        tied_scene = scene(generator, pixelwise, (6, 7), 8)
        return [*(scene(generator, **one) for one in scenes), tied(tied_scene, generator)]

    return build


def linear_deletion(generator: Generator) -> list[Call]:
    """A linear network: one weight a number of the picture."""
    return [scene(generator, linear, (6, 4), 5)]


def there_and_back(generator: Generator) -> list[Call]:
    """A picture that is deleted, and an empty one into which the picture is put, the least important pixels first."""
    there = scene(generator, flatten, (8, 4), 8)
    image, fill = there.inputs["image"], there.inputs["fill"]
    back = {"image": fill.expand_as(image).clone(), "fill": image, "heat": -there.inputs["heat"]}
    return [there, Call({**there.inputs, **back})]


def curves(generator: Generator, n: int, steps: int) -> Tensor:
    """n falling curves that start above 1, with noise, the second of several upside down."""
    start, end = 1.5 + between(generator, 0, 1, n, 1), randn(generator, n, 1)
    fractions = torch.linspace(0, 1, steps + 1, dtype=torch.float64)
    scores = start + (end.abs() - start) * fractions + 0.5 * randn(generator, n, steps + 1)
    scores[1:2] = -scores[1:2]
    return scores


def straight_curves(generator: Generator) -> list[Call]:
    """Straight lines from one random height to another."""
    ends = randn(generator, 3, 2)
    return [Call({"scores": ends[:, :1] + (ends[:, 1:] - ends[:, :1]) * torch.linspace(0, 1, 6).double()})]


def joined_curves(generator: Generator) -> list[Call]:
    """A curve of eight steps, its first four, and its last four."""
    scores = curves(generator, 3, 8)
    return [Call({"scores": part.clone()}) for part in (scores, scores[:, :5], scores[:, 4:])]


def levels(values: Tensor) -> Tensor:
    """The values in steps: many ties, and steps of unequal height on both sides of 0."""
    steps = (2 * values).round().clamp(-3, 4)
    return steps.sign() * (steps.abs().exp() - 1)


def pair(generator: Generator, n: int, size: tuple[int, int]) -> Call:
    """n pairs of maps, alike to different degrees, one of them oppositely; then one map that is constant."""
    a, noise = randn(generator, n, *size), randn(generator, n, *size)
    mixed = torch.linspace(-0.8, 0.9, n).double()[torch.randperm(n, generator=generator)][:, None, None]
    b = mixed * a + 0.7 * noise
    a, b = levels(a), levels(b)
    constant, *others = torch.randperm(n, generator=generator).tolist()
    b[constant] = 0.0
    for one in others:  # a third of the zeros are nearly zero: no ties
        b[one] += 1e-7 * (b[one] == 0) * (between(generator, 0, 1, *size) < 0.35)
    return Call({"maps_a": a, "maps_b": b})


def monotone_pairs(generator: Generator) -> list[Call]:
    """A map with ties and its exponential; the same map and its negative."""
    maps = levels(randn(generator, 3, 5, 6))
    return [Call({"maps_a": maps, "maps_b": other}) for other in (maps.exp(), -maps)]


def exchanged_pairs(generator: Generator) -> list[Call]:
    """Two maps, and the same the other way round, one of them cubed."""
    call = pair(generator, 3, (5, 6))
    a, b = call.inputs["maps_a"], call.inputs["maps_b"]
    return [call, Call({"maps_a": b**3, "maps_b": a})]


def apart_from(got: np.ndarray, want: np.ndarray) -> float:
    """Largest difference relative to max|want|; infinite where the shapes differ."""
    return relative(got, want) if got.shape == want.shape else math.inf


def equal(_calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Both calls give the same."""
    return apart_from(results[1][0], results[0][0])


def sum_to_one(_calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """What two boxes that tile the picture get sums to 1; a third call, if any, repeats the first."""
    first, second, *again = (result[0] for result in results)
    if first.shape != second.shape:
        return math.inf
    tiles = apart_from(first + second, np.ones_like(first))
    return max([tiles, *(apart_from(other, first) for other in again)])


def linear_parts(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """y_t of a linear network = y^c(I) - the sum of w·(x - fill) over the pixels that are gone."""
    model, image, target, heat, steps, fill = (
        calls[0].inputs[name] for name in ("model", "image", "target", "heat", "steps", "fill")
    )
    weight, bias = model[1].weight[target].detach(), model[1].bias[target].detach()
    parts = (weight.view_as(image) * (image - fill)).sum(0).flatten()[heat.flatten().argsort(descending=True)]
    start = float((weight * image.flatten()).sum() + bias)
    want = [start - float(parts[: k * heat.numel() // steps].sum()) for k in range(steps + 1)]
    return apart_from(results[0][0], np.array(want))


def backwards(_calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Insertion in the opposite order is deletion read backwards."""
    return apart_from(results[1][0], results[0][0][::-1])


def both_ends(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """s_0 = y^c(I) and s_S = y^c of the fill, each in a network that is asked directly."""
    far = []
    for call, (scores, *_) in zip(calls, results, strict=True):
        model, image, target, fill = (call.inputs[name] for name in ("model", "image", "target", "fill"))
        with torch.no_grad():
            want = model(torch.stack([image, fill.expand_as(image)]))[:, target].numpy()
        far.append(apart_from(scores[[0, -1]], want) if scores.ndim == 1 and len(scores) else math.inf)
    return max(far)


def mean_of_the_ends(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The area under a straight line is the mean of its two ends."""
    scores = calls[0].inputs["scores"]
    return apart_from(results[0][0], ((scores[:, 0] + scores[:, -1]) / 2).numpy())


def halves(_calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The area of a curve is the mean of the areas of its two halves, each stretched to 0 ... 1."""
    whole, first, second = (result[0] for result in results)
    return apart_from(whole, (first + second) / 2) if first.shape == second.shape else math.inf


def one_and_minus_one(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """ρ = 1 for M and a growing function of M, -1 for M and -M."""
    n = len(calls[0].inputs["maps_a"])
    return max(apart_from(result[0], np.full(n, sign)) for result, sign in zip(results, (1.0, -1.0), strict=True))


CHECKS = {
    "pointing_game": Checks(
        cases=(
            Case(
                "peaks inside, beside and at the corners of their boxes; ties and near ties",
                lambda g: [peaked(g, (13, 17), 3), peaked(g, (12, 14), 0), peaked(g, (13, 12), 2.5)],
            ),
            Case(
                "other sizes, boxes and tolerances",
                lambda g: [peaked(g, (16, 13), 3), peaked(g, (14, 12), 1), peaked(g, (12, 15), 2.5)],
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "left_and_right",
                "At t = 0, the h of the left part of the picture and the h of the rest sum to 1, with ties too.",
                tiled_games,
                sum_to_one,
            ),
            Law(
                "only_the_order_counts",
                "e^M orders the pixels as M does, so h is the same for both.",
                grown_games,
                equal,
            ),
        ),
    ),
    "energy_in_box": Checks(
        cases=(
            Case(
                "signed maps, one of them nowhere positive, one very faint",
                lambda g: [signed(g, 4, (9, 12)), signed(g, 2, (8, 10))],
            ),
            Case("other sizes and boxes", lambda g: [signed(g, 3, (11, 8))], hidden=True),
        ),
        laws=(
            Law(
                "shares_of_a_tiling",
                "The shares of the upper part of the picture and of the rest sum to 1, and 5·M has the shares of M.",
                tiled_energy,
                sum_to_one,
            ),
        ),
    ),
    "deletion_curve": Checks(
        cases=(
            Case(
                "a colour, a picture and a number as fill; a map with ties",
                deletions(
                    {"build": gap, "size": (6, 5), "steps": 4},
                    {"build": flatten, "size": (8, 4), "steps": 5, "drawn": True, "frozen": True},
                ),
                draw=1,
            ),
            Case(
                "BatchNorm and dropout, functional ReLUs",
                deletions(
                    {"build": batch_norm, "size": (5, 7), "steps": 6, "drawn": True},
                    {"build": functional, "size": (7, 4), "steps": 3, "frozen": True},
                ),
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "linear_network",
                "Where y^c is linear, y_t = y^c(I) - Σ w·(x - fill) over the pixels that are gone.",
                linear_deletion,
                linear_parts,
            ),
            Law(
                "insertion_is_deletion_backwards",
                "Putting the picture into the fill, the least important pixels first, gives s_S, ..., s_1, s_0.",
                there_and_back,
                backwards,
            ),
            Law(
                "both_ends",
                "s_0 = y^c(I), and s_S = y^c of a picture that is all fill.",
                linear_deletion,
                both_ends,
            ),
        ),
    ),
    "area_under_curve": Checks(
        cases=(
            Case(
                "curves of five steps, of four, and of a single one",
                lambda g: [Call({"scores": curves(g, n, steps)}) for n, steps in ((3, 5), (1, 4), (2, 1))],
                draw=1,
            ),
            Case(
                "other numbers of curves and steps",
                lambda g: [Call({"scores": curves(g, n, steps)}) for n, steps in ((4, 6), (1, 3), (3, 1))],
                hidden=True,
                draw=1,
            ),
        ),
        laws=(
            Law(
                "straight_line",
                "The area under a straight line from s_0 to s_S is (s_0 + s_S)/2.",
                straight_curves,
                mean_of_the_ends,
            ),
            Law(
                "two_halves",
                "The area of a curve is the mean of the areas of its first and its second half.",
                joined_curves,
                halves,
            ),
        ),
    ),
    "rank_correlation": Checks(
        cases=(
            Case("four pairs of maps with many ties and near ties, one map constant", lambda g: [pair(g, 4, (5, 7))]),
            Case("other sizes", lambda g: [pair(g, 3, (7, 4)), pair(g, 2, (4, 5))], hidden=True, points=2),
        ),
        laws=(
            Law(
                "one_and_minus_one",
                "ρ(M, e^M) = 1 and ρ(M, -M) = -1: only the order of the pixels counts.",
                monotone_pairs,
                one_and_minus_one,
            ),
            Law(
                "either_way_round",
                "ρ is the same for (M, M') and (M', M), and cubing a map changes no rank.",
                exchanged_pairs,
                equal,
            ),
        ),
    ),
}
