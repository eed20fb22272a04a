"""A model in eval mode for the length of a call, alone, in its own arithmetic, and afterwards as it was found."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from threading import RLock
from types import FrameType
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode

ONE_AT_A_TIME = RLock()
"""Flags and hooks belong to modules, and two models may share some: one call at a time, whatever the thread."""


@contextmanager
def undisturbed(model: nn.Module, images: Tensor | None = None) -> Iterator[None]:
    """Inside: eval mode, no autocast, gradients enabled, parameters frozen so that no graph is kept for them.

    After: as found, also after an exception. Flags are set one by one, so a module whose `train` does something of its
    own is in eval mode too. What fails inside the model, and a model that draws random numbers, is a ValueError: with a
    seed set for it, an image's map would still depend on its batch, and a drop of the score on the draw.
    """
    with ONE_AT_A_TIME, ExitStack() as stack:
        training = {module: module.training for module in model.modules() if hasattr(module, "training")}
        trainable = [weight for weight in model.parameters() if _can_freeze(weight)]
        stack.callback(_require_gradients, trainable, True)
        stack.callback(_set_training, training)
        stack.enter_context(without_autocast(*(weight.device.type for weight in model.parameters())))
        if "torch._dynamo" in sys.modules and hasattr(torch.compiler, "set_stance"):
            stack.enter_context(torch.compiler.set_stance("force_eager"))  # compiled parts show no layer or operation
        stack.enter_context(torch.inference_mode(False))
        stack.enter_context(torch.enable_grad())
        _set_training(dict.fromkeys(training, False))
        _require_gradients(trainable, False)
        generators = _generators(model)
        before = [generator.state() for generator in generators]
        try:
            with _explained(model, images):
                yield
        finally:
            if images is not None and _drawn_from(generators, before):
                _refuse_chance(model, images, generators, before)


@contextmanager
def without_autocast(*devices: str) -> Iterator[None]:
    """Inside, numbers are computed in the type that they have, whatever autocast the caller is under."""
    with ExitStack() as stack:
        for device in {"cpu", *devices}:
            if torch.amp.is_autocast_available(device) and torch.is_autocast_enabled(device):
                stack.enter_context(torch.autocast(device, enabled=False))
        yield


def _can_freeze(weight: Tensor) -> bool:
    """Whether it needs a gradient and may be told not to; a scripted copy's may not."""
    return weight.requires_grad and weight.is_leaf and not weight.is_inference()


def _set_training(flags: dict[nn.Module, bool]) -> None:
    for module, flag in flags.items():
        if module.training != flag:  # to set an attribute of a module takes longer than to look
            try:
                module.training = flag
            except AttributeError:  # a property: the module decides for itself
                continue


def _require_gradients(parameters: list[nn.Parameter], required: bool) -> None:
    for parameter in parameters:
        parameter.requires_grad_(required)


@contextmanager
def _explained(model: nn.Module, images: Tensor | None) -> Iterator[None]:
    """An error of torch's own from inside the model becomes a sentence; ours, and the user's own kinds, stay."""
    try:
        yield
    except Exception as error:
        place = _place(model, _frames(error))
        if place is None or type(error).__module__ != "builtins" or _is_ours(error):
            raise
        if any(weight.is_inference() for weight in model.parameters()):
            raise ValueError(
                "model: its weights were made under torch.inference_mode, which no gradient passes; make or load the "
                "model outside of it."
            ) from error
        got = "a blank image" if images is None else f"{list(images.shape)} {images.dtype}"
        raise ValueError(
            f"images: got {got}, but the model fails on them at {place} ({type(error).__name__}: {_said(error)}); "
            f"give images of the channels and the size that it was made for."
        ) from error


def _frames(error: BaseException) -> Iterator[FrameType]:
    """From the innermost outwards."""
    found, traceback = [], error.__traceback__
    while traceback:
        found.append(traceback.tb_frame)
        traceback = traceback.tb_next
    return reversed(found)


def _place(model: nn.Module, frames: Iterator[FrameType]) -> str | None:
    """The innermost module of the model among these calls; None if they did not get into the model."""
    names = {id(module): name for name, module in model.named_modules()}
    for frame in frames:
        module = frame.f_locals.get("self")
        if isinstance(module, nn.Module) and id(module) in names:
            name = names[id(module)]
            return (
                f"module {name!r} ({type(module).__name__})" if name else f"its own forward ({type(module).__name__})"
            )
    return None


