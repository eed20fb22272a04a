"""Which checks and libraries a verdict was made with, found out without importing any of them."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from autograder.course.locations import CODE, SOLUTIONS
from autograder.study.cache import digest

PACKAGES = ("autograder", "cnnviz", "cnnviz_ref")
APART = ("authoring", "batch", "cohort", "commands", "demo", "exports", "gallery", "nbgrader", "study",
         "templates")  # fmt: skip
"""Parts of `autograder` that no verdict depends on."""
LIBRARIES = ("torch", "torchvision", "numpy", "scikit-learn", "scikit-image")


@cache
def version() -> str:
    """A name for all that a verdict depends on besides the student's code."""
    libraries = [f"{name} {_version(name)}" for name in LIBRARIES]
    return digest(platform.python_version(), platform.machine(), *libraries, *map(_content, sorted(_files())))


def _files() -> Iterator[Path]:
    for package in PACKAGES:
        for path in (CODE / package).rglob("*"):
            within = path.relative_to(CODE / package).parts
            if path.is_file() and "__pycache__" not in within and not (package == "autograder" and within[0] in APART):
                yield path
    for kind in (".py", ".md"):  # where they are at hand: checks, known mistakes, parts that are lent
        yield from SOLUTIONS.rglob(f"*{kind}")


def _content(path: Path) -> str:
    """Code and lessons by their text; of other, larger files the size and the time."""
    name = path.relative_to(CODE).as_posix()
    if path.suffix in (".py", ".md"):
        return name + digest(path.read_bytes().replace(b"\r\n", b"\n"))
    found = path.stat()
    return f"{name} {found.st_size} {found.st_mtime_ns}"


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
