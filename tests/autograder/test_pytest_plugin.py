"""`pytest lessons/` as a student sees it."""

import os
import re
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
    assert "30 not attempted" in done.stdout
    assert "0 of 33 points" in done.stdout


def test_a_wrong_exercise_shows_its_diagnosis_and_not_our_stack(lessons):
    write(lessons, "neuron_importance", "return gradients.sum(dim=(2, 3))")
    done = lessons("-k", "neuron_importance")
    assert done.returncode == 1
    assert "α_k is their mean: divide by Z" in done.stdout
    assert "autograder/" not in done.stdout
    assert "0/5" in done.stdout


def test_a_failure_shows_what_the_code_printed_and_the_students_own_frames(lessons):
    body = """print("::warning::\\x1b[31m", gradients.shape)
    return averaged(gradients)


def averaged(values):
    return values / missing"""
    write(lessons, "neuron_importance", body)
    told = lessons("-k", "neuron_importance").stdout
    first = told[: told.index("hidden values:")]
    assert "\n|   ::warning::\ufffd[31m torch.Size([3, 5, 4, 6])\n" in first
    assert "in neuron_importance: return averaged(gradients)\n|   grad_cam.py, line " in first
    assert ", in averaged: return values / missing\n" in first
    assert told.count("Your code printed:") == 1
    assert "autograder/" not in told


def test_code_that_cannot_be_loaded_is_one_failure_with_its_reason(lessons):
    write(lessons, "neuron_importance", "return gradients.sum(dim=(2, 3))")
    write(lessons, "grad_cam_map", "return activations.sum(dim=1)")
    lessons.module.write_text("import my_utils\n" + lessons.module.read_text())
    done = lessons()
    assert done.returncode == 1
    assert done.stdout.count("No module named 'my_utils'") == 1
    assert "1 failed, 21 not attempted, 8 not loaded" in done.stdout


def test_of_several_lessons_one_that_is_not_begun_is_a_line(lessons):
    other = lessons.module.parents[1] / "10_cam"
    shutil.copytree(ROOT / "lessons" / "10_cam", other)
    done = lessons()
    assert "10_cam  0 of 27 points  · not attempted\n11_grad_cam  0 of 33 points  · not attempted\n" in done.stdout
    assert "grad_cam.capture" not in done.stdout


def test_a_right_exercise_passes_alone(lessons):
    write(lessons, "neuron_importance", "return gradients.mean(dim=(2, 3))")
    done = lessons("-k", "neuron_importance")
    assert done.returncode == 0, done.stdout
    assert "5 passed" in done.stdout


def test_another_folder_is_checked_on_demand(lessons):
    done = lessons("--cnnviz-submission", str(ROOT / "solutions"))
    assert done.returncode == 0, done.stdout
    assert "33 of 33 points" in done.stdout


def test_the_table_comes_from_the_workers_of_xdist_too(lessons):
    pytest.importorskip("xdist")
    done = lessons("--cnnviz-submission", str(ROOT / "solutions"), "-n", "2")
    assert done.returncode == 0, done.stdout
    assert "33 of 33 points" in done.stdout


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
        (["--cnnviz-device", "cuda:7"], "--cnnviz-device: got 'cuda:7'; allowed on this machine are"),
        (["--cnnviz-submission", "nowhere"], "--cnnviz-submission: got nowhere, which is not a folder"),
    ],
)
def test_a_device_or_folder_that_is_not_there_is_said(lessons, arguments, words):
    done = lessons(*arguments)
    assert done.returncode != 0
    assert words in done.stderr


CONFTEST = """
import pytest

def pytest_addoption(parser):
    for name in ("submission", "device", "lesson", "lessons", "course", "secret", "seed", "rung"):
        parser.addoption(f"--{name}", default="theirs")

@pytest.fixture
def verdict(request):
    return request.config.getoption("--device")

@pytest.fixture
def course(request):
    return request.config.getoption("--submission")
"""
TESTS = """
import warnings

LESSON = "of another course"

def test_a_pass(verdict, course):
    assert (verdict, course) == ("cuda", "theirs")

def test_a_failure(record_property):
    record_property("points", 3)
    print("a cursor \\x1b[2K moves")
    warnings.warn("mind the gap")
    raise NotImplementedError("not written \\x1b]8;;x yet")
"""


@pytest.fixture
def foreign(tmp_path):
    """A project of somebody else, and its pytest with our plugin or without; lines and exit status."""
    folder = tmp_path / "01_intro"
    folder.mkdir()
    (tmp_path / "conftest.py").write_text(CONFTEST)
    (folder / "test_intro.py").write_text(TESTS)

    def run(*arguments):
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--device=cuda", *arguments]
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300, env=environment)
        said = re.sub(r"in [\d.]+s|0x\w+|(?m:^plugins: .*)", "", done.stdout + done.stderr)
        return done.returncode, re.sub("=+", "=", said)

    return run


@pytest.mark.parametrize(
    ("arguments", "status"), [((), 1), (("-v", "-rA", "--color=yes"), 1), (("gone \x1b[2J",), 4), (("-k", "a_pass"), 0)]
)
def test_another_project_runs_as_without_the_plugin(foreign, arguments, status):
    without = foreign("-p", "no:cnnviz", *arguments)
    assert foreign(*arguments) == without
    assert without[0] == status


def test_a_lesson_far_below_is_checked_too(lessons, tmp_path):
    shutil.copytree(lessons.module.parent, tmp_path / "lessons" / "a" / "b" / "11_grad_cam")
    shutil.rmtree(lessons.module.parent)
    assert "30 not attempted" in lessons().stdout
