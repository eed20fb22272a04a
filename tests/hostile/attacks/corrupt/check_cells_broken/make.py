"""A right notebook whose check cells were edited into a syntax error, an endless loop and an exit."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


EDITS = ("def broken(:\n", "while True:\n    pass\n", "import os\nos._exit(0)\n", "raise SystemExit(0)\n")


def make(folder: Path) -> None:
    """Each check cell, another damage."""
    notebook = right["notebook"]()
    for number, cell in enumerate(right["checks"](notebook)):
        cell["source"] = [EDITS[number % len(EDITS)]]
    right["save"](folder, notebook)
