"""Hands in a pipe under the module's name, and another in place of a zip."""

import os
from pathlib import Path


def make(folder: Path) -> None:
    """Nothing ever comes out of either."""
    os.mkfifo(folder / "grad_cam.py")
    os.mkfifo(folder / "work.zip")
