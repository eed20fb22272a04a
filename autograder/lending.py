"""Right parts for an exercise that puts earlier ones together, so that one early mistake does not cost twice.

A composite exercise that fails with the student's own parts is run once more with the course's in place of those that
failed. The child process of that exercise is the only place that ever sees them.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from autograder.isolated import Cell
from autograder.records import Exercise

COURSE = Path(__file__).parent.parent / "solutions"
"""Where a checkout of the course has them; a student's copy has nothing there, and then nothing is lent."""


def lent(exercise: Exercise, broken: Collection[str], solutions: Path = COURSE) -> Cell | None:
    """The right text of the exercises `broken`, to be loaded after the student's; None where it is not at hand."""
    found = next(solutions.glob(f"*_{exercise.module}/{exercise.module}.py"), None)
    if found is None:
        return None
    wanted = {name.split(".")[1] for name in broken}
    text = found.read_text(encoding="utf-8")
    kept = [node for node in ast.parse(text).body if _is_wanted(node, wanted, exercise)]
    return Cell("the course's own parts", ast.unparse(ast.Module(kept, [])), own=False)


def _is_wanted(node: ast.stmt, wanted: set[str], exercise: Exercise) -> bool:
    """The imports, the functions asked for, and helpers that belong to no exercise."""
    if not isinstance(node, ast.FunctionDef):
        return True
    own = {name.split(".")[1] for name in (exercise.id, *exercise.builds_on)}
    return node.name in wanted or node.name not in own
