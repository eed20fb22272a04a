"""The autograder zip, unpacked and run as Gradescope runs it, under a folder in place of /autograder."""

import importlib.metadata
import io
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path

import jsonschema
import pytest

from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED
from autograder.course import registry
from autograder.exports import gradescope_run
from autograder.exports.gradescope import NEEDED, autograder_zip, own_secret
from autograder.exports.gradescope_results import results_json, unread_json
from autograder.isolated.rungs import offered

from .conftest import DATA, LESSON, SECRET, refused, run, work

ROOT = Path(__file__).parents[3]
SOLVED = (ROOT / "solutions" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
SCHEMA = json.loads((DATA / "gradescope_results.schema.json").read_text(encoding="utf-8"))
SPY = """
def grad_cam_map(activations, alpha):
    import glob, os
    found = []
    for path in glob.glob({source!r} + "/**", recursive=True) + {files!r}:
        try:
            found.append("READ " + path + open(path).read()[:0])
        except IsADirectoryError:
            found.append("LISTED " + path)
        except OSError as error:
            found.append(type(error).__name__ + " " + os.path.basename(path))
    try:
        open({results!r}, "w").write("forged")
        found.append("WROTE")
    except OSError:
        found.append("not written")
    raise ValueError("; ".join(found))
"""
"""Reads what it must not, in the place of an exercise, and tells what it could read."""


ONLY = """
import importlib.abc, runpy, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in {others}:
            raise ModuleNotFoundError(name, name=name)

sys.meta_path.insert(0, Missing())
sys.argv = [word for word in sys.argv[1:] if not word.startswith("-")]
runpy.run_path(sys.argv[0], run_name="__main__")
"""


@pytest.fixture(scope="module")
def packed():
    return autograder_zip(registry.lesson(LESSON), secret=SECRET)


@pytest.fixture
def autograder(packed, tmp_path):
    """The tree that Gradescope makes of the zip."""
    for name in ("source", "submission", "results"):
        (tmp_path / name).mkdir()
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        archive.extractall(tmp_path / "source")
    shutil.copy(tmp_path / "source" / "run_autograder", tmp_path)
    (tmp_path / "submission_metadata.json").write_text('{"users": [{"email": "kim@example.edu", "name": "김민수"}]}')
    return tmp_path


def graded(home, *, path=None, program=sys.executable):
    """Runs the real `run_autograder`; without `path` the machine's own programs are found."""
    python = home / "python"
    python.write_text(f'#!/bin/sh\nexec {program} "$@"\n')
    python.chmod(0o755)
    environment = {**os.environ, "CNNVIZ_PYTHON": str(python), **({"PATH": path} if path else {})}
    command = ["bash", str(home / "run_autograder"), str(home)]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=200, check=False)


def results_of(home):
    results = json.loads((home / "results" / "results.json").read_text(encoding="utf-8"))
    jsonschema.validate(results, SCHEMA)
    assert results["score"] == sum(test["score"] for test in results["tests"])
    return results


def settings_of(home, **changed):
    path = home / "source" / "settings.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changed}))


def without_others(home):
    """A Python that has nothing installed but what the zip asks for: everything else cannot be imported."""
    others = [
        name for name, homes in importlib.metadata.packages_distributions().items() if not plain(homes) & needed()
    ]
    (home / "only.py").write_text(ONLY.format(others=sorted(others)))
    return f"{sys.executable} -I -B {home / 'only.py'}"


def plain(names):
    """Distributions as they are compared."""
    return {re.sub(r"[-_.]+", "-", name).lower() for name in names}


@cache
def needed():
    """Distributions that pip installs for those that grading asks for, without their extras."""
    closed, waiting = set(), list(NEEDED)
    while waiting:
        (name,) = plain([re.split(r"[ ;<>=!~\[(]", waiting.pop())[0]])
        if name not in closed:
            closed.add(name)
            with suppress(importlib.metadata.PackageNotFoundError):
                waiting += [line for line in importlib.metadata.requires(name) or () if "extra ==" not in line]
    return closed


@pytest.mark.skipif("landlock" not in offered(), reason="this machine confines nothing")
def test_a_right_answer_has_all_points_with_what_the_zip_itself_brings(autograder):
    (autograder / "submission" / "grad_cam.py").write_text(SOLVED, encoding="utf-8")
    with (autograder / "source" / "course" / "autograder" / "exports" / "gradescope_run.py").open("a") as code:
        code.write('\nprint("from the zip")\n')
    done = graded(autograder, program=without_others(autograder))
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "from the zip"), done.stdout + done.stderr
    results = results_of(autograder)
    lesson = registry.lesson(LESSON)
    assert results["score"] == lesson.points == sum(test["max_score"] for test in results["tests"])
    assert {test["status"] for test in results["tests"]} == {"passed"}
    assert results["output"].startswith("11_grad_cam: 33 of 33 points.\nThe submitted code ran confined (")


