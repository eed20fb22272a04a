"""What torch's classes and modules hold under which name, and which of torch's settings are on: exchanged or as before.

Any name counts that held something to call (a function, a class, a property). A name that is new and covers nothing is
a note; so is whatever torch itself fills in later.
"""

from __future__ import annotations

import builtins
import importlib
import re
from collections.abc import Callable, Iterator, Mapping
from operator import is_
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

globals()["__builtins__"] = dict(vars(builtins))  # the functions below keep these, whatever takes their place elsewhere

_ROOTS = (
    "torch.nn", "torch.nn.functional", "torch", "torch.autograd", "torch.linalg", "torch.fft", "torch.special",
    "torch.nn.init", "torch.nn.utils", "torch.nn.modules.module", "torch.functional", "torch._C._nn",
    "cnnviz.small_nets", "cnnviz.models", "numpy", "numpy.linalg", "math", "builtins",
)  # fmt: skip
_OURS = ("torch", "cnnviz")
_SETTINGS = re.compile(
    r"_?(is_(?!\w*(_cpu|ipu|xla|xnn|mobile|available))\w+|get_(default|deterministic|num|float32)_\w+)|_len_\w+"
)
"""Of torch's C functions without arguments those that tell what is on; a device's own are left to it."""

_BY_TORCH = ("torch.Storage", "torch.manual_seed")
"""`set_default_dtype` exchanges the one, importing `torch._dynamo` the other."""

_missing = object()
_mro, _vars_of = vars(type)["__mro__"].__get__, vars(type)["__dict__"].__get__
_MADE_IN_PYTHON = 1 << 9
"""The flag of classes whose names can be exchanged at all: Py_TPFLAGS_HEAPTYPE."""
_code_of = FunctionType.__dict__["__code__"].__get__
_top_saved_hooks, _numpy_errors = torch._C._autograd._top_saved_tensors_default_hooks, np.geterr  # type: ignore[attr-defined]


def _found() -> dict[str, Any]:
    """Title -> module or class: the roots, and the classes that stand in them or that these are made of."""
    roots = {name: importlib.import_module(name) for name in _ROOTS}
    inside = {f"{n}.{a}": value for n, root in roots.items() for a, value in vars(root).items()}
    classes = {title: value for title, value in inside.items() if isinstance(value, type)}
    classes |= {f"{k.__module__}.{k.__qualname__}": k for value in [*classes.values()] for k in _mro(value)}
    titles: dict[int, str] = {}
    for title in sorted(classes, key=lambda title: title.count(".")):
        if _can_change(classes[title]):
            titles.setdefault(id(classes[title]), title)
    return roots | {title: classes[title] for title in titles.values()}


def _can_change(kind: type) -> bool:
    return kind.__module__.partition(".")[0] in _OURS and bool(kind.__flags__ & _MADE_IN_PYTHON)


def _settings() -> dict[str, Callable[[], Any]]:
    getters = {f"torch.{n.lstrip('_')}": getattr(torch._C, n) for n in dir(torch._C) if _SETTINGS.fullmatch(n)}
    return {name: get for name, get in getters.items() if _answers(get)}


def _answers(get: Callable[[], Any]) -> bool:
    try:
        return type(get()) in (bool, int, float, str, torch.dtype, torch.device)
    except Exception:  # it wants an argument, or a device that is not here
        return False


_SPACES = _found()
_TITLES = {id(space): title for title, space in _SPACES.items()}
_SETTINGS_NOW = _settings()


def _holds(space: Any) -> Any:
    return vars(space) if type(space) is ModuleType else _vars_of(space)


_FUNCTIONS = {
    f"{title}.{name}": value
    for title, space in _SPACES.items()
    for name, value in _holds(space).items()
    if type(value) is FunctionType
}


class Namespaces:
    """What stands under every name now."""

    def __init__(self) -> None:
        self._held = [(title, space, _holds(space).copy()) for title, space in _SPACES.items()]
        self._codes = [*map(_code_of, _FUNCTIONS.values())]

    def exchanged(self) -> list[str]:
        """The dotted names under which something else stands, some of them where there are many."""
        found = [f"{title}.{name}" for title, space, held in self._held for name in _exchanged(space, held)]
        codes = zip(_FUNCTIONS, map(_code_of, _FUNCTIONS.values()), self._codes, strict=True)
        found += [name for name, now, was in codes if now is not was]
        return [name for name in found if name not in _BY_TORCH]


def _exchanged(space: Any, held: Mapping[str, Any]) -> Iterator[str]:
    now = _holds(space)
    if len(now) == len(held) and all(map(is_, now.values(), held.values())):
        return
    for name in {*held, *now}:
        below = inherited(space, name)
        was, is_now = held.get(name, below), now.get(name, below)
        if was is not is_now and was is not _missing and _acts(was):
            yield name


def _acts(value: Any) -> bool:
    return callable(value) or hasattr(type(value), "__get__")


def inherited(space: Any, name: str) -> Any:
    """What a class has from those that it is made of."""
    for kind in _mro(space)[1:] if isinstance(space, type) else ():
        if (value := _vars_of(kind).get(name, _missing)) is not _missing:
            return value
    return _missing


def covered(kind: type, name: str) -> str | None:
    """The dotted name of what an attribute of that name on an object covers; None: nothing, "": a class of others'."""
    for each in _mro(kind):
        if (value := _vars_of(each).get(name, _missing)) is not _missing:
            title = _TITLES.get(id(each))
            return None if not _acts(value) else f"{title}.{name}" if title else ""
    return None


def settings() -> Iterator[tuple[str, Any]]:
    """Torch's settings and open modes, and numpy's for errors."""
    for name, get in _SETTINGS_NOW.items():
        yield name, get()
    hooks = _top_saved_hooks(False)
    yield "torch.autograd.graph.saved_tensors_hooks", None if hooks is None else [*map(id, hooks)]
    yield "numpy.geterr", [*_numpy_errors().items()]


def is_name(place: str) -> bool:
    """Whether it is the dotted name of something here, which no submission has chosen."""
    space, _, name = place.rpartition(".")
    return (space in _SPACES and name in _holds(_SPACES[space])) or place in dict(settings())
