"""Hands in a link to the module of the student before."""

from pathlib import Path

NEIGHBOUR = "../../!ada/11_grad_cam/grad_cam.py"


def make(folder: Path) -> None:
    """The right work of somebody else, under both names."""
    (folder / "grad_cam.py").symlink_to(NEIGHBOUR)
    (folder / "grad_cam.ipynb").symlink_to(NEIGHBOUR)