@pytest.mark.skipif("landlock" not in offered(), reason="this machine confines nothing")
def test_without_bubblewrap_the_answers_stay_unreadable_and_hidden_cases_tell_a_verdict_only(autograder, tmp_path):
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("bash", "sh"):
        (programs / name).symlink_to(shutil.which(name))
    spy = SPY.format(
        source=str(autograder / "source"), results=str(autograder / "results" / "results.json"),
        files=[str(autograder / "source" / "course" / "cnnviz_ref" / "grad_cam.py"), "/etc/passwd"],
    )  # fmt: skip
    module = autograder / "submission" / "homework" / "lessons" / LESSON / "grad_cam.py"  # as from a repository
    module.parent.mkdir(parents=True)
    module.write_text(SOLVED.replace("mean(dim=(2, 3))", "sum(dim=(2, 3))") + spy, encoding="utf-8")
    assert graded(autograder, path=str(programs)).returncode == 0
    results = results_of(autograder)
    assert "ran confined (landlock+" in results["output"]
    tests = {test["name"]: test for test in results["tests"]}
    told = next(t["output"] for n, t in tests.items() if n.startswith("grad_cam.grad_cam_map: values"))
    assert "PermissionError grad_cam.py; PermissionError passwd; not written" in told
    assert not {"READ", "LISTED", "WROTE"} & set(told.split())
    hidden = [test for name, test in tests.items() if ": hidden" in name]
    assert {test["output"] for test in hidden} == {"passed", "failed"}
    assert any("divide by Z" in test["output"] for name, test in tests.items() if "neuron_importance: values" in name)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("essay.pdf", "%PDF", "there is no grad_cam.py or grad_cam.ipynb"),
        ("grad_cam.ipynb", '{"cells": [', "grad_cam.ipynb is not a notebook"),
    ],
)
def test_nothing_to_grade_is_said_loudly(autograder, capsys, monkeypatch, name, content, told):
    monkeypatch.setattr(gradescope_run, "chosen", lambda rung: gradescope_run.RUNGS[0])
    (autograder / "submission" / name).write_text(content)
    assert gradescope_run.main(str(autograder)) == 0
    results = results_of(autograder)
    assert results["score"] == 0
    assert results["output"].startswith("NOTHING WAS JUDGED. submission: ")
    assert told in results["output"]
    assert "NOTHING WAS JUDGED" in capsys.readouterr().out


def test_where_nothing_confines_nothing_runs_and_there_is_no_grade(autograder, capsys):
    settings_of(autograder, rung="rlimits")
    (autograder / "submission" / "grad_cam.py").write_text(SOLVED, encoding="utf-8")
    (autograder / "results" / "results.json").write_text('{"score": 33}')
    assert gradescope_run.main(str(autograder)) == 1
    assert not (autograder / "results" / "results.json").exists()
    assert capsys.readouterr().out.startswith(
        "NOTHING WAS RUN: this container limits time and memory, but hides no file"
    )
    settings_of(autograder, allow_unsandboxed=True)
    loose = gradescope_run.confined([replace(one, rung="rlimits") for one in work("ann", FAILED)])
    assert loose.startswith("NOT SANDBOXED: the submitted code ran with limits of time and memory only")


@pytest.mark.parametrize("broken", ["not judged", "raises"])
def test_where_the_grader_fails_there_is_no_grade(autograder, capsys, monkeypatch, broken):
    monkeypatch.setattr(gradescope_run, "chosen", lambda rung: gradescope_run.RUNGS[0])
    monkeypatch.setattr(
        gradescope_run, "perform", lambda task: work("ann", NOT_JUDGED) if broken == "not judged" else 1 / 0
    )
    (autograder / "submission" / "grad_cam.py").write_text(SOLVED, encoding="utf-8")
    assert gradescope_run.main(str(autograder)) == 1
    assert not list((autograder / "results").iterdir())
    assert capsys.readouterr().out.startswith("NO GRADE: ")


def test_hidden_cases_can_be_shown_later():
    lesson = registry.lesson(LESSON)
    found = results_json(lesson, work("ann", NOT_ATTEMPTED), confined="", hidden_cases="after_published")
    jsonschema.validate(found, SCHEMA)
    shown = {test["name"].split(": ")[1]: test["visibility"] for test in found["tests"]}
    assert (shown["hidden values"], shown["values"], shown["law"]) == ("after_published", "visible", "visible")


