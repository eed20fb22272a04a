"""Inputs and laws of lesson 6, class visualization: small float64 networks on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

from autograder.records import Arrays, Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, calm
from cnnviz_ref.class_visualization import ascent_step

CLASSES = 5
SIZE = (5, 3)
FLATTEN_SIZE = (8, 4)

Build = Callable[[Generator], nn.Module]


def _gap(**options) -> Build:
    return lambda generator: GapNet(channels=(4, 6), classes=CLASSES, generator=generator, **options)


def _busy(generator: Generator) -> nn.Module:
    """A network that somebody is using, and whose forward pass fails."""
    return BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=generator)


def _functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=FLATTEN_SIZE, channels=(4, 6), classes=CLASSES, generator=generator)


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@calm()
def _scene(
    generator: Generator, build: Build, *, n: int, lead: float = 0.5, frozen: bool = False, steep: float = 0.5
) -> tuple[nn.Module, Tensor, Tensor]:
    """A network, n images, n different targets; the network prefers another class by at least `lead` for all of them.

    Drawn again until every image moves its score; then the head is scaled so that max|∂y^c/∂I| is `steep`: at 0.5 the
    score and a penalty with λ near 0.1 pull about equally, and no probability saturates.
    """
    size = FLATTEN_SIZE if build is _flatten else SIZE
    for _ in range(200):
        net = build(generator).double()
        images = 0.5 * _randn(generator, n, 3, *size)
        order = torch.randperm(CLASSES, generator=generator)
        targets, preferred = order[:n], int(order[n])
        steepest = _steepest(net, images, targets)
        if float(steepest.min()) > 0.2 * float(steepest.max()):
            _rescale(net, images, preferred, lead, factor=steep / float(steepest.max()))
            if frozen:
                net.requires_grad_(False)
            return net, images, targets
    raise RuntimeError("no fixture found in which every image moves its score")


def _steepest(net: nn.Module, images: Tensor, targets: Tensor) -> Tensor:
    """max |∂y^c/∂I| of each image [N]."""
    steps = [ascent_step(net, I, int(c), lr=1.0, l2=0.0) - I for I, c in zip(images, targets, strict=True)]
    return torch.stack(steps).abs().flatten(1).amax(1)


@torch.no_grad()
def _rescale(net: nn.Module, images: Tensor, preferred: int, lead: float, *, factor: float) -> None:
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + lead


def _batch(
    generator: Generator, build: Build, n: int, *, frozen: bool = False, steep: float = 0.5, **options: float
) -> Call:
    net, images, targets = _scene(generator, build, n=n, frozen=frozen, steep=steep)
    return Call({"model": net, "images": images, "targets": targets, **options})


def _single(
    generator: Generator, build: Build, *, zero: bool = False, lead: float = 0.5, frozen: bool = False, **options
) -> Call:
    net, images, targets = _scene(generator, build, n=1, lead=lead, frozen=frozen)
    start = torch.zeros_like(images[0]) if zero else images[0]
    return Call({"model": net, "start": start, "target": int(targets[0]), **options})


# Exercise 1: the objective


def one_black_image(generator: Generator) -> list[Call]:
    """A batch of three with a zero image, and another network with one image."""
    call = _batch(generator, _gap(), 3, l2=0.1)
    call.inputs["images"][2] = 0.0
    return [call, _batch(generator, _functional, 1, l2=0.3), _batch(generator, _busy, 2, l2=0.2)]


def more_objectives(generator: Generator) -> list[Call]:
    """BatchNorm and dropout; no average pooling and frozen weights."""
    return [
        _batch(generator, _batch_norm, 3, l2=0.2),
        _batch(generator, _flatten, 1, frozen=True, l2=0.05),
        _batch(generator, _busy, 2, l2=0.1),
    ]


# Exercise 2: one step


def steps_in_place(generator: Generator) -> list[Call]:
    """A ReLU that works in place; BatchNorm and dropout."""
    return [
        _batch(generator, _gap(inplace=True), 3, lr=1.5, l2=0.2),
        _batch(generator, _batch_norm, 1, lr=0.5, l2=0.3),
        _batch(generator, _busy, 2, steep=2.0, lr=0.6, l2=0.4),
    ]


def more_steps(generator: Generator) -> list[Call]:
    """Functional ReLUs and frozen weights; no average pooling."""
    return [
        _batch(generator, _functional, 3, frozen=True, lr=0.7, l2=0.3),
        _batch(generator, _flatten, 1, lr=1.5, l2=0.2),
        _batch(generator, _busy, 2, steep=2.0, lr=0.7, l2=0.3),
    ]


# Exercise 3: the loop


def from_noise_and_from_zero(generator: Generator) -> list[Call]:
    """Two climbs of unequal length on two networks; one that overshoots: y^c and J fall on the way."""
    return [
        _single(generator, _gap(inplace=True), steps=4, lr=0.8, l2=0.2),
        _single(generator, _gap(stride=2), zero=True, frozen=True, steps=3, lr=0.7, l2=0.1),
        _single(generator, _busy, lead=0.1, steps=5, lr=1.8, l2=0.6),
    ]


def more_climbs(generator: Generator) -> list[Call]:
    """BatchNorm and dropout; no average pooling and frozen weights."""
    return [
        _single(generator, _batch_norm, steps=3, lr=0.7, l2=0.25),
        _single(generator, _flatten, frozen=True, steps=5, lr=0.6, l2=0.2),
        _single(generator, _busy, lead=0.1, steps=4, lr=2.0, l2=0.55),
    ]


# Exercise 4: several λ


def _effect(generator: Generator, build: Build, **options) -> Call:
    """Drawn until some λ leaves another class on top, and the last step still moves the score where λ is smallest."""
    for _ in range(200):
        call = _single(generator, build, lead=3.0, **options)
        (weak, _), (_, steady) = (_last_step(call, l2) for l2 in (max(options["l2s"]), min(options["l2s"])))
        if weak > 0.5 and steady > 0.1:
            return call
    raise RuntimeError("no fixture found in which another class keeps the highest score")


@calm()
def _last_step(call: Call, l2: float) -> tuple[float, float]:
    """How far y^c is under the highest score at the end, and how much of it the last step made."""
    model, image, target, lr = (call.inputs[name] for name in ("model", "start", "target", "lr"))
    before = image
    for _ in range(call.inputs["steps"]):
        before, image = image, ascent_step(model, image, target, lr=lr, l2=l2)
    with torch.no_grad():
        old, new = model(torch.stack([before, image]))
    return float(new.max() - new[target]), float((new[target] - old[target]).abs() / new[target].abs())


def three_lambdas(generator: Generator) -> list[Call]:
    """The list is in no order, and one λ comes twice."""
    return [_effect(generator, _busy, steps=4, lr=0.4, l2s=[0.4, 0.0, 0.1, 0.4]), one_lambda(generator, _gap())]


def more_lambdas(generator: Generator) -> list[Call]:
    """Lists of three λ, two of them equal, of four, and of one, on three networks."""
    return [
        _effect(generator, _busy, steps=3, lr=0.4, l2s=[0.2, 0.6, 0.2]),
        _effect(generator, _batch_norm, steps=3, lr=0.3, l2s=[0.5, 0.1, 0.3, 0.0]),
        one_lambda(generator, _functional),
    ]


def one_lambda(generator: Generator, build: Build) -> Call:
    """A list of one, frozen weights, and steps that overshoot."""
    return _single(generator, build, frozen=True, steps=4, lr=1.9, l2s=[0.6])


# Laws: on a linear model everything is known in closed form.


def _linear(generator: Generator, size: tuple[int, int, int] = (2, 4, 3)) -> nn.Module:
    head = skip_init(nn.Linear, int(np.prod(size)), CLASSES, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(_randn(generator, *head.weight.shape))
        head.bias.copy_(_randn(generator, CLASSES))
    return nn.Sequential(nn.Flatten(), head)


def _weights(call: Call) -> np.ndarray:
    """w [classes C H W] of a linear call."""
    image = call.inputs["start"] if "start" in call.inputs else call.inputs["images"][0]
    return _array(call.inputs["model"][1].weight).reshape(CLASSES, *image.shape)


def _array(value: Tensor) -> np.ndarray:
    return value.detach().cpu().numpy()


def _relative(got: np.ndarray, want: np.ndarray) -> float:
    return float(np.abs(got - want).max() / (np.abs(want).max() or 1.0))


def two_lambdas(generator: Generator) -> list[Call]:
    """The same images with λ and with four times λ."""
    call = _batch(generator, _gap(), 3, l2=0.1)
    return [call, Call({**call.inputs, "l2": 0.4})]


def differ_by_the_squared_norm(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """J with λ minus J with λ' is (λ' - λ)‖I‖², whatever the network."""
    gap = calls[1].inputs["l2"] - calls[0].inputs["l2"]
    squares = (_array(calls[0].inputs["images"]) ** 2).sum(axis=(1, 2, 3))
    return _relative(results[0][0] - results[1][0], gap * squares)


def linear_step(generator: Generator) -> list[Call]:
    """Three images and three classes of one linear model."""
    targets = torch.randperm(CLASSES, generator=generator)[:3]
    model, images = _linear(generator), _randn(generator, 3, 2, 4, 3)
    return [Call({"model": model, "images": images, "targets": targets, "lr": 0.5, "l2": 0.3})]


def exact_step(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """(1 - 2ηλ) I + η w_c."""
    inputs = calls[0].inputs
    shrunk = (1 - 2 * inputs["lr"] * inputs["l2"]) * _array(inputs["images"])
    return _relative(results[0][0], shrunk + inputs["lr"] * _weights(calls[0])[_array(inputs["targets"])])


def two_starts(generator: Generator) -> list[Call]:
    """Long climbs on a linear model, from noise and from zero."""
    model = _linear(generator)
    options = {"model": model, "target": int(torch.randint(CLASSES, (), generator=generator))}
    starts = (_randn(generator, 2, 4, 3), torch.zeros(2, 4, 3, dtype=torch.float64))
    return [Call({**options, "start": start, "steps": 60, "lr": 0.8, "l2": 0.3}) for start in starts]


def converged(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """w_c / (2λ), from every start."""
    inputs = calls[0].inputs
    goal = _weights(calls[0])[inputs["target"]] / (2 * inputs["l2"])
    return max(_relative(result[0], goal) for result in results)


def linear_lambdas(generator: Generator) -> list[Call]:
    """Long climbs on a linear model, each λ twice the one before."""
    call = two_starts(generator)[0].inputs
    shared = {name: call[name] for name in ("model", "start", "target", "steps")}
    return [Call({**shared, "lr": 0.6, "l2s": [0.3, 0.6, 1.2]})]


def inverse_to_lambda(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """‖I‖ = ‖w_c‖ / (2λ)."""
    inputs = calls[0].inputs
    length = np.linalg.norm(_weights(calls[0])[inputs["target"]])
    return _relative(results[0][2], length / (2 * np.array(inputs["l2s"])))
