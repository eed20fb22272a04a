"""A submission's cells become one module named `student`."""

from __future__ import annotations

import ast
import linecache
import re
import sys
from collections.abc import Iterable
from types import CodeType, ModuleType
from typing import Any

from .records import Cell

_KEPT = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_MAGIC = re.compile(r"^(\s*)[%!].*$", re.MULTILINE)


def load(cells: Iterable[Cell]) -> ModuleType:
    """The module after all cells have run in it.

    Raises:
        BaseException: whatever a cell of the student's own raises, SyntaxError included.
    """
    module = ModuleType("student")
    sys.modules["student"] = module
    for cell in cells:
        if cell.own:
            _execute(_compiled(ast.parse(*_known(cell)), cell), module)
        else:
            _execute_reduced(cell, module)
    return module


def text_of(module: ModuleType, name: str) -> str | None:
    """The variable's value where it is a short text."""
    value = vars(module).get(name)
    return "".join(str.__iter__(value))[:100] if isinstance(value, str) else None


def _known(cell: Cell) -> tuple[str, str]:
    """Source and file name, entered where tracebacks and `inspect.getsource` look for them."""
    source = _without_magics(cell.source)
    linecache.cache[cell.label] = (len(source), None, source.splitlines(keepends=True), cell.label)
    return source, cell.label


def _without_magics(source: str) -> str:
    """IPython's `%magic` and `!command` lines become `pass`, but only where the cell does not parse with them."""
    try:
        ast.parse(source)
    except (SyntaxError, ValueError):
        return _MAGIC.sub(r"\1pass", source)
    return source


def _compiled(tree: ast.Module, cell: Cell) -> CodeType:
    return compile(tree, cell.label, "exec", dont_inherit=True)


def _execute(code: CodeType, module: ModuleType) -> None:
    module.__file__ = code.co_filename
    exec(code, vars(module))


def _execute_reduced(cell: Cell, module: ModuleType) -> None:
    """Each kept statement alone, so that one that fails takes nothing else with it."""
    try:
        tree = ast.parse(*_known(cell))
    except (SyntaxError, ValueError):
        return
    for statement in tree.body:
        if not _is_kept(statement):
            continue
        try:
            _execute(_compiled(ast.Module([statement], []), cell), module)
        except BaseException:  # also an exit
            continue


def _is_kept(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return _is_literal(statement.value)
    return isinstance(statement, _KEPT)


def _is_literal(value: Any) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError, SyntaxError):
        return False
    return True
