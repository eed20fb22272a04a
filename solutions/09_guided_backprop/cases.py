"""Inputs and laws of guided backpropagation: signals of both signs at every ReLU, and targets nobody prefers."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

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
)
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, GapNet, calm
from cnnviz_ref import guided_backprop as method
from cnnviz_ref.saliency import image_gradient

SIZE, CLASSES = (12, 8), 5


def guided_backprop(model: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """The method by its one rule."""
    return method(model, images, targets)


def one_relu(generator: Generator, *shape: int) -> Call:
    """x and R of every pair of signs, no R near 0; and places where x is exactly 0, or hardly more than 0."""
    signs = torch.tensor([[x, R] for x in (1.0, -1.0, 0.0, 1e-9) for R in (1.0, -1.0)], dtype=torch.float64)
    count = int(np.prod(shape))
    order = torch.randperm(count, generator=generator) % len(signs)
    x, R = (signs[order] * (0.3 + randn(generator, count, 2).abs())).T
    return Call({"x": x.reshape(shape).contiguous(), "R": R.reshape(shape).contiguous()})


def both_signs_calls(generator: Generator) -> list[Call]:
    """x with R, and x with -R."""
    call = one_relu(generator, 2, 3, 4, 2)
    return [call, Call({**call.inputs, "R": -call.inputs["R"]})]


def both_signs(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    x, R = map(array, calls[0].inputs.values())
    (_, deconvnet, guided), (_, deconvnet_other, guided_other) = results
    return max(relative(guided - guided_other, R * (x > 0)), relative(deconvnet - deconvnet_other, R))


def perceptron(generator: Generator, n: int, sizes: Sequence[int], *, in_training: bool = False) -> Call:
    """The second input is 0 everywhere, the third nearly; `in_training`: the weights need gradients."""
    weights = [randn(generator, d, c) * (2 / c) ** 0.5 for c, d in itertools.pairwise(sizes)]
    inputs = randn(generator, n, sizes[0])
    order = scores_of(inputs, weights).argsort(dim=1)  # the target is never the preferred class
    targets = order[torch.arange(n), torch.arange(n) % (sizes[-1] - 1)]
    inputs[1:2] = 0.0
    inputs[2:3] *= 1e-7
    return Call({"inputs": inputs, "weights": [W.requires_grad_(in_training) for W in weights], "targets": targets})


def scores_of(inputs: Tensor, weights: Sequence[Tensor]) -> Tensor:
    for W in weights[:-1]:
        inputs = (inputs @ W.T).relu()
    return inputs @ weights[-1].T


def two_hidden_layers(generator: Generator) -> list[Call]:
    return [perceptron(generator, 4, (6, 9, 8, 5)), perceptron(generator, 1, (6, 9, 8, 5), in_training=True)]


def other_depths(generator: Generator) -> list[Call]:
    """Three hidden layers; and a single one."""
    return [perceptron(generator, 4, (5, 8, 9, 7, 4)), perceptron(generator, 3, (7, 9, 4), in_training=True)]


def positive_layers(generator: Generator) -> list[Call]:
    """A perceptron whose weights after the first layer are all positive."""
    call = perceptron(generator, 3, (6, 8, 7, 4))
    first, *rest = call.inputs["weights"]
    return [Call({**call.inputs, "weights": [first, *(W.abs() for W in rest)]})]


def perceptron_gradient(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    inputs, weights, targets = calls[0].inputs.values()
    start = inputs.clone().requires_grad_()
    y = scores_of(start, weights)[torch.arange(len(inputs)), targets]
    return relative(results[0][0], array(torch.autograd.grad(y.sum(), start)[0]))


def scaled_layers(generator: Generator) -> list[Call]:
    """A perceptron; the same with its last weights 3 times as large."""
    call = perceptron(generator, 3, (6, 8, 5))
    *rest, last = call.inputs["weights"]
    return [call, Call({**call.inputs, "weights": [*rest, 3 * last]})]


def scaled_three_times(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0], 3 * results[0][0])


def silent_convolution(generator: Generator) -> nn.Module:
    """In-place ReLUs; after the second convolution there is none, as in the blocks of EfficientNet."""
    net = GapNet(channels=(4, 3, 5, 6), classes=CLASSES, inplace=True, generator=generator)
    conv1, relu, conv2, _, *rest = net.features.children()
    net.features = nn.Sequential(conv1, relu, conv2, *rest)
    return net


def shared_relu(generator: Generator) -> nn.Module:
    """One module after each convolution but the second."""
    net = GapNet(channels=(4, 3, 5, 6), classes=CLASSES, generator=generator)
    conv1, relu, conv2, _, conv3, _, conv4, _ = net.features.children()
    net.features = nn.Sequential(conv1, relu, conv2, conv3, relu, conv4, relu)
    return net


def same_relu(generator: Generator) -> nn.Module:
    """One module twice, on maps of the same size."""
    net = GapNet(channels=(4, 4), classes=CLASSES, generator=generator)
    conv1, relu, conv2, _ = net.features.children()
    net.features = nn.Sequential(conv1, relu, conv2, relu)
    return net


def relu6(generator: Generator) -> nn.Module:
    net = GapNet(channels=(4, 6), classes=CLASSES, generator=generator)
    net.features = nn.Sequential(*(nn.ReLU6() if isinstance(m, nn.ReLU) else m for m in net.features.children()))
    return net


NETS: dict[str, Callable[[Generator], nn.Module]] = {
    "silent_convolution": silent_convolution,
    "shared_relu": shared_relu,
    "same_relu": same_relu,
    "relu6": relu6,
    "flatten": lambda g: FlattenNet(size=SIZE, channels=(4, 6), hidden=9, classes=CLASSES, generator=g),
    "batch_norm": lambda g: BatchNormNet(channels=(4, 6), classes=CLASSES, generator=g),
    "busy": lambda g: BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=g),
}


@calm()
def scene(generator: Generator, net: str, n: int = 3, *, bright: float = 1.0, frozen: bool = False) -> Call:
    """A network whose largest map value is 0.02, n images, a target each; a signal arrives at every image."""
    model, images, order, sizes = redrawn(
        lambda: drawing(generator, net, n, bright), lambda drawn: float(drawn[-1].min()) > 0.02 * float(drawn[-1].max())
    )
    moderate_scores(model, images, int(order[n]), factor=0.02 / float(sizes.max()))
    return Call({"model": model.requires_grad_(not frozen), "images": images, "targets": order[:n]})


def drawing(generator: Generator, net: str, n: int, bright: float) -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A network, images, all classes in an order, and the largest |value| of each image's map."""
    model = NETS[net](generator).double()
    images = bright * randn(generator, n, 3, *SIZE)
    order = mixed_order(generator, CLASSES, n)
    return model, images, order, guided_backprop(model, images, order[:n]).abs().amax((1, 2, 3))


