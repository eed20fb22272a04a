"""The notebook's first cell, run as Colab runs it: with Google's module loaded, and a pip that only writes down."""

import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from autograder.authoring import publishing
from autograder.course import registry

ROOT = Path(__file__).parents[2]
LACKING = ("nbgrader", "jupyterlab", "jupytext", "jupyter_server", "typer", "watchfiles", "joblib", "pytest")
"""Packages that the course depends on and that Colab has not, or not all, or in versions of its own."""

each_lesson = pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)


@pytest.fixture
def calls(monkeypatch):
    """The commands that the cell would have run."""
    made = []
    monkeypatch.setattr(subprocess, "check_call", made.append)
    return made


def on_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", ModuleType("google.colab"))


def head(lesson):
    notebook = json.loads((ROOT / "lessons" / lesson.id / f"{lesson.name}.ipynb").read_text(encoding="utf-8"))
    return notebook["cells"][:4]


@each_lesson
def test_every_notebook_begins_with_the_links_and_this_cell_before_any_import(lesson):
    _title, links, install, imports = head(lesson)
    assert "".join(links["source"]) == publishing.links(lesson)
    assert "".join(install["source"]) == publishing.install_cell()
    assert "from autograder import check" in "".join(imports["source"])


def test_anywhere_but_on_colab_the_cell_does_nothing(calls):
    exec(publishing.install_cell(), before := {})
    assert calls == []
    assert set(before) - {"__builtins__"} == {"sys"}


def test_on_colab_this_pip_installs_the_pinned_course_and_nothing_that_it_depends_on(monkeypatch, calls):
    on_colab(monkeypatch)
    exec(publishing.install_cell(), {})
    (command,) = calls
    assert command[:5] == [sys.executable, "-m", "pip", "install", "--quiet"]
    assert "--no-deps" in command, "else pip may replace Colab's torch"
    packages = [word for word in command[5:] if not word.startswith("-")]
    assert packages[0] == f"cnnviz @ {publishing.PACKAGE}"
    assert publishing.RELEASE in publishing.PACKAGE
    assert not [word for word in packages if word.startswith(("torch", "numpy"))]


def test_on_colab_a_failing_pip_stops_the_cell(monkeypatch):
    def broken(command):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "check_call", broken)
    on_colab(monkeypatch)
    with pytest.raises(subprocess.CalledProcessError):
        exec(publishing.install_cell(), {})


def test_the_tag_is_the_version():
    assert f'version = "{publishing.RELEASE.removeprefix("v")}"' in (ROOT / "pyproject.toml").read_text(
        encoding="utf-8"
    )


@pytest.mark.slow
def test_practice_imports_nothing_that_colab_lacks(tmp_path):
    """A check runs in a process that finds no package of ours but these: no nbgrader, JupyterLab or jupytext."""
    script = f"""
import sys

class Lacking:
    def find_spec(self, name, path=None, target=None):
        if name in {LACKING}:
            raise ModuleNotFoundError(f"Colab need not have {{name}}", name=name)

sys.meta_path.insert(0, Lacking())
from autograder import check

def neuron_importance(gradients):
    return gradients.mean(dim=(2, 3))

panel = check("grad_cam.neuron_importance", neuron_importance)
panel._repr_html_()
assert panel.passed, panel
"""
    done = subprocess.run([sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
