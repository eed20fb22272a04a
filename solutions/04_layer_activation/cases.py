"""Inputs and laws of layer activation: small networks in float64, in-place ReLUs, names that contain each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, randn, redrawn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, NamesakeNet, calm
from cnnviz_ref import activations as layer_activations
from cnnviz_ref.activation_masks import channel_thresholds as thresholds_of

SIZE = (12, 8)
Build = Callable[[Generator], nn.Module]


def gap(generator: Generator) -> nn.Module:
    return GapNet(channels=(4, 6), inplace=True, generator=generator)


def half_grid(generator: Generator) -> nn.Module:
    """A network whose layer features.2 has half the rows and columns; an in-place ReLU follows."""
    return GapNet(channels=(4, 6), stride=2, inplace=True, generator=generator)


def flat(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), generator=generator)


def batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), generator=generator)


def functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), generator=generator).requires_grad_(False)


def namesake(generator: Generator) -> nn.Module:
    return NamesakeNet(generator=generator)


def busy(generator: Generator) -> nn.Module:
    return BusyNet(interrupts=True, channels=(4, 6), stride=2, generator=generator)


def look(generator: Generator, build: Build, layer: str, n: int) -> Call:
    """A network in float64, n images, a layer."""
    return Call({"model": build(generator).double(), "images": randn(generator, n, 3, *SIZE), "layer": layer})


def awkward(generator: Generator) -> list[Call]:
    """A functional ReLU in place after the layer; a name that is part of others; a network in use, which fails."""
    layers = (functional, "features.conv2", 2), (namesake, "conv1", 1), (busy, "features.2", 1)
    return [look(generator, *each) for each in layers]


def in_place(generator: Generator) -> list[Call]:
    """An in-place ReLU after the layer; then a single image, and a ReLU that is not in place."""
    looks = [look(generator, gap, "features.0", 3), look(generator, flat, "features.0", 1)]
    return [*looks, *awkward(generator)]


def other_layers(generator: Generator) -> list[Call]:
    """BatchNorm before dropout, a single image."""
    return [look(generator, batch_norm, "features.1", 1), *awkward(generator)]


def all_the_same(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    first, *others = (np.asarray(values, np.float64) for (values,) in results)
    return max(relative(other, first) for other in others)


def mixtures(generator: Generator) -> list[Call]:
    """Two batches and their mean, seen by a first convolution with an in-place ReLU after it."""
    call = look(generator, gap, "features.0", 2)
    x = call.inputs["images"]
    return [Call({**call.inputs, "images": images}) for images in (x, x.flip(0), (x + x.flip(0)) / 2)]


def affine(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    (one,), (two,), (mixed,) = results
    return relative(mixed, (one + two) / 2)


def pooled(generator: Generator) -> list[Call]:
    """The layer that is pooled."""
    return [look(generator, gap, "features", 3)]


@torch.no_grad()
def scores_again(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    model, images = calls[0].inputs["model"], calls[0].inputs["images"]
    again = model.classifier(model.pool(torch.as_tensor(results[0][0]).to(images)).flatten(1))
    return relative(array(again), array(model(images)))


def layer_values(generator: Generator, n: int, k: int, h: int, w: int) -> Tensor:
    """Maps of both signs; channels of different scale, images of different brightness, long tails above."""
    values = randn(generator, n, k, h, w) + 0.8 * randn(generator, n, k, 1, 1)
    return (values + 0.3 * values.relu().square()) * (0.5 + torch.arange(k, dtype=torch.float64))[:, None, None]


def layers(generator: Generator, *asked: tuple[tuple[int, int, int, int], float]) -> list[Call]:
    """Layers to cut; and the first one again behind a ReLU, where many values are 0."""
    calls = [Call({"activations": layer_values(generator, *shape), "quantile": q}) for shape, q in asked]
    A = calls[0].inputs["activations"]
    return [*calls, Call({"activations": (A + 0.1 * A.amax((0, 2, 3), keepdim=True)).relu(), "quantile": 0.7})]


def three_quantiles(generator: Generator) -> list[Call]:
    """Places 37.2 of 45 values, 2.3 of 24 and 5.7 of 20: every way to round between two values shows."""
    return layers(generator, ((3, 4, 3, 5), 0.845), ((2, 3, 4, 3), 0.1), ((1, 5, 5, 4), 0.3))


def other_quantiles(generator: Generator) -> list[Call]:
    """Places 64.4 of 70 values, 2.9 of 30 and 3.3 of 12."""
    return layers(generator, ((5, 3, 7, 2), 64.4 / 69), ((2, 4, 3, 5), 0.1), ((1, 4, 3, 4), 0.3))


def counted(generator: Generator) -> list[Call]:
    """Values of six images, all different."""
    return [Call({"activations": layer_values(generator, 6, 4, 5, 3), "quantile": q}) for q in (0.8, 0.33)]


def share_above(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    worst = 0.0
    for call, (T,) in zip(calls, results, strict=True):
        A = array(call.inputs["activations"])
        above = np.greater(A, T[:, None, None]).mean(axis=(0, 2, 3))
        off = np.abs(above - (1 - call.inputs["quantile"])) - A.shape[1] / A.size  # one value more or less
        worst = max(worst, float(off.max()))
    return worst


def moved_about(generator: Generator) -> list[Call]:
    """The same values at other places of other images."""
    A = layer_values(generator, 3, 4, 5, 3)
    rows = A.transpose(0, 1).flatten(1)
    order = torch.randperm(rows.shape[1], generator=generator)
    moved = rows[:, order].view(4, 3, 5, 3).transpose(0, 1).contiguous()
    return [Call({"activations": each, "quantile": 0.85}) for each in (A, moved)]


def other_units(generator: Generator) -> list[Call]:
    """A and 3·A - 2."""
    A = layer_values(generator, 3, 4, 5, 3)
    return [Call({"activations": each, "quantile": 0.7}) for each in (A, 3 * A - 2)]


def follows(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    (T,), (moved,) = results
    return relative(moved, 3 * T - 2)


def clear(activations: Tensor, thresholds: Tensor, size: tuple[int, int], margin: float) -> bool:
    """Whether no enlarged value is so near to its threshold that rounding could decide."""
    large = F.interpolate(activations, size=size, mode="bilinear", align_corners=False)
    gaps = (large - thresholds[:, None, None]).abs()
    spread = activations.std((0, 2, 3), correction=0)[:, None, None]
    return bool(((gaps > margin * spread) | (spread == 0)).all())


def maps_to_cut(generator: Generator, n: int, grid: tuple[int, int], size: tuple[int, int]) -> Call:
    """Maps, thresholds of both signs, and one channel that is 0 everywhere, whose threshold is 0."""
    drawn = redrawn(lambda: maps_and_thresholds(generator, n, grid), lambda drawn: clear(*drawn, size, margin=3e-4))
    return Call(dict(zip(("activations", "thresholds", "size"), (*drawn, size), strict=True)))


def maps_and_thresholds(generator: Generator, n: int, grid: tuple[int, int]) -> tuple[Tensor, Tensor]:
    activations = layer_values(generator, n, 4, *grid)
    rows = activations.transpose(0, 1).flatten(1)
    thresholds = torch.stack([row.quantile(q) for row, q in zip(rows, (0.75, 0.35, 0.85, 0.6), strict=True)])
    activations[:, 2], thresholds[2] = 0.0, 0.0
    return activations, thresholds


def tiny(call: Call) -> Call:
    """The same maps in a unit in which all numbers are tiny."""
    return Call({**call.inputs, **{name: 1e-9 * call.inputs[name] for name in ("activations", "thresholds")}})


def cuts(generator: Generator) -> list[Call]:
    """Three images, a 4 x 3 grid to 10 x 9 pixels; and a single image, enlarged four times, of tiny numbers."""
    return [maps_to_cut(generator, 3, (4, 3), (10, 9)), tiny(maps_to_cut(generator, 1, (3, 5), (12, 20)))]


def other_cuts(generator: Generator) -> list[Call]:
    return [maps_to_cut(generator, 4, (3, 4), (7, 13)), tiny(maps_to_cut(generator, 1, (5, 2), (15, 8)))]


def its_own_size(generator: Generator) -> list[Call]:
    """Maps that are cut on their own grid."""
    return [maps_to_cut(generator, 2, (4, 5), (4, 5))]


def plain_comparison(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    given = calls[0].inputs
    wanted = array(given["activations"] > given["thresholds"][:, None, None])
    return relative(np.asarray(results[0][0], np.float64), wanted.astype(np.float64))


def shifted(generator: Generator) -> list[Call]:
    """A and T, then 4·A + 8 and 4·T + 8."""
    call = maps_to_cut(generator, 2, (4, 3), (9, 8))
    A, T = call.inputs["activations"], call.inputs["thresholds"]
    T[2] = -1.0
    return [call, Call({**call.inputs, "activations": 4 * A + 8, "thresholds": 4 * T + 8})]


def boxes(generator: Generator, n: int, size: tuple[int, int]) -> Tensor:
    """One box of random size and place in each image but the last [n H W]; a single image has one."""
    concept = torch.zeros(n, *size, dtype=torch.bool)
    for one in concept[: max(1, n - 1)]:
        top, left = (int(between(generator, 0, side * 0.5, 1)) for side in size)
        height, width = (int(between(generator, 2, 2 + side * 0.5, 1)) for side in size)
        one[top : top + height, left : left + width] = True
    return concept


def overlapping(generator: Generator, n: int, k: int, size: tuple[int, int]) -> Call:
    """Masks that like the concept more or less and cover images unevenly; the last channel is never on."""
    concept = boxes(generator, n, size)
    wide = torch.linspace(0.05, 0.8, k, dtype=torch.float64)[:, None, None]  # masks smaller and larger than the concept
    density = between(generator, 0, 1, n, k, 1, 1) * wide
    liking = torch.linspace(0.5, 0.3, k, dtype=torch.float64)[:, None, None] * concept[:, None]
    masks = between(generator, 0, 1, n, k, *size) < density + liking
    masks[:, -1] = False
    masks[0, 1] = False  # the concept is there, and this channel misses it
    return Call({"masks": masks, "concept": concept})


def nowhere(call: Call) -> Call:
    return Call({**call.inputs, "concept": torch.zeros_like(call.inputs["concept"])})


def one_channel(call: Call) -> Call:
    return Call({**call.inputs, "masks": call.inputs["masks"][:, :1]})


def overlaps(generator: Generator) -> list[Call]:
    """Four images, one without the concept, and a channel that is never on; one channel; a concept that is nowhere."""
    four, two = overlapping(generator, 4, 5, (6, 8)), overlapping(generator, 2, 3, (4, 5))
    return [four, one_channel(two), nowhere(two)]


def other_overlaps(generator: Generator) -> list[Call]:
    """Other sizes, a single image with all channels and with one, and a concept that is nowhere."""
    five, one = overlapping(generator, 5, 4, (7, 5)), overlapping(generator, 1, 3, (9, 6))
    return [five, one, one_channel(one), nowhere(overlapping(generator, 1, 4, (5, 5)))]


def side_by_side(generator: Generator) -> list[Call]:
    """Four images; the same pictures, two and two put side by side."""
    call = overlapping(generator, 4, 4, (5, 6))
    joined = {name: torch.cat([value[:2], value[2:]], dim=-1) for name, value in call.inputs.items()}
    return [call, Call(joined)]


def turned_round(generator: Generator) -> list[Call]:
    """One channel and a concept; then the concept as the channel and the channel as the concept."""
    call = overlapping(generator, 3, 3, (5, 6))
    mask, concept = call.inputs["masks"][:, 1], call.inputs["concept"]
    return [Call({"masks": m[:, None], "concept": c}) for m, c in ((mask, concept), (concept, mask))]


@calm()
def scene(
    generator: Generator, build: Build, layer: str, n: int, quantile: float, size: tuple[int, int] = SIZE
) -> Call:
    """A network, images, a concept of some size; no enlarged value near its threshold."""

    def drawn() -> Call:
        asked = {"concept": boxes(generator, n, size), "quantile": quantile}
        return Call({**look(generator, build, layer, n).inputs, **asked})

    return redrawn(drawn, steady)


def steady(call: Call) -> bool:
    """Whether rounding decides on no pixel of the masks."""
    A = layer_activations(*(call.inputs[name] for name in ("model", "images", "layer")))
    return clear(A, thresholds_of(A, call.inputs["quantile"]), call.inputs["concept"].shape[1:], margin=2e-5)


def dissections(generator: Generator) -> list[Call]:
    """Five images on a grid of half the size; a concept that is drawn larger than the images, a network in use."""
    small = scene(generator, half_grid, "features.2", 5, 0.8)
    return [small, scene(generator, busy, "features.2", 3, 0.75, (14, 15))]


def other_dissections(generator: Generator) -> list[Call]:
    """Other networks, numbers of images and quantiles; a concept that is drawn smaller than the images."""
    return [
        scene(generator, half_grid, "features.2", 4, 0.7),
        scene(generator, flat, "features.3", 3, 0.9),
        scene(generator, busy, "features.2", 3, 0.8, (10, 7)),
    ]


def other_biases(generator: Generator) -> list[Call]:
    """A network, and the same one with other biases in the layer."""
    call = scene(generator, half_grid, "features.2", 4, 0.75)
    raised = half_grid(generator).double()
    raised.load_state_dict(call.inputs["model"].state_dict())
    with torch.no_grad():
        raised.get_parameter("features.2.bias").sub_(torch.linspace(-2, 3, 6, dtype=torch.float64))
    return [call, Call({**call.inputs, "model": raised})]


def coffee() -> Call:
    images = cnnviz.preprocess(cnnviz.photo("coffee"))
    network = cnnviz.efficientnet_lite0().requires_grad_(False)
    return Call({"model": network, "images": images, "layer": "features.stem"})


def channel_of_the_cup() -> Call:
    """The channel of the last layer that fits the cup best in the lesson's mosaics."""
    call = coffee()
    A = layer_activations(call.inputs["model"], call.inputs["images"], "features")[:, [380]]
    return Call({"activations": A, "thresholds": thresholds_of(A, 0.75), "size": (224, 224)})


