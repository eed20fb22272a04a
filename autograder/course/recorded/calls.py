"""Calls as bytes. What is large and has a name (a network's weights, a photo) may be written as that name.

Reading them runs pickle: they are only ever read from the installed course, like its code.
"""

from __future__ import annotations

import hashlib
import io
import pickle
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import torch

import cnnviz
from autograder.course.records import Call
from autograder.isolated.parcels import Packer

MODELS = ("efficientnet_lite0", "digit_net")


def packed(calls: Sequence[Call], *, by_name: bool = False) -> bytes:
    """Calls as bytes; what they have in common stays in common.

    Args:
        calls: inputs made of tensors, modules of torch or cnnviz, numbers, strings and containers.
        by_name: whether weights and photos of `cnnviz` are written as names. Another machine computes them anew, to
            its own last digit: for what is drawn, never for what is compared.
    """
    file = io.BytesIO()
    (_Namer if by_name else Packer)(file, protocol=5).dump([(dict(call.inputs), call.then) for call in calls])
    return file.getvalue()


def unpacked(data: bytes) -> tuple[Call, ...]:
    """What was packed."""
    return tuple(Call(inputs, then) for inputs, then in _Finder(io.BytesIO(data)).load())


class _Namer(Packer):
    def persistent_id(self, value: Any) -> str | None:
        """The name of a storage that has one."""
        if type(value) is not torch.storage.TypedStorage or value._untyped_storage.device.type != "cpu":
            return None
        return _names().get(_digest(value._untyped_storage))


class _Finder(pickle.Unpickler):
    def persistent_load(self, name: str) -> torch.storage.TypedStorage:
        """A copy of the storage with this name, so that nobody changes another's."""
        return _tensor(name).clone(memory_format=torch.preserve_format)._typed_storage()


@cache
def _names() -> Mapping[bytes, str]:
    """Digest of a storage -> its name."""
    weights = [f"{model} {key}" for model in MODELS for key in _weights(model)]
    photos = [f"photo {name}" for name in cnnviz.photos()]
    return {_digest(_tensor(name)._typed_storage()._untyped_storage): name for name in (*weights, *photos)}


def _tensor(name: str) -> torch.Tensor:
    kind, key = name.split(" ")
    return cnnviz.preprocess(cnnviz.photo(key)) if kind == "photo" else _weights(kind)[key]


@cache
def _weights(model: str) -> Mapping[str, torch.Tensor]:
    return cnnviz.load_model(model).state_dict()


def _digest(storage: torch.UntypedStorage) -> bytes:
    held = torch.empty(0, dtype=torch.uint8).set_(storage)  # type: ignore[call-overload]
    return hashlib.sha256(held.numpy().tobytes()).digest()
