"""A program in a terminal of its own: what it shows, keys that are really pressed, what it leaves behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import termios
import threading
import time
from pathlib import Path

_ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]")


class Terminal:
    """Runs a command with a terminal for its input and output; a context manager."""

    def __init__(self, command, *, columns=80, **environment):
        self._ours, self._theirs = pty.openpty()
        fcntl.ioctl(self._theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.before = termios.tcgetattr(self._theirs)
        env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LINES", "NO_COLOR")}
        streams = dict.fromkeys(("stdin", "stdout", "stderr"), self._theirs)
        self.process = subprocess.Popen(
            command, **streams, start_new_session=True, env=env | {"TERM": "xterm-256color"} | environment
        )
        self._read = bytearray()
        threading.Thread(target=self._follow, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for end in (self._theirs, self._ours):
            with contextlib.suppress(OSError):
                os.close(end)

    @property
    def text(self) -> str:
        """All that was shown, without escapes."""
        return _ESCAPE.sub("", self.raw).replace("\r\n", "\n")

    @property
    def raw(self) -> str:
        return bytes(self._read).decode("utf-8", "replace")

    @property
    def after(self):
        """The terminal's settings now."""
        return termios.tcgetattr(self._theirs)

    def press(self, keys: str) -> int:
        """Presses keys; returns how much was shown before."""
        shown = len(self.text)
        os.write(self._ours, keys.encode())
        return shown

    def wait_for(self, words: str, *, since: int = 0, seconds: float = 60) -> str:
        """All that was shown since then, as soon as these words are among it."""
        end = time.monotonic() + seconds
        while words not in " ".join(self.text[since:].split()):
            assert time.monotonic() < end, f"{words!r} did not appear; there was:\n{self.text[since:]}"
            assert self.process.poll() is None, f"it ended; there was:\n{self.text[since:]}"
            time.sleep(0.02)
        return self.text[since:]

    def descendants(self) -> set[int]:
        """Ids of all processes that it has started and that are there."""
        parents = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                parents[int(stat.parent.name)] = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        found, new = set(), {self.process.pid}
        while new:
            new = {pid for pid, parent in parents.items() if parent in new} - found
            found |= new
        return found

    def _follow(self):
        with contextlib.suppress(OSError):
            while data := os.read(self._ours, 4096):
                self._read += data


def alive(pids) -> set[int]:
    """Those of the processes that still run."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z":
                found.add(pid)
    return found
