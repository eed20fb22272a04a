"""Hands in a hard link to the file of the student after it, and rewrites that through it."""

import os
from pathlib import Path

VICTIM = "../../~zoe/11_grad_cam/grad_cam.py"


def make(folder: Path) -> None:
    """Another name for the same bytes, where the file system allows it."""
    os.link((folder / VICTIM).resolve(), folder / "notes.txt")
