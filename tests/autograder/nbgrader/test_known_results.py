"""`cnnviz grade`, then `nbgrader autograde` with a runner that refuses to run: what is known is all there is."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from .test_commands import BROKEN, LESSON, NAME, REPOSITORY, SECRET, Student, full_but, grades, hand_in, lines, nbgrader

REFUSE = """
from autograder.isolated import Runner


def refuse(self, request):
    raise OSError("no student code runs today")


Runner.run = refuse
"""


def cnnviz(folder, *arguments):
    return subprocess.run(
        [sys.executable, "-m", "autograder.cli", *arguments],
        cwd=folder,
        env=os.environ | {"CNNVIZ_SECRET": SECRET, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """The folder after both commands; one student's result was altered in between, another's notebook was changed."""
    folder = tmp_path_factory.mktemp("known")
    for part in ("solutions", "lessons"):
        shutil.copytree(REPOSITORY / part / LESSON, folder / part / LESSON)
    shutil.copy(REPOSITORY / "nbgrader_config.py", folder)
    nbgrader(folder, "generate_assignment", LESSON)
    release = nbformat.read(folder / "lessons" / LESSON / f"{NAME}.ipynb", as_version=4)
    solved = nbformat.read(folder / "solutions" / LESSON / f"{NAME}.ipynb", as_version=4)
    wrong = lines("return gradients.sum(dim=(2, 3))")
    students = {
        "right": Student(release, solved),
        "reordered": Student(release, solved).reorder(),
        "duplicated": Student(release, solved).duplicate_checks(),
        "wrong": Student(release, solved).write(BROKEN, wrong),
        "altered": Student(release, solved).write(BROKEN, wrong),
        "changed": Student(release, solved).write(BROKEN, wrong),
    }
    for name, student in students.items():
        hand_in(folder, name, json.dumps(student.notebook))
    hand_in(folder, "truncated", json.dumps(release)[:-400])
    assert cnnviz(folder, "grade", "submitted", "--out", "results", "--jobs", "1").returncode == 1
    alter(folder / "results" / "results" / "altered" / LESSON / f"{NAME}.{BROKEN}.json")
    students["changed"].write(BROKEN, lines("return gradients.mean(dim=(2, 3))"))
    (folder / "submitted" / "changed" / LESSON / f"{NAME}.ipynb").write_text(json.dumps(students["changed"].notebook))
    with (folder / "nbgrader_config.py").open("a") as config:
        config.write(REFUSE)
    kept = kept_results(folder)
    nbgrader(folder, "autograde", LESSON)
    assert kept_results(folder) == kept
    return folder


def alter(path):
    text = path.read_text()
    assert '"failed"' in text
    path.write_text(text.replace('"failed"', '"passed"'))


def kept_results(folder):
    return {path: path.read_bytes() for path in (folder / "results").rglob("*") if path.is_file()}


@pytest.mark.parametrize("student", ["right", "reordered", "duplicated"])
def test_known_results_are_taken_and_nothing_runs(course, student):
    assert grades(course, student) == full_but()


def test_a_known_mistake_stays_one(course):
    assert grades(course, "wrong") == full_but(BROKEN)


def test_an_altered_result_is_not_taken(course):
    found = grades(course, "altered")
    assert found.pop(BROKEN) == (None, True)
    assert found == {name: points for name, points in full_but().items() if name != BROKEN}


def test_results_of_other_code_are_not_taken(course):
    found = grades(course, "changed")
    assert found[BROKEN] == (None, True)


def test_an_unreadable_file_is_not_judged_as_before(course):
    assert set(grades(course, "truncated").values()) == {(None, True)}
