"""Inputs and laws of lesson 12, guided Grad-CAM: float64 arrays and networks on which every mistake shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

import cnnviz
from autograder.exercises.grad_cam_misconceptions import observed, own_score
from autograder.exercises.grad_cam_part_misconceptions import weighted_sum, weights
from autograder.exercises.guided_backprop_misconceptions import network_map
from autograder.exercises.guided_grad_cam_part_misconceptions import enlarged
from autograder.fixtures import mixed_order
from autograder.records import Arrays, Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, GapNet, NamesakeNet, calm
from cnnviz_ref import cam, grad_cam, guided_backprop

SIZE = (11, 8)
CLASSES = 5

Build = Callable[[Generator], nn.Module]


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# 1. and 2. Maps and their pixels


def _maps(generator: Generator, n: int, h: int, w: int) -> Tensor:
    """Maps that are never negative, some places 0 and one faint; the second of several is 0, the last nowhere 0."""
    maps = (_randn(generator, n, h, w) + 0.4).relu() * 3
    maps[0, 0, 0] = 0.02
    if n > 1:
        maps[1] = 0.0
        maps[-1] += 0.7
    return maps


def _enlarge(generator: Generator, n: int, grid: tuple[int, int], size: tuple[int, int]) -> Call:
    return Call({"maps": _maps(generator, n, *grid), "size": size})


def larger_maps(generator: Generator) -> list[Call]:
    """Three maps, no whole factor; and one map twice as tall and three times as wide."""
    return [_enlarge(generator, 3, (4, 6), (11, 14)), _enlarge(generator, 1, (3, 4), (6, 12))]


def other_sizes(generator: Generator) -> list[Call]:
    """Another grid, no whole factor; and a single map."""
    return [_enlarge(generator, 3, (3, 5), (8, 13)), _enlarge(generator, 1, (5, 2), (9, 7))]


def _factors(generator: Generator, n: int, c: int, h: int, w: int) -> Call:
    return Call({"guided": _randn(generator, n, c, h, w), "maps": _maps(generator, n, h, w)})


def three_images(generator: Generator) -> list[Call]:
    """Three images of three colours; and a grey one."""
    return [_factors(generator, 3, 3, 5, 4), _factors(generator, 1, 1, 3, 6)]


def other_images(generator: Generator) -> list[Call]:
    """Other sizes; and a single image."""
    return [_factors(generator, 3, 3, 4, 7), _factors(generator, 1, 3, 6, 5)]


# 3. A head: activations, two layers of weights


def _head(generator: Generator, n: int, grid: tuple[int, int, int], hidden: int, classes: int) -> Call:
    """Activations >= 0 as after a ReLU, of several the second all 0 and the third nearly.

    A target is never the preferred class; drawn again while the targets rise.
    """
    places = int(np.prod(grid))
    while True:
        A = _randn(generator, n, *grid).relu()
        A[1:2] = 0.0
        A[2:3] *= 1e-9
        W1 = _randn(generator, hidden, places) * (2 / places) ** 0.5
        W2 = _randn(generator, classes, hidden) * (2 / hidden) ** 0.5
        scores = (A.flatten(1) @ W1.T).relu() @ W2.T
        targets = scores.argsort(dim=1)[torch.arange(n), torch.arange(n) % (classes - 1)]
        if n == 1 or bool((targets.diff() < 0).any()):
            return Call({"activations": A, "hidden": W1, "output": W2, "targets": targets})


def one_head(generator: Generator) -> list[Call]:
    """Four images, five channels on a 3 x 4 grid; and an image alone."""
    return [_head(generator, 4, (5, 3, 4), 9, 6), _head(generator, 1, (5, 3, 4), 9, 6)]


def other_heads(generator: Generator) -> list[Call]:
    """Other sizes; and an image alone."""
    return [_head(generator, 4, (4, 5, 2), 8, 5), _head(generator, 1, (3, 2, 4), 7, 4)]


# 4. Networks


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), hidden=9, classes=CLASSES, generator=generator)


def _gap(generator: Generator) -> nn.Module:
    return GapNet(channels=(4, 6), classes=CLASSES, stride=2, inplace=True, generator=generator)


def _namesakes(generator: Generator) -> nn.Module:
    return NamesakeNet(width=6, classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _busy(generator: Generator) -> nn.Module:
    """A network in use, whose forward pass fails before it is asked again."""
    return BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=generator)


@calm()
def _scene(generator: Generator, build: Build, layer: str, *, n: int = 3, frozen: bool = False) -> Call:
    """A network, n images, targets it does not prefer; drawn again until each L has both signs before its ReLU, and R
    is 0 for no image."""
    for _ in range(500):
        net = build(generator).double()
        images = _randn(generator, n, 3, *SIZE)
        order = mixed_order(generator, CLASSES, n)
        targets, preferred = order[:n], int(order[n])
        A, dA = observed(net, images, layer, _own(targets))
        R = network_map(net, images, targets).abs().amax((1, 2, 3))
        if _both_signs(weighted_sum(A, weights(dA))) and float(R.min()) > 0.02 * float(R.max()):
            _rescale(net, images, targets, preferred)
            if frozen:
                net.requires_grad_(False)
            return Call({"model": net, "images": images, "targets": targets, "layer": layer})
    raise RuntimeError(f"no fixture with both signs found for layer {layer!r}")


def _own(targets: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda scores: own_score(scores, targets)


def _both_signs(sums: Tensor) -> bool:
    top, bottom = sums.amax(dim=(1, 2)), -sums.amin(dim=(1, 2))
    return bool((torch.minimum(top, bottom) > 0.2 * sums.abs().max()).all())


@torch.no_grad()
def _rescale(net: nn.Module, images: Tensor, targets: Tensor, preferred: int) -> None:
    """Scores of moderate size, so that no probability saturates; one class, no target, that the network prefers."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    factor = 0.3 / float(network_map(net, images, targets).abs().max().clamp(min=1e-6))
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.5


