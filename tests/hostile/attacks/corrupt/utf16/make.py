"""A right notebook that an editor saved as UTF-16."""

import json
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """With a byte order mark, as Windows writes it."""
    (folder / right["NAME"]).write_bytes(json.dumps(right["notebook"]()).encode("utf-16"))
