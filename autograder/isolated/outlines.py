"""What `effects` sees of inputs, seen from another process: the same fingerprints, read in memory."""

from __future__ import annotations

import hashlib
import itertools
import math
from collections import OrderedDict
from collections.abc import Collection, Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from .effects import GLOBAL_HOOKS, GLOBALS, HOOKS, Fingerprint
from .memory import Unreadable
from .objects import NONE, Objects
from .offsets import ITEMS, TYPE

_FEW = 5
"""Up to so many dimensions torch keeps within the tensor itself."""

Found = Iterator[tuple[tuple[str, str], Any]]


class Outlines:
    """Fingerprints of inputs by their addresses.

    Args:
        objects: of the process that holds them.
        known: places that were seen before; a module's setting elsewhere is a note that nobody reads.
    """

    def __init__(self, objects: Objects, known: Collection[tuple[str, str]] | None = None) -> None:
        self._known = known
        self._objects, self._memory, self._at = objects, objects.memory, objects.at

    def of_inputs(self, address: int) -> Fingerprint:
        """Of every tensor and every module within nested containers, and of which objects the function was given."""
        return dict((*self._value(address, "input"), (("inputs", "given"), self._given(address))))

    def _given(self, address: int) -> list[tuple[int, ...]]:
        """A clean copy in the place of what was handed over is not what was handed over."""
        all_three = self._objects.elements(address, ITEMS)
        named = tuple(value for _, value in self._objects.entries(all_three[1]))
        unnamed = [self._objects.elements(part, ITEMS) for part in all_three[::2] if part != NONE]
        return [all_three, named, *unnamed]

    def of_hooks_for_all(self) -> Fingerprint:
        """Of the hooks that torch calls for every module."""
        names = self._objects.named(id(GLOBALS))
        return {("hooks", name): self._hooks(names.get(name, 0)) for name in GLOBAL_HOOKS}

    def _value(self, address: int, place: str) -> Found:
        kind = self._objects.kind(address)
        if kind is torch.Tensor:
            yield from self._tensor(address, place, "inputs")
        elif kind is nn.Module:
            yield from self._module(address, place, set())
        elif kind in (dict, OrderedDict):
            entries = self._objects.entries(address)
            yield ("inputs", place), (self._type(address), [self._objects.plain(key) for key, _ in entries])
            yield from self._values((value for _, value in entries), place)
        elif kind in (list, tuple):
            inner = self._objects.elements(address, ITEMS if kind is tuple else 0)
            yield ("inputs", place), (self._type(address), len(inner))
            yield from self._values(inner, place)
        else:
            yield ("inputs", place), self._objects.plain(address)

    def _values(self, addresses: Any, place: str) -> Found:
        for index, address in enumerate(addresses):
            yield from self._value(address, f"{place}[{index}]")

    def _type(self, address: int) -> int:
        return self._memory.word(address + TYPE)

    def _tensor(self, address: int, place: str, slug: str) -> Found:
        impl, meta = self._impl(address)
        yield (slug, place), (self._type(address), *self._content(impl))
        asks = meta and (self._memory.read(meta + self._at.meta_requires, 1)[0] or self._word(meta, "meta_grad_fn"))
        yield ("requires_grad", place), bool(asks)
        grad = self._word(meta, "meta_grad") if meta else self._at.no_grad
        yield ("grad", place), None if grad == self._at.no_grad else self._content(grad)
        yield ("hooks", place), [self._hooks(self._memory.word(address + slot)) for slot in self._at.tensor_hooks]

    def _impl(self, address: int) -> tuple[int, int]:
        """What torch itself has of a tensor, and its notes on the gradient, if any."""
        impl = self._word(address, "tensor_impl")
        return impl, self._word(impl, "impl_meta")

    def _word(self, address: int, name: str) -> int:
        return self._memory.word(address + getattr(self._at, name))

    def _content(self, impl: int) -> tuple[Any, ...]:
        """Bit for bit; of a tensor on another device shape and type alone, for its numbers are out of reach."""
        sizes, strides = self._shape(impl)
        code = self._memory.read(impl + self._at.impl_dtype, 3)
        if code[2] != self._at.cpu:
            return sizes, code, None
        item = self._at.item_sizes.get(int.from_bytes(code[:2], "little"), 0)
        return sizes, code, self._digest(impl, sizes, strides, item)

    def _shape(self, impl: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        start = impl + self._at.impl_sizes
        count = self._memory.word(start)
        if count > 64:
            raise Unreadable
        if count > _FEW:
            both = self._memory.words(self._memory.word(start + 8), 2 * count)
            return both[:count], both[count:]
        return self._memory.words(start + 8, count), self._memory.words(start + 8 * (1 + _FEW), count)

    def _digest(self, impl: int, sizes: tuple[int, ...], strides: tuple[int, ...], item: int) -> bytes:
        """Of the numbers in their order, wherever they lie."""
        if not item:
            raise Unreadable
        if not math.prod(sizes):
            return b""
        span = item * (1 + sum((size - 1) * stride for size, stride in zip(sizes, strides, strict=True)))
        start, storage = item * self._word(impl, "impl_offset"), self._word(impl, "impl_storage")
        if start + span > self._word(storage, "storage_bytes"):
            raise Unreadable
        data = self._memory.read(self._word(storage, "storage_data") + start, span)
        if span != item * math.prod(sizes) or any(a < b for a, b in itertools.pairwise(strides)):
            data = self._gathered(data, sizes, strides, item)
        return hashlib.blake2b(data, digest_size=16).digest()

    def _gathered(self, data: bytes, sizes: tuple[int, ...], strides: tuple[int, ...], item: int) -> bytes:
        self._memory.count(item * math.prod(sizes))  # a stride of zero makes much out of little
        return np.ndarray(sizes, f"V{item}", data, 0, tuple(item * stride for stride in strides)).tobytes()

    def _hooks(self, address: int) -> Any:
        """Which functions under which numbers; none yet, and none any more, are the same."""
        if address in (0, NONE):
            return 0, []
        kind, used = self._memory.words(address + TYPE, 2)
        honest = kind == id(dict) or (kind == id(OrderedDict) and not self._attributes(address))
        if honest and not used:
            return 0, []
        if self._objects.kind(address) not in (dict, OrderedDict):
            return address, []
        entries = [(self._objects.plain(key), hook) for key, hook in self._objects.entries(address)]
        return 0 if honest else address, entries

    def _attributes(self, ordered: int) -> int:
        """How many somebody gave it."""
        inside = self._word(ordered, "ordered_attributes")
        return self._memory.word(inside + 16) if inside else 0

    def _module(self, address: int, place: str, seen: set[int]) -> Found:
        if address in seen:
            return
        seen.add(address)
        inside = self._word(address, "module_dict")
        own = self._objects.named(inside)
        yield ("training_flag", place), self._objects.plain(own["training"])
        hooks = [self._hooks(own.get(name, 0)) for name in HOOKS]
        yield ("hooks", place), (self._type(address), self._type(inside), "forward" in own, hooks)
        yield from self._settings(own, place)
        for slug in ("parameters", "buffers"):
            yield (slug, f"{place} {slug}"), self._type(own[f"_{slug}"])
            for name, tensor in self._objects.named(own[f"_{slug}"]).items():
                if tensor != NONE:
                    yield from self._tensor(tensor, f"{place}.{name}", slug)
        yield ("parameters", f"{place} modules"), self._type(own["_modules"])
        for name, child in self._objects.named(own["_modules"]).items():
            if child != NONE:
                yield from self._module(child, f"{place}.{name}", seen)

    def _settings(self, own: dict[str, int], place: str) -> Found:
        for name, value in own.items():
            key = "parameters", f"setting {place}.{name}"
            wanted = name != "training" and not name.startswith("_") and (self._known is None or key in self._known)
            if wanted and self._objects.is_plain(value):
                yield key, self._objects.plain(value)