def classifier_and_relu6(generator: Generator) -> list[Call]:
    return [
        scene(generator, "flatten"),
        scene(generator, "silent_convolution", 1),
        scene(generator, "relu6", bright=4.0, frozen=True),
        scene(generator, "same_relu", 2),
        scene(generator, "busy", 1),
    ]


def shared_and_normalised(generator: Generator) -> list[Call]:
    return [
        scene(generator, "shared_relu", frozen=True),
        scene(generator, "batch_norm"),
        scene(generator, "flatten", 2, frozen=True),
        scene(generator, "relu6", bright=4.0),
        scene(generator, "same_relu", 1),
        scene(generator, "busy", 1),
    ]


@torch.no_grad()
def nothing_negative(generator: Generator) -> list[Call]:
    """A network whose weights after the first layer are all positive, so that no R is negative at any ReLU."""
    call = scene(generator, "silent_convolution")
    _, *later = (module for module in call.inputs["model"].modules() if isinstance(module, nn.Conv2d | nn.Linear))
    for module in later:
        module.weight.abs_()
    return [call]


def network_gradient(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[0][0], array(image_gradient(**calls[0].inputs)))


def two_maps(generator: Generator, n: int, *shape: int) -> Call:
    """Two maps an image that share a part with a mean off 0; the last pair is faint, and nearly opposite."""
    lean = 0.5 + torch.rand(n, 1, 1, 1, generator=generator, dtype=torch.float64)
    maps = randn(generator, n, *shape) + lean
    share = torch.linspace(1.0, -1.5, n, dtype=torch.float64).view(-1, 1, 1, 1)
    others = 3.0 * (share * maps + randn(generator, n, *shape) * lean)
    for faint in (maps, others):
        faint[-1] *= 2e-5
    return Call({"maps": maps, "others": others})


