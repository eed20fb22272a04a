"""Inputs of lesson 7, occlusion: small float64 networks and tensors on which every known mistake shows."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor, nn

from autograder.exercises.occlusion_average_misconceptions import averaged
from autograder.exercises.occlusion_window_misconceptions import all_boxes, hidden
from autograder.fixtures import mixed_order
from autograder.records import Call
from cnnviz.small_nets import BatchNormNet, BusyNet, FlattenNet, FunctionalNet, GapNet, calm

SIZE = (12, 8)
WINDOW, STRIDE = 5, 3
CLASSES = 5


def _randn(generator: Generator, *shape: int) -> Tensor:
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def _integer(generator: Generator, low: int, high: int) -> int:
    """One of low, ..., high - 1."""
    return int(torch.randint(low, high, (), generator=generator))


def _signs(generator: Generator, *shape: int) -> Tensor:
    """+1 and -1 in turn along the last axis, the first at random."""
    turns = torch.where(torch.arange(shape[-1]) % 2 == 0, 1.0, -1.0).to(torch.float64)
    return turns * (torch.randint(0, 2, (*shape[:-1], 1), generator=generator) * 2 - 1)


# 1. hide: a number, a colour and a whole picture as fill


def _colour(generator: Generator, channels: int) -> Tensor:
    """A fill [C 1 1] far from 0 and 1, another in each channel, of both signs."""
    size = 1.5 + torch.rand(channels, generator=generator, dtype=torch.float64) + torch.arange(channels)
    return (_signs(generator, channels) * size)[:, None, None]


def _to_hide(generator: Generator, n: int, channels: int, fill: float | Tensor) -> Call:
    """Images with a box away from the border and from the diagonal."""
    top, left = _integer(generator, 2, 4), _integer(generator, 4, 6)
    box = [top, left, top + _integer(generator, 3, 5), left + _integer(generator, 2, 4)]
    return Call({"images": _randn(generator, n, channels, 9, 13), "box": torch.tensor(box), "fill": fill})


def _picture(generator: Generator) -> Tensor:
    """A fill [3 9 13], another at each pixel."""
    return _randn(generator, 3, 9, 13) + _colour(generator, 3)


def _at_the_border(generator: Generator, box: list[int], fill: float | Tensor) -> Call:
    call = _to_hide(generator, 2, 3, fill)
    return Call({**call.inputs, "box": torch.tensor(box)})


def number_and_colour(generator: Generator) -> list[Call]:
    """Three images and a colour, one grey image and a number, a picture; a grey picture and 0 at the border."""
    return [
        _to_hide(generator, 3, 3, _colour(generator, 3)),
        _to_hide(generator, 1, 1, float(_colour(generator, 1))),
        _to_hide(generator, 2, 3, _picture(generator)),
        _at_the_border(generator, [0, 0, 4, 3], _picture(generator)[0]),
        _at_the_border(generator, [6, 8, 9, 13], 0),
    ]


def picture_and_colour(generator: Generator) -> list[Call]:
    """A picture as fill; a colour; a grey picture and 0 at the border."""
    return [
        _to_hide(generator, 2, 3, _picture(generator)),
        _to_hide(generator, 3, 2, _colour(generator, 2)),
        _at_the_border(generator, [0, 10, 2, 13], _picture(generator)[0]),
        _at_the_border(generator, [5, 0, 9, 4], 0),
    ]


def same_outside(generator: Generator) -> list[Call]:
    """Two pictures that differ inside the window alone."""
    call = _to_hide(generator, 2, 3, _colour(generator, 3))
    images, box = call.inputs["images"], call.inputs["box"]
    return [call, Call({**call.inputs, "images": hidden(images, box, _randn(generator, 3, 9, 13))})]


# 2. window_boxes: a rest at the border, and none


def _windows(generator: Generator, *, fits: bool = False, higher: bool = False) -> Call:
    """Sizes whose last windows stick out, or fit exactly; one to two steps one way, more the other.

    One pixel is left over in the rows and all but one of a step in the columns, so that rounding errs in one of them.
    """
    stride = _integer(generator, 3, 5)
    window = stride + _integer(generator, 2, 4)
    few = _integer(generator, 1, 3)
    steps = (few, few + _integer(generator, 1, 3))
    rests = (0, 0) if fits else (1, stride - 1)
    H, W = (window + stride * k + rest for k, rest in zip(steps[::-1] if higher else steps, rests, strict=True))
    return Call({"H": H, "W": W, "window": window, "stride": stride})


def _rest_of_one(generator: Generator) -> list[Call]:
    """Windows side by side with a rest of 1 in one direction alone; one window as high as the picture."""
    side = _integer(generator, 3, 6)
    sizes = ((2 * side, 3 * side + 1, side), (3 * side + 1, 2 * side, side), (side, side + 5, 2))
    return [Call({"H": H, "W": W, "window": side, "stride": stride}) for H, W, stride in sizes]


def wide_pictures(generator: Generator) -> list[Call]:
    """A wide picture with a rest at the border; one that the windows fit exactly; a rest in one direction alone."""
    return [_windows(generator), _windows(generator, fits=True), *_rest_of_one(generator)]


def other_pictures(generator: Generator) -> list[Call]:
    """A high picture; an exact fit; a rest in one direction alone."""
    return [
        _windows(generator, higher=True),
        _windows(generator, fits=True, higher=True),
        *_rest_of_one(generator),
    ]


# 3. and 5. networks whose drops have both signs, and targets that they do not prefer

Build = Callable[[Generator], nn.Module]


def _gap(generator: Generator) -> nn.Module:
    return GapNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _busy(generator: Generator) -> nn.Module:
    """A network that somebody is using, and whose forward pass fails."""
    return BusyNet(interrupts=True, channels=(4, 6), classes=CLASSES, generator=generator)


def _flatten(generator: Generator) -> nn.Module:
    return FlattenNet(size=SIZE, channels=(4, 6), classes=CLASSES, generator=generator)


def _functional(generator: Generator) -> nn.Module:
    return FunctionalNet(channels=(4, 5, 4, 6), classes=CLASSES, generator=generator)


def _batch_norm(generator: Generator) -> nn.Module:
    return BatchNormNet(channels=(4, 6), classes=CLASSES, generator=generator)


def _linear(generator: Generator) -> nn.Module:
    net = nn.Sequential(nn.Flatten(), nn.Linear(3 * SIZE[0] * SIZE[1], CLASSES))
    with torch.no_grad():
        for parameter in net.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return net.eval()


@calm()
@torch.no_grad()
def _scene(generator: Generator, build: Build, *, n: int = 3, frozen: bool = False, picture: bool = False) -> Call:
    """A network, n images, a target each, windows, a fill of several colours; drawn again until every mistake shows."""
    boxes = all_boxes(*SIZE, WINDOW, STRIDE)
    for _ in range(1000):
        net = build(generator).double()
        images, fill = _randn(generator, n, 3, *SIZE), _colour(generator, 3)
        if picture:
            fill = fill + _randn(generator, 3, *SIZE)
        order = mixed_order(generator, CLASSES, n)
        targets, preferred = order[:n], int(order[n])
        _rescale(net, images, boxes, fill, preferred)
        if _every_mistake_shows(net, images, targets, boxes, fill):
            if frozen:
                net.requires_grad_(False)
            inputs = {"model": net, "images": images, "targets": targets, "boxes": boxes, "fill": fill}
            return Call(inputs)
    raise RuntimeError("no fixture found on which every mistake shows")


def _hidden_scores(net: nn.Module, images: Tensor, boxes: Tensor, fill: float | Tensor) -> Tensor:
    """Scores of every image with each window hidden: [N P classes], in one pass."""
    covered = torch.stack([hidden(images, box, fill) for box in boxes], dim=1)
    return net(covered.flatten(0, 1)).view(len(images), len(boxes), -1)


def _rescale(net: nn.Module, images: Tensor, boxes: Tensor, fill: Tensor, preferred: int) -> None:
    """Drops of at most 1.5, so that no probability saturates; one class, no target, that wins by a little."""
    head = [module for module in net.modules() if isinstance(module, nn.Linear)][-1]
    spread = net(images)[:, None] - _hidden_scores(net, images, boxes, fill)
    factor = 1.5 / float(spread.abs().max())
    head.weight.mul_(factor)
    head.bias.mul_(factor)
    scores = net(images)
    head.bias[preferred] += (scores.amax(dim=1) - scores[:, preferred]).max() + 0.1


def _every_mistake_shows(net: nn.Module, images: Tensor, targets: Tensor, boxes: Tensor, fill: Tensor) -> bool:
    """Drops and maps of both signs, scores away from 0 and 1; the mistakes that a network could hide by chance show."""
    y, scores = net(images), _hidden_scores(net, images, boxes, fill)
    n, best = torch.arange(len(images)), y.argmax(dim=1)
    drops = _differences(y, scores, targets)
    maps = averaged(drops, boxes, SIZE)
    steady, moving = _differences(y, scores, best), y.amax(dim=1)[:, None] - scores.amax(dim=2)
    logs = _differences(y.log_softmax(dim=1), scores.log_softmax(dim=2), targets)
    on_zero = _differences(y, _hidden_scores(net, images, boxes, 0.0), targets)
    wrong = [averaged(change, boxes, SIZE) for change in (steady - moving, logs - drops, on_zero - drops)]
    own = y[n, targets].abs()
    return (
        bool(((own > 0.1) & ((own - 1).abs() > 0.1)).all())
        and float(drops.abs().max()) > 0.25 * float(y.abs().max())  # drops have the rounding of scores in float32
        and _balanced(drops)
        and _balanced(maps)
        and min(float(change.abs().max()) for change in wrong) > 0.1 * float(maps.abs().max())
    )


def _differences(y: Tensor, scores: Tensor, targets: Tensor) -> Tensor:
    """y^c(I) - y^c(I^(p)) of scores [N classes] and [N P classes]: [N P]."""
    n = torch.arange(len(y))
    return y[n, targets][:, None] - scores[n, :, targets]


def _balanced(values: Tensor) -> bool:
    return float(torch.minimum(values.max(), -values.min())) > 0.2 * float(values.abs().max())


def three_and_one(generator: Generator) -> list[Call]:
    """Three images and average pooling, a network in use; a single image, a flatten head, and a picture as fill."""
    return [_scene(generator, _busy), _scene(generator, _flatten, n=1, picture=True)]


def other_networks(generator: Generator) -> list[Call]:
    """BatchNorm and dropout; functional and in-place ReLUs with frozen weights; a network in use, a picture as fill."""
    return [
        _scene(generator, _batch_norm),
        _scene(generator, _functional, n=1, frozen=True),
        _scene(generator, _busy, n=2, picture=True),
    ]


def _with_0(calls: list[Call], **sizes: object) -> list[Call]:
    """The same, and the first network once more with the number 0 as fill and windows of other sizes."""
    return [*calls, Call({**calls[0].inputs, "fill": 0.0, **sizes})]


def any_boxes(build: Callable[[Generator], list[Call]]) -> Callable[[Generator], list[Call]]:
    """The same, and windows of unlike sizes in no order, with 0 as fill."""
    boxes = torch.tensor([[6, 3, 12, 8], [0, 0, 3, 1], [2, 1, 11, 7]])
    return lambda generator: _with_0(build(generator), boxes=boxes)


def linear_scene(generator: Generator) -> list[Call]:
    """A linear network: one weight a pixel."""
    return [_scene(generator, _linear)]


def nothing_to_hide(generator: Generator) -> list[Call]:
    """Pictures that have the fill's colour inside the first window already; and the same pictures as they were."""
    call = _scene(generator, _gap)
    boxes, fill = call.inputs["boxes"], call.inputs["fill"]
    return [Call({**call.inputs, "images": hidden(call.inputs["images"], boxes[0], fill)}), call]


