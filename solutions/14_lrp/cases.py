"""Inputs and laws of LRP: small float64 layers and networks, with outputs that are 0, or that nothing speaks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, between, mixed_order, randn, redrawn, relative
from autograder.course.records import Arrays, Call, Case, Law


def share(R: Tensor, z: Tensor) -> Tensor:
    return torch.where(z == 0, 0.0, R / torch.where(z == 0, 1.0, z))


def both_signs(generator: Generator, *shape: int) -> Tensor:
    """Numbers between 0.5 and 1.5 in size."""
    turns = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return turns * between(generator, 0.5, 1.5, *shape)


def sizes(n: int) -> Tensor:
    """1, 3, 5, ...: how large the values of each image are."""
    return 1.0 + 2.0 * torch.arange(n, dtype=torch.float64)


def linear(
    generator: Generator, n: int, i: int, j: int, *, biases: bool = True, zero: bool = False
) -> dict[str, Tensor]:
    """Inputs, weights, biases and relevance of a linear layer, whose outputs have both signs and are not near 0.

    Args:
        zero: output 0 of image 0 is 0 to the last bit, of inputs that are not.
    """
    return redrawn(lambda: drawing(generator, n, i, j, biases=biases, zero=zero), clear)


def drawing(generator: Generator, n: int, i: int, j: int, *, biases: bool, zero: bool) -> dict[str, Tensor]:
    a, weight = sizes(n)[:, None] * both_signs(generator, n, i), both_signs(generator, j, i)
    bias = 2 * both_signs(generator, j) * float(biases)
    if zero:
        quarters(a[0], weight[0])
        bias[0] = -(a[0] @ weight[0])
    return {"a": a, "weight": weight, "bias": bias, "R": both_signs(generator, n, j)}


def clear(inputs: dict[str, Tensor]) -> bool:
    z = inputs["a"] @ inputs["weight"].T + inputs["bias"]
    apart = (z.abs() > 0.2 * z.abs().mean(1, keepdim=True)) | (z == 0)
    return bool(apart.all() & ((z > 0).any(1) & (z < 0).any(1)).all())


@torch.no_grad()
def quarters(*tensors: Tensor) -> None:
    """Rounded to multiples of 1/4, none of them 0: sums of their products are exact in any order, in float32 too."""
    for values in tensors:
        values.copy_(values.sign() * (4 * values.abs()).round().clamp(min=1) / 4)


def epsilon_calls(*shapes: tuple[int, int, int, float]) -> Callable[[Generator], list[Call]]:
    return lambda g: [Call({**linear(g, *shape, zero=True), "epsilon": epsilon}) for *shape, epsilon in shapes]


def nothing_positive(generator: Generator) -> Call:
    """Output 0 has no positive contribution at all."""
    inputs = linear(generator, 2, 5, 3)
    inputs["a"][1] = inputs["a"][0].abs() * inputs["a"][1].sign()
    inputs["weight"][0] = -inputs["weight"][0].abs() * inputs["a"][0].sign()
    inputs["bias"][0] = -inputs["bias"][0].abs()
    return Call(inputs)


def conv(generator: Generator, c: int, d: int, kernel, *, bias: float = 1.0, **options) -> nn.Conv2d:
    """A convolution of weights and biases with both signs."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(c, d, kernel, **options).double()
    with torch.no_grad():
        layer.weight.copy_(both_signs(generator, *layer.weight.shape) / layer.weight[0].numel() ** 0.5)
        bias_of(layer).copy_(bias * both_signs(generator, d))
    return layer


def bias_of(layer: nn.Module) -> nn.Parameter:
    return layer.get_parameter("bias")


def layer_call(generator: Generator, layer: nn.Module, *shape: int, signed: bool = True, **options) -> Call:
    """Relevance at every output of the layer, for images of different size."""
    values = randn(generator, *shape) if signed else between(generator, 0, 1, *shape)
    a = sizes(shape[0]).view(-1, 1, 1, 1) * values
    return Call({"a": a, "layer": layer, "R": both_signs(generator, *outputs(layer, a).shape), **options})