CHECKS = {
    "capture": Checks(
        reference=layer_activations,
        cases=(
            Case("ReLUs in place after the layer, names that contain each other, a pass that fails", in_place),
            Case(
                "other networks, frozen weights, a single image; again names, and a pass that fails",
                other_layers,
                hidden=True,
            ),
        ),
        laws=(
            Law(
                "first_convolution_is_affine",
                "A convolution of the pixels is affine: A of the mean of two images is the mean of their A. With a "
                "ReLU in it, it would not be.",
                mixtures,
                affine,
            ),
            Law(
                "head_on_A_gives_y",
                "A is what the rest of the network works on: head(pool(A)) = y.",
                pooled,
                scores_again,
            ),
        ),
        showcase=coffee,
    ),
    "channel_thresholds": Checks(
        cases=(
            Case("three layers, three quantiles; a layer with many zeros", three_quantiles),
            Case("other sizes and quantiles; a layer with many zeros", other_quantiles, hidden=True, draw=1),
        ),
        laws=(
            Law(
                "share_above",
                "A share 1 - q of the channel's N·h·w values is above T_k, to within one value.",
                counted,
                share_above,
            ),
            Law(
                "places_do_not_matter",
                "Moving values to other places of other images does not change T_k: all go into one row.",
                moved_about,
                all_the_same,
            ),
            Law("follows_the_units", "T of 3·A - 2 is 3·T - 2.", other_units, follows),
        ),
    ),
    "upsample_and_mask": Checks(
        cases=(
            Case("two sizes, a channel that is 0 everywhere, maps of tiny numbers", cuts),
            Case("other grids and sizes, maps of tiny numbers", other_cuts, hidden=True),
        ),
        laws=(
            Law(
                "no_enlargement",
                "Where (H, W) = (h, w), nothing is enlarged and M is A > T.",
                its_own_size,
                plain_comparison,
            ),
            Law(
                "units_do_not_matter",
                "4·A + 8 against 4·T + 8 gives the same mask as A against T.",
                shifted,
                all_the_same,
            ),
        ),
        showcase=channel_of_the_cup,
    ),
    "dataset_iou": Checks(
        cases=(
            Case("a channel that is never on, one channel alone, an image without the concept", overlaps),
            Case("other sizes, one channel alone, and a concept that is nowhere", other_overlaps, hidden=True),
        ),
        laws=(
            Law(
                "images_side_by_side",
                "Pictures put together two and two are the same data set: the IoU stays.",
                side_by_side,
                all_the_same,
            ),
            Law(
                "mask_and_concept_exchanged",
                "IoU does not ask which of the two is the mask: exchanged, they give the same number.",
                turned_round,
                all_the_same,
            ),
        ),
    ),
    "dissect": Checks(
        cases=(
            Case("five images, a grid of half the size", dissections),
            Case("other networks and quantiles", other_dissections, hidden=True),
        ),
        laws=(
            Law(
                "bias_does_not_matter",
                "A bias b_k added to channel k moves T_k by b_k, so the masks and the IoU stay.",
                other_biases,
                all_the_same,
            ),
        ),
    ),
}
