"""Inputs and laws of lesson 11, Grad-CAM: small float64 networks and tensors on which every known mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.exercises.drawn import mixed_order
from autograder.exercises.grad_cam_misconceptions import observed, own_score
from autograder.exercises.grad_cam_part_misconceptions import weighted_sum, weights
from autograder.records import Arrays, Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, NamesakeNet, calm
from cnnviz_ref.cam import cam
from cnnviz_ref.grad_cam import activations_and_gradients

SIZE = (12, 8)
CLASSES = 5

# Inputs: small float64 networks whose maps have both signs before the ReLU, and targets the network does not prefer.

Build = Callable[[Generator], nn.Module]


def _gap(**options) -> Build:
    return lambda generator: GapNet(channels=(4, 6), classes=CLASSES, generator=generator, **options)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=generator)


def _functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _namesakes(generator: Generator) -> nn.Module:
    return NamesakeNet(width=6, classes=CLASSES, generator=generator)


def _busy(generator: Generator) -> nn.Module:
    return BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=generator)


@calm()
def _scene(
    generator: Generator, build: Build, layer: str, *, n: int = 3, frozen: bool = False, overwritten: bool = False
) -> Call:
    """A network, n images, a target each; drawn again until every map has both signs before its ReLU.

    Where the layer's output is `overwritten` by an in-place ReLU, it is also drawn again until that changes the maps.
    """
    for _ in range(1000):
        net = build(generator).double()
        images = torch.randn(n, 3, *SIZE, generator=generator, dtype=torch.float64)
        order = mixed_order(generator, CLASSES, n)
        targets, preferred = order[:n], int(order[n])
        activations, alpha = with_alpha(net, images, targets, layer)
        maps = weighted_sum(activations, alpha)
        right = (activations, alpha)
        if _both_signs(maps) and (not overwritten or _overwriting_shows(net, images, targets, layer, right)):
            _rescale(net, images, preferred, factor=0.02 / float(maps.abs().max()))
            if frozen:
                net.requires_grad_(False)
            return Call({"model": net, "images": images, "targets": targets, "layer": layer})
    raise RuntimeError(f"no fixture with both signs found for layer {layer!r}")


def with_alpha(net: nn.Module, images: Tensor, targets: Tensor, layer: str) -> tuple[Tensor, Tensor]:
    """A and α, as the reference has them."""
    activations, gradients = activations_and_gradients(net, images, targets, layer)
    return activations, weights(gradients)


def _both_signs(maps: Tensor) -> bool:
    size = maps.abs().amax(dim=(1, 2))
    balanced = torch.minimum(maps.amax(dim=(1, 2)), -maps.amin(dim=(1, 2)))
    return bool((balanced > 0.2 * size.max()).all())


def _overwriting_shows(
    net: nn.Module, images: Tensor, targets: Tensor, layer: str, right: tuple[Tensor, Tensor]
) -> bool:
    """Whether ReLU(A) for A, with α of A or with α of ReLU(A), gives three maps well apart; `right` are A and α."""
    activations, alpha = right
    after, gradients = observed(net, images, layer, lambda scores: own_score(scores, targets), copy=False)
    maps = [weighted_sum(a, b).relu() for a, b in ((activations, alpha), (after, alpha), (after, weights(gradients)))]
    apart = min(float((one - other).abs().max()) for one, other in itertools.combinations(maps, 2))
    return apart > 0.1 * float(weighted_sum(activations, alpha).abs().max())


@torch.no_grad()
def _rescale(net: nn.Module, images: Tensor, preferred: int, *, factor: float) -> None:
    """Scores of moderate size, so that no probability saturates; one class, no target, that the network prefers."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.5


def _nothing_speaks_for_it(generator: Generator) -> Call:
    """A class whose every weight is negative: Σ_k α_k A^k is nowhere positive, and L is 0 everywhere."""
    call = _scene(generator, _gap(), "features", n=1)
    with torch.no_grad():
        weight = call.inputs["model"].classifier.weight
        weight[call.inputs["targets"]] = -weight[call.inputs["targets"]].abs() - 0.1 * weight.abs().max()
    return call