@torch.no_grad()
def outputs(layer: nn.Module, a: Tensor) -> Tensor:
    return layer(a)


def reaching_zero(generator: Generator, layer: nn.Conv2d, *shape: int, epsilon: float) -> Call:
    """Image 0 has an output in the middle that is 0 to the last bit, of inputs that are not."""
    call = layer_call(generator, layer, *shape, epsilon=epsilon)
    quarters(call.inputs["a"][0], layer.weight[0])
    z = outputs(layer, call.inputs["a"])[0, 0]
    with torch.no_grad():
        bias_of(layer)[0] -= z[z.shape[0] // 2, z.shape[1] // 2]
    return call


def dark(call: Call) -> Call:
    """The first image is 0 everywhere."""
    call.inputs["a"][0] = 0.0
    return call


def conv_and_average(generator: Generator) -> list[Call]:
    return [
        reaching_zero(generator, conv(generator, 2, 3, (3, 2), padding=1), 2, 2, 5, 4, epsilon=0.4),
        dark(layer_call(generator, nn.AvgPool2d(2), 2, 3, 4, 6, signed=False, epsilon=0.4)),
    ]


def strided_and_grouped(generator: Generator) -> list[Call]:
    return [
        reaching_zero(generator, conv(generator, 3, 4, 3, stride=2, padding=1), 3, 3, 7, 6, epsilon=0.3),
        layer_call(generator, conv(generator, 4, 4, 3, groups=4), 1, 4, 5, 6, epsilon=0.3),
        dark(layer_call(generator, nn.AdaptiveAvgPool2d(1), 2, 3, 4, 5, signed=False, epsilon=0.3)),
    ]


def after_a_relu(generator: Generator, layer: nn.Conv2d, *shape: int, gamma: float) -> Call:
    """As between two ReLUs: inputs ≥ 0, a quarter of them 0, and R = 0 where the layer puts out at most 0.1.

    Channel 0 has no bias, and image 0 a dark corner: there its z is 0.
    """
    a = between(generator, 0, 2, *shape) * (between(generator, 0, 1, *shape) > 0.25)
    a[0, :, :3, :3] = 0.0
    with torch.no_grad():
        bias_of(layer)[0] = 0.0
    z = outputs(layer, a)
    return Call({"a": a, "layer": layer, "R": both_signs(generator, *z.shape) * (z > 0.1), "gamma": gamma})


def favoured(generator: Generator) -> list[Call]:
    return [after_a_relu(generator, conv(generator, 2, 3, (3, 2), padding=1, bias=0.6), 2, 2, 5, 4, gamma=0.5)]


def favoured_otherwise(generator: Generator) -> list[Call]:
    return [
        after_a_relu(generator, conv(generator, 3, 4, 3, stride=2, padding=1, bias=0.6), 3, 3, 7, 6, gamma=0.25),
        after_a_relu(generator, conv(generator, 4, 4, 3, groups=2, bias=0.6), 1, 4, 5, 6, gamma=2.0),
    ]


@torch.no_grad()
def network(generator: Generator, *layers: nn.Module, bias: float = 1.0) -> nn.Sequential:
    """These layers with drawn weights; `bias` scales the biases.

    Channel 0 of a convolution has no bias and no positive weight: z is 0 in the dark, and after its ReLU everywhere.
    """
    model = nn.Sequential(*layers).double()
    for layer in model:
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.weight.copy_(randn(generator, *layer.weight.shape) * (2 / layer.weight[0].numel()) ** 0.5)
            bias_of(layer).copy_(0.3 * bias * randn(generator, len(layer.weight)))
        if isinstance(layer, nn.Conv2d):
            bias_of(layer)[0], layer.weight[0] = 0.0, -layer.weight[0].abs()
    return model.eval()


def averaged(generator: Generator, bias: float = 1.0) -> nn.Sequential:
    """conv, ReLU, max-pool, conv, ReLU, average over everything, one linear layer."""
    with torch.random.fork_rng(devices=[]):
        layers = (nn.Conv2d(2, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3, padding=1),
                  nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 5))  # fmt: skip
    return network(generator, *layers, bias=bias)


