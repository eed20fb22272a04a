"""What a student handed in, read as text and never imported: a lesson's module and its notebook, cell by cell."""

from __future__ import annotations

import ast
import io
import operator
import os
import re
import tokenize
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from autograder.course.records import Lesson
from autograder.isolated import Cell
from autograder.reading.cells import LARGEST, Found, Unreadable, found, read_cells, refuse_much_code, too_large
from autograder.reading.helpers import Files, beside, in_folder, written
from autograder.reading.magics import as_python
from autograder.reading.needed import ANYTHING, Statement, needed, only, statements
from autograder.reading.plain import read_plain
from autograder.reading.trees import NO_FILE, parsed

ENCODINGS = ("utf-8", "utf-8-sig", "ascii", "iso-8859-1", "iso-8859-15", "cp1252", "windows-1252", "latin-1")
"""What a module's first lines may declare: others are rare, and some take hours to decode."""

_SCRIPT_CELL = re.compile(r"(?m)^# In\[[\d ]*\]:[ \t]*$")
"""The line that nbconvert writes above each cell when it makes a script of a notebook."""

NOT_RUN = "code that is not run"
"""The answer of whoever has it computed: it is told apart from no answer."""
DEEPEST = 20
"""Operations inside each other in an answer that is a number."""
SMALL = 20_000
"""Characters of code whose syntax tree is worth keeping beside others."""


@dataclass(frozen=True)
class Source:
    """One piece of code with the name of the exercise it was written for, where it has one."""

    label: str
    """The file's name, of a notebook's cell with the cell: "grad_cam.ipynb, cell 7"."""
    text: str
    grade_id: str | None = None
    module: str = ""
    """The name under which the lesson's code imports it; empty for that code itself."""

    @property
    def tree(self) -> ast.Module | None:
        """Its syntax tree; None where it does not parse."""
        return (_small_tree if len(self.text) < SMALL else _large_tree)(self.text)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """What stands at its top level."""
        return statements(self.text)

    @property
    def file(self) -> str:
        """The file that it is of."""
        return self.label.partition(", ")[0]

    @property
    def fields(self) -> list[str | None]:
        """All that it is, as a list that JSON can hold."""
        return [self.label, self.text, self.grade_id, *([self.module] if self.module else [])]


@dataclass(frozen=True)
class Submission:
    """The code of one lesson from one student: of a module, a notebook or both, and what they import beside them."""

    sources: tuple[Source, ...]

    @cached_property
    def own(self) -> tuple[Source, ...]:
        """The lesson's code, without what it imports."""
        return tuple(source for source in self.sources if not source.module)

    @cached_property
    def files(self) -> tuple[Submission, ...]:
        """The module, the notebook, or both, each with what it imports: a notebook may import the module."""
        module = [source for source in self.own if source.file.endswith(".py")]
        notebook = [source for source in self.own if source not in module]
        if not (module and notebook):
            return (self,)
        beside = [source for source in self.sources if source.module]
        importable = [replace(s, module=s.file.removesuffix(".py")) for s in module if s.label == s.file]
        return Submission((*module, *beside)), Submission((*notebook, *beside, *importable))

    @property
    def file(self) -> str:
        """The name of the file, where there is one only."""
        return self.own[0].file if self.own else ""

    def cells(self, name: str) -> tuple[Cell, ...]:
        """The cells to load for one function: a module whole, of a notebook the statements that the function needs."""
        beside = tuple(Cell(s.label, s.text, own=False, module=s.module) for s in self.sources if s.module)
        if self.is_module:
            return (Cell(self.own[0].label, self.own[0].text), *beside)
        kept = needed([source.statements for source in self.own], name)
        bound = any(name in one.binds for source in kept for one in source)
        cells = [
            Cell(s.label, only(s.text, those), own=False) for s, those in zip(self.own, kept, strict=True) if those
        ]
        broken = [s for s in self.own if s.tree is None and (s.grade_id == name or name in s.text)]
        return (*cells, *(Cell(s.label, s.text) for s in broken if not bound), *beside)

    @property
    def is_module(self) -> bool:
        """Whether it is one Python file, which is loaded whole."""
        return len(self.own) == 1 and self.own[0].label.endswith(".py")

    def trying(self, name: str) -> list[Submission]:
        """The files in which the function is there and is more than the stub, judged by reading only."""
        return [file for file in self.files if file.attempted(name)]

    def attempted(self, name: str) -> bool:
        """Whether the function is bound to more than the stub in one of the files."""
        if len(self.files) > 1:
            return any(file.attempted(name) for file in self.files)
        found = [tries for s in self.own for one in s.statements if (tries := self._tries(s, one, name)) is not None]
        return found[-1] if found else any(s.tree is None and name in s.text for s in self.own)

    def _tries(self, source: Source, one: Statement, name: str) -> bool | None:
        """Whether a statement binds the name to more than the stub; None where it does not bind it."""
        if name in one.attempts | one.binds_later:
            return True
        if name in one.stubs:
            return False
        if ANYTHING not in one.binds:
            return None
        beside = [source for source in self.sources if source.module and one.imports]
        unseen = any(name in other.attempts for s in beside for other in s.statements)
        return True if unseen or (name in source.text and not one.imports) else None

    def binds(self, name: str) -> bool:
        """Whether there is anything of that name, be it the stub."""
        return any(name in one.binds for source in self.own for one in source.statements)

    def syntax_error(self) -> str | None:
        """One sentence for a module that does not parse; a notebook's cells are judged one by one."""
        if not self.is_module or self.own[0].tree is not None:
            return None
        try:
            ast.parse(self.own[0].text, NO_FILE)
        except SyntaxError as error:
            return f"submission: {self.file}, line {error.lineno}: {error.msg}; correct it and check again."
        except (ValueError, RecursionError, MemoryError) as error:
            return f"submission: {self.file} cannot be parsed ({error}); correct it and check again."
        return None

    def answer(self, variable: str) -> str | None:
        """The text or number last assigned to a variable at top level, as text; nothing is run.

        Where both files say something, the notebook counts.
        """
        if len(self.files) > 1:
            return next((answer for file in self.files[::-1] if (answer := file.answer(variable)) is not None), None)
        values = [value for s in self.own for value in _assigned(s.tree, variable)]
        return values[-1] if values else None


