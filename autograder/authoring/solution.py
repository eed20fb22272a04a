"""A solution cell: one function whose body stands between two marks."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Callable
from typing import Any

from autograder.authoring.errors import AuthoringError
from autograder.authoring.parse import Block
from autograder.course.records import Exercise

BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
_LINES = re.compile(r"[Aa]bout (\d+) lines?")


def require(block: Block, exercise: Exercise, *, file: str) -> None:
    """The cell holds the exercise's function, with the record's signature and marks around its body.

    Raises:
        AuthoringError: what is wrong, and what is allowed.
    """
    name = exercise.function
    function = _only_function(block, name, file)
    begin, end = _marks(block, file)
    docstring, *body = function.body
    if not ast.get_docstring(function) or (docstring.end_lineno or 0) > begin:
        told = f"`{name}` has no docstring above {BEGIN}; write one, the stub keeps it."
        raise AuthoringError(file, block.line, told)
    if not body or body[0].lineno < begin or (body[-1].end_lineno or 0) > end:
        told = f"the body of `{name}` is not all between {BEGIN} and {END}; only the docstring stands above."
        raise AuthoringError(file, block.line + begin - 1, told)
    got, wanted = _signature_of(function), bare_signature(exercise.reference)
    given = str(wanted).replace("=None", "")  # what a reference chooses by itself, a lesson may always name
    if str(got) not in (str(wanted), given):
        told = f"got `{name}{got}`; the record's reference has `{name}{wanted}`."
        raise AuthoringError(file, block.line + function.lineno - 1, told)
    said = _LINES.search(ast.get_docstring(function) or "")
    if said and int(said[1]) != exercise.lines:
        told = f"the docstring of `{name}` says about {said[1]} lines, the record {exercise.lines}; both must agree."
        raise AuthoringError(file, block.line + begin - 2, told)


def tree(block: Block, *, file: str) -> ast.Module:
    """The parsed code.

    Raises:
        AuthoringError: it is not Python.
    """
    try:
        return ast.parse(block.source)
    except SyntaxError as error:
        line = block.line + (error.lineno or 1) - 1
        raise AuthoringError(file, line, f"this cell is not Python ({error.msg}); a module's cell must be.") from error


def bare_signature(function: Callable[..., Any]) -> inspect.Signature:
    """Names, kinds and defaults, without annotations."""
    signature = inspect.signature(function)
    bare = [parameter.replace(annotation=inspect.Parameter.empty) for parameter in signature.parameters.values()]
    return inspect.Signature(bare)


class _Written:
    """A default value as it was written."""

    def __init__(self, node: ast.expr) -> None:
        try:
            self.text = repr(ast.literal_eval(node))
        except ValueError:
            self.text = ast.unparse(node)

    def __repr__(self) -> str:
        return self.text


def _only_function(block: Block, name: str, file: str) -> ast.FunctionDef:
    parts = tree(block, file=file).body
    if len(parts) != 1 or not isinstance(parts[0], ast.FunctionDef) or parts[0].name != name:
        got = ", ".join(f"`{getattr(part, 'name', ast.unparse(part)[:40])}`" for part in parts) or "nothing"
        told = f"the solution cell holds {got}; it holds the one function `{name}`."
        raise AuthoringError(file, block.line, told)
    return parts[0]


def _marks(block: Block, file: str) -> tuple[int, int]:
    """Line numbers of the two marks within the cell, from 1."""
    lines = [line.strip() for line in block.source.split("\n")]
    begins, ends = lines.count(BEGIN), lines.count(END)
    if (begins, ends) != (1, 1) or lines.index(BEGIN) > lines.index(END):
        told = (
            f'"{block.item}" has {begins} lines {BEGIN} and {ends} lines {END}; one of each is needed, in this order.'
        )
        raise AuthoringError(file, block.line, told)
    return lines.index(BEGIN) + 1, lines.index(END) + 1


def _signature_of(function: ast.FunctionDef) -> inspect.Signature:
    kinds, given = inspect.Parameter, function.args
    plain: list[tuple[ast.arg, Any]] = [(arg, kinds.POSITIONAL_ONLY) for arg in given.posonlyargs]
    plain += [(arg, kinds.POSITIONAL_OR_KEYWORD) for arg in given.args]
    defaults: list[ast.expr | None] = [None] * (len(plain) - len(given.defaults)) + list(given.defaults)
    parts = [_parameter(arg, kind, default) for (arg, kind), default in zip(plain, defaults, strict=True)]
    if given.vararg:
        parts.append(_parameter(given.vararg, kinds.VAR_POSITIONAL, None))
    parts += [_parameter(a, kinds.KEYWORD_ONLY, d) for a, d in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if given.kwarg:
        parts.append(_parameter(given.kwarg, kinds.VAR_KEYWORD, None))
    return inspect.Signature(parts)


def _parameter(arg: ast.arg, kind: Any, default: ast.expr | None) -> inspect.Parameter:
    return inspect.Parameter(arg.arg, kind, default=inspect.Parameter.empty if default is None else _Written(default))
