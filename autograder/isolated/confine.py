"""What the child gives up before it runs student code: files, rights, memory, time, processes."""

from __future__ import annotations

import contextlib
import ctypes
import os
import secrets
import signal
import struct
import sys
from collections.abc import Sequence
from typing import Any

from . import landlock, seccomp

LINUX = sys.platform.startswith("linux")
NO_NEW_PRIVS = 38
_PDEATHSIG, _SUBREAPER, _DUMPABLE = 1, 36, 4
_FILES, _FILE_BYTES = 256, 256 * 2**20


def prctl(option: int, value: int) -> None:
    """One setting of this process; refused settings are left as they are."""
    landlock.libc().prctl(option, *(ctypes.c_ulong(v) for v in (value, 0, 0, 0)))


def become_reaper() -> None:
    """Orphans of this process's descendants become its children, so that it can end them."""
    prctl(_SUBREAPER, 1)


def close_memory(closed: bool) -> None:
    """Whether other processes of the same user are kept from reading and writing this one's memory."""
    if LINUX:
        prctl(_DUMPABLE, int(not closed))


def die_with(parent: int | None) -> None:
    """End with the parent, and at once if it is gone already; its number may be unknown."""
    if LINUX:
        prctl(_PDEATHSIG, signal.SIGKILL)
    if parent is not None and os.getppid() != parent:
        os._exit(1)


def die_first() -> None:
    """Where the machine's memory runs out the kernel kills this process before any other: never the grader."""
    with contextlib.suppress(OSError), open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")


def hide(fd: int) -> int:
    """The same channel under a number that cannot be known beforehand; every other descriptor above 2 is closed."""
    if os.name == "nt":
        return os.dup(fd)
    import fcntl

    hidden = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 3 + secrets.randbelow(_FILES - 56))
    os.closerange(3, hidden)
    os.closerange(hidden + 1, 4096)
    return hidden


def limit(*, seconds: float, memory_mb: int, device: str) -> None:
    """Resource limits; wall-clock time is the parent's business, CPU time here only a second net."""
    if os.name == "nt":
        return
    import resource

    cpu = int(seconds * (4 if device == "cpu" else 64)) + 10
    wanted = {"CORE": 0, "NOFILE": _FILES, "FSIZE": _FILE_BYTES, "CPU": cpu}
    if LINUX and device == "cpu":
        wanted["AS"] = address_space() + memory_mb * 2**20
    for name, value in wanted.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))


def address_space() -> int:
    """Bytes of address space that this process has now."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")


def sandbox(folder: str, readable: dict[str, Any], *, device: str, layers: Sequence[str]) -> str:
    """Those of the layers "landlock" and "seccomp" that the kernel has; what was reached, joined by "+"."""
    if not LINUX:
        return "rlimits"
    prctl(NO_NEW_PRIVS, 1)
    _drop_capabilities()
    reached = []
    if "landlock" in layers and landlock.restrict(_rules(folder, readable, device)):
        reached.append("landlock")
    if "seccomp" in layers and seccomp.restrict(drivers=device != "cpu"):
        reached.append("seccomp")
    return "+".join([*reached, "rlimits"])


def _rules(folder: str, readable: dict[str, Any], device: str) -> list[tuple[str, int]]:
    rules = [(path, landlock.READ) for path in (*readable["trees"], f"/proc/{os.getpid()}")]
    rules += [(path, landlock.LIST) for path in readable["folders"]]
    rules += [(folder, landlock.WRITE), ("/dev/null", landlock.DEVICE)]
    if device != "cpu":
        rules += [(path, landlock.READ) for path in readable["device_trees"]]
        rules += [(f"/dev/{name}", landlock.DEVICE) for name in os.listdir("/dev") if name.startswith("nvidia")]
        rules += [("/dev/dri", landlock.DEVICE), ("/dev/shm", landlock.WRITE)]
    return rules


def _drop_capabilities() -> None:
    """Root without its privileges; for anyone else there is nothing to drop."""
    head, nothing = struct.pack("=Ii", 0x20080522, 0), bytes(24)
    landlock.libc().capset(ctypes.c_char_p(head), ctypes.c_char_p(nothing))
