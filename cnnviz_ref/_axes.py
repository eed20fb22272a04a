"""Which axis of a layer's output holds the channels, from what the network did to its images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only
from torch.utils.weak import WeakIdKeyDictionary


@dataclass(frozen=True)
class Axes:
    """What the axes of a tensor stand for; the axis of the samples is in neither."""

    channels: frozenset[int]
    """Axes along which the channel changes."""
    places: frozenset[int]
    """Axes along which the place in the image changes."""


MAPS = Axes(frozenset({1}), frozenset({2, 3}))
"""`[N K h w]`"""
GIVE_MAPS = """
    conv2d conv_transpose2d max_pool2d avg_pool2d lp_pool2d adaptive_avg_pool2d adaptive_max_pool2d batch_norm
    instance_norm group_norm local_response_norm
"""
MOVE = """
    permute transpose swapaxes swapdims movedim moveaxis reshape view view_as reshape_as flatten unflatten squeeze
    unsqueeze getitem select index_select chunk split tensor_split unbind stack expand expand_as broadcast_to repeat
    tile get t adjoint narrow gather unfold mean sum amax amin max min
"""
MIX = "matmul rmatmul mm bmm baddbmm addmm einsum tensordot inner outer kron"
KINDS = {name: kind for kind in (GIVE_MAPS, MOVE, MIX) for name in kind.split()}
"""Function -> whether it reads and gives `[N K h w]` by its definition, moves numbers about (or sums them up along an
axis), or gives something whose axes need not be those of its inputs. Any other keeps the axes."""


class Following(TorchFunctionMode):
    """Inside, it is known which axes hold channels in whatever is computed from the images that `start` was given."""

    def __init__(self) -> None:
        super().__init__()
        self.known: Any = WeakIdKeyDictionary()

    def start(self, images: Tensor) -> Tensor:
        """The same images, whose axes are known from here on."""
        self.known[images] = MAPS
        return images

    def check(self, output: Tensor, layer: str) -> None:
        """Maps `[N K h w]`, or anything that has not four axes; else a ValueError."""
        axes = self.known.get(output)
        if output.ndim != 4 or (axes and 1 not in axes.places and axes.channels.isdisjoint({2, 3})):
            return
        fault = "and which axis holds the channels cannot be told from the operations that made it"
        if axes and axes.channels == {3}:
            fault = "[N h w K], the channels last"
        raise ValueError(
            f"layer {layer!r}: gives {list(output.shape)}, {fault}, needs [N K h w]; choose another layer, or put "
            f"torchvision.ops.Permute([0, 3, 1, 2]) into the model where maps are [N h w K] and choose that."
        )

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one function that the model calls."""
        kwargs, name = kwargs or {}, getattr(func, "__name__", "").strip("_")
        inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor)]
        before = [(self.known[t], tuple(t.shape)) for t in inputs if t in self.known]
        moved = self._moved(func, args, kwargs) if before and KINDS.get(name) is MOVE else None
        result = func(*args, **kwargs)
        written = args[0] if name == "setitem" else result
        for i, output in enumerate(t for t in tree_leaves(written) if isinstance(t, Tensor)):
            axes = moved[i] if moved else None if KINDS.get(name) is MOVE else _kept(name, before, output)
            self.known.pop(output, None)
            if axes:
                self.known[output] = axes
        return result

    def _moved(self, func: Any, args: Any, kwargs: Any) -> list[Axes] | None:
        """The axes of each output, found out by moving numbers that count the channels, and some that count places."""
        try:
            pairs = zip(*(self._counted(func, args, kwargs, kind) for kind in ("channels", "places")), strict=True)
            return [Axes(channels, places) for channels, places in pairs]
        except (RuntimeError, TypeError):  # not a function of floats
            return None

    def _counted(self, func: Any, args: Any, kwargs: Any, kind: str) -> list[frozenset[int]]:
        def count(t: Tensor) -> Tensor:
            return _count(t, getattr(self.known[t], kind)) if t in self.known else t

        args, kwargs = tree_map_only(Tensor, count, (args, kwargs))
        outputs = [t for t in tree_leaves(func(*args, **kwargs)) if isinstance(t, Tensor)]
        return [frozenset(i for i in range(t.ndim) if (t != t.narrow(i, 0, 1)).any()) for t in outputs]


def _count(t: Tensor, axes: frozenset[int]) -> Tensor:
    """A tensor laid out like `t` that counts along some axes and is constant along the others."""
    sizes = [n if i in axes else 1 for i, n in enumerate(t.shape)]
    counted = torch.arange(torch.Size(sizes).numel(), dtype=torch.float32, device=t.device).view(sizes)
    return torch.empty_like(t, dtype=counted.dtype, requires_grad=False).copy_(counted)


def _kept(name: str, before: list[tuple[Axes, tuple[int, ...]]], output: Tensor) -> Axes | None:
    """Those of an input, of the output's shape if there is one."""
    if KINDS.get(name) is GIVE_MAPS and output.ndim == 4:
        return MAPS
    if KINDS.get(name) is MIX and (len(before) > 1 or name == "einsum"):
        return None
    alike = sorted(
        (shape != tuple(output.shape), i) for i, (_, shape) in enumerate(before) if len(shape) == output.ndim
    )
    return before[alike[0][1]][0] if alike else None
