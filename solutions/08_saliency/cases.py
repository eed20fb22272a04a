"""Inputs and laws of saliency: small float64 networks, targets that they do not prefer, gradients of both signs."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.nn.utils import skip_init

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import array, as_in_the_batch, batch_and_singles, mixed_order, randn, redrawn, relative
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, calm
from cnnviz_ref.saliency import image_gradient, saliency

CLASSES, SIZE = 5, (8, 4)
TINY = 1e-7
"""Length of the step in the law of the tiny step: within one linear piece of the network."""

NETS: dict[str, Callable[[Generator], nn.Module]] = {
    "in_place": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g, inplace=True),
    "two_colours": lambda g: GapNet(in_channels=2, channels=(4, 6), classes=CLASSES, generator=g),
    "gap": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g),
    "functional": lambda g: FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=g),
    "batch_norm": lambda g: BatchNormNet(channels=(4, 6), classes=CLASSES, generator=g),
    "flatten": lambda g: FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=g),
    "busy": lambda g: BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=g),
}


@calm()
def scene(generator: Generator, net: str, n: int = 3, *, frozen: bool = False, form: str = "") -> Call:
    """A network, n images, a target each.

    The largest |G| is 1.25, so that a square is about as large as what is squared, and division by it shows.
    """
    model, images, order, steepest = redrawn(lambda: drawing(generator, net, n), lambda drawn: drawn[-1] > 0)
    rescale(model, images, int(order[n]), factor=1.25 / steepest)
    asked = {"form": form} if form else {}
    return Call({"model": model.requires_grad_(not frozen), "images": images, "targets": order[:n], **asked})


def drawing(generator: Generator, net: str, n: int) -> tuple[nn.Module, Tensor, Tensor, float]:
    """A network, images, all classes in an order, and the largest |G|."""
    model = NETS[net](generator).double()
    images = 0.3 * randn(generator, n, 2 if net == "two_colours" else 3, *SIZE)
    order = mixed_order(generator, CLASSES, n)
    return model, images, order, float(image_gradient(model, images, order[:n]).abs().max())


def head_of(model: nn.Module) -> nn.Linear:
    return [module for module in model.modules() if isinstance(module, nn.Linear)][-1]


@torch.no_grad()
def rescale(model: nn.Module, images: Tensor, preferred: int, *, factor: float) -> None:
    """Scores round zero, so that no probability saturates, and one class, no target, above all others."""
    head = head_of(model)
    head.weight.mul_(factor)
    head.bias.sub_(model(images).mean(dim=0))
    scores = model(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.3


def indifferent(generator: Generator) -> Call:
    """A class whose score is the same for every image: G is 0 everywhere."""
    call = scene(generator, "gap", 1)
    with torch.no_grad():
        head_of(call.inputs["model"]).weight[call.inputs["targets"]] = 0.0
    return call


def in_place(generator: Generator) -> list[Call]:
    return [
        scene(generator, "in_place"),
        scene(generator, "two_colours", 1, frozen=True),
        indifferent(generator),
        scene(generator, "batch_norm", 2),
        scene(generator, "busy", 1),
    ]


def other_networks(generator: Generator) -> list[Call]:
    return [
        scene(generator, "functional", frozen=True),
        scene(generator, "batch_norm", 2),
        scene(generator, "flatten", 1),
        scene(generator, "busy", 1),
    ]


def both_forms(generator: Generator) -> list[Call]:
    return [
        scene(generator, "in_place"),
        scene(generator, "two_colours", frozen=True, form="squared"),
        indifferent(generator),
        scene(generator, "batch_norm", 2, form="squared"),
        scene(generator, "busy", 1, form="abs_max"),
    ]


def both_forms_elsewhere(generator: Generator) -> list[Call]:
    return [
        scene(generator, "functional", frozen=True, form="squared"),
        scene(generator, "batch_norm", form="abs_max"),
        scene(generator, "flatten", 1),
        scene(generator, "busy", 1),
    ]


def linear(generator: Generator) -> list[Call]:
    """y = w·I + b, three images."""
    head = skip_init(nn.Linear, 2 * 4 * 3, CLASSES, dtype=torch.float64)
    with torch.no_grad():
        head.weight.copy_(randn(generator, *head.weight.shape))
        head.bias.copy_(randn(generator, CLASSES))
    targets = torch.randperm(CLASSES, generator=generator)[:3]
    images = randn(generator, 3, 2, 4, 3)
    return [Call({"model": nn.Sequential(nn.Flatten(), head), "images": images, "targets": targets})]


def rows(call: Call) -> np.ndarray:
    """w_c of each image's own class, [N C H W]."""
    images, targets = call.inputs["images"], call.inputs["targets"]
    return array(call.inputs["model"][1].weight[targets]).reshape(images.shape)


def is_w(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[0][0], rows(calls[0]))


def linear_in_both_forms(generator: Generator) -> list[Call]:
    (call,) = linear(generator)
    return [call, Call({**call.inputs, "form": "squared"})]


