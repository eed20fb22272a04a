"""The trusted side: hands a request to an isolated process, watches the clock, believes nothing that comes back."""

from __future__ import annotations

import contextlib
import queue
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any, BinaryIO

from . import rungs
from .parcels import packed
from .requests import Error, Observation, Outcome, Request, error_record, in_order
from .servers import Ended, ForkServer, RunnerError, Running, Server, SpawnServer
from .wire import MAX_MANIFEST, TOKEN_BYTES, BadAnswer, Decoder
from .zygote import MAX_DISK, MAX_FILES

_START_LIMIT = 120.0
_LAST_WORDS = 2.0
_PATIENCE = 60.0
_QUEUE_LIMIT = 3.0
"""Time in the queue for a processor is not counted, up to so many times the limit: student code can crowd it itself."""
_MODES = ("fork", "spawn")

__all__ = ["Runner", "RunnerError"]


class Runner:
    """Runs submissions one after another; a context manager.

    Args:
        mode: "fork" (a warm process forks one child per call; Linux), "spawn" (a new process per call; anywhere),
            or None for the best that this machine has. Forking precedes any CUDA initialisation, so it is safe
            for GPUs too.
        rung: "bubblewrap", "landlock" or "rlimits": how the process is confined; None for the best that works here.

    Raises:
        ValueError: if `mode` or `rung` is unknown or does not work here.
    """

    def __init__(self, mode: str | None = None, rung: str | None = None) -> None:
        best = "fork" if sys.platform.startswith("linux") else "spawn"
        mode = best if mode is None else mode
        if mode not in _MODES:
            raise ValueError(f"mode is {mode!r}; allowed are 'fork' and 'spawn'; leave it out for this machine's best")
        if mode == "fork" and best != "fork":
            raise ValueError(f"mode is 'fork', which needs Linux and this is {sys.platform}; use 'spawn'")
        self.mode = mode
        self._rung = rungs.chosen(rung)
        self.rung = self._rung.name
        self._running: Running | None = None
        self._server: Server = (ForkServer if mode == "fork" else SpawnServer)(self._rung)

    def __enter__(self) -> Runner:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def warm(self) -> None:
        """Begin what the first call would have to wait for."""
        self._server.warm()

    def close(self) -> None:
        """End the warm processes and remove what they left."""
        self._server.close()

    def cancel(self) -> None:
        """Ends the call that is under way in another thread, if there is one; that thread hears that it crashed."""
        if self._running is not None:
            self._running.end()

    def run(self, request: Request) -> Outcome:
        """Load the submission, make the calls, and say what became of them.

        Raises:
            RunnerError: if the isolated process failed before any student code ran.
        """
        token = secrets.token_bytes(TOKEN_BYTES)
        running = self._running = self._server.start({"token": token, **_plain(request)})
        watch = _Watch(
            request, Decoder(token, calls=len(request.calls), result_bytes=_allowance(request)), self._rung.prefix
        )
        return watch.outcome(running)

    def run_many(self, requests: Iterable[Request]) -> Iterator[Outcome]:
        """`run` for each, in order."""
        for request in requests:
            yield self.run(request)


def _plain(request: Request) -> dict[str, Any]:
    """The request in classes that the child has: it cannot import this package."""
    return {
        "cells": [(cell.label, cell.source, cell.own, cell.module) for cell in request.cells],
        "calls": [packed((call.args, call.kwargs or {}, call.then)) for call in request.calls],
        **{name: getattr(request, name) for name in ("function", "variable", "device", "seconds", "memory_mb")},
        "result_bytes": request.result_bytes,
    }


def _allowance(request: Request) -> int:
    """The blobs' headers come on top of the arrays."""
    return request.result_bytes + 2**16


