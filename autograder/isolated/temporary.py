"""Temporary folders of ours: each is locked by the process that made it, and swept away where that process was killed.

The folder for temporary files belongs to everybody, so what lies there under one of our names may be a stranger's.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import time
from pathlib import Path
from typing import IO

from .zygote import remove

WINDOWS = os.name == "nt"
"""There nothing is locked, for what is open cannot be removed."""
PREFIX, YOUNG = "cnnviz-run-", 60.0
"""How the names begin; seconds in which a process that made a folder may still be about to lock it."""
_LOCK = "lock"
_held: dict[Path, IO[bytes]] = {}


def make() -> Path:
    """A folder that is this user's alone and holds nothing but its lock."""
    root = Path(os.path.realpath(tempfile.mkdtemp(prefix=PREFIX)))
    _held[root] = open(root / _LOCK, "wb")  # noqa: SIM115 - it is closed when the folder is released
    _locked(_held[root].fileno())
    return root


def release(root: Path) -> None:
    """Removes a folder that `make` made."""
    lock = _held.pop(root, None)
    if lock is not None and WINDOWS:
        lock.close()
    remove(str(root))
    if lock is not None:
        lock.close()


def sweep() -> None:
    """Removes what killed processes of this user left: real folders, unlocked; a folder without a lock stays."""
    for folder in Path(os.path.realpath(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError):
            if _abandoned(folder):
                remove(str(folder))


def _abandoned(folder: Path) -> bool:
    if WINDOWS:
        if time.time() - folder.stat().st_mtime < YOUNG:
            return False
        (folder / _LOCK).unlink()  # an error where the process that opened it is there
        return True
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        found = os.fstat(handle)
        if found.st_uid != os.getuid() or time.time() - found.st_mtime < YOUNG:
            return False
        lock = os.open(_LOCK, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=handle)
        try:
            return _locked(lock)
        finally:
            os.close(lock)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    """Whether this process holds the lock now: the kernel lets go of it when a process is killed."""
    if WINDOWS:
        return False
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True