def _awkward(generator: Generator) -> list[Call]:
    """A layer whose name is part of others; a network in use, whose forward pass fails before the next; dropout."""
    return [
        _scene(generator, _namesakes, "conv1", n=2),
        _scene(generator, _busy, "features.2", n=1),
        _scene(generator, _batch_norm, "features.4", n=2),
    ]


def in_place(generator: Generator) -> list[Call]:
    """An in-place ReLU right after the layer; and a map that is 0 everywhere."""
    return [
        _scene(generator, _gap(inplace=True), "features.0", overwritten=True),
        _nothing_speaks_for_it(generator),
        *_awkward(generator),
    ]


def no_pooling(generator: Generator) -> list[Call]:
    """A flatten head; and a layer that a functional in-place ReLU overwrites. All weights frozen."""
    return [
        _scene(generator, _flatten, "features", frozen=True),
        _scene(generator, _functional, "features.conv2", n=1, frozen=True, overwritten=True),
        *_awkward(generator),
    ]


def normalised_layers(generator: Generator) -> list[Call]:
    """A functional in-place ReLU; a map that is 0 everywhere; BatchNorm and dropout."""
    return [
        _scene(generator, _functional, "features.conv2", frozen=True, overwritten=True),
        _nothing_speaks_for_it(generator),
        *_awkward(generator),
    ]


def pooled_scene(generator: Generator) -> list[Call]:
    """A network that ends in GAP and one linear layer, explained at the layer that is pooled."""
    return [_scene(generator, _gap(stride=2), "features")]


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, then each alone."""
    batch = _scene(generator, _flatten, "features.3")
    images, targets = batch.inputs["images"], batch.inputs["targets"]
    return [batch] + [
        Call({**batch.inputs, "images": images[[n]], "targets": targets[[n]]}) for n in range(len(images))
    ]


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _signs(generator: Generator, *shape: int) -> Tensor:
    """+1 and -1 in turn along the last axis, the first at random."""
    turns = torch.where(torch.arange(shape[-1]) % 2 == 0, 1.0, -1.0).to(torch.float64)
    first = torch.randint(0, 2, (*shape[:-1], 1), generator=generator) * 2 - 1
    return turns * first


def gradients(generator: Generator, n: int, k: int, h: int, w: int) -> Call:
    """Gradients of both signs, one in five 0, whose means over the grid have both signs too."""
    mean = _signs(generator, n, k) * (0.3 + torch.rand(n, k, generator=generator, dtype=torch.float64))
    gradient = mean[..., None, None] + _randn(generator, n, k, h, w)
    return Call({"gradients": gradient * (torch.rand(n, k, h, w, generator=generator) < 0.8)})


def one_unused_channel(generator: Generator) -> list[Call]:
    """One channel whose gradient is 0; and a single image."""
    call = gradients(generator, 3, 4, 3, 7)
    call.inputs["gradients"][1, 2] = 0.0
    return [call, gradients(generator, 1, 6, 5, 3)]


def weighted_layers(generator: Generator, n: int, k: int, h: int, w: int) -> Call:
    """n maps with both signs before the ReLU, the first over 6 somewhere; the last of several is nowhere positive."""
    for _ in range(1000):
        activations = _randn(generator, n, k, h, w)
        alpha = _signs(generator, n, k) * (0.5 + torch.rand(n, k, generator=generator, dtype=torch.float64))
        sums = weighted_sum(activations, alpha)
        if _both_signs(sums) and bool((sums.amax(dim=(1, 2)) > 2).all()):
            break
    alpha[0] *= 4
    if n > 1:
        activations[-1], alpha[-1] = activations[-1].abs(), -alpha[-1].abs()
    return Call({"activations": activations, "alpha": alpha})


def _energies(generator: Generator, n: int, size: tuple[int, int], boxes: Sequence[Sequence[int]]) -> Call:
    """Non-negative maps with long tails, a good part 0; of several, the last is 0 everywhere and the first faint."""
    noise = _randn(generator, n, *size)
    maps = noise.relu() * noise.square()
    if n > 1:
        maps[-1] = 0.0
        maps[0] *= 1e-9
    return Call({"maps": maps, "quadrants": torch.tensor(boxes)})


def _margin_boxes(generator: Generator, h: int, w: int) -> list[list[int]]:
    """Four boxes round a random centre, never on the diagonal, that leave a margin uncovered."""
    row = int(torch.randint(3, h - 3, (), generator=generator))
    column = int(torch.randint(3, min(h, w) - 4, (), generator=generator))
    column += column >= row
    return [[1, 0, row, column], [0, column, row, w - 2], [row, 1, h - 1, column], [row, column, h, w - 1]]


def quadrants(generator: Generator) -> list[Call]:
    """Three maps and four boxes with a margin."""
    return [_energies(generator, 3, (10, 14), _margin_boxes(generator, 10, 14))]


def other_boxes(generator: Generator) -> list[Call]:
    """Two boxes on three maps; four boxes on a single map."""
    two, four = _margin_boxes(generator, 13, 9)[1:3], _margin_boxes(generator, 9, 12)
    return [_energies(generator, 3, (13, 9), two), _energies(generator, 1, (9, 12), four)]


# Laws


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()


def arguments(call: Call) -> tuple:
    """The call's inputs in the order of the signature."""
    return tuple(call.inputs[name] for name in ("model", "images", "targets", "layer"))


