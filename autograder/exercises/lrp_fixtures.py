"""Inputs of lesson 14, LRP: small float64 layers and networks on which every known mistake shows."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn

from autograder.exercises import lrp_method_misconceptions as method_mistakes
from autograder.exercises import lrp_misconceptions as mistakes
from autograder.exercises import lrp_rules as rules
from autograder.exercises import lrp_sign_misconceptions as sign_mistakes
from autograder.fixtures import mixed_order
from autograder.records import Call, Misconception

SEEN, APART = 0.04, 2e-3
"""How far from the right answer and from each other all mistakes are, relative to the largest right value."""


# A draw counts only when every mistake shows on it, and shows as itself.


def _far(one: Sequence[Tensor], other: Sequence[Tensor], scale: float) -> float:
    if any(a.shape != b.shape for a, b in zip(one, other, strict=True)):
        return float("inf")
    return max(float((a - b).abs().nan_to_num(nan=torch.inf).max()) for a, b in zip(one, other, strict=True)) / scale


def _telling(calls: Sequence[Call], reference: Callable, known: Sequence[Misconception]) -> bool:
    """Whether no wrong answer is near the right one, or near another wrong one."""
    right = [reference(*call.inputs.values()) for call in calls]
    scale = max(float(r.abs().max()) for r in right)
    wrong = []
    for misconception in known:
        wrong.append([misconception.wrong(*call.inputs.values()) for call in calls])
        if not _far(right, wrong[-1], scale) > SEEN:
            return False
    return all(
        _far(one, other, max(float(r.nan_to_num(0, 0, 0).abs().max()) for r in (*one, *other))) > APART
        for one, other in itertools.combinations(wrong, 2)
    )


def _told(
    build: Callable[[Generator], list[Call]], reference: Callable, known: Sequence[Misconception]
) -> Callable[[Generator], list[Call]]:
    """`build`, drawn again until it tells all mistakes apart."""

    def drawn(generator: Generator) -> list[Call]:
        for _ in range(1000):
            calls = build(generator)
            if _telling(calls, reference, known):
                return calls
        raise RuntimeError("no inputs found that tell all mistakes apart")

    return drawn


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _rand(generator: Generator, *shape: int) -> Tensor:
    return torch.rand(*shape, generator=generator, dtype=torch.float64)


def _both_signs(generator: Generator, *shape: int) -> Tensor:
    """Numbers between 0.5 and 1.5 in size, of both signs."""
    signs = torch.randint(0, 2, shape, generator=generator) * 2 - 1
    return signs * (0.5 + _rand(generator, *shape))


# 1 and 3: one linear layer


def linear(generator: Generator, n: int, i: int, j: int, *, biases: bool = True) -> dict[str, Tensor]:
    """Inputs, weights, biases, relevance; images of different size; z not near 0, of both signs."""
    for _ in range(1000):
        size = 1.0 + 2.0 * torch.arange(n, dtype=torch.float64)[:, None]
        a, weight = size * _both_signs(generator, n, i), _both_signs(generator, j, i)
        bias = 2 * _both_signs(generator, j) * float(biases)
        z = a @ weight.T + bias
        clear = (z.abs() > 0.3 * rules.size_of(z)).all()
        if clear and ((z > 0).any(1) & (z < 0).any(1)).all():
            break
    return {"a": a, "weight": weight, "bias": bias, "R": _both_signs(generator, n, j)}


@torch.no_grad()
def _quarters(*tensors: Tensor) -> None:
    """Rounded to multiples of 1/4, none of them 0: sums of their products are exact in any order, in float32 too."""
    for values in tensors:
        values.copy_(values.sign() * (4 * values.abs()).round().clamp(min=1) / 4)


def _with_a_zero(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Output 0 of image 0 is 0 to the last bit, of inputs that are not."""
    a, weight, bias = (inputs[name] for name in ("a", "weight", "bias"))
    _quarters(a[0], weight[0])
    bias[0] = -(a[0] @ weight[0])
    return inputs


