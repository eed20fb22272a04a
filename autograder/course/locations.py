"""Where the parts of the course lie: in a checkout, or all in the installed package. No other module knows."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
CODE = PACKAGE.parent
"""The folder of the packages `cnnviz`, `cnnviz_ref` and `autograder`."""


def _of_course(name: str) -> Path:
    """An installed course has its folders in the package; a student's copy has no answers at all."""
    inside = PACKAGE / name
    return inside if inside.is_dir() else CODE / name


SOLUTIONS = _of_course("solutions")
"""What the lessons' authors write, and the solved lessons."""
LESSONS = _of_course("lessons")
"""The lessons as students get them."""
