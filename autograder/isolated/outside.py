"""Side effects seen from outside: the warm process reads a call's inputs in its child's memory, before and after.

Before: when the child has unpacked them and no student code is loaded. After: when it has said its last word, and is
stopped. Nothing in the child can forge what is read, or keep it from being read; putting everything back in
time is what was asked for.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import struct
import sys
import time
from collections.abc import Collection, Sequence
from typing import Any

from torch import nn

from .effects import Fingerprint, differences
from .memory import Memory
from .objects import Objects
from .offsets import Offsets
from .outlines import Outlines

_PATIENCE = 5.0
_MOST = 2**17
"""Bytes of addresses: many more calls than any exercise makes."""
_SEEN, _UNSEEN = b"seen", b"unseen"


def shown(channel: socket.socket, inputs: Sequence[Any]) -> bool:
    """In the child: name the inputs of each call to the warm process; whether it could look at them."""
    for value in inputs:
        _settle(value)
    channel.send(struct.pack(f"<{len(inputs)}Q", *map(id, inputs)))
    return channel.recv(16) == _SEEN


def _settle(value: Any) -> None:
    """Every module keeps its attributes in an ordinary dictionary, not in a form of Python's own for many alike."""
    if isinstance(value, nn.Module):
        for module in value.modules():
            module.__dict__ = {sys.intern(name): part for name, part in vars(module).items()}
    elif isinstance(value, dict):
        _settle(list(value.values()))
    elif isinstance(value, list | tuple):
        for item in value:
            _settle(item)


class Sight:
    """What the warm process sees of one child.

    Args:
        pid: the child's number.
        offsets: where things are in its memory.
    """

    def __init__(self, pid: int, offsets: Offsets) -> None:
        self._pid, self._offsets = pid, offsets
        self._file: int | None = None
        self._addresses: tuple[int, ...] = ()
        self._before: list[Fingerprint] = []
        self._read = 0

    def begin(self, channel: socket.socket) -> bool:
        """The first look, at what the child names; the child goes on when it has the answer. Whether it succeeded."""
        named = channel.recv(_MOST)
        if not named:
            return False
        try:
            self._addresses = struct.unpack(f"<{len(named) // 8}Q", named)
            self._file = os.open(f"/proc/{self._pid}/mem", os.O_RDONLY)
            self._before = self._look()
        except Exception:  # of a kind of input that is not known here
            self.close()
        channel.send(_UNSEEN if self._file is None else _SEEN)
        return self._file is not None

    def changes(self) -> list[set[str]] | None:
        """For each call what is no longer as it was; None where the child has ended or would not stand still."""
        if self._file is None or not _stopped(self._pid):
            return None
        try:
            after = self._look(4 * self._read + 2**24, {key for call in self._before for key in call})
        except Exception:
            return [{"parameters"}] * len(self._addresses) if _there(self._pid) else None
        *calls, for_all = map(differences, self._before, after)
        self._before = after
        return [call | for_all for call in calls]

    def close(self) -> None:
        """Forget the child."""
        if self._file is not None:
            os.close(self._file)
        self._file = None

    def _look(self, limit: int = 2**60, known: Collection[tuple[str, str]] | None = None) -> list[Fingerprint]:
        assert self._file is not None
        memory = Memory(self._file, limit)
        outlines = Outlines(Objects(memory, self._offsets), known)
        found = [outlines.of_inputs(address) for address in self._addresses]
        found.append(outlines.of_hooks_for_all())
        self._read = memory.used
        return found


def _stopped(pid: int) -> bool:
    """Stop all its threads; False where it has ended, or does not stop."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        found = os.waitid(os.P_PID, pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT | os.WNOHANG)
        if found is not None:
            return found.si_code == os.CLD_STOPPED
        time.sleep(0.0002)
    return False


def _there(pid: int) -> bool:
    found = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT | os.WNOHANG)
    return found is None
