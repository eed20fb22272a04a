"""A module with NUL bytes after its right code."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """As a file system leaves a file after a power cut."""
    (folder / "grad_cam.py").write_bytes(right["module"]().encode() + bytes(4096))
