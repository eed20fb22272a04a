"""Where the parts of the course lie: in a checkout, or all in the installed package. No other module knows."""

from __future__ import annotations

from pathlib import Path

PACKAGE = Path(__file__).parents[1]
CODE = PACKAGE.parent
"""The folder of the packages `cnnviz`, `cnnviz_ref` and `autograder`."""
COURSE = PACKAGE if (PACKAGE / "solutions").is_dir() else CODE
"""The folder of `solutions` and `lessons`: an installed course has them in the package, a student's copy nowhere."""
SOLUTIONS = COURSE / "solutions"
"""What the lessons' authors write, and the solved lessons."""
LESSONS = COURSE / "lessons"
"""The lessons as students get them."""
