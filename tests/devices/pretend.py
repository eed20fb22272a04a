"""A pretend accelerator: finds what would fail on a GPU, on a machine that has none.

A `Pretend` tensor keeps its numbers on the CPU, says that its device is `meta` (which torch knows without hardware) and
refuses what a CUDA tensor refuses: other operands on the CPU, numpy, a CPU tensor as its place in an index. What CUDA
lets through goes through: CPU numbers without axes in pointwise operations, CPU indices, `copy_`, `item`, `tolist`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = "meta"
_READS = (
    "tolist", "item", "__bool__", "__int__", "__float__", "__index__", "__complex__", "__contains__", "__format__"
)  # fmt: skip
_TO_NUMPY = ("numpy", "__array__")
_BETWEEN = ("copy_", "_to_copy")


class Pretend(Tensor):
    """A tensor on the pretend device; `inner` has its numbers."""

    inner: Tensor
    is_meta = False  # it has numbers

    @staticmethod
    def __new__(cls, inner: Tensor, requires_grad: bool = False) -> Pretend:
        with torch.inference_mode(
            False
        ):  # torch counts the versions of a view of ours, which an inference tensor has not
            self = Tensor._make_wrapper_subclass(
                cls, inner.size(), strides=inner.stride(), storage_offset=inner.storage_offset(), dtype=inner.dtype,
                layout=inner.layout, device=torch.device(DEVICE), requires_grad=requires_grad,
            )  # fmt: skip
        self.inner = inner
        return self

    def __repr__(self) -> str:
        return f"Pretend({self.inner})"

    @classmethod
    def __torch_function__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = getattr(func, "__name__", "")
        if name in _READS and isinstance(args[0], Pretend):
            return func(_inner(args[0].detach()), *args[1:])
        if name in _TO_NUMPY:
            raise TypeError("can't convert pretend device type tensor to numpy; use Tensor.cpu() first.")
        if name == "cpu":
            return args[0].to("cpu")
        if name == "new_tensor":
            return _pretend(func(_inner(args[0]), *args[1:], **(kwargs or {})))
        if name in ("__getitem__", "__setitem__"):
            args = (args[0], _index(args[1]), *args[2:])
        if name == "__set__" and func.__self__ is Tensor.data:
            args[0].inner = args[1].inner
        with torch._C.DisableTorchFunctionSubclass():  # else a result on the CPU would be called one of ours
            return func(*args, **(kwargs or {}))

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = func._schema.name.split("::")[1]
        stays = any(isinstance(t, Pretend) for t in _tensors(args, kwargs))
        if kwargs.get("device") is not None:
            stays = _is_ours(kwargs["device"])
            kwargs["device"] = torch.device("cpu")
            if stays and kwargs.get("generator") is not None:
                raise RuntimeError("Expected a 'pretend' device type for generator but found 'cpu'")
        elif name not in _BETWEEN:
            _refuse_mixed(func, name, args, kwargs)
        result = func(*tree_map(_inner, args), **tree_map(_inner, kwargs))
        if func._schema.is_mutable and name.endswith("_"):
            return args[0]
        return tree_map(_pretend, result) if stays else result


def _refuse_mixed(func: Any, name: str, args: Any, kwargs: Any) -> None:
    """What CUDA refuses: "Expected all tensors to be on the same device"."""
    if name in ("index", "index_put", "index_put_", "_index_put_impl_", "_unsafe_index"):
        here, indices, values = args[0], args[1], args[2:3]
        if not isinstance(here, Pretend) and any(isinstance(t, Pretend) for t in _tensors(indices)):
            raise RuntimeError("indices should be either on cpu or on the same device as the indexed tensor (cpu)")
        operands = _tensors(here, values)
    else:
        operands = _tensors(args, kwargs)
    pointwise = torch.Tag.pointwise in func.tags or name.startswith("index_put")
    for tensor in operands:
        if not isinstance(tensor, Pretend) and (tensor.dim() or not pointwise):
            raise RuntimeError(f"Expected all tensors to be on the same device, but {func} got a CPU tensor")


def _index(key: Any) -> Any:
    """Lists as a tensor on the CPU: torch would make one on the device, which keeps no numbers there."""
    if isinstance(key, tuple):
        return tuple(map(_index, key))
    return torch.as_tensor(list(key)) if isinstance(key, list | range | np.ndarray) else key


def _tensors(*values: Any) -> list[Tensor]:
    return [t for t in tree_leaves(values) if isinstance(t, Tensor)]


def _inner(value: Any) -> Any:
    return value.inner if isinstance(value, Pretend) else value


def _pretend(value: Any) -> Any:
    return Pretend(value) if isinstance(value, Tensor) and not isinstance(value, Pretend) else value


def _is_ours(value: Any) -> bool:
    return isinstance(value, str | torch.device) and str(value).split(":")[0] == DEVICE


class _Moving(TorchFunctionMode):
    """What torch makes of plain data, or of plain tensors, for the pretend device (it would keep no numbers there)."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in ("tensor", "as_tensor", "asarray") and _is_ours(kwargs.get("device")):
            grad = kwargs.pop("requires_grad", False)
            made = _pretend(func(*tree_map(_inner, args), **{**kwargs, "device": "cpu"}).clone())
            return made.requires_grad_(grad)
        if name == "to" and not isinstance(args[0], Pretend):
            asked = [*args[1:], *kwargs.values()]
            if any(_is_ours(a) or isinstance(a, Pretend) for a in asked):
                rest, named = tree_map(lambda a: "cpu" if _is_ours(a) else _inner(a), (args[1:], kwargs))
                return _pretend(func(args[0].detach(), *rest, **named).clone())
        return func(*args, **kwargs)


class _Making(TorchDispatchMode):
    """What torch makes from nothing on the pretend device."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if _is_ours(kwargs.get("device")) or any(isinstance(t, Pretend) for t in _tensors(args, kwargs)):
            return Pretend.__torch_dispatch__(func, types, args, kwargs)
        return func(*args, **kwargs)


@contextmanager
def device_at_hand(name: str) -> Iterator[str]:
    """Inside, tensors can be made on the device and moved there by its name, be it real or the pretend one."""
    with ExitStack() as stack:
        if name == DEVICE:
            stack.enter_context(_Making())
            stack.enter_context(_Moving())
        yield name
