"""A folder named grad_cam.py beside a right notebook."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """The folder has the module's name and the module inside."""
    (folder / "grad_cam.py").mkdir()
    right["save"](folder, right["notebook"]())
