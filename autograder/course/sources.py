"""Which of our files a module needs, read from their import statements; nothing is imported."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path

PACKAGES = ("autograder", "cnnviz", "cnnviz_ref")


def closure(
    modules: Collection[str], root: Path, *, without: Collection[str] = (), parents: bool = False
) -> Iterator[Path]:
    """The files of these modules and of all of ours that they import, directly or not, at any depth of their code.

    Args:
        modules: dotted names.
        root: the folder that holds the packages.
        without: modules and packages that are not followed.
        parents: also the packages that a module lies in, and what these import: what Python runs on its way there.
    """
    waiting, seen = list(modules), set()
    while waiting:
        name = waiting.pop()
        path = _file(name, root)
        if parents and "." in name:
            waiting.append(name.rpartition(".")[0])
        if path is None or path in seen or any(f"{name}.".startswith(f"{left}.") for left in without):
            continue
        seen.add(path)
        waiting += imported(path, root)
        yield path


@cache
def imported(path: Path, root: Path) -> tuple[str, ...]:
    """Names of ours that a file imports; of `from a import b` both `a` and `a.b`, for either may be the file."""
    package = path.relative_to(root).parent.parts
    names: list[str] = []
    for node in ast.walk(ast.parse(path.read_bytes())):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            base = ".".join([*above, *([node.module] if node.module else [])])
            names += [base, *(f"{base}.{alias.name}" for alias in node.names)]
    return tuple(name for name in names if name.split(".")[0] in PACKAGES)


def _file(module: str, root: Path) -> Path | None:
    path = root.joinpath(*module.split("."))
    return next((p for p in (path.with_suffix(".py"), path / "__init__.py") if p.is_file()), None)
