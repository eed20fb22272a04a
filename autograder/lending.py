"""Right parts for an exercise that puts earlier ones together, so that one early mistake does not cost twice.

A composite exercise that fails with the student's own parts is run again with the course's in place of those that
failed, and then of all: a part may be wrong on inputs that its own checks do not have. The child process of that
exercise is the only place that ever sees them.
"""

from __future__ import annotations

import ast
from collections.abc import Collection
from pathlib import Path

from autograder import registry
from autograder.isolated import Cell
from autograder.records import Exercise

COURSE = Path(__file__).parent.parent / "solutions"
"""Where a checkout of the course has them; a student's copy has nothing there, and then nothing is lent."""


def lent(exercise: Exercise, names: Collection[str], solutions: Path = COURSE) -> Cell | None:
    """The right text of the exercises `names`, to be loaded after the student's; None where it is not at hand."""
    found = next(solutions.glob(f"*_{exercise.module}/{exercise.module}.py"), None)
    if found is None:
        return None
    wanted = {name.split(".")[1] for name in names}
    written = {item.function for item in registry.lesson_of(exercise.id).exercises}
    text = found.read_text(encoding="utf-8")
    kept = [n for n in ast.parse(text).body if not isinstance(n, ast.FunctionDef) or n.name not in written - wanted]
    return Cell("the course's own parts", ast.unparse(ast.Module(kept, [])), own=False)
