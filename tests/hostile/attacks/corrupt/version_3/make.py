"""A right notebook in the format of 2013, with worksheets and inputs."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """What IPython 2 wrote."""
    notebook = right["notebook"]()
    cells = [_old(cell) for cell in notebook["cells"]]
    old = {"metadata": {"name": ""}, "nbformat": 3, "nbformat_minor": 0}
    right["save"](folder, {**old, "worksheets": [{"cells": cells, "metadata": {}}]})


def _old(cell: dict) -> dict:
    if cell["cell_type"] != "code":
        return {"cell_type": "markdown", "metadata": {}, "source": cell["source"]}
    return {"cell_type": "code", "collapsed": False, "input": cell["source"], "language": "python",
            "metadata": cell["metadata"], "outputs": [], "prompt_number": 1}  # fmt: skip
