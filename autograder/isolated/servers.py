"""How a call's process comes to be: forked from a warm process (Linux), or started ahead of its call (anywhere)."""

from __future__ import annotations

import contextlib
import io
import json
import os
import pickle
import queue
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, BinaryIO

from . import layout, temporary
from .queueing import NOTICE, Queue
from .rungs import Rung
from .zygote import remove

_CHILD = str(Path(__file__).with_name("child.py"))
_WARM_UP, _MESSAGE = 120.0, 4096
AHEAD = 2
"""Processes that wait for a call where none can be forked: an exercise takes two, for visible and hidden inputs."""


class RunnerError(RuntimeError):
    """The isolated process itself did not work: the grader's fault, never the student's."""


@dataclass(frozen=True)
class Ended:
    """What became of a call's process."""

    status: int | None
    """Its exit status, negative for a signal."""


@dataclass(frozen=True)
class Running:
    """A call under way."""

    results: BinaryIO
    output: BinaryIO
    end: Callable[[], None]
    """Kill it and all it started; harmless when it has ended."""
    abandon: Callable[[], None]
    """Kill the server as well: it does not answer any more."""
    wait: Callable[[], Ended | None]
    """Until it has ended and its folder is gone; None when the server died."""
    queued: Callable[[], float]
    """Seconds that it has stood in the queue for a processor; 0 where nobody can say."""


def _prepared(rung: Rung) -> Path:
    return layout.prepare(layers=rung.layers, own_pids=rung.own_pids)


def _command(mode: str, root: Path, rung: Rung) -> list[str]:
    argv = [sys.executable, "-I", "-S", "-B", _CHILD, mode, str(root / "config.json")]
    return rung.command(argv, root, layout.readable(root))


def _started(command: list[str], **options: Any) -> subprocess.Popen[bytes]:
    """A process whose parent thread waits for its end: to the kernel, "dies with its parent" means that very thread."""
    begun: queue.SimpleQueue[subprocess.Popen[bytes] | OSError] = queue.SimpleQueue()

    def keep() -> None:
        try:
            process = subprocess.Popen(command, **options)
        except OSError as error:
            begun.put(error)
            return
        begun.put(process)
        process.wait()

    threading.Thread(target=keep, daemon=True).start()
    found = begun.get()
    if isinstance(found, OSError):
        raise found
    return found


def _parcel(request: dict[str, Any]) -> IO[bytes]:
    """The request as an unnamed file, so that nobody waits for anybody to read it."""
    file = tempfile.TemporaryFile()  # noqa: SIM115 - the caller closes it
    pickle.dump(request, file, protocol=5)
    file.flush()
    file.seek(0)
    return file


class Server(ABC):
    """Starts a process for each call, on a rung."""

    def __init__(self, rung: Rung) -> None:
        self._rung = rung
        self._root: Path | None = None

    @abstractmethod
    def start(self, request: dict[str, Any]) -> Running:
        """A process that makes the call."""

    @abstractmethod
    def warm(self) -> None:
        """Begin what the next call would have to wait for, unless it is there."""

    @abstractmethod
    def close(self) -> None:
        """End what waits for calls and remove the folder."""

    def _folder(self) -> str:
        """The call's own folder, beside what is warm; on the last rung an earlier call may have removed all."""
        for _ in range(2):
            self.warm()
            assert self._root is not None
            with contextlib.suppress(FileNotFoundError, PermissionError, NotADirectoryError):
                return tempfile.mkdtemp(prefix="call-", dir=self._root / "calls")
            self.close()
        raise RunnerError("no folder could be made for the call: the temporary folder is not writable")


