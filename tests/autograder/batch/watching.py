"""What a piece of code opens, writes and starts: Python's own audit events, noted while it runs."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_CHANGES = ("os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.link", "os.symlink", "os.chmod", "os.chown",
            "os.truncate", "os.utime", "os.system", "os.exec", "os.fork", "os.forkpty", "os.posix_spawn",
            "subprocess.Popen", "exec", "socket.connect", "socket.bind", "ctypes.dlopen",
            "pickle.find_class")  # fmt: skip
_seen: list[tuple[str, str]] | None = None
_hooked = False


def _hook(event: str, arguments: tuple) -> None:
    if _seen is None:
        return
    if event == "open":
        path, mode, flags = arguments
        writes = flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC) or set(mode or "") & set("wax+")
        _seen.append(("write" if writes else "read", "" if isinstance(path, int) else os.fsdecode(path)))
    elif event in _CHANGES:
        _seen.append((event, str(arguments)[:300]))


@contextmanager
def watched() -> Iterator[list[tuple[str, str]]]:
    """The events, as they come: ("read", path), ("write", path), or a change's own name."""
    global _seen, _hooked
    if not _hooked:
        sys.addaudithook(_hook)
        _hooked = True
    _seen = []
    try:
        yield _seen
    finally:
        _seen = None


def outside(events: list[tuple[str, str]], *allowed: Path) -> list[tuple[str, str]]:
    """The events that are more than reading in these folders, or the interpreter's loading its own modules."""
    roots = [os.path.realpath(folder) for folder in (*allowed, sys.base_prefix)]
    own = f'file "{sys.base_prefix}'
    return [
        (event, text)
        for event, text in events
        if not (event == "read" and (not text or _within(text, roots))) and not (event == "exec" and own in text)
    ]


def _within(path: str, roots: list[str]) -> bool:
    real = os.path.realpath(path)
    return any(real == root or real.startswith(root + os.sep) for root in roots)
