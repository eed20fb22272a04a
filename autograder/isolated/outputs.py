"""What a function returned, as plain arrays. An object that lies about itself earns nothing here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch

from .failures import is_memory_error
from .requests import MAX_OUTPUTS, MAX_TEXT

DTYPES = ("float16", "float32", "float64", "bool", *(f"{u}int{n}" for u in ("", "u") for n in (8, 16, 32, 64)))
_DTYPES = tuple(np.dtype(name) for name in DTYPES)


@dataclass(frozen=True)
class Outputs:
    """One entry an output, in the order in which they were returned."""

    arrays: tuple[np.ndarray, ...]
    types: tuple[str, ...]
    dtypes: tuple[str, ...]
    devices: tuple[str, ...]
    attached: bool
    """Whether any tensor among them requires a gradient."""


def outputs_of(result: Any) -> Outputs | None:
    """The outputs, copied; None for what cannot be compared: None, dicts, nested tuples, complex or sparse tensors."""
    try:
        with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
            items = list(islice(result, MAX_OUTPUTS + 1)) if isinstance(result, tuple | list) else [result]
            return _joined([_output(item) for item in items])
    except Exception as failure:
        if is_memory_error(failure):
            raise
        return None


def _joined(outputs: Iterable[tuple[np.ndarray, str, str, str, bool] | None]) -> Outputs | None:
    outputs = list(outputs)
    if not 0 < len(outputs) <= MAX_OUTPUTS or None in [o if o is None else 0 for o in outputs]:
        return None
    arrays, types, dtypes, devices, attached = zip(*outputs, strict=True)
    return Outputs(arrays, types, dtypes, devices, any(attached))


def _output(item: Any) -> tuple[np.ndarray, str, str, str, bool] | None:
    if isinstance(item, torch.Tensor):
        return _of_tensor(item)
    if isinstance(item, str):
        text = "".join(str.__iter__(item))
        return (np.array(text), "str", "str", "cpu", False) if len(text) <= MAX_TEXT else None
    kind = _kind(item)
    array = np.array(item) if kind else None
    if array is None or array.dtype not in _DTYPES:
        return None
    return array, kind, str(array.dtype), "cpu", False


def _kind(item: Any) -> str:
    if isinstance(item, np.ndarray):
        return "array"
    if isinstance(item, bool | np.bool_):
        return "bool"
    if isinstance(item, int | np.integer):
        return "int"
    return "float" if isinstance(item, float | np.floating) else ""


def _of_tensor(tensor: torch.Tensor) -> tuple[np.ndarray, str, str, str, bool] | None:
    base = torch._C.TensorBase
    plain = base.as_subclass(tensor, torch.Tensor)
    dtype = str(plain.dtype).removeprefix("torch.")
    shown = base.to(plain, torch.float32) if dtype == "bfloat16" else plain
    array = np.array(base.numpy(base.cpu(base.detach(shown))), copy=True)
    if type(array) is not np.ndarray or array.dtype not in _DTYPES:
        return None
    return array, "tensor", dtype, str(plain.device), bool(plain.requires_grad)
