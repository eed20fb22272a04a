"""Inputs of lesson 8, saliency: small float64 networks and tensors on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Generator, Tensor, nn

from autograder.exercises.drawn import mixed_order
from autograder.exercises.saliency_misconceptions import differentiated
from autograder.records import Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, calm

CLASSES = 5
SIZE = (8, 4)

Build = Callable[[Generator], nn.Module]


# Networks


def _gap(**options) -> Build:
    return lambda generator: GapNet(channels=(4, 6), classes=CLASSES, generator=generator, **options)


def _functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def flatten(generator: Generator) -> nn.Module:
    """Max-pooling, and no average."""
    return FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=generator)


def _busy(generator: Generator) -> nn.Module:
    """A network in use, whose forward pass fails before it is asked again."""
    return BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=generator)


def randn(generator: Generator, *shape: int) -> Tensor:
    """Normal numbers in float64."""
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


@calm()
def scene(
    generator: Generator, build: Build, *, n: int = 3, colours: int = 3, frozen: bool = False, form: str | None = None
) -> Call:
    """A network, n images, n different targets, none of them the class that the network prefers.

    The largest |G| is 1.25, so that a square is about as large as what is squared, and division by it shows; drawn
    again until every image has a good part of that.
    """
    for _ in range(200):
        net = build(generator).double()
        images = 0.3 * randn(generator, n, colours, *SIZE)
        order = mixed_order(generator, CLASSES, n)
        targets, preferred = order[:n], int(order[n])
        steepest = differentiated(net, images, targets).abs().amax((1, 2, 3))
        if float(steepest.min()) > 0.3 * float(steepest.max()):
            _rescale(net, images, preferred, factor=1.25 / float(steepest.max()))
            if frozen:
                net.requires_grad_(False)
            return Call({"model": net, "images": images, "targets": targets, **_asked(form)})
    raise RuntimeError("no fixture found in which every image moves its score")


def _asked(form: str | None) -> dict[str, str]:
    return {} if form is None else {"form": form}


@torch.no_grad()
def _rescale(net: nn.Module, images: Tensor, preferred: int, *, factor: float) -> None:
    """Scores round zero, so that no probability saturates, and one class, no target, above all others."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    head.weight.mul_(factor)
    head.bias.sub_(net(images).mean(dim=0))
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.3


def _indifferent(generator: Generator, build: Build, *, form: str | None = None) -> Call:
    """A class whose score is the same for every image: G is 0 everywhere."""
    call = scene(generator, build, n=1, form=form)
    head = [module for module in call.inputs["model"].modules() if isinstance(module, nn.Linear)][-1]
    with torch.no_grad():
        head.weight[call.inputs["targets"]] = 0.0
    return call


# 1. input_gradient


def in_place(generator: Generator) -> list[Call]:
    """ReLUs that work in place; two colours and frozen weights; zeros; BatchNorm; a network in use."""
    return [
        scene(generator, _gap(inplace=True)),
        scene(generator, _gap(in_channels=2), n=1, colours=2, frozen=True),
        _indifferent(generator, _gap()),
        scene(generator, _batch_norm, n=2),
        scene(generator, _busy, n=1),
    ]


def other_networks(generator: Generator) -> list[Call]:
    """Functional ReLUs and frozen weights; BatchNorm and dropout; max-pooling and no average; a network in use."""
    return [
        scene(generator, _functional, frozen=True),
        scene(generator, _batch_norm, n=2),
        scene(generator, flatten, n=1),
        scene(generator, _busy, n=1),
    ]


# 4. saliency, in both forms


def both_forms(generator: Generator) -> list[Call]:
    """The default and the squared form; two colours and frozen weights; zeros; BatchNorm; a network in use."""
    return [
        scene(generator, _gap(inplace=True)),
        scene(generator, _gap(in_channels=2), colours=2, frozen=True, form="squared"),
        _indifferent(generator, _gap()),
        scene(generator, _batch_norm, n=2, form="squared"),
        scene(generator, _busy, n=1, form="abs_max"),
    ]


def both_forms_elsewhere(generator: Generator) -> list[Call]:
    """Other networks, in both forms; one image alone; a network in use."""
    return [
        scene(generator, _functional, frozen=True, form="squared"),
        scene(generator, _batch_norm, form="abs_max"),
        scene(generator, flatten, n=1),
        scene(generator, _busy, n=1),
    ]


# 2 and 3. the maps


def gradients(generator: Generator, *shape: int, dark: bool = False) -> Call:
    """Gradients of both signs, faint at one pixel; `dark`: the last image has none at all."""
    drawn = randn(generator, *shape)
    drawn[0, :, 0, 0] *= 0.03
    if dark:
        drawn[-1] = 0.0
    return Call({"gradients": drawn})


def three_colours(generator: Generator) -> list[Call]:
    """Three images of three colours, one of them without any gradient; a grey one; and two of four."""
    shapes = (1, 1, 3, 5), (2, 4, 5, 3)
    return [gradients(generator, 3, 3, 4, 6, dark=True), *(gradients(generator, *shape) for shape in shapes)]


def other_colours(generator: Generator) -> list[Call]:
    """Two colours; one image of four; and grey ones."""
    shapes = (1, 4, 5, 6), (2, 1, 4, 3)
    return [gradients(generator, 3, 2, 7, 3, dark=True), *(gradients(generator, *shape) for shape in shapes)]


# 5. probability_gradient


def classified(generator: Generator, n: int, classes: int, *shape: int, above: Sequence[int] = (0,)) -> Call:
    """Gradients of all scores, and scores near `above`, far from zero; steps of 1/64, so that float32 holds them.

    Drawn again until no probability of a target is near 0 or 1, and no target is the class with the largest score.
    """
    for _ in range(1000):
        scores = (64 * randn(generator, n, classes)).round() / 64
        targets = mixed_order(generator, classes, n)[:n]
        p = scores.softmax(1).gather(1, targets[:, None])[:, 0]
        if bool((p > 0.15).all()) and bool((scores.argmax(1) != targets).all()):
            drawn = randn(generator, n, classes, *shape)
            return Call({"score_gradients": drawn, "scores": scores + torch.tensor(above)[:, None], "targets": targets})
    raise RuntimeError("no scores found that are far from sure")


def large_scores(generator: Generator) -> list[Call]:
    """Three images; and three whose scores are all over 700, round 0, and below -700."""
    return [classified(generator, 3, 4, 3, 4, 5), classified(generator, 3, 4, 3, 4, 5, above=(720, 0, -760))]


def more_classes(generator: Generator) -> list[Call]:
    """Six classes and two colours; two images whose scores are all below -800 and over 800; and one image alone."""
    far = classified(generator, 2, 3, 3, 6, 4, above=(-800, 800))
    return [classified(generator, 3, 6, 2, 5, 3), far, classified(generator, 1, 4, 2, 3, 4)]
