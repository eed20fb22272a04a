"""A right notebook in a zip as a Mac makes it, with resource forks and a checkpoint of an empty notebook."""

import json
import zipfile
from pathlib import Path
from runpy import run_path

right = run_path(str(Path(__file__).parents[1] / "right.py"))


def make(folder: Path) -> None:
    """The work lies a folder deeper, between files that have its name and are none."""
    notebook = json.dumps(right["notebook"]())
    fork = b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(200)
    with zipfile.ZipFile(folder / "work.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("11_grad_cam/.DS_Store", bytes(100))
        archive.writestr("__MACOSX/11_grad_cam/._grad_cam.ipynb", fork)
        archive.writestr("11_grad_cam/._grad_cam.ipynb", fork)
        archive.writestr("11_grad_cam/.ipynb_checkpoints/grad_cam-checkpoint.ipynb", '{"cells": []}')
        archive.writestr("11_grad_cam/grad_cam.ipynb", notebook)
