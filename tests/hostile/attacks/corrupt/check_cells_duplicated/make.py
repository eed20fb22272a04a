"""A right notebook in which every check cell stands twice, copied and pasted with its id."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Each check cell, and the same once more."""
    notebook = right["notebook"]()
    checks = right["checks"](notebook)
    notebook["cells"] = [copy for cell in notebook["cells"] for copy in [cell] * (1 + (cell in checks))]
    right["save"](folder, notebook)
