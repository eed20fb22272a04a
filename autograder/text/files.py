"""Files that are written whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_whole(path: Path, data: bytes, halves: Path | None = None) -> None:
    """Writes `path` in one step: who reads it sees the old file or the new one, never half of one.

    Args:
        path: its folder is made where it is missing.
        data: the content.
        halves: the folder, on the same disk, for what is unfinished; that of `path` without it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    halves = path.parent if halves is None else halves
    halves.mkdir(exist_ok=True)
    half = halves / f".{os.getpid()}-{secrets.token_hex(8)}"
    try:
        half.write_bytes(data)
        half.replace(path)
    finally:
        with contextlib.suppress(OSError):
            half.unlink(missing_ok=True)
