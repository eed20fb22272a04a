"""A student's commands where there is no fork, no `resource` and the like: as on Windows and macOS, tried on Linux."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LESSON = ROOT / "lessons" / "11_grad_cam" / "grad_cam.py"
STUB = 'raise NotImplementedError("grad_cam.neuron_importance is not written yet")'
SUMMED = "α_k is their mean: divide by Z"
BOTH = pytest.mark.parametrize("system", ["windows", "macos"])
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="pretends on Linux")
NOTEBOOK = """
from autograder import check
def neuron_importance(gradients):
    return gradients.sum(dim=(2, 3))
print(check("grad_cam.neuron_importance", neuron_importance))
"""


@pytest.fixture(scope="module")
def student(tmp_path_factory):
    """A folder with lesson 11, of which one function is written: it sums where it should average."""
    folder = tmp_path_factory.mktemp("student")
    shutil.copytree(LESSON.parent, folder / "lessons" / "11_grad_cam")
    write(folder, "return gradients.sum(dim=(2, 3))")
    (folder / "notebook.py").write_text(NOTEBOOK, encoding="utf-8")
    return folder


def write(student, body):
    text = LESSON.read_text(encoding="utf-8")
    assert STUB in text
    (student / "lessons" / "11_grad_cam" / "grad_cam.py").write_text(text.replace(STUB, body), encoding="utf-8")


def command(system, *arguments):
    pretended = str(ROOT / "tests" / "places" / "pretended_system.py")
    return [sys.executable, "-X", "warn_default_encoding", pretended, system, *arguments]


def environment(student, **more):
    return {**os.environ, "CNNVIZ_CACHE": str(student / "cache"), "NO_COLOR": "1", **more}


def run(student, system, *arguments, **more):
    """Exit status, and all that was said, on one line."""
    done = subprocess.run(
        command(system, *arguments), cwd=student, env=environment(student, **more), capture_output=True
    )
    return done.returncode, " ".join((done.stdout + done.stderr).decode("utf-8", "replace").split())


@BOTH
def test_a_lesson_is_checked(student, system):
    status, said = run(student, system, "autograder.cli", "check", "11")
    assert (status, SUMMED in said) == (1, True), said


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["debug", "11", "--no-pdb"], 1, SUMMED),
        (["pack", "11"], 1, "11_grad_cam.zip holds grad_cam.py, grad_cam.ipynb"),
        ([], 0, "0 of 33 points"),
        (["hint", "11"], 0, "Hint 1 of 3"),
        (["open", "11", "--print"], 0, "jupyter lab --ServerApp.root_dir=lessons lessons/11_grad_cam/grad_cam.ipynb"),
        (["doctor"], 1, "Here time and output are limited and nothing else is"),
    ],
    ids=["debug", "pack", "map", "hint", "open", "doctor"],
)
def test_a_command_says_what_it_says_elsewhere(student, arguments, status, told):
    got, said = run(student, "windows", "autograder.cli", *arguments)
    assert (got, told in said) == (status, True), said


def test_a_file_that_has_no_greek_letters_gets_question_marks(student):
    status, said = run(student, "windows", "autograder.cli", "check", "11", PYTHONIOENCODING="cp1252")
    assert (status, "?_k is their mean" in said) == (1, True), said


def test_pytest_has_a_test_for_each_check(student):
    status, said = run(student, "windows", "pytest", "lessons", "-q", "-p", "no:cacheprovider")
    assert (status, SUMMED in said, "5 failed" in said) == (1, True, True), said


def test_a_notebook_checks_a_function(student):
    status, said = run(student, "windows", "notebook", PYTHONPATH=str(student))
    assert (status, SUMMED in said) == (0, True), said


@BOTH
def test_a_save_is_checked_and_the_lesson_is_put_back(student, system, monkeypatch):
    from tests.autograder.study.terminal import Terminal, alive

    monkeypatch.chdir(student)
    with Terminal(command(system, "autograder.cli", "watch", "11"), **environment(student)) as terminal:
        terminal.wait_for("q quit", seconds=120)
        write(student, f"return gradients.mean(dim=(2, 3))  # {system}")
        terminal.wait_for("✓ passed", seconds=120)
        started = terminal.descendants()
        terminal.press("q")
        assert terminal.process.wait(60) == 0
    assert started
    assert alive(started) == set()
    assert run(student, system, "autograder.cli", "reset", "11")[0] == 0
    module = student / "lessons" / "11_grad_cam" / "grad_cam.py"
    assert module.read_text(encoding="utf-8") == LESSON.read_text(encoding="utf-8")