def two_linear(generator: Generator, bias: float = 1.0) -> nn.Sequential:
    """A strided convolution, an average, a max-pool whose windows overlap, and two linear layers."""
    with torch.random.fork_rng(devices=[]):
        layers = (nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.ReLU(inplace=True), nn.Conv2d(4, 5, (3, 2)), nn.ReLU(),
                  nn.MaxPool2d((2, 2), stride=1), nn.AvgPool2d((1, 2)), nn.Flatten(), nn.Linear(15, 7), nn.ReLU(),
                  nn.Linear(7, 5))  # fmt: skip
    return network(generator, *layers, bias=bias)


def scene(
    generator: Generator,
    build: Callable[..., nn.Sequential],
    n: int,
    *,
    epsilon: float,
    gamma: float,
    bias: float = 1.0,
) -> Call:
    """Images of different brightness, part of them dark, and n targets, no two alike; the first has a negative score."""
    model = build(generator, bias)
    images = torch.linspace(1.0, 0.4, n).view(-1, 1, 1, 1) * between(generator, 0, 1, n, 2, 12, 8)
    images[:, :, :, 6:] = 0.0
    targets = mixed_order(generator, 5, n)[:n]
    turn_scores(model, images, targets)
    return Call({"model": model, "images": images, "targets": targets, "epsilon": epsilon, "gamma": gamma})


@torch.no_grad()
def turn_scores(model: nn.Sequential, images: Tensor, targets: Tensor) -> None:
    """The first image's target gets a negative score, the others positive ones."""
    y = model(images)[torch.arange(len(targets)), targets]
    turns = torch.where(torch.arange(len(targets)) == 0, -1.0, 1.0) * y.sign()
    model[-1].weight[targets] *= turns[:, None]
    bias_of(model[-1])[targets] *= turns


def three_targets(generator: Generator) -> list[Call]:
    return [
        scene(generator, averaged, 3, epsilon=0.3, gamma=0.5),
        scene(generator, two_linear, 1, epsilon=0.3, gamma=0.25),
    ]


def other_networks(generator: Generator) -> list[Call]:
    return [
        scene(generator, two_linear, 3, epsilon=0.2, gamma=1.0),
        scene(generator, averaged, 1, epsilon=0.2, gamma=0.25),
    ]


def summed(values: np.ndarray) -> np.ndarray:
    return values.reshape(len(values), -1).sum(1)


