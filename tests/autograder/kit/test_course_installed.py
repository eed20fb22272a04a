"""What an instructor does who has the wheel of the whole course, and no clone."""

import json
import os
import shutil
import subprocess
import sys
import venv

import pytest
from hatchling.builders.wheel import WheelBuilder

from .conftest import LESSON, ROOT
from .test_installed import RIGHT, environment, lend_packages, reset

pytestmark = pytest.mark.skipif(os.name == "nt", reason="the folders of a venv are named otherwise")


@pytest.fixture(scope="module")
def instructor(tmp_path_factory):
    """A function that runs `cnnviz` where only the wheel is installed, in a folder with a class's hand-ins."""
    folder = tmp_path_factory.mktemp("instructor")
    made = next(WheelBuilder(str(ROOT)).build(directory=str(folder / "dist"), versions=["standard"]))
    venv.create(folder / "venv", with_pip=False)
    python = folder / "venv" / "bin" / "python"
    lend_packages(python)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "-q", "--no-index", "--no-cache-dir"]
    subprocess.run([*pip, made], check=True, cwd=folder, env=environment(folder))
    for student, divisor in {"ada": " / (h * w)", "ben": "", "cy": ""}.items():
        place = folder / "submitted" / student / LESSON / "grad_cam.py"
        place.parent.mkdir(parents=True)
        place.write_text(RIGHT.read_text(encoding="utf-8").replace(" / (h * w)", divisor), encoding="utf-8")

    def cnnviz(*arguments, status=0):
        command = [str(python.parent / "cnnviz"), *map(str, arguments)]
        done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True)
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    cnnviz.folder = folder
    return cnnviz


@pytest.fixture(scope="module")
def results(instructor):
    instructor("grade", "submitted", "--out", "results")
    return {
        path.parent.parent.name: path for path in (instructor.folder / "results" / "results").rglob("*grad_cam.json")
    }


def test_the_demonstration_is_made(instructor):
    instructor("demo", "--out", "demo.html")
    assert "grad_cam" in (instructor.folder / "demo.html").read_text(encoding="utf-8")


def test_a_folder_is_checked(instructor):
    assert "You summed" in instructor("check", "11", "--submission", "submitted/ben", status=1)


def test_right_parts_are_lent_to_a_composite(results):
    rows = json.loads(results["ben"].read_bytes())["result"]["rows"]
    assert all(row["points"] == row["max_points"] for row in rows), rows


def test_code_that_looks_alike_is_found_beside_what_everybody_was_given(instructor, results):
    assert "ben" in instructor("similar", "results")


def test_a_release_is_made(instructor):
    instructor("release", "out", "--lessons", "11")
    assert (instructor.folder / "out" / "lessons" / LESSON / "grad_cam.ipynb").is_file()
    assert list((instructor.folder / "out").glob("*.whl"))
    shutil.rmtree(instructor.folder / "out")


def test_a_lesson_goes_back_to_what_was_handed_out(instructor):
    shutil.copytree(ROOT / "lessons" / LESSON, instructor.folder / "lessons" / LESSON)
    reset(instructor.folder, instructor)
