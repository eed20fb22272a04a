"""`pytest lessons/` as a student sees it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def lessons(tmp_path):
    """A student's copy of one lesson, with pytest to run in it."""
    shutil.copytree(ROOT / "lessons" / "11_grad_cam", tmp_path / "lessons" / "11_grad_cam")

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "lessons/", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment)

    run.module = tmp_path / "lessons" / "11_grad_cam" / "grad_cam.py"
    return run


def write(run, function, body):
    text = run.module.read_text()
    stub = text[text.index(f"def {function}(") :]
    stub = stub[: stub.index("not written yet") + len('not written yet")')]
    signature = stub.splitlines()[0]
    run.module.write_text(text.replace(stub, f"{signature}\n    {body}"))


def test_stubs_are_quiet_and_not_a_pass(lessons):
    done = lessons()
    assert done.returncode == 1
    assert "Traceback" not in done.stdout
    assert "FAILURES" not in done.stdout
    assert "28 not attempted" in done.stdout
    assert "0 of 31 points" in done.stdout


def test_a_wrong_exercise_shows_its_diagnosis_and_not_our_stack(lessons):
    write(lessons, "neuron_importance", "return gradients.sum(dim=(2, 3))")
    done = lessons("-k", "neuron_importance")
    assert done.returncode == 1
    assert "α_k is their mean: divide by Z" in done.stdout
    assert "autograder/" not in done.stdout
    assert "0/5" in done.stdout


def test_a_right_exercise_passes_alone(lessons):
    write(lessons, "neuron_importance", "return gradients.mean(dim=(2, 3))")
    done = lessons("-k", "neuron_importance")
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_another_folder_is_checked_on_demand(lessons):
    done = lessons("--submission", str(ROOT / "solutions"))
    assert done.returncode == 0, done.stdout
    assert "31 of 31 points" in done.stdout


def test_the_table_comes_from_the_workers_of_xdist_too(lessons):
    pytest.importorskip("xdist")
    done = lessons("--submission", str(ROOT / "solutions"), "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "31 of 31 points" in done.stdout


def test_two_copies_of_a_lesson_have_a_verdict_each(lessons, tmp_path):
    shutil.copytree(lessons.module.parent, tmp_path / "lessons" / "ada" / "11_grad_cam")
    write(lessons, "neuron_importance", "return gradients.mean(dim=(2, 3))")
    done = lessons("-k", "neuron_importance", "--import-mode=importlib")  # pytest's own wants other names else
    assert "5 passed, 46 deselected, 5 not attempted" in done.stdout
    assert "lessons/11_grad_cam: 11_grad_cam  5 of 5 points" in done.stdout
    assert "lessons/ada/11_grad_cam: 11_grad_cam  0 of 5 points" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--device", "cuda:7"], "--device: got 'cuda:7'; allowed on this machine are"),
        (["--submission", "nowhere"], "--submission: got nowhere, which is not a folder"),
    ],
)
def test_a_device_or_folder_that_is_not_there_is_said(lessons, arguments, words):
    done = lessons(*arguments)
    assert done.returncode != 0
    assert words in done.stderr