def batch_and_singles(generator: Generator) -> list[Call]:
    """Three images together, then each alone."""
    batch = _scene(generator, _flatten)
    images, targets = batch.inputs["images"], batch.inputs["targets"]
    return [batch] + [
        Call({**batch.inputs, "images": images[[n]], "targets": targets[[n]]}) for n in range(len(images))
    ]


def one_window(generator: Generator) -> list[Call]:
    """A window as large as the picture, on square pictures."""
    net = GapNet(channels=(4, 6), classes=CLASSES, generator=generator).double()
    images, fill = _randn(generator, 2, 3, 9, 9), _colour(generator, 3)
    targets = mixed_order(generator, CLASSES, 2)[:2]
    return [Call({"model": net, "images": images, "targets": targets, "window": 9, "stride": 4, "fill": fill})]


def whole(build: Callable[[Generator], list[Call]]) -> Callable[[Generator], list[Call]]:
    """The same scenes for the whole method: window and stride in place of the boxes."""

    def calls(generator: Generator) -> list[Call]:
        scenes = [dict(call.inputs) for call in build(generator)]
        for scene in scenes:
            del scene["boxes"]
        return [Call({**scene, "window": WINDOW, "stride": STRIDE}) for scene in scenes]

    return calls


def whole_and_side_by_side(build: Callable[[Generator], list[Call]]) -> Callable[[Generator], list[Call]]:
    """The same, and windows side by side, the last row of them narrow, with 0 as fill."""
    return lambda generator: _with_0(whole(build)(generator), window=5, stride=5)


