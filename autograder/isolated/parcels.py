"""Calls on their way to the isolated child: each packed by itself, so that unpacking it is the copy that it runs on."""

from __future__ import annotations

import functools
import io
import operator
import pickle
from typing import Any

import torch

_unpack = pickle.loads


def packed(arguments: tuple[Any, ...]) -> bytes:
    """Positional arguments, keyword arguments and `then` of one call."""
    file = io.BytesIO()
    Packer(file, protocol=5).dump(arguments)
    return file.getvalue()


def unpacked(parcel: bytes) -> tuple[Any, ...]:
    """What was packed; only ever given what the trusted side packed."""
    return _unpack(parcel)


class Packer(pickle.Pickler):
    """Writes the memory of a tensor as it is: torch's own way makes a file of each, which takes longer than a call."""

    def __init__(self, file: io.BytesIO, protocol: int) -> None:
        super().__init__(file, protocol)
        self._known: dict[int, _Bytes] = {}

    def reducer_override(self, value: Any) -> Any:
        """A storage's own way, and for anything else the usual one."""
        if type(value) is not torch.storage.TypedStorage or value._untyped_storage.device.type != "cpu":
            return NotImplemented
        inner = value._untyped_storage
        whole = self._known.setdefault(inner._cdata, _Bytes(inner))  # views of one memory stay views of one memory
        make = functools.partial(torch.storage.TypedStorage, wrap_storage=whole, dtype=value.dtype, _internal=True)
        return make, ()


class _Bytes:
    """An untyped storage; the child needs nothing of ours to read it."""

    def __init__(self, storage: torch.UntypedStorage) -> None:
        self.storage = storage

    def __reduce__(self) -> Any:
        return operator.methodcaller("untyped_storage"), (_Memory(self.storage),)


class _Memory:
    """The same as a tensor of bytes."""

    def __init__(self, storage: torch.UntypedStorage) -> None:
        self.storage = storage

    def __reduce__(self) -> Any:
        if not self.storage.nbytes():
            return functools.partial(torch.empty, dtype=torch.uint8), (0,)
        held = torch.empty(0, dtype=torch.uint8).set_(self.storage)  # type: ignore[call-overload]
        return functools.partial(torch.frombuffer, dtype=torch.uint8), (bytearray(held.numpy().tobytes()),)
