"""One command and all that it starts: wall clock, CPU seconds, and the memory that nobody else shares."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .courses import environment


@dataclass(frozen=True)
class Cost:
    """What a command took."""

    seconds: float
    cpu: float
    """User and system seconds of the command and of every process that it waited for."""
    private_mb: float
    """Largest sum of private memory over the process tree, sampled."""
    status: int
    said: str
    """The end of what it printed."""


def measure(command: Sequence[str], folder: Path, *, cores: Iterable[int]) -> Cost:
    """Runs a command on the given cores, one thread each library."""
    start = time.monotonic()
    with (folder / "said.txt").open("w+b") as said:
        process = subprocess.Popen(
            ["taskset", "-c", ",".join(map(str, cores)), *command],
            cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT,
        )  # fmt: skip
        peak = _Peak(process.pid)
        peak.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        peak.done.set()
        peak.join()
        said.seek(0)
        text = said.read().decode("utf-8", "replace")[-3000:]
    return Cost(seconds, usage.ru_utime + usage.ru_stime, peak.largest / 2**20, process.returncode, text)


class _Peak(threading.Thread):
    """Looks at the tree twice a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.largest, self.done = pid, 0, threading.Event()

    def run(self) -> None:
        while not self.done.wait(0.5):
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                continue
            self.largest = max(self.largest, sum(map(_private, tree)))


def _private(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().uss
    except (psutil.Error, OSError):
        return 0