def kept(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    each = zip(calls, results, strict=True)
    return max(relative(summed(result[0]), summed(array(call.inputs["R"]))) for call, result in each)


def without_biases(generator: Generator) -> list[Call]:
    return [Call({**linear(generator, 3, 4, 5, biases=False), "epsilon": 0.0})]


def with_biases(generator: Generator) -> list[Call]:
    return [Call({**linear(generator, 3, 4, 5), "epsilon": 0.0})]


def kept_by_the_bias(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    a, weight, bias, R, _ = calls[0].inputs.values()
    lost = (bias / (a @ weight.T + bias) * R).sum(1)
    return relative(summed(results[0][0]) + array(lost), summed(array(R)))


def conv_without_biases(generator: Generator) -> list[Call]:
    """Inputs and weights ≥ 0, so that no z is near 0."""
    layer = conv(generator, 3, 4, 3, stride=2, padding=1, bias=0.0)
    with torch.no_grad():
        layer.weight.abs_()
    return [layer_call(generator, layer, 2, 3, 5, 6, signed=False, epsilon=0.0)]


def as_one_matrix(generator: Generator) -> list[Call]:
    """A convolution whose kernel is as large as the image."""
    return [layer_call(generator, conv(generator, 2, 6, (4, 3)), 3, 2, 4, 3, epsilon=0.25)]


def equals_the_linear_rule(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    a, layer, R, epsilon = calls[0].inputs.values()
    z = outputs(layer, a).flatten(1)
    Q = R.flatten(1) / (z + epsilon * z.abs().mean(1, keepdim=True) * z.sign())
    return relative(results[0][0], array(a * (Q @ layer.weight.flatten(1)).view_as(a)))


def positive_relevance(generator: Generator) -> list[Call]:
    """R ≥ 0, and biases ≤ 0."""
    inputs = linear(generator, 3, 6, 4)
    inputs["weight"][:, 0] = inputs["weight"][:, 0].abs()
    inputs["weight"][:, 1] = -inputs["weight"][:, 0]
    inputs["a"][:, 1] = inputs["a"][:, 0]
    return [Call({**inputs, "bias": -inputs["bias"].abs(), "R": inputs["R"].abs()})]


def never_negative(_calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return float(max(0.0, -results[0][0].min()) / np.abs(results[0][0]).max())


def no_favour(generator: Generator) -> list[Call]:
    layer = conv(generator, 3, 4, 3, padding=1, bias=0.4)
    with torch.no_grad():
        bias_of(layer).abs_()
        layer.weight[:, 0].abs_()
    return [after_a_relu(generator, layer, 2, 3, 5, 4, gamma=0.0)]


def equals_epsilon_0(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    a, layer, R, _ = calls[0].inputs.values()
    x = a.clone().requires_grad_()
    z = layer(x)
    (back,) = torch.autograd.grad(z, x, share(R, z.detach()))
    return relative(results[0][0], array(a * back))


def endless_favour(generator: Generator) -> list[Call]:
    return [after_a_relu(generator, conv(generator, 2, 4, (4, 3), bias=0.4), 3, 2, 4, 3, gamma=1e9)]


def equals_z_plus(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    a, layer, R, _ = calls[0].inputs.values()
    plus = layer.weight.flatten(1).relu()
    Q = share(R.flatten(1), a.flatten(1) @ plus.T + layer.bias.relu())
    return relative(results[0][0], array(a * (Q @ plus).view_as(a)))


def gamma_without_biases(generator: Generator) -> list[Call]:
    return [after_a_relu(generator, conv(generator, 3, 4, 3, padding=1, bias=0.0), 2, 3, 5, 4, gamma=0.5)]


def networks_without_biases(generator: Generator) -> list[Call]:
    return [scene(generator, build, 3, epsilon=0.0, gamma=0.5, bias=0.0) for build in (averaged, two_linear)]


def sums_to_the_score(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    worst = 0.0
    for call, result in zip(calls, results, strict=True):
        model, images, targets, *_ = call.inputs.values()
        y = outputs(model, images)[torch.arange(len(targets)), targets]
        worst = max(worst, relative(summed(result[0]), array(y)))
    return worst


def no_options(generator: Generator) -> list[Call]:
    """ε = 0 and γ = 0, with biases."""
    return [scene(generator, averaged, 3, epsilon=0.0, gamma=0.0)]


def equals_gradient_x_input(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    model, images, targets, *_ = calls[0].inputs.values()
    x = images.clone().requires_grad_()
    y = model(x)[torch.arange(len(targets)), targets].sum()
    return relative(results[0][0], array(images * torch.autograd.grad(y, x)[0]))


def digits() -> Call:
    """digit_net as one chain of layers, and a canvas with two digits."""
    net = cnnviz.digit_net().requires_grad_(False)
    features, pool = net.get_submodule("features"), net.get_submodule("pool")
    steps = [step for block in features.children() for step in block.children()]
    canvas = cnnviz.cluttered_digits(1, seed=2, split="test", digits=2)
    return Call(
        {
            "model": nn.Sequential(*steps, pool, nn.Flatten(), net.get_submodule("classifier")),
            "images": canvas.images,
            "targets": torch.tensor([int(canvas.labels[0, 0])]),
            "epsilon": 0.01,
            "gamma": 0.25,
        }
    )


CHECKS = {
    "epsilon_rule": Checks(
        cases=(
            Case(
                "three images of different size, signed inputs; an output of exactly 0; ε = 0",
                epsilon_calls((3, 4, 5, 0.3), (2, 3, 4, 0.0)),
                draw=1,
            ),
            Case(
                "other sizes, and a single image",
                epsilon_calls((2, 6, 3, 0.5), (1, 3, 4, 0.5), (2, 4, 3, 0.0)),
                hidden=True,
                draw=1,
            ),
        ),
        laws=(
            Law(
                "conserved_without_biases",
                "Without biases and with ε = 0 nothing is lost: Σ_i R_i = Σ_j R_j for each image.",
                without_biases,
                kept,
            ),
            Law(
                "the_bias_keeps_its_share",
                "With ε = 0, what is missing is exactly the biases' share: Σ_i R_i + Σ_j (b_j / z_j)·R_j = Σ_j R_j.",
                with_biases,
                kept_by_the_bias,
            ),
        ),
    ),
    "epsilon_layer": Checks(
        cases=(
            Case("a convolution with an output of exactly 0, an average of a dark image", conv_and_average),
            Case("strides, groups, a global average", strided_and_grouped, hidden=True),
        ),
        laws=(
            Law(
                "a_convolution_is_a_linear_layer",
                "A convolution whose kernel covers the whole image is a linear layer: both rules agree.",
                as_one_matrix,
                equals_the_linear_rule,
            ),
            Law(
                "conserved_without_biases",
                "Without biases and with ε = 0 nothing is lost: Σ_i R_i = Σ_j R_j for each image.",
                conv_without_biases,
                kept,
            ),
        ),
    ),
    "z_plus_rule": Checks(
        cases=(
            Case(
                "inputs and weights of both signs, and an output that nothing speaks for",
                lambda g: [Call(linear(g, 3, 4, 5)), nothing_positive(g)],
            ),
            Case(
                "other sizes, and an output that nothing speaks for",
                lambda g: [nothing_positive(g), Call(linear(g, 1, 6, 4))],
                hidden=True,
            ),
        ),
        laws=(
            Law("never_negative", "Where all R_j ≥ 0, all R_i ≥ 0.", positive_relevance, never_negative),
            Law(
                "conserved_where_no_bias_is_positive",
                "Where no bias is positive, nothing is lost: Σ_i R_i = Σ_j R_j for each image.",
                positive_relevance,
                kept,
            ),
        ),
    ),
    "gamma_layer": Checks(
        cases=(
            Case("a convolution between two ReLUs, with outputs of exactly 0", favoured),
            Case("strides, groups, another γ", favoured_otherwise, hidden=True),
        ),
        laws=(
            Law(
                "gamma_0_is_epsilon_0",
                "With γ = 0 nothing is favoured: the γ-rule is the ε-rule with ε = 0.",
                no_favour,
                equals_epsilon_0,
            ),
            Law(
                "endless_gamma_is_z_plus",
                "With an endless γ (here a thousand million) only what is positive counts: the γ-rule is z⁺.",
                endless_favour,
                equals_z_plus,
            ),
            Law(
                "conserved_without_biases",
                "Without biases nothing is lost: Σ_i R_i = Σ_j R_j for each image, at any γ.",
                gamma_without_biases,
                kept,
            ),
        ),
    ),
    "lrp": Checks(
        cases=(
            Case("three targets, max-pool and average; one image through two linear layers", three_targets),
            Case("other networks, overlapping pools, two linear layers", other_networks, hidden=True, points=2),
        ),
        laws=(
            Law(
                "sums_to_the_score",
                "Without biases and with ε = 0 the pixels share out the score: Σ R = y^c for each image.",
                networks_without_biases,
                sums_to_the_score,
                points=2,
            ),
            Law(
                "gradient_x_input",
                "With ε = 0 and γ = 0, LRP through ReLUs is gradient × input, also with biases.",
                no_options,
                equals_gradient_x_input,
            ),
        ),
        showcase=digits,
    ),
}
