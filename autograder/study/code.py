"""The code that counts for one exercise, as a content hash: what is not in it cannot change the verdict."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator, Sequence

from autograder.isolated import Cell
from autograder.reading.trees import parsed
from autograder.study.cache import digest

_LOOK_AROUND = {
    "globals", "locals", "vars", "eval", "exec", "__import__", "__builtins__", "sys", "inspect", "importlib", "gc"
}  # fmt: skip
"""Names with which code can reach a function that it does not name: then everything counts."""


def code_hash(cells: Sequence[Cell], function: str, answers: Collection[str] = ()) -> str:
    """Names the code of `function` and all that it can reach; comments, layout and what it never calls are left out.

    Of a function that is not called only what Python computes when it defines it counts.

    Args:
        cells: what would be loaded for it.
        function: the exercise's function.
        answers: variables of questions, which count only where they are used.
    """
    trees = [parsed(cell.source) for cell in cells]
    if None in trees:
        return text_hash(cells)
    loaded = [(cell.own, node) for cell, tree in zip(cells, trees, strict=True) if tree for node in tree.body]
    reached = _reached([node for _, node in loaded], function, answers)
    if any(_looks_around(part) for _, node in loaded for part in _parts(node, reached, answers)):
        return text_hash(cells)
    return digest(*(f"{own} {text}" for own, node in loaded for text in _counted(node, reached, answers)))


def text_hash(cells: Sequence[Cell]) -> str:
    """Names the text itself, with its line numbers."""
    return digest(*(part for cell in cells for part in (cell.label, str(cell.own), cell.module, cell.source)))


def _reached(nodes: Sequence[ast.stmt], function: str, answers: Collection[str]) -> set[str]:
    """What is used by the function, by what runs on loading, and by all that these use."""
    bodies: dict[str, set[str]] = {}
    for node in nodes:
        if name := _kept_apart(node, answers):
            bodies[name] = bodies.get(name, set()) | _names(node)
    waiting = {function} | {name for node in nodes for part in _at_once(node, answers) for name in _names(part)}
    reached: set[str] = set()
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting |= bodies.get(name, set()) - reached
    return reached


def _counted(node: ast.stmt, reached: Collection[str], answers: Collection[str]) -> Iterator[str]:
    """The parts of one statement that count, as text."""
    yield _kept_apart(node, answers)
    yield from map(ast.dump, _parts(node, reached, answers))


def _parts(node: ast.stmt, reached: Collection[str], answers: Collection[str]) -> list[ast.AST]:
    """The parts of one statement that count: of what is never used only what runs while it is loaded."""
    return [node] if _kept_apart(node, answers) in reached else _at_once(node, answers)


def _at_once(node: ast.stmt, answers: Collection[str]) -> list[ast.AST]:
    """What runs, or may run, while the statement is loaded."""
    if not _kept_apart(node, answers):
        return [node]
    if isinstance(node, ast.FunctionDef):
        return [*node.decorator_list, node.args, *([node.returns] if node.returns else [])]
    return []


def _kept_apart(node: ast.stmt, answers: Collection[str]) -> str:
    """The name of a function, or of an answer, which does nothing unless it is used."""
    if isinstance(node, ast.FunctionDef):
        return node.name
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.value, ast.Constant):
        name = getattr(node.targets[0], "id", "")
        return name if name in answers else ""
    return ""


def _looks_around(node: ast.AST) -> bool:
    """Whether it can reach a function without naming it; an import alone cannot, unless under another name."""
    for found in ast.walk(node):
        if isinstance(found, ast.Name) and found.id in _LOOK_AROUND:
            return True
        if isinstance(found, ast.ImportFrom) and (found.module or "").split(".")[0] in _LOOK_AROUND:
            return True
        if isinstance(found, ast.alias) and found.asname and found.name.split(".")[0] in _LOOK_AROUND:
            return True
    return False


def _names(node: ast.AST) -> set[str]:
    return {found.id for found in ast.walk(node) if isinstance(found, ast.Name)}
