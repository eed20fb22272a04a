"""`cnnviz redteam`, with three attacks of its own: one is held, one is not, one nobody promised to stop."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder.cli import app
from autograder.redteam import attacks, firing

ABOUT = 'title = "{title}"\npromise = "points"\nsuccess = "points"\nstopped_by = "{rung}"\nweak = true\n'
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the red team needs Linux")

RIGHT = Path(attacks.__file__).parents[1] / "demo" / "right" / "11_grad_cam" / "grad_cam.py"


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Three attacks; the one called right earns what its attack.toml does not allow it."""
    for name, title, rung in (
        ("idle", "does nothing", "rlimits"),
        ("right", "knows the answers", "rlimits"),
        ("strong", "asks for more", "bubblewrap"),
    ):
        submission = tmp_path / "forge" / name / "submission"
        submission.mkdir(parents=True)
        (submission.parent / "attack.toml").write_text(ABOUT.format(title=title, rung=rung), encoding="utf-8")
        (submission / "grad_cam.py").write_text("def capture(*args):\n    return 0\n", encoding="utf-8")
    shutil.copy(RIGHT, tmp_path / "forge" / "right" / "submission" / "grad_cam.py")
    monkeypatch.setattr(attacks, "attacks_place", lambda: tmp_path)
    monkeypatch.setenv("COLUMNS", "300")
    return tmp_path


def redteam(*options):
    return CliRunner().invoke(app, ["redteam", *options])


@pytest.mark.slow
def test_a_broken_promise_is_told_for_the_one_who_broke_it_and_is_exit_status_1(place):
    done = redteam("--rung", "rlimits", "--jobs", "1")
    lines = {
        name: line for line in done.output.splitlines() for name in ("idle", "right", "strong") if f" {name}: " in line
    }
    assert "held" in lines["idle"]
    assert "NOT HELD points: grad_cam.absent_class: 1 points;" in lines["right"]
    assert "not promised on this rung" in lines["strong"]
    assert "1 of 2 attacks held, 1 not held. 1 not promised on their rung." in done.output
    assert "rlimits: side effects are seen from outside" in done.output
    assert done.exit_code == 1


@pytest.mark.slow
def test_a_look_from_inside_is_told_loudly(place, monkeypatch):
    monkeypatch.setattr("autograder.redteam.looking.looks_from", lambda rung: "inside")
    done = redteam("--rung", "rlimits", "--attack", "idle", "--jobs", "1")
    assert "rlimits: side effects are seen from INSIDE the student's process" in " ".join(done.output.split())


def test_an_unknown_class_and_an_unknown_rung_are_one_sentence(place):
    wrong_class, wrong_rung = redteam("--class", "frge"), redteam("--rung", "glass")
    assert 'cnnviz: --class: got "frge", allowed are corrupt, crash' in wrong_class.output
    assert "cnnviz: rung is 'glass'; allowed are 'bubblewrap', 'landlock', 'rlimits'" in wrong_rung.output
    assert wrong_class.exit_code == wrong_rung.exit_code == 2


def test_a_malformed_attack_stops_the_command_with_one_sentence(place):
    (place / "forge" / "idle" / "attack.toml").write_text("title = 1", encoding="utf-8")
    done = redteam()
    assert "promise is missing; every attack has title, promise, success, stopped_by, weak." in done.output
    assert done.exit_code == 2


def test_a_make_py_that_fails_stops_the_command_with_one_sentence(place):
    (place / "forge" / "idle" / "make.py").write_text("def make(folder):\n    1 / 0\n", encoding="utf-8")
    done = redteam("--rung", "rlimits", "--attack", "idle")
    assert "idle/make.py failed (ZeroDivisionError: division by zero); correct it." in done.output
    assert done.exit_code == 2


def test_a_grader_that_grades_nobody_is_told_as_such(place, monkeypatch):
    monkeypatch.setattr(firing.Range, "_command", lambda self, course: ["sh", "-c", "echo out of order; exit 3"])
    done = redteam("--rung", "rlimits", "--attack", "idle")
    assert "redteam: a class without any attack was not graded on the rung rlimits;" in done.output
    assert "It said: out of order" in done.output
    assert done.exit_code == 2
