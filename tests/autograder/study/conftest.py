"""A student's folder with one lesson in it, and a cache of its own."""

import shutil
from io import StringIO
from pathlib import Path

import pytest

from autograder.study.cache import Cache
from autograder.study.folder import Work, works
from autograder.study.progress import Standing, State
from autograder.text.screen import Screen

ROOT = Path(__file__).parents[3]
STUB = 'raise NotImplementedError("grad_cam.neuron_importance is not written yet")'


@pytest.fixture
def student(tmp_path, monkeypatch):
    """A folder with lessons/11_grad_cam as it is handed out; the working folder."""
    shutil.copytree(ROOT / "lessons/11_grad_cam", tmp_path / "course/lessons/11_grad_cam")
    monkeypatch.chdir(tmp_path / "course")
    monkeypatch.setenv("CNNVIZ_CACHE", str(tmp_path / "cache"))
    return tmp_path / "course"


@pytest.fixture
def work(student) -> Work:
    return works(student / "lessons")[0]


@pytest.fixture
def cache(student) -> Cache:
    return Cache()


def handed_out(file: str) -> str:
    """The text of a file of lesson 11 as students get it."""
    return (ROOT / "lessons/11_grad_cam" / file).read_text(encoding="utf-8")


def write(work: Work, body: str) -> None:
    """Gives neuron_importance this body, as an editor would."""
    text = handed_out("grad_cam.py")
    assert STUB in text
    work.module.write_text(text.replace(STUB, body), encoding="utf-8")


def printed(parts, width=80, **options) -> str:
    """What a terminal of that width would show."""
    console = Screen(width=width, file=StringIO(), **options)
    for part in parts:
        console.print(part)
    return console.file.getvalue()


def standing(folder, outline, verdicts, **more) -> Standing:
    """A lesson with these verdicts, and the rest not attempted."""
    padded = [*verdicts, *["not attempted"] * (len(outline.items) - len(verdicts))]
    told = (("You summed the gradients; α is their mean: divide by Z.", ("values",)),)
    states = [
        State(item, v, item.points if v == "passed" else 0, told if v == "failed" else ())
        for item, v in zip(outline.items, padded, strict=True)
    ]
    return Standing(Work(outline, folder / outline.id), tuple(states), **more)
