"""One command and all that it starts: wall clock, CPU seconds, and the memory that nobody else shares."""

from __future__ import annotations

import contextlib
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
    """User and system seconds of the command and all that it started.

    The larger of two lower bounds: what the system counted for what was waited for (it leaves
    out what ends with its sandbox), and what was seen while it ran, twice a second.
    """
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
    cpu = max(usage.ru_utime + usage.ru_stime, peak.cpu)
    return Cost(seconds, cpu, peak.largest / 2**20, process.returncode, text)


class _Peak(threading.Thread):
    """Looks at the tree twice a second."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self.pid, self.largest, self.done = pid, 0, threading.Event()
        self._seen: dict[int, float] = {}

    @property
    def cpu(self) -> float:
        """Seconds of all that were seen."""
        return sum(self._seen.values())

    def run(self) -> None:
        while not self.done.wait(0.5):
            try:
                root = psutil.Process(self.pid)
                tree = [root, *root.children(recursive=True)]
            except psutil.Error:
                continue
            self.largest = max(self.largest, sum(map(_private, tree)))
            self._count(tree)

    def _count(self, tree: list[psutil.Process]) -> None:
        """A warm process stands for its calls too: they are too short to be seen, and it waits for each."""
        warm = {process.pid for process in tree if _is_warm(process)}
        for process in tree:
            with contextlib.suppress(psutil.Error):
                times = process.cpu_times()
                calls = times.children_user + times.children_system if process.pid in warm else 0.0
                if process.ppid() not in warm:
                    self._seen[process.pid] = times.user + times.system + calls


def _is_warm(process: psutil.Process) -> bool:
    try:
        return any(part.endswith("isolated/child.py") for part in process.cmdline()) and process.name() != "bwrap"
    except psutil.Error:
        return False


def _private(process: psutil.Process) -> int:
    try:
        return process.memory_full_info().uss
    except (psutil.Error, OSError):
        return 0