def four_pairs(generator: Generator) -> list[Call]:
    call = two_maps(generator, 4, 3, 3, 4)
    call.inputs["others"][2] = 0.0
    return [call]


def other_pairs(generator: Generator) -> list[Call]:
    grey = two_maps(generator, 3, 1, 2, 5)
    grey.inputs["maps"][1] = 0.0
    return [grey, two_maps(generator, 2, 3, 4, 2)]


def known_cosines_calls(generator: Generator) -> list[Call]:
    """A map with 5 times itself, with -2 times itself, and with one that is zero wherever the first is not."""
    maps = randn(generator, 2, 3, 4, 3) + 0.5
    half = torch.zeros_like(maps)
    half[:, :, :2] = maps[:, :, :2]
    pairs = ((maps, 5 * maps), (maps, -2 * maps), (half, maps - half))
    return [Call({"maps": a, "others": b.clone()}) for a, b in pairs]


def known_cosines(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return max(float(np.abs(result[0] - want).max()) for result, want in zip(results, (1, -1, 0), strict=True))


def photo() -> Call:
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": cnnviz.preprocess(cnnviz.photo("camera")),
            "targets": torch.tensor([cnnviz.class_index("tripod")]),
        }
    )


CHECKS = {
    "backward_rules": Checks(
        cases=(
            Case("two images, three channels, a 3 x 4 grid", lambda g: [one_relu(g, 2, 3, 3, 4)]),
            Case("other shapes", lambda g: [one_relu(g, 3, 7), one_relu(g, 1, 4, 5, 2)], hidden=True),
        ),
        laws=(
            Law(
                "both_signs_together",
                "R and -R share out what passes: guided(x, R) - guided(x, -R) = [x > 0] R, and deconvnet(R) - "
                "deconvnet(-R) = R.",
                both_signs_calls,
                both_signs,
            ),
        ),
    ),
    "guided_perceptron": Checks(
        cases=(
            Case(
                "two hidden layers; an input of zeros, and one alone with weights that need gradients",
                two_hidden_layers,
                draw=1,
            ),
            Case("other sizes, one and three hidden layers", other_depths, hidden=True),
        ),
        laws=(
            Law(
                "gradient_where_nothing_is_negative",
                "Where all weights after the first layer are positive, no R is ever negative, and the map is the plain "
                "gradient.",
                positive_layers,
                perceptron_gradient,
            ),
            Law(
                "three_times_the_score",
                "3·y^c has a map 3 times as large.",
                scaled_layers,
                scaled_three_times,
            ),
        ),
    ),
    "guided_backprop": Checks(
        reference=guided_backprop,
        cases=(
            Case(
                "a ReLU in the classifier, in place, ReLU6, one module used twice, a network in use",
                classifier_and_relu6,
            ),
            Case(
                "one ReLU module used three times, BatchNorm, frozen weights, a network in use",
                shared_and_normalised,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "gradient_where_nothing_is_negative",
                "Where all weights after the first layer are positive, no R is ever negative, and the map is the plain "
                "gradient.",
                nothing_negative,
                network_gradient,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                lambda g: batch_and_singles(scene(g, "flatten")),
                as_in_the_batch,
            ),
        ),
        showcase=photo,
    ),
    "class_insensitivity": Checks(
        cases=(
            Case("four pairs of maps, one map all zero, one pair faint", four_pairs),
            Case("other sizes, grey and in colours", other_pairs, hidden=True),
        ),
        laws=(
            Law(
                "known_cosines",
                "A map and 5 times itself give 1, a map and -2 times itself give -1, two maps without a common place "
                "0.",
                known_cosines_calls,
                known_cosines,
            ),
        ),
    ),
}
