"""`cnnviz similar` reads what `cnnviz grade` kept; what students wrote stays harmless on the terminal."""

import json
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from autograder.batch.results import Store
from autograder.batch.stages import Handed, Result, digest_of
from autograder.cli import app
from autograder.core.verdict import FAILED, Row

from .test_similarity import COPY, LESSON, PECULIAR, a_class, module

SECRET = "a secret for the tests"
ITEM = "grad_cam.capture"
NAMES = ("[red]zoe\x1b[2J", "=adam\u202e")


@pytest.fixture
def results(tmp_path, monkeypatch):
    """RESULTS of a class with one copy in it, and one student whose file could not be read."""
    monkeypatch.setenv("CNNVIZ_SECRET", SECRET)
    store = Store(tmp_path / "RESULTS", SECRET)
    works = [*a_class(20), *zip(NAMES, (module(PECULIAR), module(COPY)), strict=True)]
    row = Row(ITEM, "promises", FAILED, 1)
    plain = Result("", LESSON.id, ITEM, "", "checks", store.seeds, "landlock", (row,))
    with store.at_work():
        for student, work in works:
            store.keep(Handed(student, LESSON.id, work, digest_of(work)))
            store.put(replace(plain, student=student, submission=digest_of(work)))
        store.put(replace(plain, student="truncated", submission="0" * 64))
    return store.folder


def similar(*arguments):
    return CliRunner().invoke(app, ["similar", *map(str, arguments)], env={"COLUMNS": "160"})


def rows_of(text):
    return [line for line in text.splitlines() if ITEM in line and "%" in line]


def test_the_copy_is_the_first_row_with_its_exercise_and_numbers(results):
    done = similar(results, "--lessons", "grad_cam")
    assert done.exit_code == 0, done.output
    first = rows_of(done.output)[0]
    assert "adam" in first
    assert "zoe" in first
    assert "100%" in first
    assert "2 of 22" in first


def test_a_hint_is_never_called_a_verdict(results):
    said = " ".join(similar(results).output.split())
    assert (
        "A hint, never a verdict: short right functions look alike, and so does what was worked out together." in said
    )


def test_names_steer_no_terminal_and_are_no_markup(results):
    said = similar(results).output
    assert "\x1b" not in said
    assert "\u202e" not in said
    assert "[red]zoe" in said


def test_what_was_left_out_is_said(results):
    said = " ".join(similar(results).output.split())
    assert "Left out: 1 submission that could not be read." in said
    assert "Too short to tell: grad_cam.grad_cam_map of" in said


def test_an_altered_source_is_left_out(results):
    path = next(p for p in (results / "submissions").iterdir() if "pixels" in p.read_text())
    path.write_text(json.dumps([["grad_cam.py", "x = 1", None]]))
    said = similar(results).output
    assert "Left out: 2 submissions that could not be read" in said
    assert not [row for row in rows_of(said) if "zoe" in row]


def test_only_as_many_pairs_as_asked_for_are_listed(results):
    assert len([line for line in similar(results, "--top", "1").output.splitlines() if "%" in line]) == 1


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["nowhere"], "results: nowhere holds no results; name the folder that `cnnviz grade --out` wrote."),
        (["--lessons", "99"], 'lesson: got "99", which does not exist; choose one of'),
    ],
    ids=["no results", "no lesson"],
)
def test_bad_input_is_one_sentence_and_status_2(results, arguments, sentence):
    done = similar(*(arguments if arguments[0] == "nowhere" else [results, *arguments]))
    assert done.exit_code == 2
    assert sentence in " ".join(done.output.split())
