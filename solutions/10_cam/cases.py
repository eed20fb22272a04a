"""Inputs and laws of class activation maps: small, float64; sizes, ties and signs are the same for everybody."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn import functional as F

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, randn, redrawn, relative
from autograder.course.records import Arrays, Call, Case, Law


def head_layer(generator: Generator, channels: int, classes: int, scale: float = 1.0) -> nn.Linear:
    """A linear layer with weights and biases of both signs."""
    layer = nn.Linear(channels, classes, dtype=torch.float64)
    with torch.no_grad():
        layer.weight.copy_(scale * randn(generator, classes, channels))
        layer.bias.copy_(scale * randn(generator, classes))
    return layer


def convolutions(generator: Generator, channels: tuple[int, int, int], last: nn.Module) -> nn.Sequential:
    """conv-BatchNorm-ReLU-maxpool-conv-last in eval mode; BatchNorm's statistics are unlike those of a batch."""
    first, middle, end = channels
    one, norm, two = (
        nn.Conv2d(first, middle, 3, padding=1),
        nn.BatchNorm2d(middle),
        nn.Conv2d(middle, end, 3, padding=1),
    )
    net = nn.Sequential(one, norm, nn.ReLU(), nn.MaxPool2d(2), two, last).double()
    with torch.no_grad():
        for conv in (one, two):
            conv.weight.copy_(randn(generator, *conv.weight.shape) / conv.weight[0].numel() ** 0.5)
            conv.bias.copy_(0.3 * randn(generator, conv.out_channels))  # type: ignore[union-attr]
        norm.running_mean.copy_(between(generator, 0.2, 0.5, middle))  # type: ignore[union-attr]
        norm.running_var.copy_(between(generator, 0.2, 0.4, middle))  # type: ignore[union-attr]
    return net.eval()


def head_calls(generator: Generator, channels: int, classes: int) -> list[Call]:
    """Four targets, two of them equal, and class 0 alone, for the same head."""
    layer, picked = head_layer(generator, channels, classes), torch.randperm(classes, generator=generator)
    return [Call({"head": layer, "targets": asked}) for asked in (picked[[0, 1, 0, 2]], torch.tensor([0]))]


