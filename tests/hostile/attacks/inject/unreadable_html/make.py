"""A notebook that cannot be read, so that the reason is told, with scripts where the reason is."""

from pathlib import Path


def make(folder: Path) -> None:
    """What the reader complains about is quoted from the file and from its name."""
    text = '{"cells": [{"cell_type": "<script>alert(1)</script>", "\x1b[2J": [/red] {{7*7}}'
    (folder / "grad_cam.ipynb").write_text(text, encoding="utf-8")
    (folder / "grad_cam.py").write_text("<script>alert(1)</script> [/red] \x1b]0;owned\x07\n", encoding="utf-8")
