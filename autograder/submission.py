"""What a student handed in, read as text and never imported: a lesson's module or its notebook, cell by cell."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.isolated import Cell
from autograder.records import Lesson

LARGEST = 20_000_000
"""Bytes of the largest file that is read."""


@dataclass(frozen=True)
class Source:
    """One piece of code with the name of the exercise it was written for, where it has one."""

    label: str
    text: str
    grade_id: str | None = None

    @cached_property
    def tree(self) -> ast.Module | None:
        """Its syntax tree; None where it does not parse."""
        try:
            return ast.parse(self.text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None

    def defines(self, name: str) -> bool:
        """Whether a function of that name is defined at top level."""
        return _function(self.tree, name) is not None


@dataclass(frozen=True)
class Submission:
    """The code of one lesson from one student."""

    sources: tuple[Source, ...]

    def cells(self, name: str) -> tuple[Cell, ...]:
        """The cells to load for one function: its own whole, of the others the definitions only."""
        if len(self.sources) == 1:
            return (Cell(self.sources[0].label, self.sources[0].text),)
        return tuple(Cell(s.label, s.text, own=name == s.grade_id or s.defines(name)) for s in self.sources)

    def attempted(self, name: str) -> bool:
        """Whether the function is there and is more than the stub, judged by reading only."""
        bodies = [body for s in self.sources if (body := _function(s.tree, name)) is not None]
        unreadable = any(s.tree is None and name in s.text for s in self.sources)
        return unreadable or bool(bodies and not _is_stub(bodies[-1]))

    def syntax_error(self) -> str | None:
        """One sentence for a module that does not parse; a notebook's cells are judged one by one."""
        if len(self.sources) != 1 or self.sources[0].tree is not None:
            return None
        try:
            ast.parse(self.sources[0].text)
        except SyntaxError as error:
            return f"submission: {self.sources[0].label}, line {error.lineno}: {error.msg}; correct it and check again."
        except (ValueError, RecursionError, MemoryError) as error:
            return f"submission: {self.sources[0].label} cannot be parsed ({error}); correct it and check again."
        return None

    def answer(self, variable: str) -> str | None:
        """The text last assigned to a variable at top level; nothing is run."""
        values = [value for s in self.sources for value in _assigned(s.tree, variable)]
        return values[-1] if values and isinstance(values[-1], str) else None


def load_submission(folder: Path, lesson: Lesson) -> Submission:
    """A lesson's folder: its module, or its notebook where the module has nothing attempted.

    Raises:
        FileNotFoundError: the folder, or both files, are missing.
        ValueError: a file that cannot be read as what it should be.
    """
    folder = _lesson_folder(Path(folder), lesson)
    module, notebook = folder / f"{lesson.name}.py", folder / f"{lesson.name}.ipynb"
    if not module.exists() and not notebook.exists():
        raise FileNotFoundError(
            f"submission: {folder} has neither {module.name} nor {notebook.name}; put one of them there."
        )
    if not module.exists():
        return from_notebook(notebook)
    written = from_module(module)
    if notebook.exists() and not _anything(written, lesson):
        filled = from_notebook(notebook)
        return filled if _anything(filled, lesson) else written
    return written


def from_module(path: Path) -> Submission:
    """One Python file as one cell."""
    return Submission((Source(path.name, _text(path)),))


def from_notebook(path: Path) -> Submission:
    """The code cells of a notebook file.

    Raises:
        ValueError: it is not a notebook.
    """
    try:
        notebook = json.loads(_text(path))
        return from_cells(notebook["cells"], path.name)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        reason = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"submission: {path} is not a notebook ({reason}); save it again from Jupyter as .ipynb."
        ) from error


def from_cells(cells: list[Mapping[str, Any]], name: str) -> Submission:
    """The code cells of a notebook that was read already."""
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    return Submission(tuple(_cell(cell, n, name) for n, cell in enumerate(code, start=1)))


def _cell(cell: Mapping[str, Any], n: int, name: str) -> Source:
    about = cell.get("metadata", {}).get("nbgrader", {})
    text = "".join(cell["source"]).replace("\r\n", "\n")
    grade_id = about.get("grade_id") if about.get("solution") else None
    return Source(f"{name}, cell {grade_id or n}", re.sub(r"(?m)^[ \t]*[%!].*$", "", text), grade_id)


def _lesson_folder(folder: Path, lesson: Lesson) -> Path:
    if not folder.exists():
        raise FileNotFoundError(
            f"submission: {folder} does not exist; name a folder that holds {lesson.id}/{lesson.name}.py."
        )
    if not folder.is_dir():
        raise ValueError(f"submission: {folder} is a file; name the folder that it lies in.")
    return folder / lesson.id if (folder / lesson.id).is_dir() else folder


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > LARGEST:
            raise ValueError(
                f"submission: {path} has more than {LARGEST // 1_000_000} MB; clear the outputs and save it again."
            )
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"submission: {path} is not UTF-8 text (byte {error.start}); save it again as UTF-8."
        ) from error
    except OSError as error:
        raise ValueError(f"submission: {path} cannot be read ({error.strerror}); check its permissions.") from error


def _anything(submission: Submission, lesson: Lesson) -> bool:
    functions = any(submission.attempted(e.function) for e in lesson.exercises)
    return functions or any(submission.answer(q.variable) for q in lesson.questions)


def _function(tree: ast.Module | None, name: str) -> ast.AST | None:
    bodies = [
        n for n in (tree.body if tree else []) if isinstance(n, ast.FunctionDef | ast.ClassDef) and n.name == name
    ]
    return bodies[-1] if bodies else None


def _is_stub(function) -> bool:
    body = [n for n in function.body if not (isinstance(n, ast.Expr) and isinstance(n.value, ast.Constant))]
    if len(body) != 1 or not isinstance(body[0], ast.Raise):
        return False
    raised = body[0].exc
    return getattr(raised.func if isinstance(raised, ast.Call) else raised, "id", None) == "NotImplementedError"


def _assigned(tree: ast.Module | None, variable: str) -> Iterator[object]:
    for node in tree.body if tree else []:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, ast.Name) and t.id == variable for t in targets):
            yield node.value.value if isinstance(node.value, ast.Constant) else None
