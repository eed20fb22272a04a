"""`cnnviz doctor`: what the machine has, which sandbox holds, what to install, and its exit status."""

from __future__ import annotations

import sys

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.commands import doctor
from autograder.isolated import rungs


def run():
    return CliRunner().invoke(cli.app, ["doctor"], catch_exceptions=False)


@pytest.mark.skipif(not rungs.offered()[:-1], reason="this machine has no sandbox")
def test_a_machine_with_a_sandbox_is_status_0_and_every_fact_has_a_line(monkeypatch):
    done = run()
    assert done.exit_code == 0, done.output
    assert f"Student code is confined: the best is {rungs.best().name}." in done.output
    for what in (
        "system",
        "Python",
        "torch",
        "devices",
        "jupyterlab",
        "nbgrader",
        "fonts",
        "GiB of memory",
        "built for",
    ):
        assert what in done.output
    (line,) = [line for line in done.output.splitlines() if "rlimits" in line]
    assert line.count("YES") == 4


@pytest.mark.parametrize("rung", rungs.offered())
def test_what_a_sandbox_lets_through_is_tried(rung):
    assert doctor.tried(rung) == (doctor.TRIED if rung == "rlimits" else ())


def test_a_machine_without_any_is_status_1_and_says_what_to_install(monkeypatch):
    missing = {
        "bubblewrap": "the program bwrap is not installed",
        "landlock": "this kernel has no Landlock",
        "rlimits": "",
    }
    monkeypatch.setattr(rungs, "reasons", lambda: missing)
    monkeypatch.setattr(doctor, "tried", lambda rung: doctor.TRIED)
    monkeypatch.setattr(doctor.shutil, "which", lambda name: name == "dnf")
    done = run()
    assert done.exit_code == 1
    assert "STUDENT CODE IS NOT CONFINED on this machine." in done.output
    if sys.platform.startswith("linux"):
        assert "For bubblewrap, the best one: sudo dnf install bubblewrap" in done.output


def test_a_sandbox_that_lets_one_thing_through_does_not_count(monkeypatch):
    monkeypatch.setattr(rungs, "reasons", lambda: dict.fromkeys(("bubblewrap", "landlock", "rlimits"), ""))
    monkeypatch.setattr(doctor, "tried", lambda rung: ("connect",) if rung != "landlock" else ())
    assert "the best is landlock" in run().output
    monkeypatch.setattr(doctor, "tried", lambda rung: ("connect",))
    assert run().exit_code == 1


@pytest.mark.parametrize(
    ("platform", "reason", "told"),
    [
        ("linux", "", ""),
        (
            "linux",
            "bwrap was refused: no (AppArmor refuses user namespaces)",
            "| sudo tee /etc/apparmor.d/bwrap && sudo",
        ),
        ("linux", "bwrap did not confine: x", "does not work: bwrap did not confine: x"),
        ("darwin", "bubblewrap needs Linux and this is darwin", "grade strangers on Linux, or in a Linux container."),
    ],
)
def test_advice_is_one_command_where_there_is_one(monkeypatch, platform, reason, told):
    monkeypatch.setattr(sys, "platform", platform)
    assert told in doctor.advice(reason)
