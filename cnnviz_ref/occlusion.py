"""Occlusion (Zeiler & Fergus 2014): how much the score of a class drops when a window of the image is hidden."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from cnnviz.shapes import Images, PixelMap, Targets
from cnnviz_ref._mechanism import check_targets, check_whole, target_scores, undisturbed
from cnnviz_ref._patches import Box, run_on_copies

Span = tuple[int, int]
"""First row (or column) of a window and the first one after it."""


def occlusion(
    model: nn.Module,
    images: Images,
    targets: Targets | int,
    *,
    window: int | tuple[int, int] = 32,
    stride: int | tuple[int, int] = 16,
    fill: float | Tensor = 0.0,
    chunk: int = 16,
) -> PixelMap:
    r"""How much the score of a class drops when the windows over a pixel are hidden; positive where a region helps.

    Formula:
        $M_{ij} = \frac{1}{|P_{ij}|} \sum_{p \in P_{ij}} \left( y(I) - y(I^{(p)}) \right)$, where $I^{(p)}$ is the
        image with window $p$ filled, $P_{ij}$ are the windows that cover the pixel, and $y$ is the target's score
        before softmax. The last window of a row or column is cropped at the border, so that every pixel is covered.

    Args:
        model, images, targets: As in every method (`help(cnnviz_ref)`).
        window: Height and width in pixels, or one number for both.
        stride: Pixels from one window to the next, down and across, or one number for both; at most the window.
        fill: What hides: a number, or a tensor that broadcasts to an image `[C H W]`.
        chunk: Hidden images that go through the model at once; it bounds the memory.

    Returns:
        Raw maps `[N H W]` of the images' dtype, of both signs.

    Raises:
        ValueError: An argument does not fit the model or the images; the sentence says which and what is allowed.

    Paper: Zeiler, Fergus, "Visualizing and Understanding Convolutional Networks", 2014.

    >>> import torch
    >>> from torch import nn
    >>> net = nn.Sequential(nn.Flatten(), nn.Linear(3, 1))
    >>> _ = net[1].weight.data.copy_(torch.tensor([[1.0, 2.0, -4.0]]))
    >>> occlusion(net, torch.ones(1, 1, 1, 3), torch.tensor([0]), window=(1, 2), stride=1)  # drops 3 and -2
    tensor([[[ 3.0000,  0.5000, -2.0000]]])
    """
    targets = check_targets(model, images, targets)
    H, W = images.shape[2:]
    (wh, ww), (sh, sw) = _check_windows(window, stride, (H, W))
    check_whole("chunk", chunk, "try 16")
    hiding = _check_fill(fill, images)
    rows, columns = spans(H, wh, sh), spans(W, ww, sw)
    with undisturbed(model, images), torch.no_grad():
        drops = window_drops(model, images, targets, rows, columns, fill=hiding, chunk=chunk)
    return coverage_average(drops, rows, columns, (H, W))


def spans(length: int, window: int, stride: int) -> list[Span]:
    """Windows along one axis; the last is cropped at the border, so that all of it is covered.

    >>> spans(7, 3, 2), spans(6, 3, 2)
    ([(0, 3), (2, 5), (4, 7)], [(0, 3), (2, 5), (4, 6)])
    """
    count = math.ceil(max(length - window, 0) / stride) + 1
    return [(i * stride, min(i * stride + window, length)) for i in range(count)]


def window_drops(
    model: nn.Module,
    images: Images,
    targets: Targets,
    rows: list[Span],
    columns: list[Span],
    *,
    fill: Tensor,
    chunk: int,
) -> Tensor:
    """$y(I) - y(I^{(p)})$ of every window: `[N rows columns]`. `fill` is `[C H W]`. Call it inside `undisturbed`."""
    boxes = [(*row, *column) for row in rows for column in columns]
    parts = [boxes[start : start + chunk] for start in range(0, len(boxes), chunk)]
    drops = []
    for I, c in zip(images.detach().split(1), targets.split(1), strict=True):
        y = target_scores(model(I.clone()), c).to(I.dtype)
        y_hidden = torch.cat([hidden_scores(model, I, c, windows, fill) for windows in parts])
        drops.append(y - y_hidden)
    return torch.stack(drops).view(-1, len(rows), len(columns))


def hidden_scores(model: nn.Module, image: Images, target: Targets, boxes: list[Box], fill: Tensor) -> Tensor:
    """$y(I^{(p)})$ of one image with each window $p$ hidden: `[P]`."""
    scores = run_on_copies(model, image, boxes, fill)
    return target_scores(scores, target.expand(len(boxes))).to(image.dtype)


def coverage_average(drops: Tensor, rows: list[Span], columns: list[Span], size: tuple[int, int]) -> PixelMap:
    """Each pixel's mean over the windows that cover it: `[N rows columns] -> [N H W]`."""
    total = drops.new_zeros(len(drops), *size)
    count = drops.new_zeros(size)
    for i, (top, bottom) in enumerate(rows):
        for j, (left, right) in enumerate(columns):
            total[:, top:bottom, left:right] += drops[:, i, j, None, None]
            count[top:bottom, left:right] += 1
    return total / count


def _check_windows(window: object, stride: object, size: tuple[int, int]) -> tuple[tuple[int, int], tuple[int, int]]:
    windows, strides = _pair(window, "window"), _pair(stride, "stride")
    if windows[0] > size[0] or windows[1] > size[1]:
        raise ValueError(f"window: got {window!r}, but the images are {size[0]} x {size[1]}; choose at most that.")
    if strides[0] > windows[0] or strides[1] > windows[1]:
        raise ValueError(
            f"stride: got {stride!r}, but the window is {windows[0]} x {windows[1]}, so pixels would be left out; "
            f"choose at most that."
        )
    return windows, strides


def _pair(value: object, name: str) -> tuple[int, int]:
    pair = (value, value) if isinstance(value, int) else value
    if not isinstance(pair, tuple) or len(pair) != 2 or not all(isinstance(v, int) and v >= 1 for v in pair):
        raise ValueError(f"{name}: got {value!r}, needs pixels from 1, one number or (height, width); try 16.")
    return pair


def _check_fill(fill: object, images: Images) -> Tensor:
    """The filling as `[C H W]` in the images' dtype, without copying what broadcasts."""
    shape = images.shape[1:]
    try:
        value = torch.as_tensor(fill, dtype=images.dtype, device=images.device).detach()
        hiding = value.expand(shape)
    except (TypeError, ValueError, RuntimeError):
        got = list(fill.shape) if isinstance(fill, Tensor) else repr(fill)
        raise ValueError(f"fill: got {got}, needs a number or a tensor for {list(shape)}; try 0.0.") from None
    if not torch.isfinite(value).all():
        raise ValueError("fill: got NaN or infinity, needs finite values; try 0.0.")
    return hiding
