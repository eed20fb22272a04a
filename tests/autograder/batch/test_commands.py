"""`cnnviz grade`, `verify`: what is said, with which exit status, and one sentence for bad input."""

import re
import shutil
import signal
import time

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.batch import work
from autograder.batch.results import Store
from autograder.batch.stages import Handed
from autograder.commands import class_progress
from autograder.isolated import rungs
from autograder.text.screen import Screen

from .classroom import LESSON, SECRET, start


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNNVIZ_SECRET", SECRET)
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)


def graded_again(*arguments, **options):
    pytest.fail("graded again")


def bad(result) -> str:
    assert (result.exit_code, result.stdout) == (2, "")
    (sentence,) = result.stderr.strip().splitlines()
    return sentence


def test_a_class_is_told_line_by_line_and_at_the_end(run, submitted, results):
    result = run("grade", submitted, "--out", results, "--jobs", 1)
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert [line.split()[0] for line in lines] == [f"{n}/6" for n in range(1, 7)]
    assert any(line.endswith(f"ann {LESSON}: 10 passed") for line in lines)
    first, second, not_judged = result.stdout.splitlines()
    assert first == "6 submissions: 20 passed, 4 failed, 26 not attempted, 10 not judged."
    assert second.startswith("0 results were made now, 60 were there. The table is ")
    assert not_judged.startswith(f"NOT JUDGED bob, {LESSON}: ")


def test_a_class_in_which_everybody_is_judged_ends_with_status_0(run, submitted, tmp_path):
    shutil.copytree(submitted / "ann", tmp_path / "some" / "ann")
    assert run("grade", "some", "--out", "results", "--lessons", "11", "--jobs", 1).exit_code == 0
    told = run("verify", "results").stdout
    assert re.fullmatch("10 results, all signed by this course's secret; manifest 1, [0-9a-f]{16}\\.\n", told)


def test_a_student_who_is_skipped_is_not_judged_and_says_so_and_nothing_of_theirs_is_run(run, submitted, tmp_path):
    shutil.copytree(submitted / "ann", tmp_path / "some" / "ann")
    skipped = run("grade", "some", "--out", "results", "--lessons", "11", "--jobs", 1, "--skip", "ann")
    assert skipped.exit_code == 1
    assert f"NOT JUDGED ann, {LESSON}: skipped by the instructor; the same command without" in skipped.stdout
    assert run("grade", "some", "--out", "results", "--lessons", "11", "--jobs", 1).exit_code == 0
    known = run("grade", "some", "--out", "results", "--lessons", "11", "--jobs", 1, "--skip", "ann")
    assert (known.exit_code, "0 results were made now, 10 were there" in known.stdout) == (0, True)


def test_the_bar_names_who_takes_longest_and_for_how_long(monkeypatch):
    moments = iter((100.0, 103.0, 105.0, 141.0))
    monkeypatch.setattr(class_progress.time, "monotonic", lambda: next(moments))
    handed = [Handed(name, LESSON, None, "") for name in ("ann", "b\x1b[2J", "cara")]
    bar = class_progress.Progress(handed, Screen())
    for each in handed:
        bar.begun(each)
    assert bar.under_way().startswith("ann for 41 s, b")


def test_nobody_is_skipped_by_a_name_that_is_not_there(run, submitted):
    sentence = bad(run("grade", submitted, "--out", "results", "--skip", "an"))
    assert 'cnnviz: --skip: got "an", who handed in nothing here; near it are ann' in sentence


def test_verify_names_each_problem_with_status_1(run, results):
    assert run("verify", results).exit_code == 0
    path = Store(results, SECRET).place("ann", LESSON, "grad_cam.capture")
    path.write_text(path.read_text().replace("passed", "failed"))
    Store(results, SECRET).place("dora", LESSON, "grad_cam.capture").unlink()
    result = run("verify", results)
    assert result.exit_code == 1
    altered, missing, table, count = result.stdout.splitlines()
    assert altered.startswith(f"results/ann/{LESSON}/grad_cam.capture.json is not as it was signed")
    assert missing == f"results/dora/{LESSON}/grad_cam.capture.json is missing: the manifest lists it."
    assert (table.split()[0], count) == ("results.csv", "3 problems.")


def test_another_secret_is_told_and_makes_no_new_one(run, results, submitted, monkeypatch, tmp_path):
    monkeypatch.setenv("CNNVIZ_SECRET", "wrong")
    words = "is signed with another secret"
    assert words in bad(run("grade", submitted, "--out", results))
    assert words in bad(run("regrade", results))
    assert words in bad(run("verify", results))
    monkeypatch.delenv("CNNVIZ_SECRET")
    assert "secret: got none for results that are signed" in bad(run("verify", results))
    assert "secret: got none for results that are signed" in bad(run("grade", submitted, "--out", results))
    assert not (tmp_path / ".cnnviz_secret").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["grade", "nowhere", "--out", "r"], "nowhere"),
        (["grade", "SUBMITTED", "--out", "r", "--lessons", "12_x"], 'lesson: got "12_x", which does not exist'),
        (["grade", "SUBMITTED", "--out", "r", "--secret", "none"], "secret: none does not exist; write one long"),
        (["grade", "SUBMITTED", "--out", "r", "--rung", "tower"], "rung is 'tower'; allowed are "),
        (["grade", "SUBMITTED", "--out", "r", "--device", "tpu"], "device: got 'tpu'; allowed on this machine are"),
        (
            ["grade", "SUBMITTED", "--out", "r", "--rung", "rlimits"],
            'rung: got "rlimits", which limits time and memory',
        ),
        (["grade", "SUBMITTED", "--out", "file"], "results: file is a file; name a folder."),
        (["verify", "nowhere"], "results: nowhere holds no results; name the folder that `cnnviz grade --out` wrote."),
        (["regrade", "nowhere"], "results: nowhere holds no results; name the folder"),
    ],
)
def test_bad_input_is_one_sentence(run, submitted, tmp_path, arguments, words):
    (tmp_path / "file").write_text("")
    assert words in bad(run(*[submitted if a == "SUBMITTED" else a for a in arguments]))
    assert not (tmp_path / "r").exists()


def test_without_a_sandbox_only_with_a_loud_warning(run, submitted, results, monkeypatch):
    monkeypatch.setattr(work, "grade_item", graded_again)
    name = rungs.RUNGS[-1].name
    result = run("grade", submitted, "--out", results, "--rung", name, "--allow-unsandboxed", "--jobs", 1)
    assert result.stderr.startswith("NOT SANDBOXED: student code can read this machine's files")


@pytest.fixture
def heeded():
    """SIGINT is heeded, also where what started the tests ignores it: programs inherit that."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("heeded")
def test_ctrl_c_ends_with_how_to_go_on(submitted, tmp_path):
    process = start("grade", submitted, "--out", tmp_path / "results", "--jobs", 2)
    deadline = time.monotonic() + 100
    while not list(tmp_path.glob("results/results/*/*/*.json")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, told = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, ""), told
    assert told.splitlines()[-1].endswith("run the same command again to go on."), told
    assert "Traceback" not in told
