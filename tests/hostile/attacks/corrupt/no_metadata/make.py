"""A right notebook without any metadata, cell ids, kernel or version."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Only types and sources are left."""
    notebook = right["notebook"]()
    cells = [{"cell_type": cell["cell_type"], "source": "".join(cell["source"])} for cell in notebook["cells"]]
    right["save"](folder, {"cells": cells})
