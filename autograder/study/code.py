"""The code that counts for one exercise, as a content hash: what is not in it cannot change the verdict."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from autograder.isolated import Cell
from autograder.isolated.loading import may_last
from autograder.study.cache import digest

_LOOK_AROUND = {
    "globals", "locals", "vars", "eval", "exec", "__import__", "__builtins__", "sys", "inspect", "importlib", "gc"
}  # fmt: skip
"""Names with which code can reach a function that it does not name: then everything counts."""


def code_hash(cells: Sequence[Cell], function: str, others: Collection[str]) -> str:
    """Names the code of `function` and all that it can reach; comments, layout and unrelated exercises are left out.

    Args:
        cells: what would be loaded for it.
        function: the exercise's function.
        others: the lesson's other functions, and the variables of its questions. Of a function that is not called only
            the line that defines it counts, of a variable that is not used nothing.
    """
    trees = [_tree(cell.source) for cell in cells]
    if any(tree is None or _names(tree) & _LOOK_AROUND for tree in trees):
        return text_hash(cells)
    others = set(others) - {function}
    nodes = [(cell.own, node) for cell, tree in zip(cells, trees, strict=True) if tree for node in tree.body]
    loaded = [(own, node) for own, node in nodes if own or may_last(node)]
    reached = _reached([node for _, node in loaded], others)
    return digest(*(f"{own} {text}" for own, node in loaded for text in _counted(node, reached, others)))


def text_hash(cells: Sequence[Cell]) -> str:
    """Names the text itself, with its line numbers."""
    return digest(*(part for cell in cells for part in (cell.label, str(cell.own), cell.source)))


def _reached(nodes: Sequence[ast.stmt], others: Collection[str]) -> set[str]:
    """Names of those others that are used, by the function, by a helper, or by one that is used."""
    bodies = {name: node for node in nodes if (name := _other(node, others))}
    waiting = {name for node in nodes if not _other(node, others) for name in _names(node)} & bodies.keys()
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= (_names(bodies[name]) & bodies.keys()) - reached
    return reached


def _counted(node: ast.stmt, reached: Collection[str], others: Collection[str]) -> Iterator[str]:
    """The parts of one statement that count."""
    name = _other(node, others)
    if not name or name in reached:
        yield ast.dump(node)
    elif isinstance(node, ast.FunctionDef):
        yield name
        yield from map(ast.dump, [*node.decorator_list, node.args, *([node.returns] if node.returns else [])])


def _other(node: ast.stmt, others: Collection[str]) -> str:
    """The name of one of the others, where this defines it and does nothing else."""
    name = node.name if isinstance(node, ast.FunctionDef) else ""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Constant):
        name = getattr(node.targets[0], "id", "")
    return name if name in others else ""


def _names(node: ast.AST) -> set[str]:
    """All names that occur, those of imported modules included."""
    used = {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}
    return used | {found.name.split(".")[0] for found in ast.walk(node) if isinstance(found, ast.alias)}


def _tree(source: str) -> ast.Module | None:
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
