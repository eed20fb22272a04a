"""Puts links to the gradebook, the solutions and the neighbours beside the module, and reads through them."""

from pathlib import Path

COURSE = "../../.."


def make(folder: Path) -> None:
    """Files and folders, relative and absolute."""
    course = (folder / COURSE).resolve()
    (folder / "a.txt").symlink_to(f"{COURSE}/solutions_private.txt")
    (folder / "b.txt").symlink_to(course / "gradebook.db")
    (folder / "c").symlink_to("../../!ada")
    (folder / "d").symlink_to("/etc")
    (folder / "e.txt").symlink_to("/proc/self/environ")
