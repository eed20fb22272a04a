"""Inputs and laws of lesson 09, guided backpropagation: float64 arrays and networks on which every mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

from autograder.exercises import guided_backprop_misconceptions as mistakes
from autograder.records import Arrays, Call, Misconception
from cnnviz.small_nets import BatchNormNet, FlattenNet, GapNet

SIZE = (12, 8)
CLASSES = 5

Build = Callable[[Generator], list[Call]]
Function = Callable[..., "Tensor | tuple[Tensor, ...]"]


def separated(build: Build, right: Function, wrong: Sequence[Misconception]) -> Build:
    """`build`, drawn again until every mistake is well away from the right answer and from every other mistake."""

    def drawn(generator: Generator) -> list[Call]:
        for _ in range(200):
            calls = build(generator)
            if _tell_apart(calls, right, [mistake.wrong for mistake in wrong]):
                return calls
        raise RuntimeError("no fixture found on which every mistake shows")

    return drawn


def _tell_apart(calls: Sequence[Call], right: Function, wrong: Sequence[Function]) -> bool:
    answers = [[_tensors(f(*call.inputs.values())) for call in calls] for f in (right, *wrong)]
    if any(_apart(answers[0], other) < 0.03 for other in answers[1:]):
        return False
    return all(min(_apart(a, b), _apart(b, a)) > 2e-3 for a, b in itertools.combinations(answers[1:], 2))


def _tensors(result: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return result if isinstance(result, tuple) else (result,)


def _apart(expected: Sequence[tuple[Tensor, ...]], got: Sequence[tuple[Tensor, ...]]) -> float:
    """Largest difference over calls and outputs, relative to max|expected| of the output; NaN counts as far."""
    far = 0.0
    for want, have in zip(zip(*expected, strict=True), zip(*got, strict=True), strict=True):
        if any(a.shape != b.shape for a, b in zip(want, have, strict=True)):
            return float("inf")
        scale = max(float(a.nan_to_num().abs().max()) for a in want) or 1.0
        errors = [(a - b).nan_to_num(nan=scale).abs().max() for a, b in zip(want, have, strict=True)]
        far = max(far, float(max(errors)) / scale)
    return far


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


# 1. Arrays x and R


def _one_relu(generator: Generator, *shape: int) -> Call:
    """x and R of every pair of signs, no size near 0; and places where x is exactly 0."""
    signs = torch.tensor([[1.0, 1.0], [1.0, -1.0], [-1.0, 1.0], [-1.0, -1.0], [0.0, 1.0], [0.0, -1.0]]).double()
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


def _perceptron(generator: Generator, n: int, sizes: Sequence[int]) -> Call:
    weights = [_randn(generator, d, c) * (2 / c) ** 0.5 for c, d in itertools.pairwise(sizes)]
    inputs = _randn(generator, n, sizes[0])
    scores = inputs
    for W in weights[:-1]:
        scores = (scores @ W.T).clamp(min=0)
    order = (scores @ weights[-1].T).argsort(dim=1)  # the target is never the preferred class
    picks = torch.arange(n) % (sizes[-1] - 1)
    targets = order[torch.arange(n), picks]
    return Call({"inputs": inputs, "weights": weights, "targets": targets})


def two_hidden_layers(generator: Generator) -> list[Call]:
    """Four inputs of length 6; two hidden layers; one input alone."""
    return [_perceptron(generator, 4, (6, 9, 8, 5)), _perceptron(generator, 1, (6, 9, 8, 5))]


def other_depths(generator: Generator) -> list[Call]:
    """Three hidden layers; and a single one."""
    return [_perceptron(generator, 4, (5, 8, 9, 7, 4)), _perceptron(generator, 3, (7, 9, 4))]


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
    """A network whose largest map value is 0.02, n images, and targets that it does not prefer."""
    net = build(generator).double()
    images = bright * _randn(generator, n, 3, *SIZE)
    order = torch.randperm(CLASSES, generator=generator)
    targets, preferred = order[:n], int(order[n])
    _rescale(net, images, targets, preferred)
    net.requires_grad_(not frozen)
    return Call({"model": net, "images": images, "targets": targets})


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
    """A ReLU in the classifier, max-pooling; in-place ReLUs and one image; ReLU6, frozen."""
    return [
        _scene(generator, _flatten),
        _scene(generator, _gap, n=1),
        _scene(generator, _relu6, bright=4.0, frozen=True),
    ]


def shared_and_normalised(generator: Generator) -> list[Call]:
    """One ReLU module used three times; BatchNorm and dropout; a ReLU in the classifier; ReLU6. Two are frozen."""
    return [
        _scene(generator, _shared_relu, frozen=True),
        _scene(generator, _batch_norm),
        _scene(generator, _flatten, n=1, frozen=True),
        _scene(generator, _relu6, bright=4.0),
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
    """Two maps an image that share a part with a mean off 0; one pair near the opposite of each other."""
    lean = 0.5 + torch.rand(n, 1, 1, 1, generator=generator, dtype=torch.float64)
    maps = _randn(generator, n, *shape) + lean
    share = torch.linspace(1.0, -1.5, n, dtype=torch.float64).view(-1, 1, 1, 1)
    others = 3.0 * (share * maps + _randn(generator, n, *shape) * lean)
    return Call({"maps": maps, "others": others})


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
