"""A right notebook under a name of the student's own, as browsers and platforms rename files."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Downloaded twice."""
    right["save"](folder, right["notebook"](), "grad_cam (1).ipynb")
