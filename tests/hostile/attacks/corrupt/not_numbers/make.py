"""A right notebook with NaN, infinities and numbers of ten thousand digits where counts belong."""

import json
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """None of them is JSON, or fits a number; all of them are where no grader needs to look."""
    values = ("NaN", "-Infinity", "1e999", "9" * 10_000, "-" + "9" * 10_000)
    notebook = right["notebook"]()
    for number, cell in enumerate(notebook["cells"]):
        cell["metadata"]["cnnviz_red"] = f"@{number % len(values)}@"
    text = json.dumps(notebook)
    for number, value in enumerate(values):
        text = text.replace(f'"@{number}@"', value)
    (folder / "grad_cam.ipynb").write_text(text, encoding="utf-8")
