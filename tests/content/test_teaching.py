"""The instructor's guide, done as it says: its commands run on three submissions, and what they promise is there."""

from __future__ import annotations

import csv
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "teaching.md"
LESSON = "11_grad_cam"
RIGHT = (ROOT / "solutions" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
STUB = (ROOT / "lessons" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
MISTAKEN = RIGHT.replace("gradients.mean(dim=(2, 3))", "gradients.sum(dim=(2, 3))")
CLASS = {"김민서": RIGHT, "ליאור": MISTAKEN, "=cmd, O'Neil": STUB}
GRADEBOOK = """\
Student,ID,SIS User ID,SIS Login ID,Section,Grad-CAM (4711)
Points Possible,,,,,33
김민서,1,u1,김민서,A,
ליאור,2,u2,ליאור,A,
"=cmd, O'Neil",3,u3,"=cmd, O'Neil",A,
"""


def commands() -> list[list[str]]:
    """Of the guide's box, without `cnnviz`."""
    box = re.search(r"```console\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.S)
    assert box is not None
    return [shlex.split(line)[1:] for line in box[1].splitlines() if line]


@pytest.fixture(scope="module")
def taught(tmp_path_factory):
    """A folder in which the guide was followed, and what each command printed."""
    assert MISTAKEN != RIGHT
    folder = tmp_path_factory.mktemp("teaching") / "course"
    shutil.copytree(ROOT, folder, ignore=shutil.ignore_patterns(".*", "venv", "__pycache__", "_build", "*.egg-info"))
    for student, code in CLASS.items():
        place = folder / "submitted" / student / LESSON
        place.mkdir(parents=True)
        (place / "grad_cam.py").write_text(code, encoding="utf-8")
    (folder / "gradebook.csv").write_text(GRADEBOOK, encoding="utf-8")
    said = {}
    for arguments in commands():
        ran = subprocess.run(
            [sys.executable, "-m", "autograder.cli", *arguments],
            cwd=folder, capture_output=True, text=True, timeout=400,
        )  # fmt: skip
        said[arguments[0]] = ran.stdout + ran.stderr
        assert ran.returncode == 0, (arguments, said[arguments[0]])
    return folder, said


def test_a_class_needs_ten_commands_or_fewer():
    assert 1 < len(commands()) <= 10


def test_the_handout_is_there_and_holds_no_solution(taught):
    handout = taught[0] / "handout"
    assert list(handout.glob("*.zip"))
    texts = [p.read_text(encoding="utf-8") for p in handout.rglob("*.py")]
    assert texts
    assert not any("gradients.mean(dim=(2, 3))" in text for text in texts)


def test_every_student_has_points_and_a_page(taught):
    folder, _ = taught
    with open(folder / "points.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert len(rows) == 1 + len(CLASS)
    pages = "".join(p.read_text(encoding="utf-8") for p in (folder / "feedback").rglob("*.html"))
    assert "sum" in pages
    assert all(name in pages for name in ("김민서", "ליאור"))


def test_the_gradebook_comes_back_with_the_points_in_their_rows(taught):
    with open(taught[0] / "upload.csv", encoding="utf-8-sig", newline="") as file:
        rows = {row[0].lstrip("'"): row for row in csv.reader(file)}
    points = {name: float(rows[name][-1]) for name in CLASS}
    assert points["김민서"] > points["ליאור"] > points["=cmd, O'Neil"] == 0


def test_the_class_page_names_the_mistake(taught):
    page = (taught[0] / "cohort.html").read_text(encoding="utf-8")
    assert "sum_for_mean" in page or "mean" in page
