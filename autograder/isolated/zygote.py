"""The warm process: forks one child per call, ends it and whatever it started. It never reads a byte of a request."""

from __future__ import annotations

import contextlib
import errno
import itertools
import json
import os
import secrets
import select
import signal
import socket
import stat
import time
import traceback
from collections.abc import Callable, Iterator, Sequence

from . import confine, large_pages
from .queueing import announce

MAX_DISK, MAX_FILES = 2**30, 2000
_PATIENCE, _DISK_EVERY = 30.0, 0.2


def serve(control: socket.socket, parent: int | None, writable: Sequence[str], call: Callable[..., None]) -> None:
    """Until the parent hangs up: one message with three descriptors starts a call, "end" ends it.

    Args:
        control: the parent's end of the conversation.
        parent: its process number, where that is known here.
        writable: folders that a call may have written in; they are empty before the parent hears of its end.
        call: what the child does with request, results and output.
    """
    confine.die_with(parent)
    confine.become_reaper()
    large_pages.enlarge()
    control.send(b"ready")
    child = _Child(control, call)
    while True:
        message, fds, _, _ = socket.recv_fds(control, 4096, 3)
        if not message:
            return
        if message == b"end":  # it crossed the news of a call that ended by itself
            continue
        child.begin(fds)
        announce(control, child.pid)
        folder = json.loads(message)["folder"]
        end = _wait(control, child.pid, folder)
        status = _sweep(child.pid)
        for place in writable:
            empty(place)
        if end == "hung up":
            return
        if end == "disk":
            status = -signal.SIGXFSZ
        control.send(json.dumps({"status": status}).encode())
        child = _Child(control, call)


class _Child:
    """A process for the next call, forked ahead of it: copying page tables takes longer than most calls."""

    def __init__(self, control: socket.socket, call: Callable[..., None]) -> None:
        self._here, there = socket.socketpair()
        zygote = os.getpid()
        self.pid = os.fork()
        if not self.pid:
            self._live(control, there, zygote, call)
        there.close()

    def begin(self, fds: list[int]) -> None:
        """Hand over the request's descriptors; a child that was killed while it waited is found out by `_wait`."""
        with contextlib.suppress(OSError):
            socket.send_fds(self._here, [b"begin"], fds)
        self._here.close()
        for fd in fds:
            os.close(fd)

    def _live(self, control: socket.socket, there: socket.socket, zygote: int, call: Callable[..., None]) -> None:
        fds: list[int] = []
        try:
            os.setsid()
            confine.die_with(zygote)
            control.close()
            self._here.close()
            fds = socket.recv_fds(there, 16, 3)[1]
            if fds:
                call(*fds)
        except BaseException:
            if fds:
                os.write(fds[2], traceback.format_exc().encode())
        finally:
            os._exit(70)


def _wait(control: socket.socket, pid: int, folder: str) -> str:
    """Until the child "ended", the parent "asked" for its end or "hung up", or its files fill the "disk"."""
    handle = os.pidfd_open(pid)
    try:
        while True:
            ready, _, _ = select.select([handle, control.fileno()], [], [], _DISK_EVERY)
            if control.fileno() in ready:
                return "asked" if control.recv(4096) else "hung up"
            if ready:
                return "ended"
            if _fills_disk(folder, _nameless(pid)):
                return "disk"
    finally:
        os.close(handle)


def _nameless(pid: int) -> int:
    """Bytes in files that the process has deleted and keeps open: no folder shows them."""
    sizes: dict[tuple[int, int], int] = {}
    with contextlib.suppress(OSError), os.scandir(f"/proc/{pid}/fd") as entries:
        for entry in entries:
            with contextlib.suppress(OSError):
                found = os.stat(entry.path)
                if stat.S_ISREG(found.st_mode) and not found.st_nlink:
                    sizes[found.st_dev, found.st_ino] = found.st_size
    return sum(sizes.values())


def _fills_disk(folder: str, size: int = 0) -> bool:
    """More files or bytes than any exercise needs; it stops at the limit, for the folder may grow while it is read."""
    count, waiting = 0, [folder]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    count += 1
                    size += entry.stat(follow_symlinks=False).st_size
                    if count > MAX_FILES or size > MAX_DISK:
                        return True
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError as error:  # gone again, or closed; but no name grows too long by accident
            if error.errno == errno.ENAMETOOLONG:
                return True
    return size > MAX_DISK


def _sweep(pid: int) -> int | None:
    """Kill and reap the call's processes, those that left its session included; the first child's exit status."""
    status, deadline = None, time.monotonic() + _PATIENCE
    try:
        os.killpg(pid, signal.SIGKILL)
    except ProcessLookupError:
        os.kill(pid, signal.SIGKILL)
    while time.monotonic() < deadline:
        try:
            ended, code = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return status
        if ended == pid:
            status = os.waitstatus_to_exitcode(code)
        elif not ended:
            if status is not None:
                _kill_children()
            time.sleep(0.0005)
    os._exit(1)  # something cannot be killed: the parent starts a clean process


def _kill_children() -> None:
    """Adopted orphans are children of this process, whatever session they are in."""
    me = os.getpid()
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{name}/stat") as file:
                if int(file.read().rpartition(")")[2].split()[1]) == me:
                    os.kill(int(name), signal.SIGKILL)
        except (OSError, ValueError):
            continue


def remove(folder: str) -> None:
    """The folder and all in it."""
    empty(folder)
    with contextlib.suppress(OSError):
        os.rmdir(folder)


def empty(folder: str) -> None:
    """Remove all in it, also what was made unreadable or is nested too deep for any path or recursion."""
    names = (f".{secrets.token_hex(8)}" for _ in itertools.count())  # none that the folder's owner could have taken
    with contextlib.suppress(OSError):
        os.chmod(folder, 0o700)
        while found := os.listdir(folder):
            for name in found:
                _dissolve(os.path.join(folder, name), folder, names)


def _dissolve(path: str, top: str, names: Iterator[str]) -> None:
    """Remove a file, or a directory after moving its directories to the top, so that no path ever grows."""
    if os.path.islink(path) or not os.path.isdir(path):
        os.unlink(path)
        return
    os.chmod(path, 0o700)
    with os.scandir(path) as entries:
        inside = [(entry.path, entry.is_dir(follow_symlinks=False)) for entry in entries]
    for inner, is_folder in inside:
        if is_folder:
            os.chmod(inner, 0o700)
            os.rename(inner, os.path.join(top, next(names)))
        else:
            os.unlink(inner)
    os.rmdir(path)
