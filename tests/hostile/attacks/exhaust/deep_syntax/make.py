"""Writes the submission: its one line has no place in the repository."""

from pathlib import Path

FUNCTION = "def neuron_importance(gradients):\n    return gradients.mean(dim=(2, 3))\n"


def make(folder: Path) -> None:
    """The module: the function, then the signs."""
    (folder / "grad_cam.py").write_text(f"{FUNCTION}\n\nx = {'-' * 150_000}1\n", encoding="utf-8")
