"""A notebook whose metadata are nested 200,000 deep."""

import json
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """Deeper than any parser that calls itself can go."""
    text = json.dumps(right["notebook"]())
    deep = "[" * 200_000 + "]" * 200_000
    (folder / "grad_cam.ipynb").write_text('{"metadata": ' + deep + ", " + text[1:], encoding="utf-8")
