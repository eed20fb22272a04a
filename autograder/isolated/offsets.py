"""Where Python and torch keep what a look from outside asks for: found by trying, in a process of our own."""

from __future__ import annotations

import os
import struct
import sys
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn

from .effects import TENSOR_HOOKS
from .memory import Memory, Unreadable

_OBJECT, _IMPL, _META = 48, 208, 160
"""How much of a Python object, of torch's tensor and of its gradient's notes is searched, in bytes."""

TYPE, SIZE, ITEMS = 8, 16, 24
"""Of any object its type; of what has a length that; of a list its table, of a tuple its first item."""


@dataclass(frozen=True)
class Offsets:
    """In bytes, from the start of the thing that the name begins with."""

    type_mro: int
    module_dict: int
    str_text: int
    ordered_attributes: int
    """Of an OrderedDict: the attributes that somebody gave it."""
    tensor_impl: int
    tensor_hooks: tuple[int, ...]
    impl_storage: int
    impl_meta: int
    impl_sizes: int
    """The number of dimensions; sizes follow, strides after five sizes."""
    impl_offset: int
    impl_dtype: int
    """Two bytes, then one for the kind of device."""
    storage_data: int
    storage_bytes: int
    meta_grad: int
    meta_grad_fn: int
    meta_requires: int
    no_grad: int
    """What stands at `meta_grad` where there is none."""
    item_sizes: dict[int, int]
    """The two bytes of `impl_dtype` -> bytes an element."""
    cpu: int
    """The kind of device whose memory is the process's own."""


def measured() -> Offsets:
    """Those of this process.

    Raises:
        Unreadable: something is not where any known Python or torch has it.
    """
    if sys.byteorder != "little" or struct.calcsize("P") != 8 or sys.implementation.name != "cpython":
        raise Unreadable
    file = os.open("/proc/self/mem", os.O_RDONLY)
    try:
        return _measured(lambda address, size: Memory(file).read(address, size))
    except StopIteration as error:
        raise Unreadable from error
    finally:
        os.close(file)


def _measured(peek: Callable[[int, int], bytes]) -> Offsets:
    """By trying on things of our own what changes where."""
    module, tensor = nn.Module(), torch.zeros(4000).as_strided((11, 13), (17, 1), 19)
    module.__dict__, ordered = dict(vars(module)), OrderedDict[int, int]()
    impl, storage = tensor._cdata, tensor.untyped_storage()
    storage_offset, numel = _find(peek(impl, _IMPL), struct.pack("<2Q", 19, 143)), 16
    metas = _metas(peek, impl_meta := _changed(peek, (t := torch.zeros(2))._cdata, _IMPL, t.requires_grad_)[0])
    dtype = storage_offset + numel
    return Offsets(
        type_mro=_find(peek(id(nn.Module), 800), _packed(id(nn.Module.__mro__))),
        module_dict=_find(peek(id(module) - 32, 64), _packed(id(vars(module)))) - 32,
        ordered_attributes=_find(peek(id(ordered), type(ordered).__basicsize__), _packed(id(vars(ordered)))),
        str_text=peek(id("training"), 80).index(b"training\0"),
        tensor_impl=_find(peek(id(tensor), _OBJECT), _packed(impl), 16),
        tensor_hooks=_hook_slots(peek),
        impl_storage=_find(peek(impl, _IMPL), _packed(storage._cdata)),
        impl_meta=impl_meta,
        impl_sizes=_find(peek(impl, _IMPL), struct.pack("<8Q", 2, 11, 13, 0, 0, 0, 17, 1)),
        impl_offset=storage_offset,
        impl_dtype=dtype,
        storage_data=_find(peek(storage._cdata, 64), _packed(storage.data_ptr())),
        storage_bytes=_find(peek(storage._cdata, 64), _packed(16000)),
        item_sizes=_item_sizes(peek, dtype),
        cpu=peek(impl + dtype + 2, 1)[0],
        **metas,
    )


def _metas(peek: Callable[[int, int], bytes], impl_meta: int) -> dict[str, int]:
    """Of what torch notes about a tensor's gradient."""
    leaf, inner = torch.zeros(2, requires_grad=True), torch.zeros(2)
    inner.mul_(leaf)
    meta, other = (_word(peek, tensor._cdata + impl_meta) for tensor in (leaf, inner))
    fresh, filled = peek(meta, _META), torch.ones(2)
    grad = _changed(peek, meta, _META, lambda: setattr(leaf, "grad", filled))[0]
    leaf.grad = None
    requires = _changed(peek, meta, _META, lambda: leaf.requires_grad_(False), step=1)[0]
    had = peek(other, _META)
    grad_fn = next(n for n in _changed(peek, other, _META, inner.detach_) if not _word(peek, other + n))
    if not struct.unpack_from("<Q", had, grad_fn)[0]:
        raise Unreadable
    return {
        "meta_grad": grad,
        "meta_grad_fn": grad_fn,
        "meta_requires": requires,
        "no_grad": struct.unpack_from("<Q", fresh, grad)[0],
    }


def _hook_slots(peek: Callable[[int, int], bytes]) -> tuple[int, ...]:
    """Of the Python object of a tensor: where its two dictionaries of hooks stand."""
    tensor, slots = torch.zeros(2, requires_grad=True), []
    for name in TENSOR_HOOKS:
        hooks = {0: 0}
        setattr(tensor, name, hooks)
        slots.append(_find(peek(id(tensor), _OBJECT), _packed(id(hooks))))
        setattr(tensor, name, None)
    return tuple(slots)


def _item_sizes(peek: Callable[[int, int], bytes], dtype: int) -> dict[int, int]:
    """Of the types of numbers that inputs have."""
    names = ("float16", "bfloat16", "float32", "float64", "bool", "uint8", "int8", "int16", "int32", "int64")
    made = [torch.zeros(1, dtype=getattr(torch, name)) for name in (*names, "complex64", "complex128")]
    return {int.from_bytes(peek(t._cdata + dtype, 2), "little"): t.element_size() for t in made}


def _packed(number: int) -> bytes:
    return struct.pack("<Q", number)


def _word(peek: Callable[[int, int], bytes], address: int) -> int:
    return struct.unpack("<Q", peek(address, 8))[0]


def _find(data: bytes, wanted: bytes, start: int = 0) -> int:
    """Where it stands, at a whole word."""
    return next(n for n in range(start, len(data) - len(wanted) + 1, 8) if data[n : n + len(wanted)] == wanted)


def _changed(
    peek: Callable[[int, int], bytes], address: int, size: int, change: Callable[[], object], step: int = 8
) -> list[int]:
    """Where a change shows."""
    before = peek(address, size)
    change()
    after = peek(address, size)
    places = [n for n in range(0, size, step) if before[n : n + step] != after[n : n + step]]
    if not places:
        raise Unreadable
    return places
