"""A second try for an exercise that was cut off: without what other exercises' cells do while they are defined."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import replace

from autograder.isolated import Cell

_FUNCTION = (ast.FunctionDef, ast.AsyncFunctionDef)
_PLAIN = (ast.Constant, ast.Name, ast.Attribute, ast.Subscript, ast.Tuple, ast.List, ast.BinOp, ast.UnaryOp)
_PLAIN_PARTS = (*_PLAIN, ast.expr_context, ast.operator, ast.unaryop)


def quiet(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """The cells, those of other exercises without definitions that run code: decorators, calls in defaults, bodies.

    The lines keep their numbers. Cells in which there is no such definition come back as they are.
    """
    return tuple(cell if cell.own else replace(cell, source=_quiet(cell.source)) for cell in cells)


def _quiet(source: str) -> str:
    try:
        loud = [statement for statement in ast.parse(source).body if _is_loud(statement)]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return source
    lines = re.split(r"\r\n|\r|\n", source)
    for statement in loud:
        first = min([statement.lineno, *(d.lineno for d in getattr(statement, "decorator_list", ()))])
        last = statement.end_lineno or statement.lineno
        lines[first - 1 : last] = [""] * (last - first + 1)
    return "\n".join(lines) if loud else source


def _is_loud(statement: ast.stmt) -> bool:
    """Whether defining it runs code that may wait or end; what is no definition is not run in such a cell at all."""
    if isinstance(statement, _FUNCTION):
        return bool(statement.decorator_list) or not all(map(_is_plain, _evaluated(statement)))
    if isinstance(statement, ast.ClassDef):
        # a base of the student's own may have an __init_subclass__: only bases of packages, as in nn.Module
        own_base = not all(isinstance(base, ast.Attribute) and _is_plain(base) for base in statement.bases)
        more = bool(statement.decorator_list or statement.keywords or own_base)
        return more or not all(map(_is_quiet_member, statement.body))
    return False


def _is_quiet_member(statement: ast.stmt) -> bool:
    if isinstance(statement, ast.Expr | ast.Assign):
        return isinstance(statement.value, ast.Constant)
    return isinstance(statement, ast.Pass) or (isinstance(statement, _FUNCTION) and not _is_loud(statement))


def _evaluated(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[ast.expr]:
    """What Python computes when it meets the definition: default values and annotations."""
    given = function.args
    every = [*given.posonlyargs, *given.args, *given.kwonlyargs, given.vararg, given.kwarg]
    notes = [function.returns, *(one.annotation for one in every if one is not None)]
    return [value for value in (*given.defaults, *given.kw_defaults, *notes) if value is not None]


def _is_plain(value: ast.expr) -> bool:
    return all(isinstance(node, _PLAIN_PARTS) for node in ast.walk(value))
