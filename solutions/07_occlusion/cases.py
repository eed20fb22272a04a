"""Inputs and laws of occlusion: windows that stick out and that fit, fills of several forms, drops of both signs."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

import cnnviz
from autograder.course.authored import Checks
from autograder.course.fixtures import (
    array,
    as_in_the_batch,
    batch_and_singles,
    between,
    mixed_order,
    randn,
    redrawn,
    relative,
    signs,
)
from autograder.course.records import Arrays, Call, Case, Law
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, calm
from cnnviz_ref.occlusion import occlusion as method
from cnnviz_ref.occlusion import spans

SIZE, CLASSES = (12, 8), 5
WINDOW, STRIDE = 5, 3
Fill = float | Tensor
Fills = Callable[[Generator], Tensor]


def occlusion(
    model: nn.Module, images: Tensor, targets: Tensor, *, window: int = 32, stride: int = 16, fill: Fill = 0.0
) -> Tensor:
    """The method with square windows."""
    return method(model, images, targets, window=window, stride=stride, fill=fill)


def hidden(images: Tensor, box: Tensor, fill: Fill) -> Tensor:
    top, left, bottom, right = box.tolist()
    inside = torch.zeros(images.shape[2:], dtype=torch.bool)
    inside[top:bottom, left:right] = True
    return torch.where(inside, fill, images)


def windows(H: int, W: int, window: int, stride: int) -> Tensor:
    rows, columns = spans(H, window, stride), spans(W, window, stride)
    return torch.tensor([[top, left, bottom, right] for top, bottom in rows for left, right in columns])


def integer(generator: Generator, low: int, high: int) -> int:
    """One of low, ..., high - 1."""
    return int(torch.randint(low, high, (), generator=generator))


def colour(generator: Generator, channels: int) -> Tensor:
    """A fill [C 1 1] far from 0 and 1, another in each channel, of both signs."""
    size = 1.5 + torch.rand(channels, generator=generator, dtype=torch.float64) + torch.arange(channels)
    return (signs(generator, channels) * size)[:, None, None]


def picture(generator: Generator, size: tuple[int, int] = (9, 13)) -> Tensor:
    """A fill [3 H W], another at each pixel."""
    return randn(generator, 3, *size) + colour(generator, 3)


def large_picture(generator: Generator) -> Tensor:
    return picture(generator, SIZE)


def three_colours(generator: Generator) -> Tensor:
    return colour(generator, 3)


def to_hide(generator: Generator, n: int, channels: int, fill: Fill, box: Sequence[int] = ()) -> Call:
    """Images with a box; without one, away from the border and from the diagonal."""
    top, left = integer(generator, 2, 4), integer(generator, 4, 6)
    box = box or [top, left, top + integer(generator, 3, 5), left + integer(generator, 2, 4)]
    return Call({"images": randn(generator, n, channels, 9, 13), "box": torch.tensor(box), "fill": fill})


def number_and_colour(generator: Generator) -> list[Call]:
    return [
        to_hide(generator, 3, 3, colour(generator, 3)),
        to_hide(generator, 1, 1, float(colour(generator, 1))),
        to_hide(generator, 2, 3, picture(generator)),
        to_hide(generator, 2, 3, picture(generator)[0], [0, 0, 4, 3]),
        to_hide(generator, 2, 3, 0, [6, 8, 9, 13]),
    ]


def picture_and_colour(generator: Generator) -> list[Call]:
    return [
        to_hide(generator, 2, 3, picture(generator)),
        to_hide(generator, 3, 2, colour(generator, 2)),
        to_hide(generator, 2, 3, picture(generator)[0], [0, 10, 2, 13]),
        to_hide(generator, 2, 3, 0, [5, 0, 9, 4]),
    ]


def same_outside(generator: Generator) -> list[Call]:
    """Two pictures that differ inside the window alone."""
    call = to_hide(generator, 2, 3, colour(generator, 3))
    images, box = call.inputs["images"], call.inputs["box"]
    return [call, Call({**call.inputs, "images": hidden(images, box, randn(generator, 3, 9, 13))})]


def equal(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[1][0], results[0][0])


def sizes(generator: Generator, *, fits: bool = False, higher: bool = False) -> Call:
    """Sizes whose last windows stick out, or fit exactly; one to two steps one way, more the other.

    One pixel is left over in the rows and all but one of a step in the columns, so that rounding errs in one of them.
    """
    stride = integer(generator, 3, 5)
    window = stride + integer(generator, 2, 4)
    few = integer(generator, 1, 3)
    steps = (few, few + integer(generator, 1, 3))
    rests = (0, 0) if fits else (1, stride - 1)
    H, W = (window + stride * k + rest for k, rest in zip(steps[::-1] if higher else steps, rests, strict=True))
    return Call({"H": H, "W": W, "window": window, "stride": stride})


def rest_of_one(generator: Generator) -> list[Call]:
    """Windows side by side with a rest of 1 in one direction alone; one window as high as the picture."""
    side = integer(generator, 3, 6)
    found = ((2 * side, 3 * side + 1, side), (3 * side + 1, 2 * side, side), (side, side + 5, 2))
    return [Call({"H": H, "W": W, "window": side, "stride": stride}) for H, W, stride in found]


def wide_pictures(generator: Generator) -> list[Call]:
    return [sizes(generator), sizes(generator, fits=True), *rest_of_one(generator)]


def other_pictures(generator: Generator) -> list[Call]:
    return [sizes(generator, higher=True), sizes(generator, fits=True, higher=True), *rest_of_one(generator)]


def covered(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    """The share of pixels that no window hides, and of windows that are empty or stick out."""
    return max(uncovered(call, boxes) for call, (boxes, *_) in zip(calls, results, strict=True))


def uncovered(call: Call, boxes: np.ndarray) -> float:
    H, W = call.inputs["H"], call.inputs["W"]
    if boxes.ndim != 2 or boxes.shape[1] != 4:
        return math.inf
    seen = np.zeros((H, W), bool)
    for top, left, bottom, right in boxes:
        seen[top:bottom, left:right] = True
    whole = (boxes[:, :2] >= 0).all(1) & (boxes[:, 2:] <= (H, W)).all(1) & (boxes[:, :2] < boxes[:, 2:]).all(1)
    return max(1 - seen.mean(), 1 - whole.mean())


def counted(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return max(miscounted(call, len(boxes)) for call, (boxes, *_) in zip(calls, results, strict=True))


def miscounted(call: Call, got: int) -> float:
    H, W, w, s = call.inputs.values()
    want = (math.ceil((H - w) / s) + 1) * (math.ceil((W - w) / s) + 1)
    return abs(got - want) / want


def linear(generator: Generator) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE[0] * SIZE[1], CLASSES))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net.eval()


NETS: dict[str, Callable[[Generator], nn.Module]] = {
    "gap": lambda g: GapNet(channels=(4, 6), classes=CLASSES, generator=g),
    "busy": lambda g: BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=g),
    "flatten": lambda g: FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=g),
    "functional": lambda g: FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=g),
    "batch_norm": lambda g: BatchNormNet(channels=(4, 6), classes=CLASSES, generator=g),
    "linear": linear,
}


@calm()
@torch.no_grad()
def scene(generator: Generator, net: str, n: int = 3, *, frozen: bool = False, fill: Fills = three_colours) -> Call:
    """A network, n images, a target each, windows, a fill; drops not far smaller than scores, which float32 rounds."""
    inputs = redrawn(lambda: drawing(generator, net, n, fill), sensitive)
    inputs["model"].requires_grad_(not frozen)
    return Call(inputs)


def drawing(generator: Generator, net: str, n: int, fill: Fills) -> dict[str, Any]:
    model, boxes = NETS[net](generator).double(), windows(*SIZE, WINDOW, STRIDE)
    images, filling = randn(generator, n, 3, *SIZE), fill(generator)
    order = mixed_order(generator, CLASSES, n)
    rescale(model, images, boxes, filling, int(order[n]))
    return {"model": model, "images": images, "targets": order[:n], "boxes": boxes, "fill": filling}


def rescale(model: nn.Module, images: Tensor, boxes: Tensor, fill: Tensor, preferred: int) -> None:
    """Drops of at most 1.5, so that no probability saturates; one class, no target, that wins by a little."""
    head = [module for module in model.modules() if isinstance(module, nn.Linear)][-1]
    factor = 1.5 / float(changes(model, images, boxes, fill).abs().max())
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = model(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.1


def changes(model: nn.Module, images: Tensor, boxes: Tensor, fill: Tensor) -> Tensor:
    """What each window is worth for each class [P N classes]."""
    return torch.stack([model(images) - model(hidden(images, box, fill)) for box in boxes])


def sensitive(inputs: dict[str, Any]) -> bool:
    model, images, targets, boxes, fill = inputs.values()
    n = torch.arange(len(images))
    largest = changes(model, images, boxes, fill)[:, n, targets].abs().max()
    return float(largest) > 0.25 * float(model(images).abs().max())


def three_and_one(generator: Generator) -> list[Call]:
    return [scene(generator, "busy"), scene(generator, "flatten", 1, fill=large_picture)]


def other_networks(generator: Generator) -> list[Call]:
    return [
        scene(generator, "batch_norm"),
        scene(generator, "functional", 1, frozen=True),
        scene(generator, "busy", 2, fill=large_picture),
    ]


def and_with_0(calls: list[Call], **others: Any) -> list[Call]:
    """The same, and the first network once more with the number 0 as fill and other windows."""
    return [*calls, Call({**calls[0].inputs, "fill": 0.0, **others})]


def any_boxes(build: Callable[[Generator], list[Call]]) -> Callable[[Generator], list[Call]]:
    """The same, and windows of unlike sizes in no order."""
    boxes = torch.tensor([[6, 3, 12, 8], [0, 0, 3, 1], [2, 1, 11, 7]])
    return lambda generator: and_with_0(build(generator), boxes=boxes)


def whole(calls: Sequence[Call]) -> list[Call]:
    """The same scenes for the whole method: window and stride in place of the boxes."""
    scenes = [{name: value for name, value in call.inputs.items() if name != "boxes"} for call in calls]
    return [Call({**scene, "window": WINDOW, "stride": STRIDE}) for scene in scenes]


def whole_and_side_by_side(build: Callable[[Generator], list[Call]]) -> Callable[[Generator], list[Call]]:
    """The same, and windows side by side, the last row of them narrow."""
    return lambda generator: and_with_0(whole(build(generator)), window=5, stride=5)


def window_sums(call: Call) -> tuple[np.ndarray, list[list[int]]]:
    """The sums of w^c · (x - fill) of a linear network inside each window [N P], and the windows."""
    model, images, targets, fill = (call.inputs[name] for name in ("model", "images", "targets", "fill"))
    parts = array((model[1].weight[targets].view_as(images) * (images - fill)).sum(dim=1))
    boxes = windows(*SIZE, WINDOW, STRIDE).tolist()
    return np.stack([parts[:, t:b, l:r].sum((1, 2)) for t, l, b, r in boxes], axis=1), boxes


def are_window_sums(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    return relative(results[0][0], window_sums(calls[0])[0])


def are_averaged_window_sums(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    sums, boxes = window_sums(calls[0])
    total, count = np.zeros((len(sums), *SIZE)), np.zeros(SIZE)
    for p, (top, left, bottom, right) in enumerate(boxes):
        total[:, top:bottom, left:right] += sums[:, p, None, None]
        count[top:bottom, left:right] += 1
    return relative(results[0][0], total / count)


def nothing_to_hide(generator: Generator) -> list[Call]:
    """Pictures that have the fill's colour inside the first window already; and the same pictures as they were."""
    call = scene(generator, "gap")
    boxes, fill = call.inputs["boxes"], call.inputs["fill"]
    return [Call({**call.inputs, "images": hidden(call.inputs["images"], boxes[0], fill)}), call]


