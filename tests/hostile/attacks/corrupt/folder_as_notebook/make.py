"""A folder named grad_cam.ipynb beside a right module."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """As an unpacked archive may leave it; the work lies beside it."""
    (folder / "grad_cam.ipynb" / "grad_cam.ipynb").mkdir(parents=True)
    (folder / "grad_cam.py").write_text(right["module"](), encoding="utf-8")
