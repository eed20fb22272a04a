"""A fresh start: the file as it was handed out, or one exercise of it; the student's own is kept beside it."""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from autograder.course.locations import home_of
from autograder.course.outlines import Item, Outline
from autograder.study.folder import Work
from autograder.text.files import write_whole


@dataclass(frozen=True)
class Reset:
    """One file that was put back."""

    file: Path
    backup: Path | None
    """Where the student's own lies; None where the file was missing."""


def reset(work: Work, item: Item | None = None, *, now: datetime | None = None) -> list[Reset]:
    """Puts back what was handed out, whole files or one exercise, wherever it differs.

    Args:
        work: the lesson.
        item: the one exercise or question; None for everything.
        now: goes into the backups' names.

    Raises:
        ValueError: a file does not parse, so that one exercise cannot be found in it.
        OSError: the folder cannot be written.
    """
    changes = [(path, text) for path in work.files if (text := _fresh(work, path, item)) is not None]
    return [Reset(path, _replace(path, text, now or datetime.now())) for path, text in changes]


def _fresh(work: Work, path: Path, item: Item | None) -> str | None:
    """The text to write; None where the file is as it should be."""
    if path.exists() and work.outline.untouched(path.name, path.read_bytes()):
        return None
    untouched = handed_out(work.outline, path.name)
    if item is None or not path.exists():
        return untouched
    text, newline = _read(path)
    put_back: Callable[..., str] = in_module if path.suffix == ".py" else in_notebook
    made = put_back(text, untouched, item, file=path.name)
    return made.replace("\n", newline) if made != text else None


def in_module(text: str, untouched: str, item: Item, *, file: str) -> str:
    """The module with one function or answer as it was handed out; at the end where the student's is gone.

    Raises:
        ValueError: it does not parse.
    """
    try:
        found = _span(text, item.name)
    except (SyntaxError, ValueError) as error:
        line = getattr(error, "lineno", None)
        raise ValueError(
            f"reset: {file} cannot be read as Python (line {line}), so {item.name} cannot be found in it; "
            "correct that line, or reset the whole lesson."
        ) from error
    start, stop = _span(untouched, item.name) or (0, 0)
    stub = untouched.splitlines(keepends=True)[start:stop]
    lines = text.splitlines(keepends=True)
    if found is None:
        return "".join([text.rstrip("\n"), "\n\n\n", *stub])
    if lines[found[0] : found[1]] == stub or _missing_newline(lines[found[0] : found[1]]) == stub:
        return text
    return "".join([*lines[: found[0]], *stub, *lines[found[1] :]])


def in_notebook(text: str, untouched: str, item: Item, *, file: str) -> str:
    """The notebook with the cell of one exercise as it was handed out.

    Raises:
        ValueError: it is no notebook, or the cell is gone.
    """
    try:
        notebook, fresh = json.loads(text), json.loads(untouched)
        cell, stub = _cell(notebook, item), _cell(fresh, item)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"reset: {file} is not a notebook that can be read; reset the whole lesson.") from error
    if cell is None or stub is None:
        raise ValueError(f"reset: {file} has no cell for {item.id} any more; reset the whole lesson.")
    if _source(cell) == _source(stub):
        return text
    cell.update(source=stub["source"], outputs=[], execution_count=None)
    return json.dumps(notebook, ensure_ascii=False, indent=1) + "\n"


def _span(text: str, name: str) -> tuple[int, int] | None:
    """Lines [start, stop) of the last function, class or assignment of that name at top level."""
    nodes = [node for node in ast.parse(text).body if name in _given(node)]
    if not nodes:
        return None
    first = min([nodes[-1].lineno, *(d.lineno for d in getattr(nodes[-1], "decorator_list", ()))])
    return first - 1, nodes[-1].end_lineno or nodes[-1].lineno


def _given(node: ast.stmt) -> list[str]:
    """The names that a statement gives a value."""
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _missing_newline(lines: list[str]) -> list[str]:
    return [*lines[:-1], lines[-1] + "\n"] if lines and not lines[-1].endswith("\n") else lines


def _cell(notebook: dict[str, Any], item: Item) -> dict[str, Any] | None:
    for cell in notebook["cells"]:
        marked = cell.get("metadata", {}).get("nbgrader", {})
        if marked.get("grade_id") == item.name and marked.get("solution"):
            return cell
    return None


def _source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def _read(path: Path) -> tuple[str, str]:
    """The text with line ends as Python has them, and the line end of the file."""
    data = path.read_bytes()
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
        text = data.decode(encoding)
    except (SyntaxError, UnicodeDecodeError, LookupError):
        text = data.decode("utf-8", "replace")  # equals nothing that was handed out; the bytes are kept as they are
    return text.replace("\r\n", "\n"), "\r\n" if b"\r\n" in data else "\n"


def _replace(path: Path, text: str, now: datetime) -> Path | None:
    """Keeps the file under a name of its own, then puts the text in its place in one step."""
    backup = _kept(path, now) if path.exists() else None
    write_whole(path, text.encode())
    return backup


def _kept(path: Path, now: datetime) -> Path:
    data = path.read_bytes()
    for n in range(1, 1000):
        again = f"_{n}" if n > 1 else ""
        backup = path.with_name(f"{path.stem}_backup_{now:%Y-%m-%d_%H-%M-%S}{again}{path.suffix}")
        try:
            with backup.open("xb") as file:
                file.write(data)
        except FileExistsError:
            continue
        return backup
    raise OSError(f"reset: {path.parent} holds a thousand backups of this second; try again.")


def handed_out(outline: Outline, file: str) -> str:
    """The text of the module or of the notebook; in a clone it is made anew, which takes a few seconds.

    Raises:
        ValueError: a clone whose texts break the rules of `cnnviz build`.
    """
    home = home_of(outline.id)
    if home.installed:
        return (home.lessons / outline.id / file).read_text(encoding="utf-8")
    return _made(outline.id)[file].decode()


@cache
def _made(lesson: str) -> Mapping[str, bytes]:
    """File name -> content."""
    from autograder.authoring.build import LESSON, outputs
    from autograder.course import registry

    made = outputs(home_of(lesson).root, registry.lesson(lesson))
    return {path.rpartition("/")[2]: content for path, content in made.items() if path.startswith(f"{LESSON}/")}