def first_is_zero(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    drops, before = results[0][0], results[1][0]
    if drops.shape != (len(calls[0].inputs["images"]), len(calls[0].inputs["boxes"])):
        return math.inf
    return float(np.abs(drops[:, 0]).max() / (np.abs(before).max() or 1.0))


def one_window(generator: Generator) -> list[Call]:
    """A window as large as the picture, on square pictures."""
    model = NETS["gap"](generator).double()
    images, fill = randn(generator, 2, 3, 9, 9), colour(generator, 3)
    targets = mixed_order(generator, CLASSES, 2)[:2]
    return [Call({"model": model, "images": images, "targets": targets, "window": 9, "stride": 4, "fill": fill})]


@torch.no_grad()
def constant_drop(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    model, images, targets, fill = (calls[0].inputs[name] for name in ("model", "images", "targets", "fill"))
    gone = (model(images) - model(fill.expand_as(images))).gather(1, targets[:, None])
    return relative(results[0][0], np.broadcast_to(array(gone)[:, :, None], results[0][0].shape))


def drops_of_windows(generator: Generator, n: int, size: tuple[int, int], window: int, stride: int) -> Call:
    """Drops of both signs, of size 0.5 to 2.5, for windows of which the last are cropped."""
    boxes = windows(*size, window, stride)
    values = between(generator, 0.5, 2.5, n, len(boxes))
    return Call({"drops": signs(generator, n, len(boxes)) * values, "boxes": boxes, "size": size})


def unlike(generator: Generator) -> Call:
    """Windows of unlike sizes in no order, one of them twice, and drops of 0."""
    boxes = torch.tensor([[3, 4, 5, 5], [0, 0, 5, 9], [0, 0, 2, 9], [0, 0, 2, 9], [1, 0, 4, 3]])
    drops = signs(generator, 2, 5) * between(generator, 0.5, 2.5, 2, 5)
    drops[0, 1] = drops[1, 2] = 0
    return Call({"drops": drops, "boxes": boxes, "size": (5, 9)})


def overlapping(generator: Generator) -> list[Call]:
    one, other = drops_of_windows(generator, 3, (12, 8), 5, 3), drops_of_windows(generator, 1, (5, 9), 3, 2)
    return [one, other, unlike(generator)]


def other_overlaps(generator: Generator) -> list[Call]:
    one, other = drops_of_windows(generator, 3, (7, 12), 4, 3), drops_of_windows(generator, 2, (8, 5), 3, 3)
    return [one, other, unlike(generator)]


def equal_drops(generator: Generator) -> list[Call]:
    """One number for each image, the same for every window."""
    call = drops_of_windows(generator, 2, (12, 8), 5, 3)
    drops = call.inputs["drops"]
    return [Call({**call.inputs, "drops": drops[:, :1].expand_as(drops).clone()})]


def constant(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    drops = array(calls[0].inputs["drops"][:, :1, None])
    return relative(results[0][0], np.broadcast_to(drops, results[0][0].shape))


def combined_drops(generator: Generator) -> list[Call]:
    """d, d' and d - 2·d'."""
    call, other = (drops_of_windows(generator, 2, (7, 12), 5, 2) for _ in range(2))
    one, two = call.inputs["drops"], other.inputs["drops"]
    return [Call({**call.inputs, "drops": drops}) for drops in (one, two, one - 2 * two)]


def additive(calls: Sequence[Call], results: Sequence[Arrays]) -> float:
    one, two, both = (result[0] for result in results)
    return relative(both, one - 2 * two)


def digit() -> Call:
    canvases = cnnviz.cluttered_digits(1, seed=4, split="test")
    model, boxes = cnnviz.digit_net().requires_grad_(False), windows(64, 64, 12, 6)
    drops = changes(model, canvases.images, boxes, torch.tensor(0.0))[:, 0, canvases.labels].T
    return Call({"drops": drops, "boxes": boxes, "size": (64, 64)})


def photo() -> Call:
    return Call(
        {
            "model": cnnviz.efficientnet_lite0().requires_grad_(False),
            "images": cnnviz.preprocess(cnnviz.photo("camera")),
            "targets": torch.tensor([cnnviz.class_index("tripod")]),
            "window": 64,
            "stride": 40,
            "fill": 0.0,
        }
    )


CHECKS = {
    "hide": Checks(
        cases=(
            Case(
                "a colour, a number and a picture as fill; a window at the border, a grey picture and 0",
                number_and_colour,
            ),
            Case("a picture as fill, and another colour", picture_and_colour, hidden=True),
        ),
        laws=(
            Law(
                "what_was_there_is_gone",
                "Two pictures that differ only inside window p are the same once window p is hidden.",
                same_outside,
                equal,
            ),
        ),
    ),
    "window_boxes": Checks(
        cases=(
            Case(
                "a wide picture with a rest at the border, one without a rest, and a rest in one direction alone",
                wide_pictures,
            ),
            Case("high pictures, windows side by side, a single row", other_pictures, hidden=True),
        ),
        laws=(
            Law(
                "every_pixel_is_covered",
                "Every pixel lies in at least one window, and no window is empty or sticks out.",
                wide_pictures,
                covered,
            ),
            Law("number_of_windows", "P = (⌈(H-w)/s⌉ + 1)·(⌈(W-w)/s⌉ + 1).", other_pictures, counted),
        ),
    ),
    "score_drops": Checks(
        cases=(
            Case(
                "three images, a network in use; one image, a picture as fill; windows of unlike sizes",
                any_boxes(three_and_one),
            ),
            Case("BatchNorm and dropout, in-place ReLUs and frozen weights", any_boxes(other_networks), hidden=True),
        ),
        laws=(
            Law(
                "linear_network",
                "Where y^c is linear, y^c = Σ w·x + b, a window is worth d_p = Σ w·(x - fill) over its pixels.",
                lambda g: [scene(g, "linear")],
                are_window_sums,
                points=2,
            ),
            Law(
                "hiding_nothing_costs_nothing",
                "A window that has the colour of fill already is worth d_p = 0.",
                nothing_to_hide,
                first_is_zero,
            ),
        ),
    ),
    "coverage_average": Checks(
        cases=(
            Case("overlapping windows on a high and on a wide grid; windows of unlike sizes", overlapping),
            Case("other overlaps, and windows side by side", other_overlaps, hidden=True),
        ),
        laws=(
            Law(
                "equal_drops",
                "Where every window has the same drop d, M_ij = d at every pixel, near the border too.",
                equal_drops,
                constant,
            ),
            Law(
                "linear",
                "A mean is linear: M of d - 2·d' is M of d minus twice M of d'.",
                combined_drops,
                additive,
            ),
        ),
        showcase=digit,
    ),
    "occlusion": Checks(
        reference=occlusion,
        cases=(
            Case(
                "three images, a network in use; one image, a picture as fill; windows side by side, and 0 as fill",
                whole_and_side_by_side(three_and_one),
            ),
            Case(
                "BatchNorm and dropout, in-place ReLUs and frozen weights",
                whole_and_side_by_side(other_networks),
                hidden=True,
                points=2,
                draw=1,
            ),
        ),
        laws=(
            Law(
                "linear_network",
                "Where y^c is linear, M_ij is the mean over the windows on pixel i, j of Σ w·(x - fill) inside them.",
                lambda g: whole([scene(g, "linear")]),
                are_averaged_window_sums,
            ),
            Law(
                "one_window",
                "A window as large as the picture gives one number everywhere: y^c(I) - y^c(fill).",
                one_window,
                constant_drop,
            ),
            Law(
                "alone_as_in_the_batch",
                "An image's map is the same alone as in a batch.",
                lambda g: whole(batch_and_singles(scene(g, "flatten"))),
                as_in_the_batch,
            ),
        ),
        showcase=photo,
    ),
}