@dataclass
class _Watch:
    """One call, seen from outside."""

    request: Request
    decoder: Decoder
    confinement: str
    """What the parent knows of it; the child says the rest before any student code runs."""
    events: queue.SimpleQueue[tuple[str, Any]] = field(default_factory=queue.SimpleQueue)
    printed: bytearray = field(default_factory=bytearray)
    observations: list[Observation] = field(default_factory=list)
    rung: str = ""
    started: float | None = None
    queued: float = 0.0
    """Seconds in the queue for a processor before that."""
    deadline: float = field(default_factory=lambda: time.monotonic() + _START_LIMIT)
    done: dict[str, Any] | None = None
    verdict: tuple[str, Error | None] | None = None
    ended: Ended | None = None
    gone: bool = False

    def outcome(self, running: Running) -> Outcome:
        limit = _allowance(self.request) + (len(self.request.calls) + 3) * MAX_MANIFEST
        threads = [
            threading.Thread(target=_pump, args=(running.results, self.events, limit), daemon=True),
            threading.Thread(target=_keep, args=(running.output, self.printed, self.request.output_bytes), daemon=True),
            threading.Thread(target=self._await, args=(running,), daemon=True),
        ]
        for thread in threads:
            thread.start()
        try:
            self._follow(running.queued)
        finally:
            seconds = time.monotonic() - (self.started or time.monotonic())
            running.end()
            _finish(running, *threads)
        return self._conclusion(seconds)

    def _await(self, running: Running) -> None:
        self.ended = running.wait()
        self.events.put(("gone", None))

    def _follow(self, queued: Callable[[], float]) -> None:
        """Until the child is done, silent, lying or late."""
        closed = False
        while self.done is None and self.verdict is None and not (closed and self.gone):
            event, value = self._next()
            if event == "bytes":
                self._take(value, queued)
            elif event == "closed":
                closed = True
            elif event == "gone":
                self.gone = True
                self.deadline = time.monotonic() + _LAST_WORDS
            elif not self._waits_longer(queued):
                if not (closed or self.gone):
                    self.verdict = "time", None
                return

    def _next(self) -> tuple[str, Any]:
        """What happens next; "late" where nothing did in time, or what is written without a pause would never end."""
        if time.monotonic() <= self.deadline + _LAST_WORDS:
            with contextlib.suppress(queue.Empty):
                return self.events.get(timeout=max(0.0, self.deadline - time.monotonic()))
        return "late", None

    def _waits_longer(self, queued: Callable[[], float]) -> bool:
        """Whether the time is not over yet, because some of it was spent in the queue for a processor."""
        if self.started is None or self.gone:
            return False
        crowded = min(queued() - self.queued, _QUEUE_LIMIT * self.request.seconds)
        self.deadline = max(self.deadline, self.started + self.request.seconds + crowded)
        return self.deadline > time.monotonic()

    def _take(self, data: bytes, queued: Callable[[], float]) -> None:
        """Frames into fields; with the first the student's time begins."""
        try:
            for found in self.decoder.feed(data):
                if isinstance(found, Observation):
                    self.observations.append(found)
                elif found["frame"] == "done":
                    self.done = found
                    return
                elif self.started is not None:
                    raise BadAnswer("a second beginning")
                else:
                    self.rung, self.started = self.confinement + found["rung"], time.monotonic()
                    self.queued, self.deadline = queued(), self.started + self.request.seconds
        except BadAnswer as error:
            self.verdict = "bad answer", error_record("BadAnswer", f"the result channel carried {error}")

    def _conclusion(self, seconds: float) -> Outcome:
        output = bytes(self.printed).decode("utf-8", "replace")
        if self.started is None and self.verdict is None and not (self.gone and self.ended is None):
            raise RunnerError(
                f"the isolated process failed before the submission was loaded; it said: {output[-2000:]}"
            )
        status, error = self.verdict or self._end()
        variable = self.done["variable"] if self.done else None
        return Outcome(status, self._believed(), variable, error, output, seconds, self.rung)

    def _believed(self) -> tuple[Observation, ...]:
        """The observations, and with each whether the observer was tampered with, or ended before its last word."""
        told = set()
        if self.done is not None and not self.done["observer"]:
            told.add("observer")
        if self.done is None and self.gone:
            told.add("unseen")
        return tuple(replace(seen, effects=in_order({*seen.effects, *told})) for seen in self.observations)

    def _end(self) -> tuple[str, Error | None]:
        if self.done is not None:
            return self.done["status"], self.done["error"]
        if not self.gone or self.ended is None or self.ended.status is None:
            return "crashed", error_record("RunnerLost", "the process that watches the submission was killed")
        if self.ended.status == -getattr(signal, "SIGXCPU", 1000):
            return "time", None
        if self.ended.status == -getattr(signal, "SIGXFSZ", 1000):
            return "output", error_record(
                "OutputLimit", f"it wrote more than {MAX_DISK >> 20} MiB or {MAX_FILES} files"
            )
        return "crashed", error_record("Crash", _how(self.ended.status))


def _finish(running: Running, results: threading.Thread, output: threading.Thread, end: threading.Thread) -> None:
    """Wait for the end, and no longer than a server that works can take."""
    end.join(_PATIENCE)
    if end.is_alive():
        running.abandon()
        end.join(_LAST_WORDS)
    for stream, thread in ((running.results, results), (running.output, output)):
        thread.join(_LAST_WORDS)
        if not thread.is_alive():
            stream.close()


def _how(status: int) -> str:
    if status >= 0:
        return f"the process ended itself with exit code {status}"
    try:
        return f"the process was ended by the signal {signal.Signals(-status).name}"
    except ValueError:
        return f"the process was ended by signal {-status}"


def _pump(stream: BinaryIO, events: queue.SimpleQueue[tuple[str, Any]], limit: int) -> None:
    """The result channel, chunk by chunk, never more than an honest child sends."""
    while limit > 0 and (data := stream.read(1 << 20)):
        limit -= len(data)
        events.put(("bytes", data))
    events.put(("closed", None))


def _keep(stream: BinaryIO, kept: bytearray, limit: int) -> None:
    """The head of what is printed; the rest is read so that nobody waits, and dropped."""
    while data := stream.read(1 << 16):
        kept += data[: max(0, limit - len(kept))]