class ForkServer(Server):
    """A warm process that forks one child per call."""

    def __init__(self, rung: Rung) -> None:
        super().__init__(rung)
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket.socket | None = None
        self._queue = Queue()

    def start(self, request: dict[str, Any]) -> Running:
        """Fork a child for the request; the warm process is started first where there is none."""
        folder = self._folder()
        assert self._control is not None
        results, results_in = os.pipe()
        output, output_in = os.pipe()
        running = Running(_reader(results), _reader(output), self._end, self._abandon, self._wait, self._queue.seconds)
        with _parcel({**request, "folder": folder}) as parcel:
            try:
                message = json.dumps({"folder": folder}).encode()
                socket.send_fds(self._control, [message], [parcel.fileno(), results_in, output_in])
            except OSError:
                self.close()
            finally:
                os.close(results_in)
                os.close(output_in)
        return running

    def close(self) -> None:
        """End the warm process and remove its folder."""
        if self._control is not None:
            self._control.close()
        if self._process is not None:
            try:
                self._process.wait(5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._root is not None:
            temporary.release(self._root)
        self._root = self._process = self._control = None

    def warm(self) -> None:
        """Start the warm process."""
        if self._control is not None:
            return
        self._root = _prepared(self._rung)
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, tempfile.TemporaryFile() as complaint:
            self._process = _started(
                _command("fork", self._root, self._rung),
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=complaint,
                cwd=self._root,
                env=layout.environment(self._root),
                start_new_session=True,
            )
            theirs.close()
            if self._answer(_WARM_UP) != b"ready":
                self._process.kill()
                self._process.wait()
                complaint.seek(0)
                said = complaint.read()[-2000:].decode("utf-8", "replace")
                self.close()
                raise RunnerError(f"the isolated process did not start within {_WARM_UP:.0f} s; it said: {said}")

    def _answer(self, timeout: float | None) -> bytes:
        """The warm process's next message; nothing when it is dead or late."""
        if self._control is None:
            return b""
        self._control.settimeout(timeout)
        try:
            message, fds, _, _ = socket.recv_fds(self._control, _MESSAGE, 1)
        except OSError:
            return b""
        for fd in fds:
            self._queue.open(fd)
        return message

    def _end(self) -> None:
        if self._control is not None:
            with contextlib.suppress(OSError):
                self._control.send(b"end")

    def _abandon(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _wait(self) -> Ended | None:
        answer = self._answer(None)
        if answer == NOTICE:
            answer = self._answer(None)
        self._queue.close()
        if not answer:
            self.close()
            return None
        return Ended(json.loads(answer)["status"])


class SpawnServer(Server):
    """A new process per call, the same everywhere. Importing torch takes seconds, so the next ones are started ahead.

    Each waits, with nothing of any call, until its request comes; it makes that one call, and its place is taken at
    once by another.
    """

    def __init__(self, rung: Rung) -> None:
        super().__init__(rung)
        self._ahead: deque[subprocess.Popen[bytes]] = deque()

    def start(self, request: dict[str, Any]) -> Running:
        """A process whose stdin is the request, whose stdout carries frames, whose stderr what it prints."""
        folder = self._folder()
        process = self._ahead.popleft()
        threading.Thread(target=_hand_over, args=(process, {**request, "folder": folder}), daemon=True).start()
        self.warm()

        def wait() -> Ended:
            status = self._rung.exit_status(process.wait())
            _kill_group(process)
            remove(folder)
            return Ended(status)

        def end() -> None:
            _kill_group(process)

        return Running(process.stdout, process.stderr, end, end, wait, lambda: 0.0)  # type: ignore[arg-type]

    def warm(self) -> None:
        """Start as many processes as are to wait; one that was killed while it waited is replaced."""
        self._root = self._root or _prepared(self._rung)
        for process in [process for process in self._ahead if process.poll() is not None]:
            self._ahead.remove(process)
            _discard(process)
        while len(self._ahead) < AHEAD:
            self._ahead.append(self._begun(self._root))

    def _begun(self, root: Path) -> subprocess.Popen[bytes]:
        return _started(
            _command("spawn", root, self._rung),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd=root,
            env=layout.environment(root),
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),  # Windows: Ctrl-C is none of its business
        )

    def close(self) -> None:
        """End what waits and remove the folder."""
        while self._ahead:
            _discard(self._ahead.popleft())
        if self._root is not None:
            temporary.release(self._root)
        self._root = None


def _hand_over(process: subprocess.Popen[bytes], request: dict[str, Any]) -> None:
    """Give a waiting process its request; one that ends meanwhile is noticed by who waits for it."""
    assert process.stdin is not None
    with contextlib.suppress(OSError), io.BufferedWriter(process.stdin) as given:  # type: ignore[type-var]
        pickle.dump(request, given, protocol=5)


def _discard(process: subprocess.Popen[bytes]) -> None:
    """End a process that no call was made in."""
    _kill_group(process)
    process.wait()
    for stream in (process.stdin, process.stdout, process.stderr):
        assert stream is not None
        stream.close()


def _reader(fd: int) -> BinaryIO:
    return open(fd, "rb", 0)  # type: ignore[return-value]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    if os.name == "nt":
        process.kill()
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
