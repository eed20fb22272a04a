"""What a call left behind: fingerprints of modules and tensors before and after, compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import nn

Fingerprint = dict[tuple[str, str], Any]
"""(effect's slug, place) -> something that is equal only if nothing changed there."""

_HOOKS = tuple(name for name in vars(nn.Module()) if name.endswith("_hooks"))
_GLOBAL_HOOKS = tuple(
    name for name in vars(nn.modules.module) if name.startswith("_global_") and name.endswith("_hooks")
)
_PLAIN = (bool, int, float, str, tuple, type(None))


def fingerprint(inputs: Any) -> Fingerprint:
    """Of every tensor and every module within nested containers."""
    with torch.no_grad(), torch._C.DisableTorchFunctionSubclass():
        found = dict(_walk(inputs, "input"))
    for name in _GLOBAL_HOOKS:
        found["hooks", name] = tuple(getattr(nn.modules.module, name))
    return found


def changes(before: Fingerprint, inputs: Any) -> set[str]:
    """Slugs of what differs from `before`; inputs that can no longer be read have lost their parameters."""
    try:
        after = fingerprint(inputs)
    except MemoryError:
        raise
    except Exception:
        return {"parameters"}
    return {key[0] for key in before.keys() | after.keys() if _differs(before, after, key)}


def _differs(before: Fingerprint, after: Fingerprint, key: tuple[str, str]) -> bool:
    """A setting that a module did not have before is a note the student kept there, no change of the module."""
    if key[1].startswith("setting") and key not in before:
        return False
    return key not in before or key not in after or before[key] != after[key]


def _walk(value: Any, place: str) -> Iterator[tuple[tuple[str, str], Any]]:
    if isinstance(value, torch.Tensor):
        yield from _tensor(value, place, "inputs")
    elif isinstance(value, nn.Module):
        yield from _module(value, place, set())
    elif isinstance(value, dict):
        yield ("inputs", place), ("dict", [repr(key) for key in value])
        for key, item in value.items():
            yield from _walk(item, f"{place}[{key!r}]")
    elif isinstance(value, list | tuple):
        yield ("inputs", place), (type(value).__name__, len(value))
        for index, item in enumerate(value):
            yield from _walk(item, f"{place}[{index}]")
    elif isinstance(value, _PLAIN):
        yield ("inputs", place), repr(value)


def _tensor(tensor: torch.Tensor, place: str, slug: str) -> Iterator[tuple[tuple[str, str], Any]]:
    hooks = [getattr(tensor, name, None) or () for name in ("_backward_hooks", "_post_accumulate_grad_hooks")]
    grad = tensor.grad if tensor.is_leaf or tensor.retains_grad else None
    yield (slug, place), _content(tensor)
    yield ("requires_grad", place), tensor.requires_grad
    yield ("grad", place), None if grad is None else _content(grad)
    yield ("hooks", place), [tuple(hook) for hook in hooks]


def _module(module: nn.Module, place: str, seen: set[int]) -> Iterator[tuple[tuple[str, str], Any]]:
    if id(module) in seen:
        return
    seen.add(id(module))
    inside = vars(module)
    yield ("training_flag", place), inside["training"]
    yield ("hooks", place), (type(module), "forward" in inside, [tuple(inside.get(name) or ()) for name in _HOOKS])
    for name, value in inside.items():
        if name != "training" and not name.startswith("_") and isinstance(value, _PLAIN):
            yield ("parameters", f"setting {place}.{name}"), repr(value)
    for slug in ("parameters", "buffers"):
        for name, tensor in inside[f"_{slug}"].items():
            if tensor is not None:
                yield from _tensor(tensor, f"{place}.{name}", slug)
    for name, child in inside["_modules"].items():
        if child is not None:
            yield from _module(child, f"{place}.{name}", seen)


def _content(tensor: torch.Tensor) -> tuple[Any, ...]:
    """Bit for bit, so that NaN equals NaN and -0.0 is not 0.0."""
    flat = tensor.detach().cpu().contiguous()
    flat = flat.as_strided((flat.numel(),), (1,))  # one element may keep any stride, which `view` refuses
    return tuple(tensor.shape), str(tensor.dtype), str(tensor.device), flat.view(torch.uint8).numpy().tobytes()
