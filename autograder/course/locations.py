"""Where the parts of the course lie: in a checkout, or all in the installed package. No other module knows."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
CODE = PACKAGE.parent
"""The folder of the packages `cnnviz`, `cnnviz_ref` and `autograder`."""
COURSE = PACKAGE if (PACKAGE / "lessons").is_dir() else CODE
"""The folder of `solutions` and `lessons`: the package where the course is installed, else the clone."""
SOLUTIONS = COURSE / "solutions"
"""What the lessons' authors write, and the solved lessons; a student's copy has none."""
LESSONS = COURSE / "lessons"
"""The lessons as students get them; in a clone students write in them."""
