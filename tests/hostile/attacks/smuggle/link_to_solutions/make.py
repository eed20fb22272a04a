"""Hands in links to the private solutions as its own files, to have their lines told in an error."""

from pathlib import Path


def make(folder: Path) -> None:
    """What a grader shows of a file that it cannot read, or hands back beside the feedback."""
    (folder / "grad_cam.py").symlink_to("../../../solutions_private.txt")
    (folder / "grad_cam.ipynb").symlink_to("../../../gradebook.db")
    (folder / "notes.txt").symlink_to("/etc/passwd")
