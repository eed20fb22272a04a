"""The commands as they are typed."""

import json
import os
import platform
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.course.locations import Home
from autograder.isolated import current_folder
from autograder.study import signs

from .conftest import write


@pytest.fixture
def run(student):
    def invoke(*arguments):
        signs.console.cache_clear()
        return CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)

    yield invoke
    signs.console.cache_clear()


def said(result) -> str:
    assert result.exit_code == 0, result.stderr
    return " ".join(result.stdout.split())


def refused(result) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    (sentence,) = result.stderr.strip().splitlines()
    return sentence


def test_cnnviz_alone_is_the_map_and_help_is_still_help(run):
    text = said(run())
    assert text.startswith("The course: 0 of 1 lessons finished, 0 of 33 points")
    assert (
        "Begin with lesson 11 Grad-CAM: write capture (Activations and their gradients) in lessons/11_grad_cam/" in text
    )
    assert "cnnviz watch 11" in text
    assert "Usage" in run("--help").stdout


def test_the_map_of_untouched_lessons_imports_neither_torch_nor_the_exercises(student):
    code = "import sys; from autograder.commands.study import show_map; show_map(); print(sorted(sys.modules))"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert "'rich'" in shown
    assert "'torch'" not in shown
    assert "'autograder.course.authored'" not in shown


def test_the_map_is_found_from_within_a_lesson(run, student, monkeypatch):
    monkeypatch.chdir(student / "lessons/11_grad_cam")
    assert "write capture (Activations and their gradients) in grad_cam.py" in said(run())


def test_a_check_finds_the_lesson_from_within_it_too(run, student, monkeypatch):
    monkeypatch.chdir(student / "lessons/11_grad_cam")
    checked = run("check", "11")
    assert (checked.exit_code, checked.stderr.strip()) == (1, "")
    assert "11_grad_cam  0 of 33 points" in checked.stdout


def test_where_there_is_no_course_the_way_to_it_is_told(run, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert "lessons: there are none in" in refused(run())
    assert "lessons: there are none in" in refused(run("check", "11"))


def test_hints_come_one_after_the_other(run):
    assert "Hint 1 of 3" in said(run("hint", "neuron_importance"))
    assert "Hint 2 of 3" in said(run("hint", "neuron_importance"))
    assert "Hint 1 of 3" in said(run("hint", "neuron_importance", "--rung", 1))
    everything = said(run("hint", "grad_cam.neuron_importance", "--all"))
    assert all(f"Hint {n} of 3" in everything for n in (1, 2, 3))
    assert 'got "nothing", which does not exist' in refused(run("hint", "nothing"))


def test_a_hint_without_a_name_or_with_a_lesson_is_for_the_first_exercise_that_is_left(run, work):
    assert "(grad_cam.capture) Hint 1 of 3" in said(run("hint"))
    assert "(grad_cam.capture) Hint 2 of 3" in said(run("hint", "11"))
    assert "(grad_cam.grad_cam) Hint 1 of 3" in said(run("hint", "grad_cam"))
    listed = refused(run("hint", "grad_cam.nothing"))
    assert "grad_cam.capture" in listed
    assert "occlusion" not in listed


def test_reset_says_where_the_students_own_is(run, work):
    write(work, "return 1")
    text = said(run("reset", "11", "--exercise", "neuron_importance"))
    assert "neuron_importance is as it was handed out" in text
    (backup,) = work.folder.glob("grad_cam_backup_*.py")
    assert f"Yours is kept in lessons/11_grad_cam/{backup.name}" in text
    assert "Nothing to do" in said(run("reset", "11"))
    assert "exercise: got" in refused(run("reset", "11", "--exercise", "filters.tile"))
    assert "has no folder 01_filters; get it" in refused(run("reset", "1"))


def test_open_prints_the_command_and_says_what_is_missing(run, work, monkeypatch):
    command = "jupyter lab --ServerApp.root_dir=lessons lessons/11_grad_cam/grad_cam.ipynb"
    assert said(run("open", "11", "--print")) == command
    monkeypatch.setattr("autograder.study.opening.find_spec", lambda _: None)
    assert "open: JupyterLab is not installed beside this cnnviz; install it with" in run("open", "11").stderr
    work.notebook.unlink()
    assert "grad_cam.ipynb does not exist; `cnnviz reset 11` brings it." in refused(run("open", "11"))


def test_open_becomes_jupyterlab_in_the_folder_of_the_lessons_without_nbgraders_tools(run, monkeypatch):
    became = []
    monkeypatch.setenv("JUPYTER_CONFIG_PATH", "/mine")
    monkeypatch.setattr("os.execv", lambda program, argv: became.append(argv))
    run("open", "11")
    asked = "--ServerApp.root_dir=lessons", "lessons/11_grad_cam/grad_cam.ipynb"
    assert became == [current_folder.run("jupyterlab", *asked)]
    ours, theirs = os.environ["JUPYTER_CONFIG_PATH"].split(os.pathsep)
    assert theirs == "/mine"
    page = json.loads((Path(ours) / "labconfig" / "page_config.json").read_text("utf-8"))
    assert page["disabledExtensions"] == {"@jupyter/nbgrader": True}


def test_a_notebook_told_its_python_is_still_as_handed_out_and_work_is_left_alone(run, work, monkeypatch):
    monkeypatch.setattr("os.execv", lambda *_: None)
    before = work.notebook.read_bytes()
    run("open", "11")
    opened = work.notebook.read_bytes()
    assert json.loads(opened)["metadata"]["language_info"]["version"] == platform.python_version()
    assert opened != before
    assert work.untouched(work.contents())
    mine = before.replace(b"raise NotImplementedError", b"return 1 #")
    work.notebook.write_bytes(mine)
    run("open", "11")
    assert work.notebook.read_bytes() == mine


def test_a_solution_is_shown_to_whoever_has_solved_it_where_there_is_one(run, work, monkeypatch, tmp_path):
    assert "solution: grad_cam.neuron_importance is not attempted; solve it first" in refused(
        run("solution", "neuron_importance")
    )
    assert "is a prediction" in refused(run("solution", "grad_cam.sum_or_mean"))
    write(work, "return gradients.mean((-2, -1))")
    shown = run("solution", "neuron_importance").stdout
    assert shown.startswith("def neuron_importance(gradients")
    assert "return gradients.mean(dim=(2, 3))" in shown
    assert "def capture" not in shown
    monkeypatch.setattr("autograder.study.solving.home_of", lambda _: Home(tmp_path))
    assert "this copy of the course holds no solutions; your instructor decides" in refused(
        run("solution", "neuron_importance")
    )
