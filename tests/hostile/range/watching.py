"""Runs a command to its end or its time limit, and says which of its processes outlived it. Linux.

A process of its own does this: it adopts every orphan of the command, so that none can hide in another session.

    python -m tests.hostile.range.watching SECONDS REPORT FOLDER COMMAND...
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

GRACE = 5.0
"""Seconds in which a grader's own helpers may end after it."""

MOST = 500
"""Processes that may live at once where memory is watched."""

_SUBREAPER, _DEATH_SIGNAL = 36, 1


@dataclass(frozen=True)
class Ending:
    """What became of a command."""

    status: int | None
    """Its exit status, negative for a signal; None where it had to be stopped."""
    seconds: float
    left: tuple[str, ...] = ()
    """The command lines of processes that outlived it."""
    ate: bool = False
    """Whether it was killed because it took all memory there was."""


def follow(pid: int, *, seconds: float, memory: int | None = None, grace: float = GRACE) -> Ending:
    """Waits for a child of this process, which must have called `adopt_orphans` before.

    Args:
        pid: the child.
        seconds: its time limit.
        memory: bytes that it and its descendants may take; beyond that it is killed as a kernel out of memory would.
        grace: seconds in which its descendants may end by themselves.
    """
    started, status, ate = time.monotonic(), None, False
    while status is None and time.monotonic() < started + seconds:
        ended, code = os.waitpid(pid, os.WNOHANG)
        if ended:
            status = os.waitstatus_to_exitcode(code)
        elif memory and _eats(memory):
            ate = True
            os.kill(pid, signal.SIGKILL)
            time.sleep(0.1)
        else:
            time.sleep(0.02)
    took = time.monotonic() - started
    left = _lingering(grace) if status is not None else {}
    end_all()
    return Ending(status, took, tuple(sorted(left.values())), ate)


def adopt_orphans() -> None:
    """What loses its parent below this process becomes its child; it dies with its own parent."""
    _prctl(_SUBREAPER, 1)
    die_with_parent()


def die_with_parent() -> None:
    """No process is left to run on where the one that watches it was killed."""
    _prctl(_DEATH_SIGNAL, signal.SIGKILL)


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None).prctl(option, *(ctypes.c_ulong(v) for v in (value, 0, 0, 0)))


def descendants() -> list[int]:
    """Every living process below this one."""
    children: dict[int, list[int]] = {}
    for pid, parent in _parents():
        children.setdefault(parent, []).append(pid)
    found = list(children.get(os.getpid(), ()))
    for pid in found:  # grows while it is read
        found += children.get(pid, ())
    return found


def end_all() -> None:
    """Kills and reaps every descendant."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        for pid in descendants():
            try:
                os.kill(pid, signal.SIGKILL)
            except OSError:
                continue
        if not _reap():
            return
        time.sleep(0.01)


def _reap() -> bool:
    """Collects whoever has ended; whether this process still has children."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return False
    return True


def _lingering(grace: float) -> dict[int, str]:
    """Process id -> command line of what still lives after `grace` seconds."""
    deadline = time.monotonic() + grace
    while _reap() and (living := descendants()):
        if time.monotonic() > deadline:
            return {pid: _command_line(pid) for pid in living}
        time.sleep(0.02)
    return {}


def _parents() -> Iterator[tuple[int, int]]:
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            fields = Path(f"/proc/{name}/stat").read_text(errors="replace").rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            yield int(name), int(fields[1])


def _eats(memory: int) -> bool:
    living = descendants()
    return len(living) > MOST or sum(map(_resident, living)) > memory


def _resident(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, IndexError):
        return 0


def _command_line(pid: int) -> str:
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return f"process {pid}"
    return words.replace(b"\0", b" ").decode(errors="replace").strip()[:200] or f"process {pid}"


def main(seconds: str, report: str, folder: str, *command: str) -> None:
    """Follows one command in a folder and writes its `Ending` as JSON."""
    adopt_orphans()
    process = subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=die_with_parent
    )
    process.returncode = 0  # `follow` waits for it
    ending = follow(process.pid, seconds=float(seconds))
    Path(report).write_text(json.dumps(asdict(ending)), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