def _nothing_speaks_for_it(generator: Generator) -> Call:
    """A class whose weights are all negative: L is 0 everywhere, and G with it."""
    call = _scene(generator, _gap, "features", n=1)
    with torch.no_grad():
        weight = call.inputs["model"].classifier.weight
        weight[call.inputs["targets"]] = -weight[call.inputs["targets"]].abs() - 0.1 * weight.abs().max()
    return call


def relus_above_the_layer(generator: Generator) -> list[Call]:
    """A ReLU in the classifier; in-place ReLUs; BatchNorm; a map that is 0 everywhere; a network in use; names."""
    return [
        _scene(generator, _flatten, "features.3"),
        _scene(generator, _gap, "features.2", n=1),
        _scene(generator, _batch_norm, "features.4", n=1),
        _nothing_speaks_for_it(generator),
        _scene(generator, _busy, "features.2", n=1),
        _scene(generator, _namesakes, "conv1", n=1),
    ]


def other_networks(generator: Generator) -> list[Call]:
    """BatchNorm; a ReLU in the classifier, frozen; a map that is 0 everywhere; a network in use; names."""
    return [
        _scene(generator, _flatten, "features.3", frozen=True),
        _scene(generator, _batch_norm, "features.4", n=1, frozen=True),
        _nothing_speaks_for_it(generator),
        _scene(generator, _busy, "features.2", n=1),
        _scene(generator, _namesakes, "conv1", n=1),
    ]


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, then each alone."""
    batch = _scene(generator, _flatten, "features.3")
    images, targets = batch.inputs["images"], batch.inputs["targets"]
    return [batch] + [
        Call({**batch.inputs, "images": images[[n]], "targets": targets[[n]]}) for n in range(len(images))
    ]


def pooled_scene(generator: Generator) -> list[Call]:
    """A network that ends in GAP and one linear layer, explained at the layer that is pooled."""
    return [_scene(generator, _gap, "features")]


def nothing_for_the_class(generator: Generator) -> list[Call]:
    """A class that nothing in the picture speaks for."""
    return [_nothing_speaks_for_it(generator)]


# A real photo, for the pictures beside a verdict


def photo() -> Call:
    """The camera photo and its class."""
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": cnnviz.preprocess(cnnviz.photo("camera")),
            "targets": torch.tensor([cnnviz.class_index("tripod")]),
            "layer": "features",
        }
    )


def photo_map() -> Call:
    """Its Grad-CAM map, to be enlarged."""
    return Call({"maps": grad_cam(*photo().inputs.values()), "size": (224, 224)})


def photo_factors() -> Call:
    """Its guided map and its enlarged Grad-CAM map."""
    model, images, targets, layer = photo().inputs.values()
    maps = enlarged(grad_cam(model, images, targets, layer), (224, 224))
    return Call({"guided": guided_backprop(model, images, targets), "maps": maps})


# Laws


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def whole_factor_calls(generator: Generator) -> list[Call]:
    """Maps enlarged 2 x 3 times."""
    return [_enlarge(generator, 3, (4, 3), (8, 9))]


def mean_kept(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The mean of each map stays."""
    return _relative(results[0][0].mean((1, 2)), calls[0].inputs["maps"].numpy().mean((1, 2)))


