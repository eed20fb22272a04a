"""Which checks and which libraries a verdict was made with."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from autograder.course import registry
from autograder.course.locations import CODE, SOLUTIONS
from autograder.course.records import Lesson
from autograder.course.sources import closure, imported

LIBRARIES = ("torch", "numpy", "cnnviz")


@cache
def checks_version(lesson: str) -> str:
    """A hash of every file that a verdict of this lesson depends on: its checks, what they import, the judge."""
    found = registry.lesson(lesson)
    digest = hashlib.sha256()
    for path in sorted(_files(found)):
        text = path.read_bytes().replace(b"\r\n", b"\n")
        digest.update(path.relative_to(CODE).as_posix().encode() + b"\0" + hashlib.sha256(text).digest())
    return digest.hexdigest()


def _files(lesson: Lesson) -> set[Path]:
    """What the lesson's author wrote, and the code that it and the judge run."""
    folder, shared = SOLUTIONS / lesson.id, SOLUTIONS / "mistakes.md"
    own = {path for name in (f"{lesson.name}.md", "mistakes.md", "cases.py") if (path := folder / name).is_file()}
    imports = [name for path in own if path.suffix == ".py" for name in imported(path, CODE)]
    judge = ("autograder.core.grade", "autograder.isolated.calling")
    return {*own, shared, *closure((*judge, *imports), CODE)}


@cache
def libraries() -> dict[str, str]:
    """Versions that a value may depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
