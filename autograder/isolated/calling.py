"""One request in the child: confine, load the submission, observe the calls, report each as soon as it is known.

Submission and observer share this process. The observer is hard to replace and is tested (`tripwire`), but code that
finds it in memory and imitates it can hide its own side effects. It can not invent right values, for no answer is
here, and not reach anything outside.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import os
import pickle
import random
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any

import torch

from . import confine
from .failures import error_of, is_memory_error, safe_text, type_name
from .loading import Failure, load, text_of
from .observing import Inputs, in_place, watch
from .parcels import unpacked
from .requests import Cell, Error, Observation, PlannedCall, error_record
from .tripwire import Tripwire
from .wire import frame, observation_frame

_MISSING = re.compile(r"(?:global )?name '(\w+)' is not defined")
_ENDING = os._exit
_PACKAGE = re.compile(
    r"^(?:import|from)\s+((?:torchvision|matplotlib|sklearn|skimage|scipy|PIL|IPython|tqdm)[\w.]*)", re.M
)


class _TooLarge(Exception):
    """The arrays together are larger than the request allows."""


class Channel:
    """Where frames go; it knows the call's token and counts the bytes."""

    def __init__(self, fd: int, token: bytes, result_bytes: int) -> None:
        self._fd, self._token, self._left = fd, token, result_bytes
        self._write = os.write

    def send(self, manifest: dict[str, Any]) -> None:
        """A frame without arrays."""
        self._send(frame(self._token, manifest))

    def observation(self, observation: Observation) -> None:
        """A frame with arrays, refused when the limit is passed."""
        arrays = (*observation.arrays, *(observation.again or ()))
        self._left -= sum(array.nbytes + 256 for array in arrays)
        if self._left < 0:
            raise _TooLarge
        self._send(observation_frame(self._token, observation))

    def _send(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._write(self._fd, view) :]


def call(config: dict[str, Any], request_fd: int, result_fd: int, output_fd: int) -> None:
    """Everything from the request to the end of the process; never returns."""
    result_fd = os.dup(result_fd)  # it may be 1
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    with open(request_fd, "rb", closefd=False) as file:
        try:
            request = pickle.load(file)
        except EOFError:  # it waited for a call that never came
            _ENDING(0)
    confine.close_memory(False)
    request["calls"] = [PlannedCall(*unpacked(parcel)) for parcel in request["calls"]]
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    channel = Channel(confine.hide(result_fd), request.pop("token"), request["result_bytes"])
    _settle(request["folder"], request["device"])
    inputs = [in_place(planned, request["device"]) for planned in request["calls"]]
    _import_packages(source for _, source, *_ in request["cells"])
    confine.die_first()
    confine.limit(seconds=request["seconds"], memory_mb=request["memory_mb"], device=request["device"])
    rung = confine.sandbox(request["folder"], config["readable"], device=request["device"], layers=config["layers"])
    channel.send({"frame": "started", "rung": rung})
    tripwire = Tripwire()
    status, error, variable = _perform(request, inputs, channel.observation, tripwire)
    _flush()
    done = {"status": status, "error": error, "variable": variable, "observer": tripwire.intact}
    channel.send({"frame": "done", **done})
    _ENDING(0)


def _settle(folder: str, device: str) -> None:
    """A home, a working and a temporary folder of its own; fresh streams; the device awake before the clock starts."""
    os.chdir(folder)
    for name in ("HOME", "USERPROFILE", "TMPDIR", "TEMP", "TMP", "MPLCONFIGDIR"):
        os.environ[name] = folder
    os.environ.update(CNNVIZ_DEVICE=device, USER="student")
    tempfile.tempdir = None
    random.seed()
    sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115 - it lives as long as the process
    for name, fd in (("stdout", 1), ("stderr", 2)):
        raw = open(fd, "wb", buffering=0, closefd=False)  # noqa: SIM115
        stream = io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "backslashreplace", line_buffering=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    if device != "cpu":
        torch.zeros(1, device=device)


def _import_packages(sources: Iterable[str]) -> None:
    """Well-known packages that the cells import, loaded before the clock starts: those seconds are free."""
    for source in sources:
        for name in _PACKAGE.findall(source):
            if "._" not in name and ".test" not in name:  # modules that are programs would run here, unconfined
                with contextlib.suppress(BaseException):
                    importlib.import_module(name)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the student may have closed or replaced it
            continue


def _perform(
    request: dict[str, Any], inputs: Sequence[Inputs], report: Callable[[Observation], None], tripwire: Tripwire
) -> tuple[str, Error | None, str | None]:
    """Status, error and the variable's text."""
    try:
        module, failures = load([Cell(*cell) for cell in request["cells"]], request["seconds"])
    except BaseException as failure:
        return "memory" if is_memory_error(failure) else "load error", error_of(failure), None
    variable = text_of(module, request["variable"]) if request["variable"] else None
    if request["function"] is None:
        return "ran", None, variable
    function = vars(module).get(request["function"])
    if not callable(function):
        return *_without_function(request["function"], failures), variable
    told = lambda seen: report(_explained(seen, failures))  # noqa: E731
    status, error = _observed(function, request, inputs, told, tripwire)
    return status, error, variable


def _without_function(name: str, failures: Sequence[Failure]) -> tuple[str, Error | None]:
    """Whether the statement that would have made the function failed."""
    failure = next((each for each in failures if name in each.names), None)
    if failure is None:
        return "no function", None
    error = {**error_of(failure.error), "line": failure.line}
    status = "memory" if is_memory_error(failure.error) else "load error"
    return status, {**error, "message": f"{error['message']} in {failure.label}"[:500]}


def _explained(seen: Observation, failures: Sequence[Failure]) -> Observation:
    """A call that raised, with the statement that had failed before it: that of the missing name, else the first."""
    if seen.error is None or not failures:
        return seen
    missing = _MISSING.match(seen.error["message"])
    about = [each for each in failures if missing and missing[1] in each.names] or failures
    reason = f"{type_name(about[0].error)}: {safe_text(about[0].error, 200)}"
    told = f"{seen.error['message']} (before that {about[0].label}, line {about[0].line}, failed: {reason})"
    return replace(seen, error={**seen.error, "message": told[:500]})


def _observed(
    function: Any,
    request: dict[str, Any],
    inputs: Sequence[Inputs],
    report: Callable[[Observation], None],
    tripwire: Tripwire,
) -> tuple[str, Error | None]:
    try:
        for observation in watch(function, inputs, tripwire.names):
            if observation.error is not None and observation.error["type"] == "MemoryError":
                return "memory", observation.error
            report(observation)
            tripwire.now_and_then()
        tripwire.test()
    except _TooLarge:
        return "output", error_record("OutputLimit", f"the results are larger than {request['result_bytes']} bytes")
    except BaseException as failure:
        return "memory" if is_memory_error(failure) else "crashed", error_of(failure)
    return "ran", None
