"""A notebook that is right but for one cell full of NUL bytes."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """The broken cell is the student's own scratch cell in the middle."""
    notebook = right["notebook"]()
    notebook["cells"].insert(4, right["code"]("scratch = 1\n\0\0\0\n", "scratch"))
    right["save"](folder, notebook)
