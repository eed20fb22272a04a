"""How much of the image a unit sees along one axis, and what every operation of a network makes of that."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from cnnviz_ref._operations import two_of
from cnnviz_ref._tracing import Call, Rule


@dataclass(frozen=True)
class Span:
    """What the units of a layer see along one axis of the image: unit i sees `size` pixels about `start + i * jump`."""

    size: int
    """Pixels from the first to the last one that a unit sees."""
    jump: int
    """Pixels from one unit's span to the next one's; 0 where all units see the same."""
    start: float
    """Middle of unit 0's span; pixel 0 is at 0, so the middle of an even number of pixels ends in .5."""

    def first(self, i: int = 0) -> int:
        """The first pixel that unit i sees; below 0 it lies in the padding."""
        return int(self.start - (self.size - 1) / 2) + i * self.jump

    def end(self, i: int = 0) -> int:
        """One past the last pixel that unit i sees; it may lie beyond the image."""
        return self.first(i) + self.size


PIXEL = Span(1, 1, 0.0)
"""A pixel sees itself."""


def step(span: Span, kernel: int, stride: int, padding: int, dilation: int) -> Span:
    r"""One layer of the recursion: $r' = r + (k-1) \, d \, j$, $j' = j s$, $c' = c + ((k-1) d / 2 - p) \, j$.

    >>> step(PIXEL, 3, 2, 1, 1)
    Span(size=3, jump=2, start=0.0)
    """
    reach = (kernel - 1) * dilation
    return Span(span.size + reach * span.jump, span.jump * stride, span.start + (reach / 2 - padding) * span.jump)


def union(spans: Iterable[Span]) -> Span:
    """The span around spans of one jump.

    >>> union([Span(1, 2, 0.0), Span(3, 2, 1.0)])
    Span(size=3, jump=2, start=1.0)
    """
    spans = list(spans)
    first, end = min(span.first() for span in spans), max(span.end() for span in spans)
    return Span(end - first, spans[0].jump, (first + end - 1) / 2)


def whole(span: Span, n: int) -> Span:
    """What the n units of a grid see together.

    >>> whole(Span(3, 2, 1.0), 4)
    Span(size=9, jump=0, start=4.0)
    """
    return Span(span.size + (n - 1) * span.jump, 0, span.start + (n - 1) * span.jump / 2)


Spans: TypeAlias = tuple[Span, Span]
"""Along the rows and along the columns."""


def _window(spans: Spans, kernel: Any, stride: Any, padding: Any, dilation: Any) -> Spans:
    rows, columns = zip(*map(two_of, (kernel, stride, padding, dilation)), strict=True)
    return step(spans[0], *rows), step(spans[1], *columns)


def _convolution(call: Call[Spans]) -> Spans:
    kernel, dilation = call.arguments["weight"].shape[2:], two_of(call.arguments.get("dilation", 1))
    padding = call.arguments.get("padding", 0)
    if isinstance(padding, str):
        same = ((k - 1) * d // 2 for k, d in zip(kernel, dilation, strict=True))
        padding = tuple(same) if padding == "same" else 0
    return _window(call.values[0], kernel, call.arguments.get("stride", 1), padding, dilation)


def _pooling(call: Call[Spans]) -> Spans:
    kernel = call.arguments["kernel_size"]
    stride = call.arguments.get("stride") or kernel
    padding, dilation = call.arguments.get("padding", 0), call.arguments.get("dilation", 1)
    return _window(call.values[0], kernel, stride, padding, dilation)


def _adaptive_pooling(call: Call[Spans]) -> Spans:
    """A plain pool where its windows are equal; else it counts as global."""

    def along(axis: int) -> Span:
        span, n, m = call.values[0][axis], call.shapes[0][axis - 2], call.shape[axis - 2]
        return step(span, n // m, n // m, 0, 1) if m > 1 and n % m == 0 else whole(span, n)

    return along(0), along(1)


def _padding(call: Call[Spans]) -> Spans | None:
    """Zeros, or any constant, around: the grid begins earlier."""
    left, top = [*call.arguments["pad"], 0, 0][:3:2]
    constant = call.arguments.get("mode", "constant") == "constant"
    return _window(call.values[0], 1, 1, (top, left), 1) if constant else None


def _place_by_place(call: Call[Spans]) -> Spans:
    """The box around all inputs where the grid stays as it is; else (flatten, broadcast) all that they see."""

    def along(axis: int) -> Span:
        n = [shape[axis - 2] if len(shape) > 1 else 1 for shape in call.shapes]
        spans = [value[axis] for value in call.values]
        stays = len(call.shape) > 2 and set(n) == {call.shape[axis - 2]}
        if stays and len({span.jump for span in spans}) == 1:
            return union(spans)
        return union(whole(*pair) for pair in zip(spans, n, strict=True))

    return along(0), along(1)


def _transposition(call: Call[Spans]) -> Spans | None:
    """Of axes before the last two, as where channels are shuffled."""
    axes = {axis % len(call.shape) for axis in (call.arguments["dim0"], call.arguments["dim1"])}
    return _any_other(call) if axes & {len(call.shape) - 2, len(call.shape) - 1} else _place_by_place(call)


def _over_the_grid(call: Call[Spans]) -> Spans:
    """Everything that the inputs see."""
    return _place_by_place(replace(call, shape=()))


def _reduction(call: Call[Spans]) -> Spans:
    """Axes of length 1 that are kept still say which axis was summed; axes that are dropped do not."""
    return _place_by_place(call) if len(call.shape) == len(call.shapes[0]) else _over_the_grid(call)


def _indexing(call: Call[Spans]) -> Spans | None:
    """Images and channels may be chosen; places may not, since then the spans would need to move."""
    index = call.arguments["index"]
    index = index if isinstance(index, tuple) else (index,)
    plain = len(index) <= 2 and all(isinstance(i, (int, slice)) for i in index)
    return _place_by_place(call) if plain and len(call.shapes[0]) == 4 else _any_other(call)


def _any_other(call: Call[Spans]) -> Spans | None:
    """Whatever is computed from tensors that see all there is to see sees all of it too."""
    seen_by_all = all(span.jump == 0 for spans in call.values for span in spans)
    return _over_the_grid(call) if seen_by_all else None


_POINTWISE = """
    relu relu6 leaky_relu prelu elu selu celu gelu silu mish sigmoid hardsigmoid hardswish hardtanh tanh softplus clamp
    batch_norm local_response_norm dropout dropout1d dropout2d feature_dropout alpha_dropout feature_alpha_dropout
    add sub rsub mul div truediv neg abs pow sqrt exp maximum minimum cat concat
    flatten reshape view squeeze unsqueeze clone contiguous detach to float double chunk split
"""
RULES: dict[str, Rule[Spans]] = {
    "conv2d": _convolution,
    **dict.fromkeys(("max_pool2d", "avg_pool2d"), _pooling),
    **dict.fromkeys(("adaptive_avg_pool2d", "adaptive_max_pool2d"), _adaptive_pooling),
    "pad": _padding,
    **dict.fromkeys(_POINTWISE.split(), _place_by_place),
    **dict.fromkeys(("mean", "sum", "amax"), _reduction),
    **dict.fromkeys(("linear", "layer_norm", "group_norm", "instance_norm"), _over_the_grid),
    "getitem": _indexing,
    "transpose": _transposition,
    "any other": _any_other,
}
"""Function, by its name without underscores -> the spans of what it returns."""
