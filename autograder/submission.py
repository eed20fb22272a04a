"""What a student handed in, read as text and never imported: a lesson's module or its notebook, cell by cell."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from autograder.cells import LARGEST, Found, Unreadable, found, read_cells, refuse_much_code, too_large
from autograder.isolated import Cell
from autograder.isolated.loading import may_last
from autograder.records import Lesson

ENCODINGS = ("utf-8", "utf-8-sig", "ascii", "iso-8859-1", "iso-8859-15", "cp1252", "windows-1252", "latin-1")
"""What a module's first lines may declare: others are rare, and some take hours to decode."""

SMALL = 20_000
"""Characters of code whose syntax tree is worth keeping beside others."""


@dataclass(frozen=True)
class Source:
    """One piece of code with the name of the exercise it was written for, where it has one."""

    label: str
    text: str
    grade_id: str | None = None

    @property
    def tree(self) -> ast.Module | None:
        """Its syntax tree; None where it does not parse."""
        return (_small_tree if len(self.text) < SMALL else _large_tree)(self.text)

    @property
    def lasting(self) -> bool:
        """Whether anything of it counts for another exercise; a cell that only shows something need not be sent."""
        tree = self.tree
        return tree is None or any(map(may_last, tree.body))

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
        marked = [(s, name == s.grade_id or s.defines(name)) for s in self.sources]
        return tuple(Cell(s.label, s.text, own=own) for s, own in marked if own or s.lasting)

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


def _tree(text: str) -> ast.Module | None:
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


# A tree takes up to two thousand times the room of its text: a class's trees are not kept beside its texts.
_small_tree, _large_tree = lru_cache(maxsize=128)(_tree), lru_cache(maxsize=1)(_tree)


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
    if not notebook.exists() or begun(written, lesson):
        return written
    return choose(written, from_notebook(notebook), lesson) or written


def choose(module: Submission | None, notebook: Submission | None, lesson: Lesson) -> Submission | None:
    """Of a module and a notebook the module, or the notebook where the module has nothing attempted."""
    if module is None or notebook is None:
        return module or notebook
    return notebook if not begun(module, lesson) and begun(notebook, lesson) else module


def begun(submission: Submission, lesson: Lesson) -> bool:
    """Whether anything of the lesson was attempted or answered."""
    functions = any(submission.attempted(e.function) for e in lesson.exercises)
    return functions or any(submission.answer(q.variable) for q in lesson.questions)


def from_module(path: Path) -> Submission:
    """One Python file as one cell."""
    return from_code(_bytes(path), path.name)


def from_notebook(path: Path) -> Submission:
    """The code cells of a notebook file.

    Raises:
        ValueError: it is not a notebook.
    """
    return from_found(read_cells(_bytes(path), path.name), path.name)


def from_code(data: bytes, name: str) -> Submission:
    """The bytes of one Python file as one cell.

    Raises:
        Unreadable: it is no text, or too large.
    """
    text = _decoded(data, name).replace("\r\n", "\n").replace("\r", "\n")
    refuse_much_code(len(text), name)
    return Submission((Source(name, text),))


def from_cells(cells: Sequence[Mapping[str, Any]], name: str) -> Submission:
    """The code cells of a notebook that was read already."""
    return from_found([found(cell) for cell in cells], name)


def from_found(cells: Sequence[Found], name: str) -> Submission:
    """The code among the cells that were found in a notebook."""
    code = [cell for cell in cells if cell.code]
    return Submission(tuple(_source(cell, n, name) for n, cell in enumerate(code, start=1)))


def _source(cell: Found, n: int, name: str) -> Source:
    grade_id = cell.grade_id if cell.solution and cell.grade_id else None
    return Source(f"{name}, cell {grade_id or n}", re.sub(r"(?m)^[ \t]*[%!].*$", "", cell.source), grade_id)


def _lesson_folder(folder: Path, lesson: Lesson) -> Path:
    if not folder.exists():
        raise FileNotFoundError(
            f"submission: {folder} does not exist; name a folder that holds {lesson.id}/{lesson.name}.py."
        )
    if not folder.is_dir():
        raise ValueError(f"submission: {folder} is a file; name the folder that it lies in.")
    return folder / lesson.id if (folder / lesson.id).is_dir() else folder


def _bytes(path: Path) -> bytes:
    try:
        if path.stat().st_size > LARGEST:
            raise Unreadable(too_large(str(path)))
        return path.read_bytes()
    except OSError as error:
        raise Unreadable(f"submission: {path} cannot be read ({error.strerror}); check its permissions.") from error


def _decoded(data: bytes, name: str) -> str:
    if len(data) > LARGEST:
        raise Unreadable(too_large(name))
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        encoding = "utf-8"
    if encoding not in ENCODINGS:
        raise Unreadable(f"submission: {name} declares the encoding {encoding[:40]}; save it again as UTF-8.")
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"submission: {name} is not UTF-8 text (byte {error.start}); save it again as UTF-8."
        ) from error


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