def is_size_of_w(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    largest = np.abs(rows(calls[0])).max(axis=1)
    return max(relative(results[0][0], largest), relative(results[1][0], largest**2))


def direction(images: Tensor) -> Tensor:
    """One fixed direction for each image."""
    return torch.randn(images.shape, generator=torch.Generator().manual_seed(0), dtype=images.dtype)


@torch.no_grad()
def slope(call: Call) -> Tensor:
    """(y^c(I + tv) - y^c(I - tv)) / 2t, t tiny [N]."""
    model, images, targets = (call.inputs[name] for name in ("model", "images", "targets"))
    v = direction(images)
    up, down = (model(images + t * v).gather(1, targets[:, None])[:, 0] for t in (TINY, -TINY))
    return (up - down) / (2 * TINY)


def smooth(call: Call) -> bool:
    """Whether the tiny step crosses no kink of the network, and moves every score well."""
    products = direction(call.inputs["images"]) * image_gradient(**call.inputs)
    expected = products.sum((1, 2, 3))
    steep = bool((expected.abs() > 0.05 * products.abs().sum((1, 2, 3))).all())
    return steep and float((slope(call) - expected).abs().max()) < 1e-7 * float(expected.abs().max())


def stepped(generator: Generator) -> list[Call]:
    return [redrawn(lambda: scene(generator, "flatten"), smooth)]


def tiny_step(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    v = array(direction(calls[0].inputs["images"]))
    return relative((results[0][0] * v).sum(axis=(1, 2, 3)), array(slope(calls[0])))


def gradients(generator: Generator, *shape: int, dark: bool = False) -> Call:
    """Gradients of both signs, faint at one pixel; `dark`: the last image has none at all."""
    drawn = randn(generator, *shape)
    drawn[0, :, 0, 0] *= 0.03
    if dark:
        drawn[-1] = 0.0
    return Call({"gradients": drawn})


def three_colours(generator: Generator) -> list[Call]:
    shapes = (1, 1, 3, 5), (2, 4, 5, 3)
    return [gradients(generator, 3, 3, 4, 6, dark=True), *(gradients(generator, *shape) for shape in shapes)]


def other_colours(generator: Generator) -> list[Call]:
    shapes = (1, 4, 5, 6), (2, 1, 4, 3)
    return [gradients(generator, 3, 2, 7, 3, dark=True), *(gradients(generator, *shape) for shape in shapes)]


MAP_CASES = (
    Case("three images, one of them without any gradient; a grey one; and two of four colours", three_colours),
    Case("two colours, four colours, other sizes", other_colours, hidden=True),
)


def turned_round(generator: Generator) -> list[Call]:
    call = gradients(generator, 2, 3, 4, 5)
    return [call, Call({"gradients": -2 * call.inputs["gradients"]})]


def times(factor: float) -> Callable[[Sequence[Call], Sequence[Arrays]], float]:
    """The second map is this many times the first."""
    return lambda calls, results: relative(results[1][0], factor * results[0][0])


def grey(generator: Generator) -> list[Call]:
    return [Call({"gradients": randn(generator, 2, 1, 4, 3).expand(2, 3, 4, 3).clone()})]


def power_of_grey(exponent: int) -> Callable[[Sequence[Call], Sequence[Arrays]], float]:
    """The map is |g| to this power."""
    return lambda calls, results: relative(results[0][0], np.abs(array(calls[0].inputs["gradients"][:, 0])) ** exponent)


def classified(generator: Generator, n: int, classes: int, *shape: int, above: Sequence[int] = (0,)) -> Call:
    """Gradients of all scores, and scores near `above`, far from zero; steps of 1/64, so that float32 holds them."""
    scores, targets = redrawn(lambda: scores_and_targets(generator, n, classes), unsure)
    gradients = randn(generator, n, classes, *shape)
    return Call({"score_gradients": gradients, "scores": scores + torch.tensor(above)[:, None], "targets": targets})


def scores_and_targets(generator: Generator, n: int, classes: int) -> tuple[Tensor, Tensor]:
    return (64 * randn(generator, n, classes)).round() / 64, mixed_order(generator, classes, n)[:n]


def unsure(drawing: tuple[Tensor, Tensor]) -> bool:
    """Whether no probability of a target is near 0 or 1, and no target is the class with the largest score."""
    scores, targets = drawing
    p = scores.softmax(1).gather(1, targets[:, None])
    return bool((p > 0.15).all() and (scores.argmax(1) != targets).all())


def large_scores(generator: Generator) -> list[Call]:
    return [classified(generator, 3, 4, 3, 4, 5), classified(generator, 3, 4, 3, 4, 5, above=(720, 0, -760))]


def more_classes(generator: Generator) -> list[Call]:
    """Six classes and two colours; two images whose scores are all below -800 and over 800; and one image alone."""
    far = classified(generator, 2, 3, 3, 6, 4, above=(-800, 800))
    return [classified(generator, 3, 6, 2, 5, 3), far, classified(generator, 1, 4, 2, 3, 4)]


def every_class(generator: Generator) -> list[Call]:
    """One image, and every class asked about in turn."""
    one = classified(generator, 1, 4, 3, 4, 5).inputs
    many = {name: one[name].expand(4, *one[name].shape[1:]).clone() for name in ("score_gradients", "scores")}
    return [Call({**many, "targets": torch.arange(4)})]


def sums_to_zero(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    terms = results[0][0]
    return float(np.abs(terms.sum(axis=0)).max() / (np.abs(terms).max() or 1.0))


def pushed(generator: Generator) -> list[Call]:
    """The same image, and once more with a push that all scores share."""
    one = classified(generator, 2, 4, 3, 4, 5).inputs
    push = randn(generator, 2, 1, 3, 4, 5)
    return [Call(one), Call({**one, "score_gradients": one["score_gradients"] + push, "scores": one["scores"] + 2})]


def sure(generator: Generator) -> list[Call]:
    one = classified(generator, 2, 4, 3, 4, 5).inputs
    scores = one["scores"].scatter(1, one["targets"][:, None], 40.0 + float(one["scores"].max()))
    return [Call({**one, "scores": scores})]


def is_flat(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return float(np.abs(results[0][0]).max() / np.abs(array(calls[0].inputs["score_gradients"])).max())


def digit() -> Call:
    """A four among scribbles: few enough pixels for single ones to be seen."""
    digits = cnnviz.cluttered_digits(1, seed=1, split="test")
    return Call({"model": cnnviz.digit_net(), "images": digits.images, "targets": digits.labels})


def digit_gradients() -> Call:
    return Call({"gradients": image_gradient(**digit().inputs)})


CHECKS = {
    "input_gradient": Checks(
        cases=(
            Case("frozen weights, BatchNorm, a class that no pixel moves, a network in use", in_place),
            Case("other networks, with BatchNorm and dropout; one in use", other_networks, hidden=True, points=2),
        ),
        laws=(
            Law(
                "tiny_step",
                "G predicts what a tiny change v of the image does to the score: y^c(I + v) - y^c(I) = Σ G·v.",
                stepped,
                tiny_step,
            ),
            Law(
                "gradient_is_w_on_a_linear_model",
                "Where y^c = Σ w_c·I + b_c, the gradient is w_c, whatever the image.",
                linear,
                is_w,
            ),
        ),
    ),
    "saliency_map": Checks(
        cases=MAP_CASES,
        laws=(
            Law(
                "sign_does_not_count",
                "A gradient turned round and twice as long has twice the map: M(-2·G) = 2·M(G).",
                turned_round,
                times(2),
            ),
            Law(
                "grey_gradient",
                "Where all colours have the same gradient g, M = |g|, however many colours there are.",
                grey,
                power_of_grey(1),
            ),
        ),
        showcase=digit_gradients,
    ),
    "squared_map": Checks(
        cases=MAP_CASES,
        laws=(
            Law(
                "twice_the_gradient",
                "A gradient turned round and twice as long has four times the map: S(-2·G) = 4·S(G).",
                turned_round,
                times(4),
            ),
            Law(
                "grey_gradient",
                "Where all colours have the same gradient g, S = g², however many colours there are.",
                grey,
                power_of_grey(2),
            ),
        ),
        showcase=digit_gradients,
    ),
    "saliency": Checks(
        reference=saliency,
        cases=(
            Case("both forms, frozen weights, BatchNorm, a class that no pixel moves, a network in use", both_forms),
            Case(
                "other networks in both forms, with BatchNorm and dropout", both_forms_elsewhere, hidden=True, points=2
            ),
        ),
        laws=(
            Law(
                "size_of_w_on_a_linear_model",
                "Where y^c = Σ w_c·I + b_c, the map is max_k |w_k|, and its square in the other form, for every image.",
                linear_in_both_forms,
                is_size_of_w,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                lambda g: batch_and_singles(scene(g, "flatten")),
                as_in_the_batch,
            ),
        ),
        showcase=digit,
    ),
    "probability_gradient": Checks(
        cases=(
            Case("three images; and three whose scores are over 700, round 0, and below -700", large_scores),
            Case("more classes, other sizes", more_classes, hidden=True, points=2),
        ),
        laws=(
            Law(
                "sums_to_zero",
                "The probabilities always sum to 1, so what one class gains the others lose: Σ_c ∂p^c/∂I = 0.",
                every_class,
                sums_to_zero,
            ),
            Law(
                "a_push_for_all_does_nothing",
                "What raises all scores alike changes no probability: the same term added to every ∂y^d/∂I leaves "
                "∂p^c/∂I as it was.",
                pushed,
                times(1),
            ),
            Law(
                "flat_where_sure",
                "Where y^c is 40 above all other scores, p^c is 1 and cannot rise: ∂p^c/∂I = 0.",
                sure,
                is_flat,
            ),
        ),
    ),
}
