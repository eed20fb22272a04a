"""Inputs and laws of lesson 09, guided backpropagation: float64 arrays and networks on which every mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.exercises import guided_backprop_misconceptions as mistakes
from autograder.fixtures import mixed_order
from autograder.records import Arrays, Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, GapNet, calm

SIZE = (12, 8)
CLASSES = 5


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# 1. Arrays x and R


def _one_relu(generator: Generator, *shape: int) -> Call:
    """x and R of every pair of signs, no R near 0; and places where x is exactly 0, or hardly more than 0."""
    pairs = [[x, R] for x in (1.0, -1.0, 0.0, 1e-9) for R in (1.0, -1.0)]
    signs = torch.tensor(pairs, dtype=torch.float64)
    count = int(np.prod(shape))
    order = torch.arange(count)[torch.randperm(count, generator=generator)] % len(signs)
    x, R = (signs[order] * (0.3 + _randn(generator, count, 2).abs())).T
    return Call({"x": x.reshape(shape).contiguous(), "R": R.reshape(shape).contiguous()})


def feature_maps(generator: Generator) -> list[Call]:
    """Two images, three channels, a 3 x 4 grid."""
    return [_one_relu(generator, 2, 3, 3, 4)]


def other_arrays(generator: Generator) -> list[Call]:
    """A layer without a grid; and a single image."""
    return [_one_relu(generator, 3, 7), _one_relu(generator, 1, 4, 5, 2)]


# 2. A perceptron


def _perceptron(generator: Generator, n: int, sizes: Sequence[int], *, in_training: bool = False) -> Call:
    """The second input is 0 everywhere, the third nearly; `in_training`: the weights need gradients."""
    weights = [_randn(generator, d, c) * (2 / c) ** 0.5 for c, d in itertools.pairwise(sizes)]
    inputs = _randn(generator, n, sizes[0])
    scores = inputs
    for W in weights[:-1]:
        scores = (scores @ W.T).clamp(min=0)
    order = (scores @ weights[-1].T).argsort(dim=1)  # the target is never the preferred class
    picks = torch.arange(n) % (sizes[-1] - 1)
    targets = order[torch.arange(n), picks]
    if in_training:
        weights = [W.requires_grad_() for W in weights]
    inputs[1:2] = 0.0
    inputs[2:3] *= 1e-7
    return Call({"inputs": inputs, "weights": weights, "targets": targets})


def two_hidden_layers(generator: Generator) -> list[Call]:
    """Four inputs of length 6; two hidden layers; one input alone, and weights that need gradients."""
    return [_perceptron(generator, 4, (6, 9, 8, 5)), _perceptron(generator, 1, (6, 9, 8, 5), in_training=True)]


def other_depths(generator: Generator) -> list[Call]:
    """Three hidden layers; and a single one, with weights that need gradients."""
    return [_perceptron(generator, 4, (5, 8, 9, 7, 4)), _perceptron(generator, 3, (7, 9, 4), in_training=True)]


# 3. Networks


def _gap(generator: Generator) -> nn.Module:
    """In-place ReLUs; after the second convolution there is none, as in the blocks of EfficientNet."""
    net = GapNet(channels=(4, 3, 5, 6), classes=CLASSES, inplace=True, generator=generator)
    conv1, relu, conv2, _, *rest = net.features.children()
    net.features = nn.Sequential(conv1, relu, conv2, *rest)
    return net


def _shared_relu(generator: Generator) -> nn.Module:
    """One module after each convolution but the second."""
    net = GapNet(channels=(4, 3, 5, 6), classes=CLASSES, generator=generator)
    conv1, relu, conv2, _, conv3, _, conv4, _ = net.features.children()
    net.features = nn.Sequential(conv1, relu, conv2, conv3, relu, conv4, relu)
    return net


def _same_relu(generator: Generator) -> nn.Module:
    """One module twice, on maps of the same size."""
    net = GapNet(channels=(4, 4), classes=CLASSES, generator=generator)
    conv1, relu, conv2, _ = net.features.children()
    net.features = nn.Sequential(conv1, relu, conv2, relu)
    return net


def _busy(generator: Generator) -> nn.Module:
    """A network in use, whose forward pass fails before it is asked again."""
    return BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=generator)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), hidden=9, classes=CLASSES, generator=generator)


def _relu6(generator: Generator) -> nn.Module:
    net = GapNet(channels=(4, 6), classes=CLASSES, generator=generator)
    net.features = nn.Sequential(*(nn.ReLU6() if isinstance(m, nn.ReLU) else m for m in net.features.children()))
    return net


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _scene(
    generator: Generator, build: Callable[[Generator], nn.Module], *, n: int = 3, bright: float = 1.0, frozen=False
) -> Call:
    """A network whose largest map value is 0.02, n images, and targets that it does not prefer; no map is 0."""
    for _ in range(200):
        net = build(generator).double()
        images = bright * _randn(generator, n, 3, *SIZE)
        order = mixed_order(generator, CLASSES, n)
        targets, preferred = order[:n], int(order[n])
        with calm():
            sizes = mistakes.network_map(net, images, targets).abs().amax((1, 2, 3))
            if float(sizes.min()) <= 0.02 * float(sizes.max()):
                continue
            _rescale(net, images, targets, preferred)
        if frozen:
            net.requires_grad_(False)
        return Call({"model": net, "images": images, "targets": targets})
    raise RuntimeError("no fixture found in which a signal arrives at every image")


@torch.no_grad()
def _rescale(net: nn.Module, images: Tensor, targets: Tensor, preferred: int) -> None:
    """Scores of moderate size, so that no probability saturates; one class, no target, that the network prefers."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    factor = 0.02 / float(mistakes.network_map(net, images, targets).abs().max().clamp(min=1e-6))
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.5


