"""A right notebook with cells that are numbers, texts, lists and halves of objects between the others."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


STRANGE = (None, 7, "def capture(): pass", [], [["capture"]], True, {}, {"cell_type": "code"}, {"source": "x = 1"},
           {"cell_type": ["code"], "source": "x"}, {"cell_type": "code", "source": None},
           {"cell_type": "code", "source": [1, None, {"x": 2}], "metadata": {}},
           {"cell_type": "code", "source": {"capture": 1}, "metadata": {"nbgrader": {"grade_id": "capture"}}},
           {"cell_type": "heading", "level": 1e999, "source": []})  # fmt: skip


def make(folder: Path) -> None:
    """One of them before each cell."""
    notebook = right["notebook"]()
    pairs = [(STRANGE[n % len(STRANGE)], cell) for n, cell in enumerate(notebook["cells"])]
    notebook["cells"] = [one for pair in pairs for one in pair]
    right["save"](folder, notebook)
