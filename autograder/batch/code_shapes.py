"""The shape of a piece of code: what stays when names, comments, layout, docstrings and annotations are taken away."""

from __future__ import annotations

import ast
import builtins
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from autograder.reading.submission import Source
from autograder.reading.trees import is_note, numbered, words

WIDTH = 7
"""Tokens of a shingle: about a call with its arguments."""
LONGEST = 200_000
"""Characters of the longest source that is looked at."""

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
    return isinstance(node, ast.Import | ast.ImportFrom) or is_note(node)


def _statement(node: ast.stmt, imported: Mapping[str, str]) -> Statement:
    tokens = list(words(node, lambda name: imported.get(name) or (name if hasattr(builtins, name) else f"\0{name}")))
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


def _shingles(tokens: Sequence[str]) -> Iterator[str]:
    """Runs of `WIDTH` tokens."""
    return (numbered(tokens[start : start + WIDTH]) for start in range(max(1, len(tokens) - WIDTH + 1)))
