"""Hands in a link to the folder of the student before, in place of its own."""

from pathlib import Path


def make(folder: Path) -> None:
    """The lesson's folder itself is the link."""
    folder.rmdir()
    folder.symlink_to("../!ada/11_grad_cam")
