"""Which checks and which libraries a verdict was made with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from autograder import registry
from autograder.sources import closure

ROOT = Path(__file__).parents[2]
LIBRARIES = ("torch", "numpy", "cnnviz")


@cache
def checks_version(lesson: str) -> str:
    """A hash of every file that a verdict of this lesson depends on: its checks, what they import, the judge."""
    found = registry.lesson(lesson)
    needed = (f"autograder.exercises.{found.name}", "autograder.grade", "autograder.isolated.calling")
    files = set(closure(needed, ROOT))
    files |= set(ROOT.glob(f"solutions/{found.id}/{found.name}.py"))  # parts that are lent
    digest = hashlib.sha256()
    for path in sorted(files):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + hashlib.sha256(text).digest())
    return digest.hexdigest()


@cache
def libraries() -> dict[str, str]:
    """Versions that a value may depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
