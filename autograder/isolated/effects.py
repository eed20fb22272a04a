"""What a call left behind: fingerprints of modules and tensors before and after, compared.

The code that is looked at runs in the same process and may have replaced anything written in Python: functions of
torch, properties, classes, builtins. So everything here is read through what C code offers, taken hold of before that
code is loaded, and compared as numbers and bytes, never by an object's own `==`.
"""

from __future__ import annotations

import builtins
import ctypes
from collections import OrderedDict
from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

from .namespaces import covered, settings

globals()["__builtins__"] = dict(vars(builtins))  # the functions below keep these, whatever takes their place elsewhere

Fingerprint = dict[tuple[str, str], Any]
"""(effect, place) -> something that is equal only if nothing changed there; an effect is a slug, or slug and name."""

_BASE, _TENSOR, _MODULE = torch._C.TensorBase, torch.Tensor, nn.Module
HOOKS = tuple(name for name in vars(nn.Module()) if name.endswith("_hooks"))
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
GLOBALS = vars(nn.modules.module)
GLOBAL_HOOKS = tuple(name for name in GLOBALS if name.startswith("_global_") and name.endswith("_hooks"))
TENSOR_HOOKS = tuple(n for n in ("_backward_hooks", "_post_accumulate_grad_hooks") if n in vars(_BASE))
_PLAIN = (bool, int, float, str, type(None))

_mro = vars(type)["__mro__"].__get__
_attributes = vars(OrderedDict)["__dict__"].__get__
_inside = vars(nn.Module)["__dict__"].__get__
_of = {
    name: vars(_BASE)[name].__get__
    for name in ("grad", "requires_grad", "is_leaf", "retains_grad", "shape", "dtype", "device", "layout")
}
_tensor_hooks = [vars(_BASE)[name].__get__ for name in TENSOR_HOOKS]
_stored_bytes = torch._C.StorageBase.nbytes  # type: ignore[attr-defined]
_items, _entry = dict.items, dict.get
_set_grad_enabled, _is_grad_enabled = torch._C._set_grad_enabled, torch.is_grad_enabled
_no_overrides, _strided, _cpu = torch._C.DisableTorchFunction, torch.strided, "cpu"
_read = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.c_void_p, ctypes.c_ssize_t)(
    ctypes.cast(ctypes.pythonapi.PyBytes_FromStringAndSize, ctypes.c_void_p).value or 0
)


def fingerprint(inputs: Any) -> Fingerprint:
    """Of every tensor and every module within nested containers."""
    with _no_overrides():
        found = dict(_walk(inputs, "input"))
    found.update(((f"state {name}", ""), value) for name, value in settings())
    for name in GLOBAL_HOOKS:
        found["hooks", name] = _hooks(_entry(GLOBALS, name))
    return found


def changes(before: Fingerprint, inputs: Any) -> set[str]:
    """Effects: what differs from `before`; inputs that can no longer be read have lost their parameters."""
    try:
        after = fingerprint(inputs)
    except MemoryError:
        raise
    except Exception:
        return {"parameters"}
    return differences(before, after)


def differences(before: Fingerprint, after: Fingerprint) -> set[str]:
    """Effects: what is not the same in both."""
    return {key[0] for key in before.keys() | after.keys() if _differs(before, after, key)}


def _differs(before: Fingerprint, after: Fingerprint, key: tuple[str, str]) -> bool:
    """A setting that a module did not have before is a note the student kept there, no change of the module."""
    if key[1].startswith("setting") and key not in before:
        return False
    return key not in before or key not in after or before[key] != after[key]


def _is(value: Any, kind: type) -> bool:
    return any(base is kind for base in _mro(type(value)))