# A tree takes up to two thousand times the room of its text: a class's trees are not kept beside its texts.
_small_tree, _large_tree = lru_cache(maxsize=128)(parsed), lru_cache(maxsize=1)(parsed)


def load_submission(folder: Path, lesson: Lesson) -> Submission:
    """A lesson's folder: its module, its notebook or both, and the modules beside them that they import.

    Raises:
        FileNotFoundError: the folder, or both files, are missing.
        ValueError: a file that cannot be read as what it should be.
    """
    folder = _lesson_folder(Path(folder), lesson)
    module, notebook = folder / f"{lesson.name}.py", folder / f"{lesson.name}.ipynb"
    if not os.path.lexists(module) and not os.path.lexists(notebook):
        raise FileNotFoundError(
            f"submission: {folder} has neither {module.name} nor {notebook.name}; put one of them there."
        )
    return with_beside(together(lesson, *_readable(module, notebook)), in_folder(folder, lesson.name))


def _readable(module: Path, notebook: Path) -> list[Submission]:
    """Those of the two that are there and can be read; where none can, the first one's sentence is raised."""
    read, faults = [], []
    for of, path in ((from_module, module), (from_notebook, notebook)):
        try:
            read += [of(path)] if os.path.lexists(path) else []
        except ValueError as error:
            faults.append(error)
    if not read:
        raise faults[0]
    return read


def together(lesson: Lesson, *files: Submission) -> Submission:
    """A module and a notebook as one submission: those in which anything is begun, else the first.

    A module in which nothing is begun may still be what the notebook imports.
    """
    counting = [file for file in files if begun(file, lesson)] or list(files[:1])
    left = [replace(s, module=lesson.name) for f in files if f not in counting and f.is_module for s in f.own]
    sources = [source for file in counting for source in file.sources]
    imported = [s for s in left if any(re.search(rf"\b(?:from|import) +{s.module}\b", o.text) for o in sources)]
    return Submission((*sources, *imported))


def with_beside(submission: Submission, files: Files) -> Submission:
    """The submission with those of the files beside it that it imports, directly or not."""
    known = {source.module for source in submission.sources}
    texts = [(source.text, "") for source in submission.sources]
    found = [Source(path, as_python(text), module=name) for path, name, text in beside(texts, files, decoded)]
    return Submission((*submission.sources, *(source for source in found if source.module not in known)))


