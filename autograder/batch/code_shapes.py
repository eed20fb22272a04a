"""The shape of a piece of code: what stays when names, comments, layout, docstrings and annotations are taken away."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.reading.submission import Source

WIDTH = 7
"""Tokens of a shingle: about a call with its arguments."""
LONGEST = 200_000
"""Characters of the longest source that is looked at."""
MOST = 50_000
"""Nodes of the largest statement that is looked at."""
_SPELLING = ("annotation", "returns", "type_comment", "ctx", "kind", "simple", "type_params")
"""Fields that change nothing of what a function computes."""

Shingles = tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """One statement of a module, at top level."""

    name: str
    """Of the function or class that it defines; empty for anything else."""
    shingles: Shingles
    uses: frozenset[str]
    """The names in it."""


def statements(source: Source) -> tuple[Statement, ...] | None:
    """The shapes of a source's statements; None where it cannot be read."""
    return _statements(source.text) if len(source.text) <= LONGEST else None


@lru_cache(maxsize=2048)
def _statements(text: str) -> tuple[Statement, ...] | None:
    """Kept, since most cells of a class's notebooks are the same."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a student's odd escape sequence is no concern of the reader's
        tree = Source("", text).tree
    if tree is None:
        return None
    imported = _imported(tree)
    return tuple(_statement(node, imported) for node in tree.body if not _is_plain(node))


def _is_plain(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import | ast.ImportFrom) or _is_docstring(node)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _statement(node: ast.stmt, imported: Mapping[str, str]) -> Statement:
    tokens = list(_tokens(node, imported))
    uses = frozenset(token[1:] for token in tokens if token.startswith("\0"))
    name = node.name if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) else ""
    return Statement(name, tuple(_shingles(tokens)), uses)


def _imported(tree: ast.Module) -> dict[str, str]:
    """Alias -> what it stands for, so that `F` and `functional` are one."""
    return {
        alias.asname or alias.name: f"{getattr(node, 'module', None) or ''}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }


def _tokens(root: ast.AST, imported: Mapping[str, str]) -> Iterator[str]:
    """A word a node, parents first; a name of the student's own begins with a zero. No recursion: trees may be deep."""
    left, count = [root], 0
    while left and count < MOST:
        node, count = left.pop(), count + 1
        yield from _words(node, imported)
        children = [child for child in _children(node) if not _is_docstring(child)]
        left += reversed(children)


def _words(node: ast.AST, imported: Mapping[str, str]) -> Iterator[str]:
    if isinstance(node, ast.Name):
        yield imported.get(node.id) or (node.id if hasattr(builtins, node.id) else f"\0{node.id}")
    elif isinstance(node, ast.arg):
        yield f"\0{node.arg}"
    elif isinstance(node, ast.Constant):
        yield _constant(node.value)
    elif isinstance(node, ast.Attribute):
        yield f".{node.attr}"
    elif isinstance(node, ast.keyword):
        yield f"{node.arg}="
    else:
        yield "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__


def _constant(value: object) -> str:
    """2, 2.0 and 0x2 are one number; what a text says does not count."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        try:
            return repr(float(value))
        except OverflowError:
            return "large"
    return repr(value) if value is None or isinstance(value, bool) else type(value).__name__


def _children(node: ast.AST) -> Iterator[ast.AST]:
    for name in node._fields:
        value = getattr(node, name, None)
        if name in _SPELLING:
            continue
        if isinstance(value, ast.AST):
            yield value
        elif isinstance(value, list):
            yield from (item for item in value if isinstance(item, ast.AST))


def _shingles(tokens: Sequence[str]) -> Iterator[str]:
    """Runs of `WIDTH` tokens; within each, own names are numbered by order of first use."""
    for start in range(max(1, len(tokens) - WIDTH + 1)):
        numbers: dict[str, str] = {}
        part = tokens[start : start + WIDTH]
        yield " ".join(numbers.setdefault(t, f"n{len(numbers)}") if t[:1] == "\0" else t for t in part)
