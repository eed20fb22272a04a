"""A right notebook with nbformat 99 and metadata of all the wrong types."""

from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


METADATA = (None, [], "solution", 7, {"nbgrader": None}, {"nbgrader": [1]},
            {"nbgrader": {"grade_id": ["x"], "solution": 1}},
            {"nbgrader": {"schema_version": 99, "points": -1e999}}, {"tags": {"a": 1}, "nbgrader": "yes"})  # fmt: skip


def make(folder: Path) -> None:
    """Nothing is where a schema says, but every source."""
    notebook = right["notebook"]()
    for number, cell in enumerate(notebook["cells"]):
        cell |= {"metadata": METADATA[number % len(METADATA)], "outputs": {"no": "list"}, "execution_count": "In [7]"}
        cell["id"] = [None, 12, "", "a b/c", "x" * 500][number % 5]
    right["save"](folder, {**notebook, "metadata": [], "nbformat": 99, "nbformat_minor": "five"})
