"""How long a call stood in the queue for a processor: a busy machine's fault, which the student does not pay for.

Linux counts it for each thread in /proc/PID/schedstat: nanoseconds on a processor, nanoseconds in the queue, slices.
What the call's other threads computed meanwhile (/proc/PID/stat counts all) explains as much of it and is not pardoned,
nor is anything while the call has processes of its own. The warm process opens the folder, because only it knows the
call's process number, and the descriptor travels.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading

NOTICE = b"queueing"


def announce(control: socket.socket, pid: int) -> None:
    """Send what the kernel keeps of the process; nothing where it keeps nothing."""
    with contextlib.suppress(OSError):
        fd = os.open(f"/proc/{pid}", os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY)
        try:
            socket.send_fds(control, [NOTICE], [fd])
        finally:
            os.close(fd)


class Queue:
    """The trusted side's end; no time at all until the descriptor has come."""

    def __init__(self) -> None:
        self._fd: int | None = None
        self._lock = threading.Lock()

    def open(self, fd: int) -> None:
        """From now on read here."""
        with self._lock:
            self._fd = fd

    def close(self) -> None:
        """The call has ended."""
        with self._lock:
            fd, self._fd = self._fd, None
            if fd is not None:
                os.close(fd)

    def seconds(self) -> float:
        """Spent in the queue so far because of other programs; 0 where nobody can say."""
        try:
            with self._lock:
                return 0.0 if self._fd is None else others_fault(self._fd)
        except (OSError, ValueError, IndexError):  # the process has ended
            return 0.0


def others_fault(process: int) -> float:
    """Seconds in the queue of a process's first thread, less those that its other threads computed.

    Args:
        process: its folder in /proc, opened.
    """
    threads = os.open("task", os.O_RDONLY | os.O_DIRECTORY, dir_fd=process)
    try:
        if any(_read(threads, f"{name}/children") for name in os.listdir(threads)):
            return 0.0
    finally:
        os.close(threads)
    computed, queued = (int(field) / 1e9 for field in _read(process, "schedstat").split()[:2])
    user, system = _read(process, "stat").rpartition(b")")[2].split()[11:13]
    everything = (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")
    return max(0.0, queued - max(0.0, everything - computed))


def _read(folder: int, name: str) -> bytes:
    fd = os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)
    try:
        return os.pread(fd, 4096, 0)
    finally:
        os.close(fd)
