"""A module whose brackets take a parser that backtracks for ever."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Nested brackets in front of a syntax error, and a tree far deeper than a stack."""
    text = "x = " + "{a: (" * 60 + "\ny = " + "-" * 100_000 + "1\nz = a" + ".b" * 100_000 + "\ndef capture(: pass\n"
    (folder / "grad_cam.py").write_text(text, encoding="utf-8")
