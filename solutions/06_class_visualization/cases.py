"""Inputs and laws of class visualization: small float64 networks, targets that they do not prefer, one in use."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, moderate_scores, randn, redrawn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, calm
from cnnviz_ref.saliency import image_gradient

CLASSES = 5
SIZES = {"flatten": (8, 4)}
"""Pixels of the images that a network takes; (5, 3) where any will do."""

NETS: dict[str, Callable[[Generator], nn.Module]] = {
    "gap": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g),
    "in_place": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g, inplace=True),
    "strided": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g, stride=2),
    "functional": lambda g: FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=g),
    "batch_norm": lambda g: BatchNormNet(channels=(4, 6), classes=CLASSES, generator=g),
    "flatten": lambda g: FlattenNet(size=SIZES["flatten"], channels=(4, 6), classes=CLASSES, generator=g),
    "busy": lambda g: BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=g),
}


@calm()
def scene(
    generator: Generator, net: str, n: int, *, lead: float = 0.5, steep: float = 0.5, frozen: bool = False
) -> tuple[nn.Module, Tensor, Tensor]:
    """A network, n images, n different targets; the network prefers another class by at least `lead` for all of them.

    Every image moves its score, and max|∂y^c/∂I| is `steep`: at 0.5 the score and a penalty with λ near 0.1 pull about
    equally, and no probability saturates.
    """
    model, images, order, steepest = redrawn(
        lambda: drawing(generator, net, n), lambda drawn: bool(drawn[-1].min() > 0.2 * drawn[-1].max())
    )
    moderate_scores(model, images, int(order[n]), factor=steep / float(steepest.max()), lead=lead)
    return model.requires_grad_(not frozen), images, order[:n]


def drawing(generator: Generator, net: str, n: int) -> tuple[nn.Module, Tensor, Tensor, Tensor]:
    """A network, images, all classes in an order, and max|∂y^c/∂I| of each image."""
    model = NETS[net](generator).double()
    images = 0.5 * randn(generator, n, 3, *SIZES.get(net, (5, 3)))
    order = torch.randperm(CLASSES, generator=generator)
    return model, images, order, image_gradient(model, images, order[:n]).abs().amax((1, 2, 3))


def batch(generator: Generator, net: str, n: int, *, frozen: bool = False, steep: float = 0.5, **rates: float) -> Call:
    model, images, targets = scene(generator, net, n, frozen=frozen, steep=steep)
    return Call({"model": model, "images": images, "targets": targets, **rates})


def single(
    generator: Generator, net: str, *, zero: bool = False, lead: float = 0.5, frozen: bool = False, **rates: Any
) -> Call:
    """One image to climb from, or zeros of its shape."""
    model, images, targets = scene(generator, net, 1, lead=lead, frozen=frozen)
    start = torch.zeros_like(images[0]) if zero else images[0]
    return Call({"model": model, "start": start, "target": int(targets[0]), **rates})


def one_black_image(generator: Generator) -> list[Call]:
    """A batch of three with a zero image, and another network with one image."""
    call = batch(generator, "gap", 3, l2=0.1)
    call.inputs["images"][2] = 0.0
    return [call, batch(generator, "functional", 1, l2=0.3), batch(generator, "busy", 2, l2=0.2)]


def more_objectives(generator: Generator) -> list[Call]:
    """BatchNorm and dropout; no average pooling and frozen weights."""
    return [
        batch(generator, "batch_norm", 3, l2=0.2),
        batch(generator, "flatten", 1, frozen=True, l2=0.05),
        batch(generator, "busy", 2, l2=0.1),
    ]


def two_lambdas(generator: Generator) -> list[Call]:
    """The same images with λ and with four times λ."""
    call = batch(generator, "gap", 3, l2=0.1)
    return [call, Call({**call.inputs, "l2": 0.4})]


def differ_by_the_squared_norm(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    gap = calls[1].inputs["l2"] - calls[0].inputs["l2"]
    squares = (array(calls[0].inputs["images"]) ** 2).sum(axis=(1, 2, 3))
    return relative(results[0][0] - results[1][0], gap * squares)


def steps_in_place(generator: Generator) -> list[Call]:
    """A ReLU that works in place; BatchNorm and dropout."""
    return [
        batch(generator, "in_place", 3, lr=1.5, l2=0.2),
        batch(generator, "batch_norm", 1, lr=0.5, l2=0.3),
        batch(generator, "busy", 2, steep=2.0, lr=0.6, l2=0.4),
    ]


def more_steps(generator: Generator) -> list[Call]:
    """Functional ReLUs and frozen weights; no average pooling."""
    return [
        batch(generator, "functional", 3, frozen=True, lr=0.7, l2=0.3),
        batch(generator, "flatten", 1, lr=1.5, l2=0.2),
        batch(generator, "busy", 2, steep=2.0, lr=0.7, l2=0.3),
    ]


def linear(generator: Generator) -> nn.Module:
    """y = w·I + b of images [2 4 3], where everything is known in closed form."""
    head = skip_init(nn.Linear, 2 * 4 * 3, CLASSES, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(randn(generator, *head.weight.shape))
        head.bias.copy_(randn(generator, CLASSES))
    return nn.Sequential(nn.Flatten(), head)


def rows(call: Call) -> np.ndarray:
    """w of every class of a linear call, [classes 2 4 3]."""
    return array(call.inputs["model"][1].weight).reshape(CLASSES, 2, 4, 3)


def linear_step(generator: Generator) -> list[Call]:
    """Three images and three classes of one linear model."""
    targets = torch.randperm(CLASSES, generator=generator)[:3]
    model, images = linear(generator), randn(generator, 3, 2, 4, 3)
    return [Call({"model": model, "images": images, "targets": targets, "lr": 0.5, "l2": 0.3})]


def exact_step(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    inputs = calls[0].inputs
    shrunk = (1 - 2 * inputs["lr"] * inputs["l2"]) * array(inputs["images"])
    return relative(results[0][0], shrunk + inputs["lr"] * rows(calls[0])[array(inputs["targets"])])


def from_noise_and_from_zero(generator: Generator) -> list[Call]:
    """Two climbs of unequal length on two networks; one that overshoots: y^c and J fall on the way."""
    return [
        single(generator, "in_place", steps=4, lr=0.8, l2=0.2),
        single(generator, "strided", zero=True, frozen=True, steps=3, lr=0.7, l2=0.1),
        single(generator, "busy", lead=0.1, steps=5, lr=1.8, l2=0.6),
    ]


def more_climbs(generator: Generator) -> list[Call]:
    """BatchNorm and dropout; no average pooling and frozen weights."""
    return [
        single(generator, "batch_norm", steps=3, lr=0.7, l2=0.25),
        single(generator, "flatten", frozen=True, steps=5, lr=0.6, l2=0.2),
        single(generator, "busy", lead=0.1, steps=4, lr=2.0, l2=0.55),
    ]


def two_starts(generator: Generator) -> list[Call]:
    """Long climbs on a linear model, from noise and from zero."""
    shared = {"model": linear(generator), "target": int(torch.randint(CLASSES, (), generator=generator))}
    starts = randn(generator, 2, 4, 3), torch.zeros(2, 4, 3, dtype=torch.float64)
    return [Call({**shared, "start": start, "steps": 60, "lr": 0.8, "l2": 0.3}) for start in starts]


def converged(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    inputs = calls[0].inputs
    goal = rows(calls[0])[inputs["target"]] / (2 * inputs["l2"])
    return max(relative(result[0], goal) for result in results)


def four_lambdas(generator: Generator) -> list[Call]:
    """The list is in no order, and one λ comes twice."""
    lists = single(generator, "busy", lead=3.0, steps=4, lr=0.4, l2s=[0.4, 0.0, 0.1, 0.4])
    return [lists, one_lambda(generator, "gap")]


def more_lambdas(generator: Generator) -> list[Call]:
    """Lists of three λ, two of them equal, of four, and of one, on three networks."""
    return [
        single(generator, "busy", lead=3.0, steps=3, lr=0.4, l2s=[0.2, 0.6, 0.2]),
        single(generator, "batch_norm", lead=3.0, steps=3, lr=0.3, l2s=[0.5, 0.1, 0.3, 0.0]),
        one_lambda(generator, "functional"),
    ]


def one_lambda(generator: Generator, net: str) -> Call:
    """A list of one, frozen weights, and steps that overshoot."""
    return single(generator, net, frozen=True, steps=4, lr=1.9, l2s=[0.6])


def linear_lambdas(generator: Generator) -> list[Call]:
    """Long climbs on a linear model, each λ twice the one before."""
    call = two_starts(generator)[0].inputs
    shared = {name: call[name] for name in ("model", "start", "target", "steps")}
    return [Call({**shared, "lr": 0.6, "l2s": [0.3, 0.6, 1.2]})]


def inverse_to_lambda(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    inputs = calls[0].inputs
    length = np.linalg.norm(rows(calls[0])[inputs["target"]])
    return relative(results[0][2], length / (2 * np.array(inputs["l2s"])))


def digit() -> Call:
    """From faint noise to a three: [1 64 64]."""
    start = 0.01 * torch.randn(1, 64, 64, generator=torch.Generator().manual_seed(0))
    return Call({"model": cnnviz.digit_net(), "start": start, "target": 3, "steps": 40, "lr": 0.1, "l2": 0.3})


CHECKS = {
    "regularized_objective": Checks(
        cases=(
            Case("three images, one of them all zero; one alone; a network in use", one_black_image),
            Case("other networks, with BatchNorm and dropout", more_objectives, hidden=True, points=2),
        ),
        laws=(
            Law(
                "lambda_weighs_the_squared_norm",
                "Two values of λ give two values of J, and they differ by (λ' - λ)‖I‖², whatever the network.",
                two_lambdas,
                differ_by_the_squared_norm,
            ),
        ),
    ),
    "ascent_step": Checks(
        cases=(
            Case("three images of three classes, an in-place ReLU; one alone; steep scores", steps_in_place),
            Case("other networks, other λ and η; steep scores", more_steps, hidden=True, points=2),
        ),
        laws=(
            Law(
                "exact_step_on_a_linear_model",
                "Where y^c = Σ w_c·I + b_c, one step gives (1 - 2ηλ) I + η w_c.",
                linear_step,
                exact_step,
            ),
        ),
    ),
    "ascend": Checks(
        cases=(
            Case(
                "from noise; from a zero image with frozen weights; steps so large that J falls",
                from_noise_and_from_zero,
            ),
            Case(
                "other networks, other λ, η and T; steps so large that J falls",
                more_climbs,
                hidden=True,
                points=2,
                draw=2,
            ),
        ),
        laws=(
            Law(
                "converges_to_w_over_2_lambda",
                "Where y^c = Σ w_c·I + b_c, the ascent ends at w_c / (2λ), from whichever start.",
                two_starts,
                converged,
            ),
        ),
        showcase=digit,
    ),
    "effect_of_l2": Checks(
        cases=(
            Case("four values of λ, one of them zero and two equal; one λ alone", four_lambdas),
            Case(
                "other networks, other lists of λ, one with equal ones; one λ alone",
                more_lambdas,
                hidden=True,
                points=2,
            ),
        ),
        laws=(
            Law(
                "norm_is_inverse_to_lambda",
                "Where y^c = Σ w_c·I + b_c and T is large, ‖I‖ = ‖w_c‖ / (2λ): twice the λ, half the norm.",
                linear_lambdas,
                inverse_to_lambda,
            ),
        ),
    ),
}
