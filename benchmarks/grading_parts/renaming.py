"""The same function under other names: what a student who copies does first."""

from __future__ import annotations

import ast
import random

WORDS = ("value", "stuff", "part", "item", "thing", "piece", "result", "data", "entry", "foo", "acc", "res", "arr")


def renamed(text: str, draw: random.Random) -> str:
    """A function whose parameters and local variables got other names; its comments are gone, its layout is new."""
    tree = ast.parse(text)
    (function,) = tree.body
    own = _locals(function)
    taken = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    fresh = [f"{word}{number}" for number in (draw.randrange(1, 5),) for word in draw.sample(WORDS, len(WORDS))]
    names = dict(zip(sorted(own), (name for name in fresh if name not in taken), strict=False))
    return f"{ast.unparse(_Names(names).visit(tree))}\n"


def _locals(function: ast.stmt) -> set[str]:
    """Positional parameters and what is assigned; what a call may spell as `name=` keeps its name."""
    spelled = {node.arg for node in ast.walk(function) if isinstance(node, ast.keyword) and node.arg}
    spelled |= {a.arg for node in ast.walk(function) if isinstance(node, ast.arguments) for a in node.kwonlyargs}
    bound = {node.arg for node in ast.walk(function) if isinstance(node, ast.arg)}
    bound |= {node.id for node in ast.walk(function) if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store)}
    return bound - spelled


class _Names(ast.NodeTransformer):
    def __init__(self, names: dict[str, str]) -> None:
        self.names = names

    def visit_Name(self, node: ast.Name) -> ast.Name:
        node.id = self.names.get(node.id, node.id)
        return node

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.arg = self.names.get(node.arg, node.arg)
        self.generic_visit(node)
        return node