@pytest.mark.parametrize(
    "wrong", [{"score": None}, {"tests": [{"status": "not judged"}]}, {"visibility": "shown"}, {"note": "mine"}]
)
def test_the_schema_refuses_what_gradescope_does_not_know(wrong):
    right = unread_json(registry.lesson(LESSON), "x")
    jsonschema.validate(right, SCHEMA)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**right, **wrong}, SCHEMA)


def test_the_same_course_gives_the_same_zip():
    first, second = (autograder_zip(registry.lesson(LESSON), secret=SECRET) for _ in range(2))
    assert first == second


def test_the_zip_has_what_is_asked_for_at_its_root_and_neither_secret_nor_other_lessons(packed):
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = {info.filename: info for info in archive.infolist()}
        everything = b"".join(map(archive.read, names))
    assert {"setup.sh", "run_autograder", "settings.json", "requirements.txt", "start.py"} <= set(names)
    assert [names[name].external_attr >> 16 for name in ("setup.sh", "run_autograder")] == [0o755, 0o755]
    assert SECRET.encode() not in everything
    assert own_secret(SECRET, LESSON).encode() in everything
    solved = {name.removeprefix("course/solutions/") for name in names if "/solutions/" in name}
    assert {"mistakes.md", *(f"{LESSON}/{name}" for name in ("grad_cam.py", "grad_cam.md", "cases.py"))} <= solved
    assert all(name.startswith(f"{LESSON}/") for name in solved - {"mistakes.md"})
    assert not [name for name in names if "__pycache__" in name]


def test_a_wheel_takes_the_place_of_the_code(tmp_path):
    wheel, pins = tmp_path / "cnnviz-0.1.0-py3-none-any.whl", tmp_path / "pins.txt"
    wheel.write_bytes(b"the wheel")
    pins.write_text("torch==2.4.0\n")
    data = autograder_zip(registry.lesson(LESSON), secret=SECRET, wheel=wheel, requirements=pins)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.read(f"wheel/{wheel.name}") == b"the wheel"
        assert archive.read("requirements.txt") == b"torch==2.4.0\n"
        assert not [name for name in archive.namelist() if name.startswith(("course/autograder", "course/solutions"))]


def test_the_build_script_installs_and_says_what_the_container_can_do(autograder):
    """With stand-ins for what needs a network: apt-get, and pip in a venv that is this one."""
    programs, said = autograder / "bin", autograder / "said"
    programs.mkdir()
    (programs / "apt-get").write_text(f'#!/bin/sh\necho "apt-get $@" >> {said}\n')
    (programs / "python3").write_text(
        f'#!/bin/sh\nmkdir -p "$3/bin"\nprintf \'#!/bin/sh\\n[ "$2" = pip ] && echo "$@" >> {said} && exit\\n'
        f'exec {sys.executable} "$@"\\n\' > "$3/bin/python"\nchmod +x "$3/bin/python"\n'
    )
    for path in programs.iterdir():
        path.chmod(0o755)
    environment = {**os.environ, "PATH": f"{programs}:{os.environ['PATH']}", "CNNVIZ_PREFIX": str(autograder)}
    script = autograder / "source" / "setup.sh"
    text = script.read_text().replace("rm -rf /var/lib/apt/lists/*\n", "")
    done = subprocess.run(
        ["bash", "-c", text], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "ready."), done.stderr
    assert "confined by landlock: works here" in done.stdout
    assert "bubblewrap" in said.read_text()
    assert f"-r {autograder}/source/requirements.txt" in said.read_text()
    assert (autograder / "source" / "settings.json").stat().st_mode & 0o077 == 0


def test_the_command_writes_the_zip_and_refuses_in_one_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("CNNVIZ_SECRET", SECRET)
    done = run("gradescope", "11", "--out", tmp_path / "auto.zip", "--allow-unsandboxed", "--rung", "landlock")
    assert done.exit_code == 0
    assert "with the answer key in it: upload it, give it to no student." in done.stdout
    settings = json.loads(zipfile.ZipFile(tmp_path / "auto.zip").read("settings.json"))
    assert (settings["allow_unsandboxed"], settings["rung"], settings["lesson"]) == (True, "landlock", LESSON)
    out = ("--out", tmp_path / "x.zip")
    assert "hidden cases: got never, choose one of visible," in refused(
        run("gradescope", "11", *out, "--hidden-cases", "never")
    )
    assert "is no wheel; make one with" in refused(run("gradescope", "11", *out, "--wheel", tmp_path / "x.tar.gz"))
    assert 'lesson: got "99", which does not exist' in refused(run("gradescope", "99", *out))
