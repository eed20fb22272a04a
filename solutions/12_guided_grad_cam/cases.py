"""Inputs and laws of guided Grad-CAM: maps on grids that do not divide the image, signals of both signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import (
    array,
    as_in_the_batch,
    batch_and_singles,
    mixed_order,
    moderate_scores,
    randn,
    redrawn,
    relative,
    weights_against,
)
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, GapNet, NamesakeNet, calm
from cnnviz_ref import cam, grad_cam, guided_backprop, guided_grad_cam

SIZE, CLASSES = (11, 8), 5


def large(maps: Tensor, size: Sequence[int]) -> Tensor:
    return F.interpolate(maps[:, None], size=tuple(size), mode="bilinear", align_corners=False)[:, 0]


def small(generator: Generator, n: int, h: int, w: int) -> Tensor:
    """Maps that are never negative, some places 0 and one faint; the second of several is 0, the last nowhere 0."""
    maps = (randn(generator, n, h, w) + 0.4).relu() * 3
    maps[0, 0, 0] = 0.02
    if n > 1:
        maps[1] = 0.0
        maps[-1] += 0.7
    return maps


def enlarge(generator: Generator, n: int, grid: tuple[int, int], size: tuple[int, int]) -> Call:
    return Call({"maps": small(generator, n, *grid), "size": size})


def larger_maps(generator: Generator) -> list[Call]:
    """No whole factor; and one map twice as tall and three times as wide."""
    return [enlarge(generator, 3, (4, 6), (11, 14)), enlarge(generator, 1, (3, 4), (6, 12))]


def other_sizes(generator: Generator) -> list[Call]:
    return [enlarge(generator, 3, (3, 5), (8, 13)), enlarge(generator, 1, (5, 2), (9, 7))]


def whole_factor(generator: Generator) -> list[Call]:
    return [enlarge(generator, 3, (4, 3), (8, 9))]


def mean_kept(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[0][0].mean((1, 2)), array(calls[0].inputs["maps"]).mean((1, 2)))


def turned_round(generator: Generator) -> list[Call]:
    """Two maps, and their mirror images."""
    call = enlarge(generator, 2, (3, 4), (7, 10))
    return [call, Call({**call.inputs, "maps": call.inputs["maps"].flip(1, 2)})]


def mirrored(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0], results[0][0][:, ::-1, ::-1])


def factors(generator: Generator, n: int, c: int, h: int, w: int) -> Call:
    return Call({"guided": randn(generator, n, c, h, w), "maps": small(generator, n, h, w)})


def constant_map(generator: Generator) -> list[Call]:
    maps = torch.full((2, 4, 5), 2.5, dtype=torch.float64)
    return [Call({"guided": randn(generator, 2, 3, 4, 5), "maps": maps})]


def scaled_guided(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[0][0], 2.5 * array(calls[0].inputs["guided"]))


def head(generator: Generator, n: int, grid: tuple[int, int, int], hidden: int, classes: int) -> Call:
    """Activations >= 0 as after a ReLU, of several the second all 0 and the third nearly; the targets do not rise."""
    return redrawn(
        lambda: any_head(generator, n, grid, hidden, classes),
        lambda call: n == 1 or bool((call.inputs["targets"].diff() < 0).any()),
    )


def any_head(generator: Generator, n: int, grid: tuple[int, int, int], hidden: int, classes: int) -> Call:
    """A target is never the preferred class."""
    places = int(np.prod(grid))
    A = randn(generator, n, *grid).relu()
    A[1:2] = 0.0
    A[2:3] *= 1e-9
    W1 = randn(generator, hidden, places) * (2 / places) ** 0.5
    W2 = randn(generator, classes, hidden) * (2 / hidden) ** 0.5
    targets = scores_of(A, W1, W2).argsort(dim=1)[torch.arange(n), torch.arange(n) % (classes - 1)]
    return Call({"activations": A, "hidden": W1, "output": W2, "targets": targets})


def scores_of(A: Tensor, W1: Tensor, W2: Tensor) -> Tensor:
    return (A.flatten(1) @ W1.T).relu() @ W2.T


def one_head(generator: Generator) -> list[Call]:
    return [head(generator, 4, (5, 3, 4), 9, 6), head(generator, 1, (5, 3, 4), 9, 6)]


def other_heads(generator: Generator) -> list[Call]:
    return [head(generator, 4, (4, 5, 2), 8, 5), head(generator, 1, (3, 2, 4), 7, 4)]


def constant_channels(generator: Generator) -> list[Call]:
    """Every channel has the same value at every place."""
    call = head(generator, 3, (5, 3, 2), 8, 4)
    A = (0.2 + randn(generator, 3, 5, 1, 1).abs()).expand(3, 5, 3, 2).clone()
    return [Call({**call.inputs, "activations": A})]


def adds_up(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    A, W1, W2, targets = calls[0].inputs.values()
    y = scores_of(A, W1, W2).gather(1, targets[:, None])[:, 0]
    return relative((results[0][0] * array(A.sum((2, 3)))).sum(1), array(y))


def for_and_against(generator: Generator) -> list[Call]:
    """A head, and the same with -W_2."""
    call = head(generator, 3, (4, 2, 3), 7, 4)
    return [call, Call({**call.inputs, "output": -call.inputs["output"]})]


def for_minus_against(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    (alpha, second), (_, against) = results
    return relative(second - against, alpha)


NETS: dict[str, Callable[[Generator], nn.Module]] = {
    "flatten": lambda g: FlattenNet(size=SIZE, channels=(4, 6), hidden=9, classes=CLASSES, generator=g),
    "gap": lambda g: GapNet(channels=(4, 6), classes=CLASSES, stride=2, inplace=True, generator=g),
    "batch_norm": lambda g: BatchNormNet(channels=(4, 6), classes=CLASSES, generator=g),
    "busy": lambda g: BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=g),
    "namesakes": lambda g: NamesakeNet(width=6, classes=CLASSES, generator=g),
}


@calm()
def scene(generator: Generator, net: str, layer: str, n: int = 3, *, frozen: bool = False) -> Call:
    """A network whose largest guided value is 0.3, n images, a target each; no image's G is 0."""
    model, images, order = redrawn(lambda: drawing(generator, net, n), lambda drawn: arrives(*drawn, layer))
    largest = float(guided_backprop(model, images, order[:n]).abs().max())
    moderate_scores(model, images, int(order[n]), factor=0.3 / largest)
    inputs = {"model": model.requires_grad_(not frozen), "images": images, "targets": order[:n], "layer": layer}
    return Call(inputs)


