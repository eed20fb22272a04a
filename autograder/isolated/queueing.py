"""How long a call stood in the queue for a processor: a busy machine's fault, which the student does not pay for.

Linux counts it for each thread in /proc/PID/schedstat: nanoseconds on a processor, nanoseconds in the queue, slices.
The warm process opens the file, because only it knows the call's process number, and the descriptor travels.
"""

from __future__ import annotations

import contextlib
import os
import socket
import threading

NOTICE = b"queueing"


def announce(control: socket.socket, pid: int) -> None:
    """Send the file of the process's first thread; nothing where the kernel does not keep it."""
    with contextlib.suppress(OSError):
        fd = os.open(f"/proc/{pid}/schedstat", os.O_RDONLY | os.O_CLOEXEC)
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
        """Spent in the queue so far; 0 where nobody can say."""
        try:
            with self._lock:
                return 0.0 if self._fd is None else int(os.pread(self._fd, 128, 0).split()[1]) / 1e9
        except (OSError, ValueError, IndexError):  # the process has ended
            return 0.0
