"""Lint of a lesson's asserts: one that can fail by a student's function says which exercise to look at."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator, Mapping, Sequence

from autograder.authoring.errors import Problem
from autograder.authoring.parse import CODE, EXERCISE, MODULE, Block
from autograder.reading.needed import Statement, statements

Sources = Mapping[str, frozenset[str]]
"""Name -> the exercises' functions that its value comes from."""


def assert_problems(blocks: Sequence[Block], *, file: str, lesson: str) -> Iterator[Problem]:
    """Asserts outside the exercises that fail without a word for whoever has written an exercise wrong."""
    for line, node, functions in lesson_asserts(blocks):
        said = "" if node.msg is None else ast.unparse(node.msg)
        if functions and not any(function in said for function in functions):
            told = (
                f"got {said or 'no message'}; this assert can fail by {', '.join(functions)}, so its message names one "
                f'of them: assert ..., "look at {functions[-1]}".'
            )
            yield Problem(f"{file}:{line}", told, f"cnnviz lint {lesson}")


def lesson_asserts(blocks: Sequence[Block]) -> Iterator[tuple[int, ast.Assert, tuple[str, ...]]]:
    """Each assert outside the exercises: its line in the lesson, and the exercises' functions that it hangs on."""
    sources: dict[str, frozenset[str]] = {}
    order: list[str] = []
    for block in blocks:
        if block.kind == EXERCISE:
            order.append(block.item.split(".")[1])
            sources[order[-1]] = frozenset(order[-1:])
        elif block.kind in (CODE, MODULE):
            for each in statements(block.source):
                yield from ((block.line + line - 1, node, tuple(sorted(found, key=order.index)))
                            for line, node, found in _in_statement(block.source, each, sources))  # fmt: skip
                sources.update(_after(block.source, each, sources))


def _in_statement(
    source: str, statement: Statement, sources: Sources
) -> Iterator[tuple[int, ast.Assert, frozenset[str]]]:
    """Its asserts; what the statement itself binds, such as a loop's variable, may come from all that it reads."""
    for node in _nodes(source, statement):
        if isinstance(node, ast.Assert):
            names = _read([node.test])
            yield (
                node.lineno,
                node,
                _from(_read(_nodes(source, statement)) if names & statement.binds else names, sources),
            )


def _after(source: str, statement: Statement, sources: Sources) -> dict[str, frozenset[str]]:
    """What the names that a statement binds or changes come from, once it has run; a module stays what it is."""
    used = _from(_read(_nodes(source, statement)), sources)
    changed = {name: used | sources[name] for name in statement.changes if name in sources}
    return changed | dict.fromkeys(statement.binds, used)


def _nodes(source: str, statement: Statement) -> list[ast.AST]:
    """The statement's nodes."""
    inside = [each for each in ast.parse(source).body if statement.first <= (each.end_lineno or 0) <= statement.last]
    return [node for each in inside for node in ast.walk(each)]


def _read(nodes: Iterable[ast.AST]) -> set[str]:
    """Names whose values they read; `x += 1` reads x."""
    inside = [each for node in nodes for each in ast.walk(node)]
    added = [node.target for node in inside if isinstance(node, ast.AugAssign)]
    return {
        each.id for each in inside if isinstance(each, ast.Name) and (isinstance(each.ctx, ast.Load) or each in added)
    }


def _from(names: set[str], sources: Sources) -> frozenset[str]:
    return frozenset().union(*(sources.get(name, frozenset()) for name in names))
