"""`cnnviz cohort`: what is said, with which exit status, and one sentence for bad input."""

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.batch.results import Store
from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.core.verdict import FAILED, PASSED, Row

from .classroom import SECRET, Result


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CNNVIZ_SECRET", SECRET)
    store, told = (
        Store(tmp_path / "results", SECRET),
        Diagnosis("misconception", "sum_for_mean", message("sentence", text="You summed.")),
    )
    for name, verdict in (("Ann Lee", PASSED), ("bob", FAILED)):
        rows = (Row("grad_cam.neuron_importance", "promises", verdict, 1, told if verdict == FAILED else None),)
        store.put(Result(name, "11_grad_cam", rows[0].exercise, "d", "c", store.seeds, "landlock", rows))
    return lambda *arguments: CliRunner().invoke(cli.app, ["cohort", *arguments], catch_exceptions=False)


def test_a_class_becomes_a_page(run, tmp_path):
    done = run("results", "--out", "class.html", "--lessons", "grad_cam")
    assert (done.exit_code, done.stdout) == (0, f"The page is at {tmp_path / 'class.html'}\n")
    text = (tmp_path / "class.html").read_text(encoding="utf-8")
    assert "11 Grad-CAM, exercise 2" in text
    assert "Ann Lee" in text


def test_ids_stand_for_names_on_request(run, tmp_path):
    run("results", "--out", "class.html", "--anonymous")
    assert "Ann Lee" not in (tmp_path / "class.html").read_text(encoding="utf-8")


def test_what_is_not_as_signed_is_named_on_the_terminal(run, tmp_path):
    path = next((tmp_path / "results" / "results" / "bob").rglob("*.json"))
    path.write_text(path.read_text().replace('"failed"', '"passed"'))
    done = run("results", "--out", "class.html", "--anonymous")
    assert done.exit_code == 0
    assert done.stderr.startswith("Left out: results/bob/11_grad_cam/grad_cam.neuron_importance.json is not as it was")
    assert "bob" not in (tmp_path / "class.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("nothing", "--out", "x.html"), "cnnviz: results: nothing holds no results; name the folder"),
        (("results", "--out", "no/x.html"), "cnnviz: --out: the folder of no/x.html does not exist; create it first."),
        (("results", "--out", "x.html", "--lessons", "01"), "cnnviz: lesson: no result of 01_filters is there; grade"),
    ],
)
def test_bad_input_is_one_sentence(run, arguments, sentence):
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(sentence)
    assert done.stderr.count("\n") == 1
