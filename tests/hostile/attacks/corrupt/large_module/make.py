"""A module of 19 MB that is one list of small numbers, which takes gigabytes as a tree."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Below the limit of a file's size; far above what is written by hand."""
    text = right["module"]() + "\nnumbers = [\n" + ("0," * 500 + "\n") * 19_000 + "]\n"
    (folder / "grad_cam.py").write_text(text, encoding="utf-8")
