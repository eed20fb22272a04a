"""Runs a command that is killed again and again, and started again, until it is done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from .courses import environment

PATIENCE = 20.0
"""Seconds in which whatever a killed grader had started must be gone."""


@dataclass
class Ordeal:
    """What a command went through."""

    kills: int = 0
    runs: int = 0
    seconds: float = 0.0
    status: int | None = None
    left: int = 0
    """Processes that outlived a killed grader by more than `PATIENCE` seconds."""
    said: str = ""


def endured(command: Sequence[str], folder: Path, results: Path, *, kills: int, expected: int, seed: int) -> Ordeal:
    """SIGKILLs the command's main process at random moments and starts the same command again, to the end.

    Args:
        command: what is run in `folder`.
        folder: its working directory.
        results: the folder whose files show how far it is.
        kills: how often; spread at random over the work, the first of them during the start.
        expected: how many result files there will be.
        seed: of the moments.
    """
    draw, ordeal = random.Random(seed), Ordeal()
    moments = [0, *sorted(draw.sample(range(1, max(expected, kills + 1)), max(kills - 1, 0)))][:kills]
    start = time.monotonic()
    while ordeal.status is None:
        ordeal.runs += 1
        with (folder / "said.txt").open("wb") as said:
            process = subprocess.Popen(
                command, cwd=folder, env=environment(), stdin=subprocess.DEVNULL, stdout=said, stderr=subprocess.STDOUT
            )
            if moments and _reached(process, results, moments[0], draw.uniform(0, 0.5)):
                ordeal.left += _killed(process)
                ordeal.kills += 1
                moments = moments[1:]  # one that is past already hits the next start
            else:
                ordeal.status = process.wait()
    ordeal.seconds = time.monotonic() - start
    ordeal.said = (folder / "said.txt").read_text(encoding="utf-8", errors="replace")[-3000:]
    return ordeal


def _reached(process: subprocess.Popen, results: Path, moment: int, more: float) -> bool:
    """Waits until so many results are there, and `more` seconds; False where the command ended before."""
    while process.poll() is None and _files(results) < moment:
        time.sleep(0.25)  # a look at thousands of files is work, too
    time.sleep(more if process.poll() is None else 0)
    return process.poll() is None


def _files(results: Path) -> int:
    return sum(len(files) for _, _, files in os.walk(results / "results"))


def _killed(process: subprocess.Popen) -> int:
    """Kills the main process alone; how many of those that it had started are still there after a while."""
    try:
        started = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        started = []
    process.send_signal(signal.SIGKILL)
    process.wait()
    _, alive = psutil.wait_procs(started, timeout=PATIENCE)
    return sum(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in alive)
