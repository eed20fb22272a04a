"""Call a function twice on copied inputs and write down what it returned and what it left behind.

The same code runs in the isolated child and, for practice checks and references, in the caller's own process.
"""

from __future__ import annotations

import builtins
import copy
import io
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from cnnviz.small_nets import Interruption, calm

from .effects import changes, fingerprint
from .failures import error_of, is_not_attempted, type_name
from .namespaces import Namespaces
from .outputs import Outputs, outputs_of
from .requests import Observation, PlannedCall, in_order

# the functions below keep these, whatever student code puts in their place
globals()["__builtins__"] = dict(vars(builtins))
_clock = time.perf_counter
_NAMED = 3
"""Names that are told of where many were exchanged."""
Inputs = tuple[tuple[Any, ...], dict[str, Any], tuple[Any, ...] | None]
"""Positional arguments, keyword arguments, and those of what is returned."""


def observe(function: Callable[..., Any], calls: Sequence[PlannedCall], device: str = "cpu") -> list[Observation]:
    """One observation a call, made in this process; torch's global state is put back after each.

    Args:
        function: the student's function, a reference or a misconception.
        calls: inputs, copied before use.
        device: where the copies are moved first.
    """
    return list(watch(function, (in_place(copy.deepcopy(call), device) for call in calls)))


def observe_once(
    function: Callable[..., Any], calls: Sequence[PlannedCall], *, changes_nothing: bool = False
) -> list[Observation]:
    """Values alone, for a trusted function: one run a call, no second one, no look at what is left.

    Args:
        function: a reference or a misconception.
        calls: inputs, copied before use unless `changes_nothing`.
        changes_nothing: of a reference the tests have shown that it leaves model and inputs as it found them.
    """
    with _torch_state(), warnings.catch_warnings():
        warnings.simplefilter("default")
        inputs = ((c.args, c.kwargs or {}, c.then) for c in calls)
        runs = (_run(function, *(i if changes_nothing else copy.deepcopy(i))) for i in inputs)
        return [_values_of(function, run) for run in runs]


def watch(
    function: Callable[..., Any], calls: Iterable[Inputs], names: Namespaces | None = None
) -> Iterator[Observation]:
    """`observe`, one call at a time, on inputs that are nobody else's; `names` are as they should stay."""
    names = names or Namespaces()
    for inputs in calls:
        with _torch_state(), warnings.catch_warnings():
            warnings.simplefilter("default")
            observation = _observe_call(function, inputs)
        exchanged = [f"replaced {name}" for name in names.exchanged()[:_NAMED]]
        yield replace(observation, effects=in_order({*observation.effects, *exchanged}))


def in_place(call: PlannedCall, device: str = "cpu") -> Inputs:
    """A call's inputs on the device, where its modules are moved as they are and its tensors are copied."""
    inputs = (call.args, call.kwargs or {}, call.then)
    return inputs if torch.device(device).type == "cpu" else _moved(inputs, torch.device(device), {})


class _Silence(io.TextIOBase):
    def write(self, text: str) -> int:
        return len(text)


@contextmanager
def _unstopped() -> Iterator[None]:
    """No debugger opens, whose words nobody would see."""
    pdb, hook = sys.modules.get("pdb"), sys.breakpointhook
    opens = getattr(pdb, "set_trace", None)
    sys.breakpointhook = _pass
    if opens is not None:
        pdb.set_trace = _pass  # type: ignore[union-attr]
    try:
        yield
    finally:
        sys.breakpointhook = hook
        if opens is not None:
            pdb.set_trace = opens  # type: ignore[union-attr]


def _pass(*given: Any, **named: Any) -> None:
    """Stands for a breakpoint."""


@dataclass
class _Run:
    outputs: Outputs | None = None
    type_name: str = ""
    failure: BaseException | None = None
    seconds: float = 0.0


def _observe_call(function: Callable[..., Any], inputs: Inputs) -> Observation:
    before = fingerprint(inputs)
    first = _run(function, *inputs)
    effects = changes(before, inputs)
    if first.outputs is None:
        return _without_value(function, first, in_order(effects))
    with redirect_stdout(_Silence()), redirect_stderr(_Silence()), _unstopped():  # what the student prints appears once
        second = _run(function, *inputs)
    effects |= changes(before, inputs)
    if first.outputs.attached and inputs[2] is None:  # of a returned module, the function hands over no result
        effects.add("attached")
    return Observation(
        "value",
        first.outputs.arrays,
        first.outputs.types,
        first.outputs.dtypes,
        first.outputs.devices,
        first.type_name,
        second.outputs.arrays if second.outputs is not None else None,
        in_order(effects),
        None,
        first.seconds,
    )


def _values_of(function: Callable[..., Any], run: _Run) -> Observation:
    if run.outputs is None:
        return _without_value(function, run, ())
    found = run.outputs
    return Observation("value", found.arrays, found.types, found.dtypes, found.devices, run.type_name)


def _without_value(function: Callable[..., Any], run: _Run, effects: tuple[str, ...]) -> Observation:
    if run.failure is None:
        return Observation("unsupported", type_name=run.type_name, effects=effects, seconds=run.seconds)
    kind = "not attempted" if is_not_attempted(run.failure, function) else "raised"
    return Observation(kind, effects=effects, error=error_of(run.failure, function), seconds=run.seconds)


def _run(function: Callable[..., Any], args: tuple, kwargs: dict, then: tuple | None) -> _Run:
    """One run; a pressed stop button (KeyboardInterrupt) is the only exception that passes."""
    _seed()
    start = _clock()
    try:
        result = answer(function, args, kwargs)
        if then is not None:
            result = result(*then)
        seconds = _clock() - start
        return _Run(outputs_of(result), type_name(result), None, seconds)
    except (Exception, SystemExit) as failure:
        return _Run(failure=failure, seconds=_clock() - start)


def answer(function: Callable[..., Any], args: tuple, kwargs: dict) -> Any:
    """What it returns; where a network of the inputs fails on purpose, the second time: what the first leaves shows."""
    try:
        return function(*args, **kwargs)
    except Interruption:
        with calm():
            return function(*args, **kwargs)


def _seed() -> None:
    """`torch.manual_seed(0)` for the devices in use; for others it would format a traceback each time."""
    torch.default_generator.manual_seed(0)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(0)
    if torch.backends.mps.is_available():
        torch.mps.manual_seed(0)


def _moved(value: Any, device: torch.device, memo: dict[int, Any]) -> Any:
    """The same nested containers with every tensor and module on the device; what was one object stays one."""
    if id(value) in memo:
        return memo[id(value)]
    if isinstance(value, nn.Module):
        moved: Any = value.to(device)
    elif isinstance(value, torch.Tensor):
        moved = value.detach().to(device).requires_grad_(value.requires_grad)
    elif isinstance(value, dict):
        moved = {key: _moved(item, device, memo) for key, item in value.items()}
    elif isinstance(value, list | tuple):
        moved = type(value)(_moved(item, device, memo) for item in value)
    else:
        moved = value
    memo[id(value)] = moved
    return moved


@contextmanager
def _torch_state() -> Iterator[None]:
    """What student code may set for the whole process, put back."""
    grad, dtype, threads = torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_num_threads()
    random, cuda = torch.get_rng_state(), torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []
    try:
        with torch.enable_grad():
            yield
    finally:
        torch.set_grad_enabled(grad)
        torch.set_default_dtype(dtype)
        torch.set_rng_state(random)
        for index, state in enumerate(cuda):
            torch.cuda.set_rng_state(state, index)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
