"""Right parts for an exercise that puts earlier ones together, so that one early mistake does not cost twice.

A composite exercise that fails with the student's own parts is run again with the course's in place of those that
failed, and then of all: a part may be wrong on inputs that its own checks do not have. The child process of that
exercise is the only place that ever sees them. It sees these functions and what they call: no answer to a question, no
other exercise, no comment.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from autograder.course import registry
from autograder.course.locations import SOLUTIONS
from autograder.course.records import Exercise
from autograder.isolated import Cell
from autograder.reading.needed import needed, only, statements


def lent(exercise: Exercise, names: Collection[str], solutions: Path = SOLUTIONS) -> Cell | None:
    """The right text of the exercises `names`, to be loaded after the student's; None in a student's copy."""
    path = next(solutions.glob(f"*_{exercise.module}/{exercise.module}.py"), None)
    if path is None:
        return None
    wanted = {name.split(".")[1] for name in names}
    written = {item.function for item in registry.lesson_of(exercise.id).exercises}
    text = path.read_text(encoding="utf-8")
    every = [one for one in statements(text) if not one.binds & (written - wanted)]
    kept = {one for name in wanted for one in needed([every], name)[0]}
    tree = _Bare().visit(ast.parse(only(text, sorted(kept, key=lambda one: one.first))))
    return Cell("the course's own parts", ast.unparse(tree), own=False)


class _Bare(ast.NodeTransformer):
    """Takes out what a function says of itself: comments are gone already."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            del node.body[0]
        return node

    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]
