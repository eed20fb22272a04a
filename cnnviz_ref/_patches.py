r"""Many copies of one image, each changed in one patch, sent through a network at the cost of the patches.

Until patches have spread over most of a map, an activation of the P copies is one map that they share and P patches
that differ. A convolution or pool reads a patch with the frame that it needs around it; what works place by place
reads the patch alone. Any operation that is not listed here gets all P maps in full, and so do those after it: results
are those of the plain network up to rounding, whatever the model does.

The idea: Nakandala, Kumar, Papakonstantinou, "Incremental and Approximate Inference for Faster Occlusion-based Deep CNN
Explanations", 2019.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import WeakIdKeyDictionary

from cnnviz_ref._operations import by_name, is_torchs_own, plain_name, two_of
from cnnviz_ref._propagation import out_of_place

MOST = 0.6
"""Share of a map from which on it is cheaper to work on all of it."""


Box: TypeAlias = tuple[int, int, int, int]
"""First row of a rectangle and the first one after it, and so its columns."""


def run_on_copies(model: Callable[[Tensor], Any], image: Tensor, boxes: list[Box], fill: Tensor) -> Any:
    """What the model returns for P copies of an image `[1 C H W]`, each with `fill`, `[C H W]`, in one of the boxes.

    On a CPU only what a box changes is computed; a GPU is faster with whole copies.
    """
    patches = filled(image, boxes, fill)
    if image.device.type == "cpu":
        mode = Patched()
        try:
            with mode:
                return mode.whole(model(mode.start(patches)))
        except RuntimeError:
            if not mode.escaped:
                raise
    return model(patches.whole())


@dataclass(frozen=True)
class Axis:
    """Where patches lie along rows or columns."""

    starts: list[int]
    """First place of each patch."""
    size: int
    """Places that every patch takes."""
    length: int
    """Places of the map."""

    def after(self, kernel: int, stride: int, padding: int, dilation: int, length: int) -> tuple[Axis, Axis]:
        """The outputs that read any of a patch, and the inputs that those read (from before the map to after it)."""
        reach = (kernel - 1) * dilation
        first = [max(0, -((reach - padding - start) // stride)) for start in self.starts]
        last = [min(length - 1, (start + self.size - 1 + padding) // stride) for start in self.starts]
        size = max(1, *(b - a + 1 for a, b in zip(first, last, strict=True)))
        starts = [min(a, length - size) for a in first]
        frame = Axis([a * stride - padding for a in starts], (size - 1) * stride + reach + 1, self.length)
        return Axis(starts, size, length), frame


@dataclass(frozen=True)
class Patches:
    """Maps of P copies that differ from a shared one in a patch each."""

    shared: Tensor
    """`[1 C H W]`"""
    values: Tensor
    """`[P C a b]`"""
    rows: Axis
    columns: Axis

    def framed(self, rows: Axis, columns: Axis, fill: float = 0.0) -> Tensor:
        """The same P maps cut out elsewhere: `[P C a b]`; beyond the map stands `fill`."""
        before = max(0, -min(rows.starts)), max(0, -min(columns.starts))
        after = [max(0, max(axis.starts) + axis.size - axis.length) for axis in (rows, columns)]
        ground = F.pad(self.shared, (before[1], after[1], before[0], after[0]), value=fill)[0]
        shape = (len(self.values), len(ground), rows.size, columns.size)
        cut = torch.empty(shape, dtype=ground.dtype, device=ground.device, memory_format=_layout(self.shared))
        for p, (top, left) in enumerate(zip(rows.starts, columns.starts, strict=True)):
            i, j = top + before[0], left + before[1]
            cut[p] = ground[:, i : i + rows.size, j : j + columns.size]
            here, there = zip(_overlap(self.rows, rows, p), _overlap(self.columns, columns, p), strict=True)
            cut[p][:, there[0], there[1]] = self.values[p][:, here[0], here[1]]
        return cut

    def whole(self) -> Tensor:
        """All P maps in full."""
        P = len(self.values)
        rows, columns = (Axis([0] * P, axis.length, axis.length) for axis in (self.rows, self.columns))
        return self.framed(rows, columns)


def filled(image: Tensor, boxes: list[Box], fill: Tensor) -> Patches:
    """The image with each box filled; patches are of one size, so those at the border reach further inside."""
    shared = image.detach().clone()
    tops, bottoms, lefts, rights = zip(*boxes, strict=True)
    rows, columns = _around(tops, bottoms, image.shape[2]), _around(lefts, rights, image.shape[3])
    corners = list(zip(rows.starts, columns.starts, strict=True))
    values = torch.cat([shared[:, :, i : i + rows.size, j : j + columns.size] for i, j in corners])
    for value, (i, j), (top, bottom, left, right) in zip(values, corners, boxes, strict=True):
        value[:, top - i : bottom - i, left - j : right - j] = fill[:, top:bottom, left:right]
    return Patches(shared, values, rows, columns)


def _overlap(patch: Axis, frame: Axis, p: int) -> tuple[slice, slice]:
    """Where both are, counted from the patch's start and from the frame's."""
    a, b = patch.starts[p], frame.starts[p]
    start, stop = max(a, b), max(a, b, min(a + patch.size, b + frame.size))
    return slice(start - a, stop - a), slice(start - b, stop - b)


def _layout(maps: Tensor) -> torch.memory_format:
    last = maps.is_contiguous(memory_format=torch.channels_last)
    return torch.channels_last if last else torch.contiguous_format


class Standing(Tensor):
    """A tensor without numbers; where someone asks for them, out of the mode's sight, `escaped` is told by what."""

    __torch_function__ = torch._C._disabled_torch_function_impl  # type: ignore[assignment]
    escaped: list[str]

    @staticmethod
    def __new__(cls, shape: tuple[int, ...], like: Tensor, escaped: list[str]) -> Standing:
        """Of that shape, with the dtype and device of another."""
        standing = Tensor._make_wrapper_subclass(cls, shape, dtype=like.dtype, device=like.device)
        standing.escaped = escaped
        return standing

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:  # type: ignore[override]
        """No operation arrives here that the mode has seen."""
        for t in tree_leaves((args, kwargs)):
            if isinstance(t, Standing):
                t.escaped.append(str(func))
        raise RuntimeError(f"{func} needs the maps themselves")


