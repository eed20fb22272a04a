"""Receptive field: which pixels a unit of a layer sees, for every layer of any network, however it is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from cnnviz_ref._channels import blank_image
from cnnviz_ref._mechanism import Layer, check_model, check_output, hooked, layer_name, not_run, undisturbed
from cnnviz_ref._spans import PIXEL, RULES, Span, Spans, step
from cnnviz_ref._tracing import Tracing


@dataclass(frozen=True)
class ReceptiveField:
    """The spans of pixels that the units of a layer see, along the rows and along the columns."""

    rows: Span
    """Down the image."""
    columns: Span
    """Across the image."""

    def box(self, i: int, j: int) -> tuple[int, int, int, int]:
        """(top, left, bottom, right) of what the unit at row i, column j sees; not cut at the border of the image."""
        return self.rows.first(i), self.columns.first(j), self.rows.end(i), self.columns.end(j)


def chain_receptive_field(layers: Iterable[tuple[int, int, int, int]]) -> Span:
    r"""Computes what a unit sees along one axis after a chain of convolutions and pools.

    Formula:
        from $r = 1$, $j = 1$, $c = 0$, each layer of kernel $k$, stride $s$, padding $p$, dilation $d$ makes
        $r \leftarrow r + (k-1) \, d \, j$, $c \leftarrow c + ((k-1) d / 2 - p) \, j$, $j \leftarrow j s$.

    Args:
        layers: (kernel, stride, padding, dilation) of each layer, the first one nearest to the image.

    Returns:
        The `Span` of size $r$, jump $j$ and start $c$.

    Paper: Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.

    >>> chain_receptive_field([(7, 2, 3, 1), (3, 2, 1, 1), (2, 2, 0, 1)])  # stem of a ResNet, and a 2x2 pool
    Span(size=15, jump=8, start=2.0)
    """
    span = PIXEL
    for kernel, stride, padding, dilation in layers:
        span = step(span, kernel, stride, padding, dilation)
    return span


def receptive_field(model: nn.Module, layer: Layer, *, size: tuple[int, int, int] = (3, 224, 224)) -> ReceptiveField:
    r"""The smallest box of pixels that holds all that a unit of a layer can see, for units away from the border.

    Formula:
        `chain_receptive_field`'s recursion along rows and columns, for every operation that the model carries out.
        Where branches meet (a residual sum, a concatenation) the box around both, for a unit of any channel; where
        they meet with different jumps, and after global pooling or a flatten, all that the whole grid sees of the
        image. A window that hangs over the border (padding, `ceil_mode`) keeps its size and place, so a box may begin
        below 0 or end beyond the image; there it may also hold pixels that no unit sees, the last rows that a stride
        leaves out. An adaptive pool whose windows are not all equal (5 of 12 rows) counts as global. In both cases the
        box is too large rather than too small: pixels outside it never matter.

    Args:
        model: Any network; evaluated in eval mode on one blank image and left as found.
        layer: As in every method (`help(cnnviz_ref)`).
        size: Colours, height and width of the images. The field depends on height and width only where it is cut at
            the border or an adaptive pool comes before the layer.

    Returns:
        `ReceptiveField(rows, columns)`, each with size, jump and start.

    Raises:
        ValueError: There is no such layer, images of that size do not fit, or the layer's output comes from an
            operation that has no rule.

    Paper: Araujo, Norris, Sim, "Computing Receptive Fields of Convolutional Neural Networks", 2019.

    >>> from torch import nn
    >>> net = nn.Sequential(nn.Conv2d(3, 4, (3, 5), padding=1), nn.MaxPool2d(2), nn.Flatten())
    >>> field = receptive_field(net, "1")
    >>> field.rows, field.columns
    (Span(size=4, jump=2, start=0.5), Span(size=6, jump=2, start=1.5))
    >>> field.box(0, 0)
    (-1, -1, 3, 5)
    """
    check_model(model)
    if not isinstance(size, tuple) or len(size) != 3 or not all(isinstance(n, int) and n >= 1 for n in size):
        raise ValueError(f"size: got {size!r}, needs (C, H, W), each a whole number from 1; try (3, 224, 224).")
    spans = _trace(model, layer_name(model, layer), size)
    return ReceptiveField(*(_within(span, length) for span, length in zip(spans, size[1:], strict=True)))


def _trace(model: nn.Module, layer: str, size: tuple[int, int, int]) -> Spans:
    image = blank_image(model, *size)
    mode = Tracing(RULES, {image: (PIXEL, PIXEL)})
    found: list[Spans | str] = []

    def keep(_module: nn.Module, _inputs: object, output: object) -> None:
        found[:] = [mode.of(check_output(output, layer))]

    with undisturbed(model), hooked(model, layer, keep), torch.no_grad(), mode:
        try:
            model(image)
        except RuntimeError as error:
            fault = f"a blank image {size} does not go through the model: {error}"
            raise ValueError(f"size: {fault}; give the (C, H, W) that it takes.") from error
    if not found:
        raise ValueError(not_run(layer))
    if isinstance(found[0], str):
        raise ValueError(
            f"layer {layer!r}: is computed by {found[0]}, for which receptive_field has no rule; choose a layer that "
            f"comes before that."
        )
    return found[0]


def _within(span: Span, length: int) -> Span:
    """Cuts what all units see at the border of the image; a window that moves is not cut."""
    if span.jump:
        return span
    first, end = max(span.first(), 0), min(span.end(), length)
    return Span(end - first, 0, (first + end - 1) / 2)