def _epsilon_calls(*sizes: tuple[int, int, int, float]) -> Callable[[Generator], list[Call]]:
    return _told(
        lambda g: [Call({**_with_a_zero(linear(g, *size)), "epsilon": epsilon}) for *size, epsilon in sizes],
        rules.epsilon_rule,
        mistakes.EPSILON,
    )


three_images = _epsilon_calls((3, 4, 5, 0.3), (2, 3, 4, 0.0))
other_sizes = _epsilon_calls((2, 6, 3, 0.5), (1, 3, 4, 0.5), (2, 4, 3, 0.0))


def _nothing_positive(generator: Generator) -> Call:
    """Output 0 has no positive contribution at all."""
    inputs = linear(generator, 2, 5, 3)
    inputs["a"][1] = inputs["a"][0].abs() * inputs["a"][1].sign()
    inputs["weight"][0] = -inputs["weight"][0].abs() * inputs["a"][0].sign()
    inputs["bias"][0] = -inputs["bias"][0].abs()
    return Call(inputs)


signed_inputs = _told(
    lambda g: [Call(linear(g, 3, 4, 5)), _nothing_positive(g)], rules.z_plus_rule, sign_mistakes.Z_PLUS
)
nothing_positive = _told(
    lambda g: [_nothing_positive(g), Call(linear(g, 1, 6, 4))], rules.z_plus_rule, sign_mistakes.Z_PLUS
)


# 2 and 4: one layer as a module


def conv(generator: Generator, c: int, d: int, kernel, *, bias: float = 1.0, **options) -> nn.Conv2d:
    """A convolution of weights and biases with both signs."""
    with torch.random.fork_rng(devices=[]):
        layer = nn.Conv2d(c, d, kernel, **options).double()
    with torch.no_grad():
        layer.weight.copy_(_both_signs(generator, *layer.weight.shape) / layer.weight[0].numel() ** 0.5)
        rules.bias_of(layer).copy_(bias * _both_signs(generator, d))
    return layer


def layer_call(generator: Generator, layer: nn.Module, *shape: int, signed: bool = True, **options) -> Call:
    """Relevance at every output of the layer, for images of different size."""
    n = shape[0]
    size = 1.0 + 2.0 * torch.arange(n, dtype=torch.float64).view(-1, 1, 1, 1)
    a = size * (_randn(generator, *shape) if signed else _rand(generator, *shape))
    with torch.no_grad():
        z = layer(a)
    return Call({"a": a, "layer": layer, "R": _both_signs(generator, *z.shape), **options})