class Patched(TorchFunctionMode):
    """Inside, a tensor that `start` made stands for P maps; whatever a model does with it is done to these.

    What the mode cannot see, such as a scripted part, fails, and `escaped` says so.
    """

    def __init__(self) -> None:
        super().__init__()
        self.patches: Any = WeakIdKeyDictionary()
        self.escaped: list[str] = []
        self.now: Any = WeakIdKeyDictionary()

    def start(self, patches: Patches) -> Tensor:
        """A tensor of the shape `[P C H W]` that stands for the maps and holds no numbers."""
        shape = len(patches.values), *patches.shared.shape[1:]
        standing = Standing(shape, patches.shared, self.escaped)
        self.patches[standing] = patches
        return standing

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one function that the model calls."""
        args, kwargs = tree_map_only(Tensor, self.current, (args, kwargs or {}))
        standing = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor) and t in self.patches]
        if not standing or func in METADATA:
            return func(*args, **kwargs)
        plain, options, in_place = out_of_place(func, kwargs)
        patches = self._spread(plain, args, options)
        if patches is None:
            args, kwargs = tree_map_only(Tensor, self.whole, (args, kwargs))
            return func(*args, **kwargs)
        result = self.start(patches)
        if in_place:
            self.now[args[0]] = result
        return result

    def current(self, x: Tensor) -> Tensor:
        """What a tensor has become by operations in place, or in full."""
        while x in self.now:
            x = self.now[x]
        return x

    def whole(self, x: Tensor) -> Tensor:
        """All maps in full, from here on."""
        x = self.current(x)
        if x in self.patches:
            self.now[x] = self.patches[x].whole()
        return self.current(x)

    def _spread(self, func: Any, args: Any, kwargs: Any) -> Patches | None:
        """The patches of the result; None where they cannot be told, or are no smaller than the map."""
        name = plain_name(func)
        if not is_torchs_own(func) or not isinstance(args[0], Tensor) or args[0] not in self.patches:
            return None
        p, options = self.patches[args[0]], by_name(name, args, kwargs)
        options.pop("input", None)
        if name in POINTWISE and not options.get("training", name == "dropout"):
            shared, values = (func(x, *args[1:], **kwargs) for x in (p.shared, p.values))
            return replace(p, shared=shared, values=values)
        if name in WINDOWED:
            return _window(func, p, options)
        if name == "pad":
            return _padded(p, **options)
        if name == "add" and not kwargs and isinstance(args[1], Tensor) and args[1] in self.patches:
            return _added(p, self.patches[args[1]])
        return None


METADATA = (
    Tensor.dim,
    Tensor.size,
    Tensor.__len__,
    *(getattr(Tensor, name).__get__ for name in ("shape", "ndim", "dtype", "device")),
)
POINTWISE = ("relu", "relu6", "hardtanh", "batch_norm", "dropout")
WINDOWED = ("conv2d", "max_pool2d")


def _window(func: Callable[..., Tensor], p: Patches, options: dict[str, Any]) -> Patches | None:
    """A convolution or a max-pool: a patch grows by what reads it."""
    if options.get("return_indices") or isinstance(options.get("padding"), str):
        return None
    kernel = two_of(options["weight"].shape[2:] if "weight" in options else options["kernel_size"])
    stride = two_of(options.get("stride") or (1 if "weight" in options else kernel))
    padding, dilation = two_of(options.get("padding") or 0), two_of(options.get("dilation") or 1)
    shared = func(p.shared, **options)
    (rows, tall), (columns, wide) = (
        axis.after(kernel[i], stride[i], padding[i], dilation[i], shared.shape[2 + i])
        for i, axis in enumerate((p.rows, p.columns))
    )
    if rows.size * columns.size > MOST * rows.length * columns.length:
        return None
    framed = p.framed(tall, wide, 0.0 if "weight" in options else -float("inf"))
    inside = {name: value for name, value in options.items() if name not in ("padding", "ceil_mode")}
    return Patches(shared, func(framed, **inside), rows, columns)


def _padded(p: Patches, *, pad: Any, mode: str = "constant", value: float | None = None) -> Patches | None:
    """A frame of one value moves the patches."""
    if mode != "constant" or len(pad) != 4 or min(pad) < 0:
        return None
    left, right, top, bottom = pad
    rows = Axis([i + top for i in p.rows.starts], p.rows.size, p.rows.length + top + bottom)
    columns = Axis([j + left for j in p.columns.starts], p.columns.size, p.columns.length + left + right)
    return Patches(F.pad(p.shared, pad, value=value or 0.0), p.values, rows, columns)


def _added(p: Patches, q: Patches) -> Patches | None:
    """A sum of two: on a patch that holds both."""
    rows, columns = _both(p.rows, q.rows), _both(p.columns, q.columns)
    values = p.framed(rows, columns) + q.framed(rows, columns)
    return Patches(p.shared + q.shared, values, rows, columns)


def _both(a: Axis, b: Axis) -> Axis:
    starts = [min(i, j) for i, j in zip(a.starts, b.starts, strict=True)]
    stops = [max(i + a.size, j + b.size) for i, j in zip(a.starts, b.starts, strict=True)]
    return _around(starts, stops, a.length)


def _around(starts: Sequence[int], stops: Sequence[int], length: int) -> Axis:
    """Patches of one size that hold these stretches."""
    size = max(stop - start for start, stop in zip(starts, stops, strict=True))
    return Axis([min(start, length - size) for start in starts], size, length)