def _is_ours(error: Exception) -> bool:
    innermost = next(_frames(error)).f_globals.get("__name__", "")
    return isinstance(error, ValueError) and innermost.startswith(f"{__package__}.")


def _said(error: Exception) -> str:
    """The line of the message that says what is the matter; TorchScript puts a page of source before it."""
    lines = str(error).strip().splitlines() or [""]
    said = next((line for line in lines if line.startswith("RuntimeError: ")), lines[0])
    return said.removeprefix("RuntimeError: ").removesuffix(".")


@dataclass(frozen=True)
class _Generator:
    """Something that random numbers are drawn from."""

    name: str
    state: Callable[[], Any]
    restore: Callable[[Any], object]


def _generators(model: nn.Module) -> list[_Generator]:
    """Those that a network draws from: torch's for its devices, Python's and numpy's."""
    generators = [
        _Generator("torch", torch.get_rng_state, torch.set_rng_state),
        _Generator("Python's random", random.getstate, random.setstate),
        _Generator("numpy.random", partial(np.random.get_state, legacy=True), np.random.set_state),
    ]
    for device in {weight.device for weight in model.parameters() if weight.device.type not in ("cpu", "meta")}:
        of = torch.get_device_module(device)
        generators.append(
            _Generator("torch", partial(of.get_rng_state, device), partial(of.set_rng_state, device=device))
        )
    return generators


def _drawn_from(generators: list[_Generator], states: list[Any]) -> list[str]:
    """The names of those that are no longer in these states."""
    return [g.name for g, state in zip(generators, states, strict=True) if not _equal(g.state(), state)]


def _equal(a: Any, b: Any) -> bool:
    return torch.equal(a, b) if isinstance(a, Tensor) else all(map(np.array_equal, a, b))


def _refuse_chance(model: nn.Module, images: Tensor, generators: list[_Generator], before: list[Any]) -> None:
    """Looks again who drew random numbers: it may have been another thread, and then all is well."""
    again = [generator.state() for generator in generators]
    with (
        suppress(Exception),
        _Drawing(model, generators) as drawing,
        torch.no_grad(),
        _calls_of(random.random) as calls,
    ):
        model(images.detach().clone())
    moved = _drawn_from(generators, again)
    others = [name for name in moved if name == "numpy.random" or (name == "Python's random" and calls)]
    if not drawing.found and not others:
        return
    for generator, state in zip(generators, before, strict=True):
        generator.restore(state)
    place = drawing.found[0] if drawing.found else f"its forward pass draws from {others[0]}"
    raise ValueError(
        f"model: {place} in eval mode, so no two calls would give the same map; switch the random part off, as "
        f"F.dropout(x, p, self.training) does."
    )


@contextmanager
def _calls_of(method: Any) -> Iterator[list[Any]]:
    """The calls that this thread makes of methods of the same object; other threads may draw at any time."""
    calls: list[Any] = []

    def note(_frame: FrameType, event: str, called: Any) -> None:
        if event == "c_call" and getattr(called, "__self__", None) is method.__self__:
            calls.append(called)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        yield calls
    finally:
        sys.setprofile(before)


class _Drawing(TorchDispatchMode):
    """Inside, `found` tells which modules draw random numbers, and by which function."""

    def __init__(self, model: nn.Module, generators: list[_Generator]) -> None:
        super().__init__()
        self.model, self.generators = model, generators
        self.found: list[str] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Carries out one operation; an operation that could draw and does not, as dropout in eval mode, is none."""
        if torch.Tag.nondeterministic_seeded not in func.tags:
            return func(*args, **(kwargs or {}))
        before = [generator.state() for generator in self.generators]
        result = func(*args, **(kwargs or {}))
        if "torch" in _drawn_from(self.generators, before):
            place = _place(self.model, _callers(sys._getframe()))
            self.found.append(f"{place} draws random numbers by {_function(sys._getframe(), func)}")
        return result


def _callers(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def _function(frame: FrameType, operation: Any) -> str:
    """The function of `torch.nn.functional` that the model called, if it was one."""
    called = [f.f_code.co_name for f in _callers(frame) if f.f_globals.get("__name__") == "torch.nn.functional"]
    return f"F.{called[-1]}" if called else str(operation.overloadpacket)
