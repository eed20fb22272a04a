"""A right notebook with 100,000 tiny cells behind it."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """As small as cells can be, to stay below any limit of size."""
    notebook = right["notebook"]()
    notebook["cells"] += [{"cell_type": "code", "metadata": {}, "source": f"x{n} = {n}"} for n in range(100_000)]
    right["save"](folder, notebook)