def _reaching_zero(generator: Generator, layer: nn.Conv2d, *shape: int, epsilon: float) -> Call:
    """Image 0 has an output in the middle that is 0 to the last bit, of inputs that are not."""
    call = layer_call(generator, layer, *shape, epsilon=epsilon)
    _quarters(call.inputs["a"][0], layer.weight[0])
    with torch.no_grad():
        z = layer(call.inputs["a"])[0, 0]
        rules.bias_of(layer)[0] -= z[z.shape[0] // 2, z.shape[1] // 2]
    return call


def _dark(call: Call) -> Call:
    """The first image is 0 everywhere."""
    call.inputs["a"][0] = 0.0
    return call


def _conv_and_average(generator: Generator) -> list[Call]:
    return [
        _reaching_zero(generator, conv(generator, 2, 3, (3, 2), padding=1), 2, 2, 5, 4, epsilon=0.4),
        _dark(layer_call(generator, nn.AvgPool2d(2), 2, 3, 4, 6, signed=False, epsilon=0.4)),
    ]


def _strided_and_grouped(generator: Generator) -> list[Call]:
    return [
        _reaching_zero(generator, conv(generator, 3, 4, 3, stride=2, padding=1), 3, 3, 7, 6, epsilon=0.3),
        layer_call(generator, conv(generator, 4, 4, 3, groups=4), 1, 4, 5, 6, epsilon=0.3),
        _dark(layer_call(generator, nn.AdaptiveAvgPool2d(1), 2, 3, 4, 5, signed=False, epsilon=0.3)),
    ]


conv_and_average = _told(_conv_and_average, rules.epsilon_layer, mistakes.EPSILON_LAYER)
strided_and_grouped = _told(_strided_and_grouped, rules.epsilon_layer, mistakes.EPSILON_LAYER)


def after_a_relu(generator: Generator, layer: nn.Conv2d, *shape: int, gamma: float) -> Call:
    """As between two ReLUs: inputs ≥ 0, a quarter of them 0, and R = 0 where the layer puts out at most 0.1.

    Channel 0 has no bias, and image 0 a dark corner: there its z is 0.
    """
    a = 2 * _rand(generator, *shape) * (_rand(generator, *shape) > 0.25)
    a[0, :, :3, :3] = 0.0
    with torch.no_grad():
        rules.bias_of(layer)[0] = 0.0
        z = layer(a)
    return Call({"a": a, "layer": layer, "R": _both_signs(generator, *z.shape) * (z > 0.1), "gamma": gamma})


def _gamma_one(generator: Generator) -> list[Call]:
    return [after_a_relu(generator, conv(generator, 2, 3, (3, 2), padding=1, bias=0.6), 2, 2, 5, 4, gamma=0.5)]


def _gamma_two(generator: Generator) -> list[Call]:
    return [
        after_a_relu(generator, conv(generator, 3, 4, 3, stride=2, padding=1, bias=0.6), 3, 3, 7, 6, gamma=0.25),
        after_a_relu(generator, conv(generator, 4, 4, 3, groups=2, bias=0.6), 1, 4, 5, 6, gamma=2.0),
    ]


favoured = _told(_gamma_one, rules.gamma_layer, sign_mistakes.GAMMA)
favoured_otherwise = _told(_gamma_two, rules.gamma_layer, sign_mistakes.GAMMA)


# 5: the whole method


def network(generator: Generator, *layers: nn.Module, bias: float = 1.0) -> nn.Sequential:
    """These layers with drawn weights; `bias` scales the biases.

    Channel 0 of a convolution has no bias and no positive weight: z is 0 in the dark, and after its ReLU everywhere.
    """
    model = nn.Sequential(*layers).double()
    with torch.no_grad():
        for layer in model:
            if isinstance(layer, nn.Conv2d | nn.Linear):
                layer.weight.copy_(_randn(generator, *layer.weight.shape) * (2 / layer.weight[0].numel()) ** 0.5)
                rules.bias_of(layer).copy_(0.3 * bias * _randn(generator, len(layer.weight)))
            if isinstance(layer, nn.Conv2d):
                rules.bias_of(layer)[0], layer.weight[0] = 0.0, -layer.weight[0].abs()
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
    """Images from 0 to 1, part of them dark, and n targets, no two alike."""
    model = build(generator, bias)
    images = _rand(generator, n, 2, 12, 8)
    images[:, :, :, 6:] = 0.0
    targets = mixed_order(generator, 5, n)[:n]
    return Call({"model": model, "images": images, "targets": targets, "epsilon": epsilon, "gamma": gamma})


def _method(build: Callable[[Generator], list[Call]]) -> Callable[[Generator], list[Call]]:
    return _told(build, rules.lrp, method_mistakes.METHOD)


three_targets = _method(
    lambda g: [scene(g, averaged, 3, epsilon=0.3, gamma=0.5), scene(g, two_linear, 1, epsilon=0.3, gamma=0.25)]
)
other_networks = _method(
    lambda g: [scene(g, two_linear, 3, epsilon=0.2, gamma=1.0), scene(g, averaged, 1, epsilon=0.2, gamma=0.25)]
)
