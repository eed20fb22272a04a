"""A notebook that ends in the middle of a cell, as a full disk leaves it."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """The first two thirds."""
    right["save"](folder, right["notebook"]())
    path = folder / right["NAME"]
    text = path.read_bytes()
    path.write_bytes(text[: 2 * len(text) // 3])