def mirrored_calls(generator: Generator) -> list[Call]:
    """A map, and its mirror image."""
    call = _enlarge(generator, 2, (3, 4), (7, 10))
    return [call, Call({**call.inputs, "maps": call.inputs["maps"].flip(1, 2)})]


def mirrored(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The mirror image of the result."""
    return _relative(results[1][0], results[0][0][:, ::-1, ::-1])


def constant_map_calls(generator: Generator) -> list[Call]:
    """U = 2.5 everywhere."""
    guided = _randn(generator, 2, 3, 4, 5)
    return [Call({"guided": guided, "maps": torch.full((2, 4, 5), 2.5, dtype=torch.float64)})]


def scaled_guided(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """G = 2.5 R."""
    return _relative(results[0][0], 2.5 * calls[0].inputs["guided"].numpy())


def for_and_against_calls(generator: Generator) -> list[Call]:
    """A head, and the same with -W_2."""
    call = _head(generator, 3, (4, 2, 3), 7, 4)
    return [call, Call({**call.inputs, "output": -call.inputs["output"]})]


def for_minus_against(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """α̃ of W_2 minus α̃ of -W_2 is α of W_2."""
    (alpha, second), (_, against) = results
    return _relative(second - against, alpha)


def constant_channels_calls(generator: Generator) -> list[Call]:
    """Every channel has the same value at every place."""
    call = _head(generator, 3, (5, 3, 2), 8, 4)
    A = (0.2 + _randn(generator, 3, 5, 1, 1).abs()).expand(3, 5, 3, 2).clone()
    return [Call({**call.inputs, "activations": A})]


def adds_up(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Z Σ_k α_k a_k = y^c."""
    A, W1, W2, targets = (calls[0].inputs[name] for name in ("activations", "hidden", "output", "targets"))
    y = ((A.flatten(1) @ W1.T).relu() @ W2.T).gather(1, targets[:, None])[:, 0]
    return _relative((results[0][0] * A.sum((2, 3)).numpy()).sum(1), y.numpy())


def guided_times_cam(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """G = R·U with U the enlarged ReLU(CAM)/Z."""
    model, images, targets, layer = calls[0].inputs.values()
    heat = cam(model, images, targets, layer).relu()
    maps = enlarged(heat / heat[0].numel(), SIZE)
    return _relative(results[0][0], (network_map(model, images, targets) * maps[:, None]).detach().numpy())


def zero_everywhere(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """G = 0."""
    return float(np.abs(results[0][0]).max())


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Results of single images beside those of the batch."""
    return _relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])
