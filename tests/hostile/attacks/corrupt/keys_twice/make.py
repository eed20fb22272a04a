"""A notebook with every key twice: first nonsense, then the right thing."""

import json
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """JSON allows it; readers differ in which they keep."""
    text = json.dumps(right["notebook"]())
    text = text.replace('"source": [', '"source": ["raise SystemExit(0)"], "source": [')
    text = text.replace('"cell_type": "code"', '"cell_type": "raw", "cell_type": "code"')
    (folder / "grad_cam.ipynb").write_text('{"cells": 7, "nbformat": 2, ' + text[1:], encoding="utf-8")