def classifier_and_relu6(generator: Generator) -> list[Call]:
    """A ReLU in the classifier, max-pooling; in-place ReLUs; ReLU6, frozen; one ReLU module twice; a network in use."""
    return [
        _scene(generator, _flatten),
        _scene(generator, _gap, n=1),
        _scene(generator, _relu6, bright=4.0, frozen=True),
        _scene(generator, _same_relu, n=2),
        _scene(generator, _busy, n=1),
    ]


def shared_and_normalised(generator: Generator) -> list[Call]:
    """One ReLU module used three times, and twice; BatchNorm and dropout; ReLU6; a network in use. Two are frozen."""
    return [
        _scene(generator, _shared_relu, frozen=True),
        _scene(generator, _batch_norm),
        _scene(generator, _flatten, n=1, frozen=True),
        _scene(generator, _relu6, bright=4.0),
        _scene(generator, _same_relu, n=1),
        _scene(generator, _busy, n=1),
    ]


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, then each alone."""
    batch = _scene(generator, _flatten)
    images, targets = batch.inputs["images"], batch.inputs["targets"]
    return [batch] + [
        Call({**batch.inputs, "images": images[[n]], "targets": targets[[n]]}) for n in range(len(images))
    ]


@torch.no_grad()
def nothing_negative(generator: Generator) -> list[Call]:
    """A network whose weights after the first layer are all positive, so that no R is negative at any ReLU."""
    call = _scene(generator, _gap)
    net = call.inputs["model"]
    _, *later = (module for module in net.modules() if isinstance(module, nn.Conv2d | nn.Linear))
    for module in later:
        module.weight.abs_()
    return [call]


# 4. Two maps


def _two_maps(generator: Generator, n: int, *shape: int) -> Call:
    """Two maps an image that share a part with a mean off 0; the last pair is faint, and nearly opposite."""
    lean = 0.5 + torch.rand(n, 1, 1, 1, generator=generator, dtype=torch.float64)
    maps = _randn(generator, n, *shape) + lean
    faint = torch.where(torch.arange(n) == n - 1, 2e-5, 1.0).double().view(-1, 1, 1, 1)
    share = torch.linspace(1.0, -1.5, n, dtype=torch.float64).view(-1, 1, 1, 1)
    others = 3.0 * (share * maps + _randn(generator, n, *shape) * lean)
    return Call({"maps": faint * maps, "others": faint * others})


def three_pairs(generator: Generator) -> list[Call]:
    """Four pairs of maps, in one of which a map is 0 everywhere."""
    call = _two_maps(generator, 4, 3, 3, 4)
    call.inputs["others"][2] = 0.0
    return [call]


def other_pairs(generator: Generator) -> list[Call]:
    """Grey maps of another size, one of them 0 everywhere; and maps in colours."""
    grey = _two_maps(generator, 3, 1, 2, 5)
    grey.inputs["maps"][1] = 0.0
    return [grey, _two_maps(generator, 2, 3, 4, 2)]


# Laws


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def both_signs_calls(generator: Generator) -> list[Call]:
    """x with R, and x with -R."""
    call = _one_relu(generator, 2, 3, 4, 2)
    return [call, Call({**call.inputs, "R": -call.inputs["R"]})]


def both_signs(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """guided(x, R) - guided(x, -R) = [x > 0] R, and deconvnet(R) - deconvnet(-R) = R."""
    x, R = (value.numpy() for value in calls[0].inputs.values())
    (_, d, b), (_, d_other, b_other) = results
    return max(_relative(b - b_other, R * (x > 0)), _relative(d - d_other, R))


def positive_layers_calls(generator: Generator) -> list[Call]:
    """A perceptron whose weights after the first layer are all positive."""
    call = _perceptron(generator, 3, (6, 8, 7, 4))
    first, *rest = call.inputs["weights"]
    return [Call({**call.inputs, "weights": [first, *(W.abs() for W in rest)]})]


def perceptron_gradient(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The map is the gradient."""
    gradient = mistakes.perceptron_map(*calls[0].inputs.values(), sends=lambda layer: mistakes.plain)
    return _relative(results[0][0], gradient.numpy())


def scaled_layers_calls(generator: Generator) -> list[Call]:
    """A perceptron; the same with its last weights 3 times as large."""
    call = _perceptron(generator, 3, (6, 8, 5))
    *rest, last = call.inputs["weights"]
    return [call, Call({**call.inputs, "weights": [*rest, 3 * last]})]


def scaled_three_times(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The map is 3 times as large."""
    return _relative(results[1][0], 3 * results[0][0])


def network_gradient(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The map is the gradient."""
    gradient = mistakes.network_map(*calls[0].inputs.values(), send=mistakes.plain)
    return _relative(results[0][0], gradient.numpy())


def as_in_the_batch(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """Results of single images beside those of the batch."""
    return _relative(np.concatenate([alone[0] for alone in results[1:]]), results[0][0])


def known_cosines_calls(generator: Generator) -> list[Call]:
    """A map with 5 times itself, with -2 times itself, and with one that is zero wherever the first is not."""
    maps = _randn(generator, 2, 3, 4, 3) + 0.5
    half = torch.zeros_like(maps)
    half[:, :, :2] = maps[:, :, :2]
    pairs = ((maps, 5 * maps), (maps, -2 * maps), (half, maps - half))
    return [Call({"maps": a, "others": b.clone()}) for a, b in pairs]


def known_cosines(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """1, -1 and 0."""
    return max(float(np.abs(result[0] - want).max()) for result, want in zip(results, (1, -1, 0), strict=True))