def begun(submission: Submission, lesson: Lesson) -> bool:
    """Whether anything of the lesson was attempted or answered."""
    functions = any(submission.attempted(e.function) for e in lesson.exercises)
    return functions or any(submission.answer(q.variable) for q in lesson.questions)


def from_module(path: Path) -> Submission:
    """One Python file as one cell."""
    return from_code(read_plain(path, LARGEST), path.name)


def from_notebook(path: Path) -> Submission:
    """The code cells of a notebook file.

    Raises:
        ValueError: it is not a notebook.
    """
    return from_found(read_cells(read_plain(path, LARGEST), path.name), path.name)


def from_code(data: bytes, name: str) -> Submission:
    """The bytes of one Python file as one cell.

    Raises:
        Unreadable: it is no text, or too large.
    """
    text = decoded(data, name)
    refuse_much_code(len(text), name)
    places = [match.start() for match in _SCRIPT_CELL.finditer(text)]
    if not places:
        return Submission((Source(name, as_python(text)),))
    parts = [
        (text.count("\n", 0, at), text[at:end]) for at, end in zip([0, *places], [*places, len(text)], strict=True)
    ]
    labels = (f"{name}, cell {n}" for n in range(len(parts)))
    return Submission(tuple(Source(next(labels), as_python("\n" * line + part)) for line, part in parts))


def from_cells(cells: Sequence[Mapping[str, Any]], name: str) -> Submission:
    """The code cells of a notebook that was read already."""
    return from_found([found(cell) for cell in cells], name)


def from_found(cells: Sequence[Found], name: str) -> Submission:
    """The code among the cells that were found in a notebook."""
    code = [cell for cell in cells if cell.code]
    own = Submission(tuple(_source(cell, n, name) for n, cell in enumerate(code, start=1)))
    return with_beside(own, written(cell.source for cell in code))


def _source(cell: Found, n: int, name: str) -> Source:
    grade_id = cell.grade_id if cell.solution and cell.grade_id else None
    return Source(f"{name}, cell {grade_id or n}", as_python(cell.source), grade_id)


def _lesson_folder(folder: Path, lesson: Lesson) -> Path:
    if not folder.exists():
        raise FileNotFoundError(
            f"submission: {folder} does not exist; name a folder that holds {lesson.id}/{lesson.name}.py."
        )
    if not folder.is_dir():
        raise ValueError(f"submission: {folder} is a file; name the folder that it lies in.")
    return folder / lesson.id if (folder / lesson.id).is_dir() else folder


def decoded(data: bytes, name: str) -> str:
    """The text of a Python file, in the encoding that it declares.

    Raises:
        Unreadable: it is no text, or too large.
    """
    if len(data) > LARGEST:
        raise Unreadable(too_large(name))
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(data).readline)
    except SyntaxError:
        encoding = "utf-8"
    if encoding not in ENCODINGS:
        raise Unreadable(f"submission: {name} declares the encoding {encoding[:40]}; save it again as UTF-8.")
    try:
        return data.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError as error:
        raise Unreadable(
            f"submission: {name} is not UTF-8 text (byte {error.start}); save it again as UTF-8."
        ) from error


def _assigned(tree: ast.Module | None, variable: str) -> Iterator[str | None]:
    for node in tree.body if tree else []:
        if not isinstance(node, ast.Assign | ast.AnnAssign):
            continue
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        if any(isinstance(t, ast.Name) and t.id == variable for t in targets):
            yield _as_text(node.value)


def _as_text(value: ast.expr | None) -> str | None:
    """A text, or what a line of numbers and + - * / comes to; None where there is None."""
    if value is None or (isinstance(value, ast.Constant) and value.value is None):
        return None
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    try:
        return repr(_number(value, DEEPEST))
    except (ValueError, ArithmeticError):
        return NOT_RUN


_ARITHMETIC = {ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv}


def _number(value: ast.expr | None, depth: int) -> float:
    if isinstance(value, ast.Constant) and isinstance(value.value, int | float) and not isinstance(value.value, bool):
        return float(value.value)
    if isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub | ast.UAdd) and depth:
        number = _number(value.operand, depth - 1)
        return -number if isinstance(value.op, ast.USub) else number
    if isinstance(value, ast.BinOp) and type(value.op) in _ARITHMETIC and depth:
        return _ARITHMETIC[type(value.op)](_number(value.left, depth - 1), _number(value.right, depth - 1))
    raise ValueError("no number")
