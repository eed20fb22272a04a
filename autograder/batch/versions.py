"""Which checks and which libraries a verdict was made with."""

from __future__ import annotations

import ast
import hashlib
import importlib.metadata
import platform
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from autograder import registry

ROOT = Path(__file__).parents[2]
PACKAGES = ("autograder", "cnnviz", "cnnviz_ref")
LIBRARIES = ("torch", "numpy", "cnnviz")


@cache
def checks_version(lesson: str) -> str:
    """A hash of every file that a verdict of this lesson depends on: its checks, what they import, the judge."""
    found = registry.lesson(lesson)
    files = set(_closure((f"autograder.exercises.{found.name}", "autograder.grade", "autograder.isolated.calling")))
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


def _closure(modules: tuple[str, ...]) -> Iterator[Path]:
    """The files of these modules and of all of ours that they import, directly or not."""
    waiting, seen = list(modules), set()
    while waiting:
        path = _file(waiting.pop())
        if path is None or path in seen:
            continue
        seen.add(path)
        waiting += _imported(path)
        yield path


@cache
def _imported(path: Path) -> tuple[str, ...]:
    """Names of ours that a file imports; of `from a import b` both `a` and `a.b`, for either may be the file."""
    package = path.relative_to(ROOT).parent.parts
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.split(".")[0] in PACKAGES)


def _file(module: str) -> Path | None:
    path = ROOT.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)
