"""What a batch leaves in the file system: before and after, in the grader's own folders and in the shared ones."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path

SHARED = ("/tmp", "/var/tmp", "/dev/shm")
"""Folders where anybody may leave something; there only what an attack's name gives away counts."""

MARK = "cnnviz-red"
"""Every file and process that an attack leaves has this in its name."""


def state(folder: Path) -> dict[str, str]:
    """Path -> what is there: a digest, the target of a link, the kind."""
    return {str(path.relative_to(folder)): _what(path) for path in _walk(folder)}


def changes(before: dict[str, str], after: dict[str, str]) -> list[str]:
    """A line for each path that is new, gone or different."""
    new = [f"new: {path}" for path in after.keys() - before.keys()]
    gone = [f"gone: {path}" for path in before.keys() - after.keys()]
    other = [f"changed: {path}" for path in before.keys() & after.keys() if before[path] != after[path]]
    return sorted((*new, *gone, *other))


def marked(folders: Iterable[str | Path] = SHARED) -> list[Path]:
    """What attacks left in the shared folders."""
    found = []
    for folder in map(Path, folders):
        with contextlib.suppress(OSError):
            found += [path for path in folder.iterdir() if path.name.startswith(MARK)]
    return sorted(found)


def clear(paths: Iterable[Path]) -> None:
    """Removes what attacks left, so that the next one is not blamed for it."""
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            with contextlib.suppress(OSError):
                path.unlink()


def _walk(folder: Path) -> Iterator[Path]:
    for parent, folders, files in os.walk(folder):
        folders.sort()
        yield from (Path(parent) / name for name in (*folders, *files))


def _what(path: Path) -> str:
    with contextlib.suppress(OSError):
        if path.is_symlink():
            return f"link to {os.readlink(path)}"
        if path.is_file():
            return _digest(path)
        return "folder" if path.is_dir() else "special"
    return "unreadable"


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