def _walk(value: Any, place: str) -> Iterator[tuple[tuple[str, str], Any]]:
    if _is(value, _TENSOR):
        yield from _tensor(value, place, "inputs")
    elif _is(value, _MODULE):
        yield from _module(value, place, set())
    elif _is(value, dict):
        yield ("inputs", place), (id(type(value)), [_plain(key) for key, _ in _items(value)])
        for index, (_, item) in enumerate(_items(value)):
            yield from _walk(item, f"{place}[{index}]")
    elif _is(value, list) or _is(value, tuple):
        inner = list.__iter__(value) if _is(value, list) else tuple.__iter__(value)
        count = 0
        for item in inner:
            yield from _walk(item, f"{place}[{count}]")
            count += 1
        yield ("inputs", place), (id(type(value)), count)
    else:
        yield ("inputs", place), _plain(value)


def _plain(value: Any) -> Any:
    """A value's text; of what has no plain text, which object it is."""
    if type(value) is tuple:
        return [_plain(item) for item in value]
    return (type(value).__name__, repr(value)) if type(value) in _PLAIN else id(value)


def _tensor(tensor: torch.Tensor, place: str, slug: str) -> Iterator[tuple[tuple[str, str], Any]]:
    grad = _of["grad"](tensor) if _of["is_leaf"](tensor) or _of["retains_grad"](tensor) else None
    yield (slug, place), _content(tensor)
    yield ("requires_grad", place), _of["requires_grad"](tensor)
    yield ("grad", place), None if grad is None else _content(grad)
    yield ("hooks", place), [_hooks(get(tensor)) for get in _tensor_hooks]


def _hooks(hooks: Any) -> Any:
    """Which functions under which numbers; none yet, and none any more, are the same."""
    if hooks is None:
        return 0, []
    honest = type(hooks) is dict or (type(hooks) is OrderedDict and not _attributes(hooks))
    return 0 if honest else id(hooks), [(id(key), id(hook)) for key, hook in _items(hooks)]


def _module(module: nn.Module, place: str, seen: set[int]) -> Iterator[tuple[tuple[str, str], Any]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    inside = _inside(module)
    own = {name: value for name, value in _items(inside) if type(name) is str}
    yield ("training_flag", place), _plain(own["training"])
    hooks = [_hooks(own.get(name)) for name in HOOKS]
    yield ("hooks", place), (id(type(module)), id(type(inside)), hooks)
    for name in own.keys() - _OF_EVERY_MODULE:
        if (title := covered(type(module), name)) is not None:
            yield (f"covered {title}".strip(), place), id(own[name])
        elif not name.startswith("_"):
            yield ("parameters", f"setting {place}.{name}"), _plain(own[name])
    for slug in ("parameters", "buffers"):
        yield (slug, f"{place} {slug}"), id(type(own[f"_{slug}"]))
        for name, tensor in _items(own[f"_{slug}"]):
            if tensor is not None:
                yield from _tensor(tensor, f"{place}.{name}", slug)
    yield ("parameters", f"{place} modules"), id(type(own["_modules"]))
    for name, child in _items(own["_modules"]):
        if child is not None:
            yield from _module(child, f"{place}.{name}", seen)


def _content(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Bit for bit, so that NaN equals NaN and -0.0 is not 0.0."""
    facts = tuple(_of["shape"](tensor)), str(_of["dtype"](tensor)), str(_of["device"](tensor))
    plain = _of["layout"](tensor) is _strided and facts[2] == _cpu and _BASE.is_contiguous(tensor)
    return *facts, _bytes(tensor) if plain else _bytes_of_copy(tensor)


def _bytes(tensor: torch.Tensor) -> bytes:
    """The memory itself: no operation of torch, which could have been replaced, takes part."""
    size = _BASE.element_size(tensor)
    wanted = size * _BASE.numel(tensor)
    if size * _BASE.storage_offset(tensor) + wanted > _stored_bytes(_BASE.untyped_storage(tensor)):
        raise ValueError("a tensor whose memory was taken away")
    return _read(_BASE.data_ptr(tensor), wanted) if wanted else b""


def _bytes_of_copy(tensor: torch.Tensor) -> bytes:
    """Where the numbers are scattered, or not in this process's own memory."""
    was = _is_grad_enabled()
    _set_grad_enabled(False)
    try:
        return _bytes(_BASE.contiguous(_BASE.to_dense(_BASE.cpu(_BASE.detach(tensor)))))
    finally:
        _set_grad_enabled(was)
