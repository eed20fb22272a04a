"""A right notebook with its exercises in reverse order and all checks before them."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Imports first, then the checks, then everything else backwards."""
    notebook = right["notebook"]()
    first, rest, checks = notebook["cells"][:2], notebook["cells"][2:], right["checks"](notebook)
    others = [cell for cell in reversed(rest) if cell not in checks]
    notebook["cells"] = [*first, *checks, *others]
    right["save"](folder, notebook)
