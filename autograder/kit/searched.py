"""Files as a search sees them: their code as syntax trees, their texts as characters."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator

from autograder.reading.cells import read_cells
from autograder.reading.magics import as_python
from autograder.reading.trees import is_note, numbered, parsed, words

SMALL = 14
"""Words of a function that is too small to be anybody's: it may stand anywhere."""
LONG = 24
"""Characters, without spaces, from which a line is told from others."""


def codes(path: str, content: bytes) -> list[str]:
    """The Python code in a file: a module's text, a notebook's cells."""
    if path.endswith(".ipynb"):
        return [cell.source for cell in read_cells(content, path) if cell.code]
    return [content.decode()] if path.endswith(".py") else []


def texts(path: str, content: bytes) -> Iterator[str]:
    """All that is text in a file, as a reader sees it."""
    if path.endswith((".ipynb", ".json")):
        yield from _strings(json.loads(content))
    else:
        yield content.decode("utf-8", "replace")


def shapes(source: str) -> Iterator[str]:
    """Each function of some code as its syntax tree: without names of its own, notes and docstring."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            shape, size = _shape(node)
            if size >= SMALL:
                yield shape


def _shape(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[str, int]:
    """The tree as text, and the number of its words."""
    statements: list[ast.AST] = [*function.body] if isinstance(function.body, list) else [function.body]
    body = [part for part in statements if not is_note(part)]
    own = set().union(*(_named(node) for part in (function.args, *body) for node in ast.walk(part)))
    said = [word for part in body for word in words(part, lambda name: f"\0{name}" if name in own else name)]
    return numbered(said), len(said)


def _named(node: ast.AST) -> set[str]:
    """The name that a function gives here, to an argument, a variable or a function inside it."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.arg):
        return {node.arg}
    return {node.name} if isinstance(node, ast.FunctionDef) else set()


def _tree(source: str) -> ast.Module:
    """The code as IPython would run it, and nothing where it is no Python even so."""
    return parsed(as_python(source)) or ast.Module([], [])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield "".join(value) if all(isinstance(each, str) for each in value) else ""
        yield from (text for each in value if not isinstance(each, str) for text in _strings(each))
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _strings(each))


def squeezed(parts: Iterable[str]) -> str:
    """Texts without their spaces, a line each."""
    return "\n".join("".join(part.split()) for part in parts)


def lines(source: str) -> Iterator[str]:
    """Long lines of code, squeezed; not comments and texts on a line of their own, and not the heads of loops."""
    rows = ("".join(row.split()) for row in source.splitlines())
    return (row for row in rows if len(row) >= LONG and row[-1] != ":" and not row.startswith(("#", '"', 'f"')))


def inner_lines(source: str) -> Iterator[str]:
    """The long lines of statements inside functions."""
    rows = source.splitlines()
    for function in ast.walk(_tree(source)):
        for statement in function.body if isinstance(function, ast.FunctionDef) else ():
            if not is_note(statement):
                yield from lines("\n".join(rows[statement.lineno - 1 : statement.end_lineno]))
