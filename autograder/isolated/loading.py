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
_NEVER_LITERAL = (ast.Attribute, ast.Subscript, ast.ListComp, ast.Lambda, ast.Compare, ast.BoolOp, ast.IfExp)
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
            _execute(_compiled(_parsed(cell), cell), module)
        else:
            _execute_reduced(cell, module)
    return module


def text_of(module: ModuleType, name: str) -> str | None:
    """The variable's value where it is a short text."""
    value = vars(module).get(name)
    return "".join(str.__iter__(value))[:100] if isinstance(value, str) else None


def _parsed(cell: Cell) -> ast.Module:
    """Its syntax tree; IPython's `%magic` and `!command` lines are `pass`, where it does not parse with them."""
    try:
        tree = ast.parse(cell.source, cell.label)
    except (SyntaxError, ValueError):
        source = _MAGIC.sub(r"\1pass", cell.source)
        _remember(source, cell.label)
        return ast.parse(source, cell.label)
    _remember(cell.source, cell.label)
    return tree


def _remember(source: str, label: str) -> None:
    """Entered where tracebacks and `inspect.getsource` look for it."""
    linecache.cache[label] = (len(source), None, source.splitlines(keepends=True), label)


def _compiled(tree: ast.Module, cell: Cell) -> CodeType:
    return compile(tree, cell.label, "exec", dont_inherit=True)


def _execute(code: CodeType, module: ModuleType) -> None:
    module.__file__ = code.co_filename
    exec(code, vars(module))


def _execute_reduced(cell: Cell, module: ModuleType) -> None:
    """Each kept statement alone, so that one that fails takes nothing else with it."""
    try:
        tree = _parsed(cell)
    except (SyntaxError, ValueError):
        return
    for statement in tree.body:
        if not is_kept(statement):
            continue
        try:
            _execute(_compiled(ast.Module([statement], []), cell), module)
        except BaseException:  # also an exit
            continue


def may_last(statement: ast.stmt) -> bool:
    """Whether a statement of another exercise's cell may count, at first look; what may not need not be sent."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        value = statement.value
        called = isinstance(value, ast.Call) and bool(value.args or value.keywords)  # `set()` alone is a literal
        return not (called or isinstance(value, _NEVER_LITERAL))
    return isinstance(statement, _KEPT)


def is_kept(statement: ast.stmt) -> bool:
    """Whether a statement of another exercise's cell is run."""
    if isinstance(statement, ast.Assign | ast.AnnAssign):
        return _is_literal(statement.value)
    return isinstance(statement, _KEPT)


def _is_literal(value: Any) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, MemoryError, RecursionError, SyntaxError):
        return False
    return True