# 4. coverage_average


def _drops(generator: Generator, n: int, size: tuple[int, int], window: int, stride: int) -> Call:
    """Drops of both signs, of size 0.5 to 2.5, for windows of which the last are cropped."""
    boxes = all_boxes(*size, window, stride)
    values = 0.5 + 2 * torch.rand(n, len(boxes), generator=generator, dtype=torch.float64)
    return Call({"drops": _signs(generator, n, len(boxes)) * values, "boxes": boxes, "size": size})


def _unlike(generator: Generator) -> Call:
    """Windows of unlike sizes in no order, one of them twice, and drops of 0."""
    boxes = torch.tensor([[3, 4, 5, 5], [0, 0, 5, 9], [0, 0, 2, 9], [0, 0, 2, 9], [1, 0, 4, 3]])
    drops = _drops(generator, 2, (5, 9), 3, 2).inputs["drops"][:, :5].clone()
    drops[0, 1] = drops[1, 2] = 0
    return Call({"drops": drops, "boxes": boxes, "size": (5, 9)})


def overlapping(generator: Generator) -> list[Call]:
    """Three images on a high grid; one on a wide grid; windows of unlike sizes, and drops of 0."""
    return [_drops(generator, 3, (12, 8), 5, 3), _drops(generator, 1, (5, 9), 3, 2), _unlike(generator)]


def other_overlaps(generator: Generator) -> list[Call]:
    """Other sizes; windows side by side; windows of unlike sizes, and drops of 0."""
    return [_drops(generator, 3, (7, 12), 4, 3), _drops(generator, 2, (8, 5), 3, 3), _unlike(generator)]


def equal_drops(generator: Generator) -> list[Call]:
    """One number for each image, the same for every window."""
    call = _drops(generator, 2, (12, 8), 5, 3)
    drops = call.inputs["drops"]
    return [Call({**call.inputs, "drops": drops[:, :1].expand_as(drops).clone()})]


def combined_drops(generator: Generator) -> list[Call]:
    """d, d' and d - 2·d'."""
    call, other = (_drops(generator, 2, (7, 12), 5, 2) for _ in range(2))
    one, two = call.inputs["drops"], other.inputs["drops"]
    return [Call({**call.inputs, "drops": drops}) for drops in (one, two, one - 2 * two)]
