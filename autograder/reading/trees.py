"""Syntax trees of code that others wrote; and as words, which stay when names, comments, layout and notes change."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator

NO_FILE = ""
"""Name of the code's file: to show a wrong line Python opens whatever has that name in the current folder."""
MOST = 50_000
"""Nodes of the largest tree that is looked at."""
_SPELLING = ("annotation", "returns", "type_comment", "ctx", "kind", "simple", "type_params")
"""Fields that change nothing of what a function computes."""


def parsed(text: str) -> ast.Module | None:
    """The tree; None where it is no Python."""
    try:
        return ast.parse(text, NO_FILE)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def is_note(node: ast.AST) -> bool:
    """Whether a statement is a docstring, or another value that stands alone."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def words(root: ast.AST, said: Callable[[str], str]) -> Iterator[str]:
    """A word a node, parents first, without notes and annotations. No recursion: trees may be deep.

    Args:
        root: what is looked at.
        said: the word for a name; behind a zero where its author chose it.
    """
    left, count = [root], 0
    while left and count < MOST:
        node, count = left.pop(), count + 1
        yield _word(node, said)
        left += [child for child in _children(node) if not is_note(child)][::-1]


def numbered(words: Iterable[str]) -> str:
    """The words as one text, with numbers for own names by order of first use."""
    numbers: dict[str, str] = {}
    return " ".join(numbers.setdefault(w, f"n{len(numbers)}") if w[:1] == "\0" else w for w in words)


def _word(node: ast.AST, said: Callable[[str], str]) -> str:
    if isinstance(node, ast.Name):
        return said(node.id)
    if isinstance(node, ast.arg):
        return f"\0{node.arg}"
    if isinstance(node, ast.Constant):
        return _constant(node.value)
    if isinstance(node, ast.Attribute):
        return f".{node.attr}"
    if isinstance(node, ast.keyword):
        return f"{node.arg}="
    return "Assign" if isinstance(node, ast.AnnAssign) else type(node).__name__


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
