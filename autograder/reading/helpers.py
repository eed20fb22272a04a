"""Modules that a student wrote and handed in beside the work: which of them its code imports; nothing is imported."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from autograder.reading.cells import LARGEST_CODE, Unreadable
from autograder.reading.plain import read_plain
from autograder.reading.trees import parsed

Files = Mapping[str, Callable[[], bytes]]
"""Path -> what reads the file; none is read that is not imported."""
MOST = 20
"""Modules beside one lesson's work."""
_WRITTEN = re.compile(r"\s*%%(?:writefile|file)\s+(?:\./)?([\w/]+\.py)\s*\n(.*)", re.DOTALL)


def in_folder(folder: Path, lesson: str) -> Files:
    """Of a lesson's folder every module that may be a student's helper; links are never followed."""
    inner = [path for path in folder.iterdir() if path.is_dir() and not path.is_symlink()] if folder.is_dir() else []
    paths = sorted(path for place in (folder, *inner) for path in place.glob("*.py"))
    own = [path for path in paths if is_helper(path.name, lesson)]
    return {path.relative_to(folder).as_posix(): partial(read_plain, path, LARGEST_CODE) for path in own}


def is_helper(file: str, lesson: str) -> bool:
    """Whether a file of that name may be one: neither the lesson's own module nor a test."""
    return file.endswith(".py") and file != f"{lesson}.py" and not file.startswith("test_")


def written(sources: Iterable[str]) -> Files:
    """Modules that a notebook writes itself, with `%%writefile helpers.py`."""
    found = filter(None, map(_WRITTEN.match, sources))
    return {match[1]: match[2].encode for match in found}


def beside(
    texts: Sequence[tuple[str, str]], files: Files, decoded: Callable[[bytes, str], str]
) -> Iterator[tuple[str, str, str]]:
    """Path, dotted name and text of each file that the texts import, directly or not.

    Args:
        texts: code, and the package that it is in.
        files: what may be imported.
        decoded: the text of a file's bytes.
    """
    known = {_dotted(path): path for path in files}
    known.update({PurePosixPath(path).stem: path for path in files if PurePosixPath(path).stem not in known})
    waiting, seen = list(texts), set[str]()
    while waiting and len(seen) < MOST:
        for name in _imported(*waiting.pop()):
            path = known.get(name)
            if path is None or name in seen:
                continue
            seen.add(name)
            try:
                text = decoded(files[path](), path)
            except Unreadable:  # then there is no such module, and Python says so
                continue
            package = name if path.endswith("__init__.py") else name.rpartition(".")[0]
            waiting.append((text, package))
            yield path, name, text


def _dotted(path: str) -> str:
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def _imported(text: str, package: str) -> Iterator[str]:
    """Dotted names that the code imports, a package before what is in it; `from a import b` may mean the module a.b."""
    for node in ast.walk(parsed(text) or ast.Module([], [])):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import | ast.ImportFrom) else []
        if isinstance(node, ast.ImportFrom):
            above = package.split(".")[: 1 - node.level or None] if node.level and package else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            names = [base, *(f"{base}.{name}".lstrip(".") for name in names)]
        for name in names:
            parts = name.split(".")
            yield from (".".join(parts[: n + 1]) for n in range(len(parts)))
