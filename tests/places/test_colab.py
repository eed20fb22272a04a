"""The notebook's first cell, run as Colab runs it: with Google's module loaded, and a pip that only writes down."""

import json
import re
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from autograder.authoring import publishing
from autograder.authoring.build import outputs
from autograder.course import registry
from autograder.kit import release as wheels

ROOT = Path(__file__).parents[2]
URL = "https://uni.example/cnn/download?file=7"
LACKING = ("nbgrader", "jupyterlab", "jupytext", "jupyter_server", "typer", "watchfiles", "joblib", "pytest")
"""Packages that the course depends on and that Colab has not, or not all, or in versions of its own."""

each_lesson = pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)


CELLS = {
    "published": lambda: publishing.install_cell(),
    "address": lambda: publishing.handout_cell(URL),
    "upload": lambda: publishing.handout_cell(),
}
each_cell = pytest.mark.parametrize("cell", CELLS.values(), ids=CELLS)


@pytest.fixture(autouse=True)
def published(monkeypatch):
    monkeypatch.setattr(publishing, "REPOSITORY", "ada/cnn-course")


@pytest.fixture
def calls(monkeypatch):
    """The commands that the cell would have run, and the addresses that it would have opened."""
    made = []
    monkeypatch.setattr(subprocess, "check_call", made.append)
    monkeypatch.setattr("urllib.request.urlretrieve", lambda *given: made.append(given))
    return made


@pytest.fixture
def wheel(tmp_path, monkeypatch):
    """Where a handout's cell puts the wheel: for the test in a folder of its own."""
    place = tmp_path / Path(publishing._WHEEL).name
    monkeypatch.setattr(publishing, "_WHEEL", str(place))
    return place


def on_colab(monkeypatch, *, chosen=None):
    """Google's module; `chosen` is what a student picks where the cell asks for files: name -> content."""
    colab = ModuleType("google.colab")
    colab.files = SimpleNamespace(upload=lambda: chosen)
    monkeypatch.setitem(sys.modules, "google.colab", colab)


def installed(command):
    """What this pip is to install; Colab's own packages stay."""
    assert command[:5] == [sys.executable, "-m", "pip", "install", "--quiet"]
    assert "--no-deps" in command, "else pip may replace Colab's torch"
    packages = [word for word in command[5:] if not word.startswith("-")]
    assert not [word for word in packages if word.startswith(("torch", "numpy"))]
    return packages


def cells(lesson, **given):
    made = outputs(ROOT, lesson, **given)[f"lessons/{lesson.id}/{lesson.name}.ipynb"]
    return ["".join(cell["source"]) for cell in json.loads(made)["cells"]]


@each_lesson
def test_every_notebook_begins_with_the_links_and_this_cell_before_any_import(lesson):
    _title, links, install, imports, *_ = cells(lesson)
    assert links == publishing.links(lesson)
    assert install == publishing.install_cell()
    assert "from autograder import check" in imports


def test_while_no_repository_is_named_there_are_no_links_and_no_such_cell(monkeypatch):
    monkeypatch.setattr(publishing, "REPOSITORY", "")
    _title, imports, *_ = cells(registry.lesson("11"))
    assert "from autograder import check" in imports


@each_lesson
def test_a_classs_notebook_begins_with_its_own_cell_and_leads_to_no_published_one(lesson):
    cell = publishing.handout_cell()
    _title, install, imports, *_ = made = cells(lesson, handout=cell)
    assert install == cell
    assert "from autograder import check" in imports
    assert "ada/cnn-course" not in "".join(made)


@each_cell
def test_anywhere_but_on_colab_the_cell_does_nothing(calls, cell):
    exec(cell(), before := {})
    assert calls == []
    assert set(before) - {"__builtins__"} == {"sys"}


def test_on_colab_this_pip_installs_the_pinned_course_and_nothing_that_it_depends_on(monkeypatch, calls):
    on_colab(monkeypatch)
    exec(publishing.install_cell(), {})
    (command,) = calls
    course = f"cnnviz @ https://github.com/ada/cnn-course/archive/refs/tags/{publishing.RELEASE}.zip"
    assert installed(command)[0] == course


def test_on_colab_a_classs_wheel_is_downloaded_from_its_address_and_installed(monkeypatch, calls, wheel):
    on_colab(monkeypatch)
    exec(publishing.handout_cell(URL), {})
    download, command = calls
    assert download == (URL, str(wheel))
    assert installed(command)[0] == str(wheel)


def test_on_colab_a_wheel_that_the_student_chooses_is_installed_whatever_it_was_renamed_to(monkeypatch, calls, wheel):
    on_colab(monkeypatch, chosen={"cnnviz-0.1.0+student.1a2b3c4d-py3-none-any (1).whl": b"the wheel"})
    exec(publishing.handout_cell(), {})
    (command,) = calls
    assert wheel.read_bytes() == b"the wheel"
    assert installed(command)[0] == str(wheel)


@pytest.mark.parametrize("chosen", [{}, {"a.whl": b"", "b.whl": b""}], ids=["none", "two"])
def test_on_colab_a_student_who_chooses_no_file_or_two_is_told_what_to_do(monkeypatch, calls, chosen):
    on_colab(monkeypatch, chosen=chosen)
    with pytest.raises(ValueError, match=r"Run this cell again and choose one file: .* ends in \.whl\."):
        exec(publishing.handout_cell(), {})
    assert calls == []


@pytest.mark.parametrize("url", ["http://uni.example/cnn.whl", "file:///etc/passwd", "cnn.whl", "https:"])
def test_an_address_that_students_cannot_safely_download_from_is_refused(url):
    with pytest.raises(ValueError, match=re.escape(f'--wheel-url: got "{url}"; give')):
        publishing.handout_cell(url)


def test_an_address_stays_a_text_whatever_is_in_it(monkeypatch, calls):
    on_colab(monkeypatch)
    odd = 'https://uni.example/a"); raise SystemExit("b\\'
    exec(publishing.handout_cell(odd), {})
    assert calls[0][0] == odd


@each_cell
def test_on_colab_a_failing_pip_stops_the_cell(monkeypatch, calls, wheel, cell):
    def broken(command):
        raise subprocess.CalledProcessError(1, command)

    monkeypatch.setattr(subprocess, "check_call", broken)
    on_colab(monkeypatch, chosen={"cnnviz.whl": b"the wheel"})
    with pytest.raises(subprocess.CalledProcessError):
        exec(cell(), {})


def test_the_real_pip_takes_a_wheel_under_the_name_that_the_cell_gives_it(tmp_path, wheel):
    """The version in the file's name is not that of the wheel."""
    _name, content = wheels.wheel({"cnnviz/__init__.py": b"", "autograder/__init__.py": b""})
    wheel.write_bytes(content)
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path / "to"),
    ]
    done = subprocess.run([*pip, str(wheel)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "to" / "cnnviz" / "__init__.py").is_file()


def test_the_tag_is_the_version():
    assert f'version = "{publishing.RELEASE.removeprefix("v")}"' in (ROOT / "pyproject.toml").read_text(
        encoding="utf-8"
    )


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