def spread_weights(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """∂y^c/∂A^k_ij = w_k^c / Z at every place of a GAP + linear network."""
    model, _, targets, _ = arguments(calls[0])
    gradients = results[0][1]
    w = _array(model.classifier.weight[targets])
    return _relative(gradients, np.broadcast_to(w[..., None, None] / gradients[0, 0].size, gradients.shape))


def scores_again(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The rest of the network, run on A, gives the scores."""
    model, images, _, _ = arguments(calls[0])
    activations = torch.as_tensor(results[0][0]).to(images)
    with torch.no_grad():
        again = model.classifier(model.pool(activations).flatten(1))
        return _relative(_array(again), _array(model(images)))


def equals_relu_cam(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Grad-CAM = ReLU(CAM)/Z."""
    maps = results[0][0]
    return _relative(maps, _array(cam(*arguments(calls[0]))).clip(min=0) / maps[0].size)


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Results of single images beside those of the batch."""
    return _relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])


def additive_calls(generator: Generator) -> list[Call]:
    """G, G' and G - 2·G'."""
    one, two = (gradients(generator, 2, 5, 3, 4).inputs["gradients"] for _ in range(2))
    return [Call({"gradients": each}) for each in (one, two, one - 2 * two)]


def additive(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """α(G - 2·G') = α(G) - 2·α(G')."""
    one, two, both = (result[0] for result in results)
    return _relative(both, one - 2 * two)


def constant_calls(generator: Generator) -> list[Call]:
    """One number for each channel, the same at every place."""
    return [Call({"gradients": _randn(generator, 2, 5, 1, 1).expand(2, 5, 3, 4).clone()})]


def constant(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """α_k is that number."""
    return _relative(results[0][0], _array(calls[0].inputs["gradients"][:, :, 0, 0]))


def both_halves_calls(generator: Generator) -> list[Call]:
    """The same layer with α and with -α."""
    call = weighted_layers(generator, 2, 5, 4, 3)
    return [call, Call({**call.inputs, "alpha": -call.inputs["alpha"]})]


def both_halves(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """ReLU(s) - ReLU(-s) = s."""
    sums = weighted_sum(calls[0].inputs["activations"], calls[0].inputs["alpha"])
    return _relative(results[0][0] - results[1][0], _array(sums))


def tiling_calls(generator: Generator) -> list[Call]:
    """Four boxes that cover a map once; the same map, 7 times as bright."""
    maps = _energies(generator, 2, (8, 6), [[0, 0, 1, 1]]).inputs["maps"][:1]
    tiles = torch.tensor([[0, 0, 3, 2], [0, 2, 3, 6], [3, 0, 8, 2], [3, 2, 8, 6]])
    return [Call({"maps": scale * maps, "quadrants": tiles}) for scale in (1.0, 7.0)]


def shared_out(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Σ_q s_q = 1, and brightness does not matter."""
    one, larger = (result[0] for result in results)
    return max(_relative(one.sum(1), np.ones(len(one))), _relative(larger, one))
