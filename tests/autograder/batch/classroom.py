"""A small class for the tests of the batch: right, mistaken, raising, stub, unreadable."""

import json
import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]
LESSON = "11_grad_cam"
SOLVED = (ROOT / "solutions" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
STUB = (ROOT / "lessons" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
SECRET = "the secret of these tests"

RESTLESS = """
import os, tempfile

def neuron_importance(gradients):
    raise ValueError(f"{object()} in {os.getcwd()} of process {os.getpid()}, {tempfile.mktemp()}, {id(object())}")

def grad_cam_map(activations, alpha):
    raise KeyError(os.path.join(os.getcwd(), "no.txt"), f"pid={os.getpid()}")
"""
"""Says something else in every run."""

CLASS = {
    "ann": SOLVED,
    "Ann": SOLVED.replace("mean(dim=(2, 3))", "sum(dim=(2, 3))"),
    "=1+1": RESTLESS,
    "김민수": STUB,
    "dora": "def neuron_importance(gradients):\n    return gradients.mean(dim=(2, 3))\n\nsum_or_mean = 'smaller'\n",
}
"""Student -> module; `bob`'s notebook is cut off as well."""


def write_class(folder: Path) -> Path:
    for student, text in CLASS.items():
        place = folder / student / LESSON
        place.mkdir(parents=True)
        (place / "grad_cam.py").write_text(text, encoding="utf-8")
    (folder / "bob" / LESSON).mkdir(parents=True)
    (folder / "bob" / LESSON / "grad_cam.ipynb").write_text('{"cells": [')
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def start(*arguments, **options) -> subprocess.Popen:
    """The real command, in a process of its own."""
    command = [sys.executable, "-m", "autograder.cli", *map(str, arguments)]
    environment = {**os.environ, "CNNVIZ_SECRET": SECRET}
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, **options
    )


def rows_of(folder: Path, student_folder: str, item: str) -> list[dict]:
    return json.loads((folder / "results" / student_folder / LESSON / f"{item}.json").read_text())["result"]["rows"]