def row_gives_score(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    gaps = []
    for call, (rows,) in zip(calls, results, strict=True):
        head, targets = call.inputs["head"], call.inputs["targets"]
        probe = torch.linspace(-1, 2, head.in_features, dtype=torch.float64)
        gaps.append(relative(rows @ array(probe), array((head(probe) - head.bias)[targets])))
    return max(gaps)


def map_calls(generator: Generator, channels: int, grid: tuple[int, int]) -> list[Call]:
    """Three images after a ReLU, one of them all dark, then one without a ReLU."""
    three, one = randn(generator, 3, channels, *grid).relu(), randn(generator, 1, channels, *grid)
    three[int(torch.randint(1, 3, (1,), generator=generator))] = 0
    return [Call({"activations": f, "weights": randn(generator, len(f), channels)}) for f in (three, one)]


def mean_gives_score(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    pairs = [(maps.mean((1, 2)), call.inputs) for call, (maps,) in zip(calls, results, strict=True)]
    return max(relative(mean, array((i["weights"] * i["activations"].mean((2, 3))).sum(1))) for mean, i in pairs)


def combined_calls(generator: Generator) -> list[Call]:
    """Weights u, v and 2u - 3v on the same activations."""
    first = map_calls(generator, 4, (5, 7))[0].inputs
    u, v = first["weights"], randn(generator, *first["weights"].shape)
    return [Call({"activations": first["activations"], "weights": w}) for w in (u, v, 2 * u - 3 * v)]


def is_linear(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    (u,), (v,), (both,) = results
    return relative(both, 2 * u - 3 * v)


def convert_calls(generator: Generator, channels: tuple[int, int, int], classes: int) -> list[Call]:
    """Three pictures; then one of another size, through features that end in a Tanh and may be negative.

    Gradients are off, so that scores come without a graph.
    """
    calls = []
    for count, size, last in ((3, (10, 14), nn.ReLU()), (1, (16, 8), nn.Tanh())):
        features = convolutions(generator, channels, last).requires_grad_(False)
        layer = head_layer(generator, channels[-1], classes).requires_grad_(False)
        calls.append(Call({"features": features, "head": layer}, then=(randn(generator, count, channels[0], *size),)))
    return calls


def score_is_mean_of_map(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    gaps = []
    for call, (scores,) in zip(calls, results, strict=True):
        features, head = call.inputs["features"], call.inputs["head"]
        assert call.then is not None
        with torch.no_grad():
            maps = torch.einsum("ck,nkhw->nchw", head.weight, features(call.then[0]))
        gaps.append(relative(scores, array(maps.mean((2, 3)) + head.bias)))
    return max(gaps)


def train_calls(generator: Generator, channels: tuple[int, int, int], classes: int) -> list[Call]:
    """Two small training sets: one backbone in training mode but for one layer, one in eval mode, ending in a Tanh."""
    asked: tuple[tuple[int, int, bool, nn.Module], ...] = ((6, 4, True, nn.ReLU()), (5, 3, False, nn.Tanh()))
    return [Call(redrawn(lambda: training_set(generator, channels, classes, *each), steady)) for each in asked]


def training_set(
    generator: Generator, channels: tuple[int, int, int], classes: int, count: int, steps: int, training: bool,
    last: nn.Module,
) -> dict[str, Any]:  # fmt: skip
    """A loss that overshoots and comes back: the steps are long."""
    features = convolutions(generator, channels, last).train(training)
    features[0].eval()
    images = randn(generator, count, channels[0], 8, 12) + between(generator, -1, 1, count, 1, 1, 1)
    return {"features": features, "head": head_layer(generator, channels[-1], classes, scale=0.5), "images": images,
            "labels": torch.arange(count) % classes, "steps": steps, "lr": 3.0}  # fmt: skip


def steady(inputs: dict[str, Any]) -> bool:
    """Whether a descent in float32 stays near, so that long steps do not blow up its rounding."""
    weight, rounded = (descent(inputs, dtype) for dtype in (torch.float64, torch.float32))
    off, size = (w.abs().split(weight.shape[1] - 1, dim=1) for w in (weight - rounded, weight))
    return all(float(far.max()) < 2e-7 * float(of.max()) for far, of in zip(off, size, strict=True))


def descent(inputs: dict[str, Any], dtype: torch.dtype) -> Tensor:
    """W and b after the last step, side by side."""
    with torch.no_grad():
        features = copy.deepcopy(inputs["features"]).eval().to(dtype)
        pooled = F.pad(features(inputs["images"].to(dtype)).mean((2, 3)), (0, 1), value=1.0)
    weight = torch.cat([inputs["head"].weight, inputs["head"].bias[:, None]], 1).detach().to(dtype)
    for _ in range(inputs["steps"]):
        weight.requires_grad_()
        loss = F.cross_entropy(pooled @ weight.T, inputs["labels"])
        weight = (weight - inputs["lr"] * torch.autograd.grad(loss, weight)[0]).detach()
    return weight


def class_sums_stay(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    gaps = []
    for call, trained in zip(calls, results, strict=True):
        for new, old in zip(trained, (call.inputs["head"].weight, call.inputs["head"].bias), strict=True):
            gaps.append(float(np.abs(new.sum(0) - array(old).sum(0)).max() / np.abs(new).max()))
    return max(gaps)


def box_calls(generator: Generator, grid: tuple[int, int], size: tuple[int, int]) -> list[Call]:
    """Hills of every kind, twice; a map nowhere positive; one that is positive until it is enlarged; a rectified one.

    Nothing here is left to chance but numbers and places: whatever shows for one student shows for all.
    """
    low = -between(generator, 0.1, 2.0, *grid)
    lost = low - 1.0
    lost[3, 5] = 0.02
    rectified = torch.zeros(grid, dtype=torch.float64)
    rectified[1:4, 4:9], rectified[-2, 1] = between(generator, 0.5, 1.0, 3, 5), 0.3
    maps = (hills(generator, grid, size, 0.2, False), 0.2), (hills(generator, grid, size, 0.25, True), 0.25)
    return [
        Call({"heatmap": m, "size": size, "fraction": f}) for m, f in (*maps, (low, 0.2), (lost, 0.2), (rectified, 0.0))
    ]


def hills(generator: Generator, grid: tuple[int, int], size: tuple[int, int], fraction: float, turn: bool) -> Tensor:
    """Hills whose pixels keep their side of the threshold in float32, and in float16 do not."""

    def holds(heat: Tensor) -> bool:
        return clear(heat, size, fraction) and lost_in_halves(heat, size, fraction)

    return redrawn(lambda: some_hills(generator, grid, size, fraction, turn), holds)


def some_hills(
    generator: Generator, grid: tuple[int, int], size: tuple[int, int], fraction: float, turn: bool
) -> Tensor:
    """The maximum (broad, or one place if turned), a spot, a low plain of most pixels, a thin angle of the widest box.

    Two columns of the plain lie above the threshold by so little that eight bits, or float16, put them below it.
    """
    heat = between(generator, -0.5, -0.3, *grid)
    heat[1 : 2 if turn else 3, 1 : 2 if turn else 4] = 1.0
    heat[1, -2], heat[0, 6] = between(generator, 0.5, 0.8, 1), -1.6
    heat[4:, -2] = heat[-2, 1:-1] = 0.35
    heat[-1], heat[5:-2, -3] = -0.4, -0.4
    left = int(torch.randint(1, grid[1] - 8, (1,), generator=generator))
    heat[4:-3, left : left + 3] = between(generator, 0.29, 0.33, grid[0] - 7, 3)
    heat[4:-3, left + 3 : left + 5] = (fraction + 8e-5) * enlarged(heat, size).max()
    return (heat.flip(0, 1) if turn else heat) * float(between(generator, 0.45, 0.6, 1))


def enlarged(heatmap: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(heatmap[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]


def clear(heat: Tensor, size: tuple[int, int], fraction: float) -> bool:
    """Whether no pixel lies near the threshold, so that rounding (float32 too) cannot move the box."""
    large = enlarged(heat, size)
    return bool((large / large.max() - fraction).abs().min() > 2e-5)


def lost_in_halves(heat: Tensor, size: tuple[int, int], fraction: float) -> bool:
    """Whether over 100 pixels fall below the threshold as soon as the enlarged map, or both maps, are in float16."""

    def mask(large: Tensor) -> Tensor:
        return large > fraction * large.max()

    halves = (enlarged(small, size).half().double() for small in (heat, heat.half().double()))
    return all(int((mask(enlarged(heat, size)) & ~mask(half)).sum()) > 100 for half in halves)


def hill_calls(generator: Generator) -> list[Call]:
    """One round hill at two heights and two fractions."""
    rows, columns = (torch.arange(n, dtype=torch.float64) for n in (6, 9))

    def hill() -> Tensor:
        top = float(between(generator, 1.0, 4.0, 1)), float(between(generator, 1.0, 7.0, 1))
        return torch.exp(-((rows[:, None] - top[0]) ** 2 + (columns - top[1]) ** 2) / 3.0)

    size = (44, 63)
    heat = redrawn(hill, lambda m: clear(m, size, 0.2) and clear(m, size, 0.5))
    return [Call({"heatmap": s * heat, "size": size, "fraction": f}) for s, f in ((1.0, 0.2), (7.0, 0.2), (1.0, 0.5))]


def same_box_when_scaled(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return float(np.abs(results[0][0] - results[1][0]).max()) / max(calls[0].inputs["size"])


def holds_the_maximum(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    low, high, size = results[0][0], results[2][0], calls[0].inputs["size"]
    row, column = divmod(int(enlarged(calls[0].inputs["heatmap"], size).argmax()), size[1])
    nested = (low[:2] <= high[:2]).all() and (high[2:] <= low[2:]).all()
    inside = high[0] <= row < high[2] and high[1] <= column < high[3]
    return 0.0 if nested and inside else 1.0


def photo() -> Call:
    """The Egyptian cat through EfficientNet-Lite0."""
    model, target = cnnviz.efficientnet_lite0(), cnnviz.class_index("Egyptian cat")
    with torch.no_grad():
        activations = model.get_submodule("features")(cnnviz.preprocess(cnnviz.photo("chelsea"))).contiguous()
        weights = model.get_parameter("classifier.weight")[[target]].clone()
    return Call({"activations": activations, "weights": weights})


Build = Callable[[Generator], Sequence[Call]]
SMALL: Build = lambda g: convert_calls(g, (2, 3, 5), 4)  # noqa: E731
MAPS: Build = lambda g: map_calls(g, 4, (5, 7))  # noqa: E731

CHECKS = {
    "class_weights": Checks(
        cases=(
            Case(
                "four targets, two of them equal, then class 0; seven channels, five classes",
                lambda g: head_calls(g, 7, 5),
            ),
            Case("another head", lambda g: head_calls(g, 9, 6), hidden=True),
        ),
        laws=(
            Law(
                "row_gives_score", "Σ_k w_k^c a_k + b_c = y^c for any a", lambda g: head_calls(g, 7, 5), row_gives_score
            ),
        ),
    ),
    "class_activation_map": Checks(
        cases=(
            Case("three images, one of them all dark; then one whose features have both signs", MAPS),
            Case("other images and channels", lambda g: map_calls(g, 6, (4, 3)), hidden=True),
        ),
        laws=(
            Law("mean_is_score", "(1/Z) Σ_ij M^c_ij = Σ_k w_k^c a_k = y^c - b_c", MAPS, mean_gives_score),
            Law("linear_in_weights", "the map for weights 2u - 3v is 2 M_u - 3 M_v", combined_calls, is_linear),
        ),
        showcase=photo,
    ),
    "convert_to_cam": Checks(
        cases=(
            Case("scores for three images; for one of another size, with features of both signs", SMALL),
            Case("another network", lambda g: convert_calls(g, (1, 4, 6), 3), hidden=True),
        ),
        laws=(
            Law(
                "score_is_mean_of_map",
                "the mean of M^c plus b_c is the score y^c that your network gives",
                SMALL,
                score_is_mean_of_map,
            ),
        ),
    ),
    "train_head": Checks(
        cases=(
            Case(
                "a few steps; one backbone arrives in training mode, another has features of both signs",
                lambda g: train_calls(g, (2, 3, 5), 4),
                draw=2,
            ),
            Case("another network and other labels", lambda g: train_calls(g, (1, 4, 6), 3), hidden=True),
        ),
        laws=(
            Law(
                "class_sums_stay",
                "Σ_c W[c, k] and Σ_c b_c are the same before and after: Σ_c ∂L/∂y^c = 0",
                lambda g: train_calls(g, (2, 3, 5), 4),
                class_sums_stay,
            ),
        ),
        seconds=20.0,
    ),
    "box_from_map": Checks(
        cases=(
            Case(
                "hills high, broad and long; maps without a positive value; a rectified map with fraction 0",
                lambda g: box_calls(g, (11, 14), (62, 95)),
            ),
            Case("other hills and sizes", lambda g: box_calls(g, (11, 13), (73, 84)), hidden=True),
        ),
        laws=(
            Law("scale_does_not_matter", "the box of 7 · M^c is the box of M^c", hill_calls, same_box_when_scaled),
            Law(
                "box_of_one_hill",
                "if M^c is a single hill, its highest pixel lies in the box; a larger fraction gives a box inside the first",
                hill_calls,
                holds_the_maximum,
            ),
        ),
    ),
}
