"""A right module in Latin-1 that says so in its first line, as Python allows."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """A name with an umlaut in a comment, which is not UTF-8."""
    text = "# -*- coding: latin-1 -*-\n# J\u00fcrgen Gr\u00f6\u00dfe\n" + _plain(right["module"]())
    (folder / "grad_cam.py").write_bytes(text.encode("latin-1"))


def _plain(text: str) -> str:
    return text.encode("latin-1", "replace").decode("latin-1")