def drawing(generator: Generator, net: str, n: int) -> tuple[nn.Module, Tensor, Tensor]:
    """A network, images, all classes in an order."""
    model = NETS[net](generator).double()
    return model, randn(generator, n, 3, *SIZE), mixed_order(generator, CLASSES, n)


def arrives(model: nn.Module, images: Tensor, order: Tensor, layer: str) -> bool:
    """Whether the G of no image is faint beside the others."""
    sizes = guided_grad_cam(model, images, order[: len(images)], layer).abs().amax((1, 2, 3))
    return float(sizes.min()) > 0.02 * float(sizes.max())


def nothing_speaks_for_it(generator: Generator) -> Call:
    """A class whose weights are all negative: L is 0 everywhere, and G with it."""
    return weights_against(scene(generator, "gap", "features", 1))


def awkward(generator: Generator) -> list[Call]:
    """A map that is 0 everywhere; a network in use, whose forward pass fails before the next; a name part of others."""
    return [
        nothing_speaks_for_it(generator),
        scene(generator, "busy", "features.2", 1),
        scene(generator, "namesakes", "conv1", 1),
    ]


def relus_above_the_layer(generator: Generator) -> list[Call]:
    return [
        scene(generator, "flatten", "features.3"),
        scene(generator, "gap", "features.2", 1),
        scene(generator, "batch_norm", "features.4", 1),
        *awkward(generator),
    ]


def other_networks(generator: Generator) -> list[Call]:
    return [
        scene(generator, "flatten", "features.3", frozen=True),
        scene(generator, "batch_norm", "features.4", 1, frozen=True),
        *awkward(generator),
    ]


def guided_times_cam(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    model, images, targets, layer = calls[0].inputs.values()
    heat = cam(model, images, targets, layer).relu()
    U = large(heat / heat[0].numel(), SIZE)
    return relative(results[0][0], array(guided_backprop(model, images, targets) * U[:, None]))


def zero_everywhere(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return float(np.abs(results[0][0]).max())


def photo() -> Call:
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": cnnviz.preprocess(cnnviz.photo("camera")),
            "targets": torch.tensor([cnnviz.class_index("tripod")]),
            "layer": "features",
        }
    )


def photo_map() -> Call:
    return Call({"maps": grad_cam(**photo().inputs), "size": (224, 224)})


def photo_factors() -> Call:
    model, images, targets, _ = photo().inputs.values()
    return Call({"guided": guided_backprop(model, images, targets), "maps": large(**photo_map().inputs)})


CHECKS = {
    "upsample": Checks(
        cases=(
            Case("three maps, one all zero; sizes without a whole factor", larger_maps),
            Case("other sizes, and a single map", other_sizes, hidden=True),
        ),
        laws=(
            Law(
                "mean_kept",
                "Enlarged by whole factors, a map keeps its mean: every place gives away the same share.",
                whole_factor,
                mean_kept,
            ),
            Law(
                "mirror",
                "The mirror image of a map gives the mirror image of U: no corner is preferred.",
                turned_round,
                mirrored,
            ),
        ),
        showcase=photo_map,
    ),
    "combine": Checks(
        cases=(
            Case(
                "three images of three colours, and a grey one",
                lambda g: [factors(g, 3, 3, 5, 4), factors(g, 1, 1, 3, 6)],
            ),
            Case(
                "other sizes, and a single image",
                lambda g: [factors(g, 3, 3, 4, 7), factors(g, 1, 3, 6, 5)],
                hidden=True,
            ),
        ),
        laws=(Law("constant_map", "Where U is 2.5 at every pixel, G is 2.5·R.", constant_map, scaled_guided),),
        showcase=photo_factors,
    ),
    "two_alphas": Checks(
        cases=(
            Case(
                "four images, one of them without activations, one nearly, and one alone; a 3 x 4 grid",
                one_head,
            ),
            Case("other sizes", other_heads, hidden=True, points=2),
        ),
        laws=(
            Law(
                "adds_up_to_the_score",
                "Where every channel has one value a_k at all places, Z Σ_k α_k a_k = y^c: the clean weights share out "
                "the score.",
                constant_channels,
                adds_up,
            ),
            Law(
                "for_minus_against",
                "α̃ of y^c minus α̃ of -y^c is α: the guided rule keeps one side of the balance.",
                for_and_against,
                for_minus_against,
            ),
        ),
    ),
    "guided_grad_cam": Checks(
        reference=guided_grad_cam,
        cases=(
            Case(
                "ReLUs above the layer and in place, BatchNorm, a class that nothing speaks for, a network in use",
                relus_above_the_layer,
            ),
            Case(
                "frozen weights, BatchNorm, a class that nothing speaks for, a network in use",
                other_networks,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "guided_times_cam",
                "On a network that ends in GAP and one linear layer, G = R·U with U the enlarged ReLU(CAM)/Z.",
                lambda g: [scene(g, "gap", "features")],
                guided_times_cam,
            ),
            Law(
                "zero_where_nothing_speaks",
                "Where Σ_k α_k A^k is nowhere positive, G is 0 everywhere.",
                lambda g: [nothing_speaks_for_it(g)],
                zero_everywhere,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                lambda g: batch_and_singles(scene(g, "flatten", "features.3")),
                as_in_the_batch,
            ),
        ),
        showcase=photo,
    ),
}
