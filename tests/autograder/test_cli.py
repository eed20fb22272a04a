"""The command line: verdicts and exit status, and one sentence for bad input."""

import json
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli

ROOT = Path(__file__).parents[2]
SOLVED = ROOT / "solutions" / "11_grad_cam" / "grad_cam.py"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs `cnnviz ...` in a folder that holds one student's `work/11_grad_cam/grad_cam.py`."""
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "work" / "11_grad_cam"
    folder.mkdir(parents=True)
    shutil.copy(SOLVED, folder / "grad_cam.py")
    return lambda *arguments: CliRunner().invoke(cli.app, [str(a) for a in arguments], catch_exceptions=False)


@pytest.fixture
def module(tmp_path, run):
    return tmp_path / "work" / "11_grad_cam" / "grad_cam.py"


def verdicts(path) -> set[str]:
    return {check["verdict"] for check in json.loads(Path(path).read_text())["checks"]}


def test_solutions_get_full_points(run, tmp_path):
    assert run("check", "11_grad_cam", "--submission", ROOT / "solutions", "--json", "out.json").exit_code == 0
    checks = json.loads((tmp_path / "out.json").read_text())["checks"]
    assert verdicts("out.json") == {"passed"}
    assert sum(c["points"] for c in checks) == sum(c["max_points"] for c in checks) > 0
    assert set(checks[0]) == {"exercise", "check", "verdict", "points", "max_points", "diagnosis", "seconds", "note"}
    assert checks[0]["note"].endswith("grad_cam.py counts: it earned all its points.")


def test_stubs_are_not_attempted_throughout(run):
    result = run("check", "grad_cam", "--submission", ROOT / "lessons", "--json", "out.json")
    assert (result.exit_code, verdicts("out.json")) == (1, {"not attempted"})


def test_a_mistake_is_named_and_costs_only_its_exercise(run, module):
    module.write_text(module.read_text().replace("mean(dim=(2, 3))", "sum(dim=(2, 3))", 1))
    result = run("check", "11", "--submission", "work", "--json", "out.json")
    checks = json.loads(Path("out.json").read_text())["checks"]
    assert result.exit_code == 1
    assert "divide by Z" in result.stdout
    told = {c["diagnosis"]["name"] for c in checks if c["check"].startswith(("values", "hidden"))
            and c["exercise"] == "grad_cam.neuron_importance"}  # fmt: skip
    assert told == {"sum_for_mean"}
    assert {c["verdict"] for c in checks if c["exercise"] == "grad_cam.quadrant_shares"} == {"passed"}


def test_every_lesson_found_is_checked_where_none_is_named(run):
    result = run("check", "--submission", "work")
    assert result.exit_code == 0
    assert "11_grad_cam" in result.stdout
    assert "10_cam" not in result.stdout


def bad(result) -> str:
    assert result.exit_code == 2
    assert result.stdout == ""
    (sentence,) = result.stderr.strip().splitlines()
    return sentence


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (
            ["check", "12_grad_cam", "--submission", "work"],
            'lesson: got "12_grad_cam", which does not exist; did you mean "11_grad_cam"?',
        ),
        (
            ["check", "nonsense", "--submission", "work"],
            'lesson: got "nonsense", which does not exist; choose one of 01_filters',
        ),
        (["check", "11", "--submission", "nowhere"], "submission: nowhere does not exist; name a folder that holds"),
        (["check", "--submission", "nowhere"], "submission: nowhere is not a folder; name one that holds"),
        (["check", "10", "--submission", "work"], "has neither cam.py nor cam.ipynb; put one of them there"),
        (["check", "11", "--submission", "work", "--device", "tpu"], "device: got 'tpu'; allowed on this machine are"),
        (
            ["check", "11", "--submission", "work", "--json", "no/out.json"],
            "--json: the folder of no/out.json does not",
        ),
        (["build", "nonsense"], 'lesson: got "nonsense", which does not exist'),
        (["demo", "--out", "no/demo.html"], "--out: the folder of no/demo.html does not exist"),
    ],
)
def test_bad_input_is_one_sentence(run, arguments, words):
    assert words in bad(run(*arguments))


def test_an_empty_folder_is_one_sentence(run, tmp_path):
    (tmp_path / "empty").mkdir()
    assert "holds no lesson; allowed are folders named 01_filters" in bad(run("check", "--submission", "empty"))


def test_a_syntax_error_is_one_sentence_and_the_old_report_stays(run, module):
    module.write_text("def capture(:\n")
    Path("out.json").write_text("old")
    sentence = bad(run("check", "11", "--submission", "work", "--json", "out.json"))
    assert sentence == "cnnviz: submission: grad_cam.py, line 1: invalid syntax; correct it and check again."
    assert Path("out.json").read_text() == "old"


def test_a_module_that_is_not_there_is_said_once_for_all_exercises_with_what_to_do(run, module):
    module.write_text("import my_utils\n" + module.read_text())
    said = " ".join(run("check", "11", "--submission", "work").stdout.split())
    assert said.count("No module named 'my_utils'") == 1
    assert "✗ grad_cam.capture, grad_cam.neuron_importance, grad_cam.grad_cam_map" in said
    assert "was handed in: check the spelling, put functions of your own into this file or a module beside it" in said


def test_a_notebook_that_is_no_json_is_one_sentence(run, module):
    module.with_suffix(".ipynb").write_text("{")
    module.unlink()
    assert "grad_cam.ipynb is not a notebook" in bad(run("check", "11", "--submission", "work"))


def test_a_message_of_a_students_cannot_steer_the_terminal(run, module):
    attack = 'def neuron_importance(gradients):\n    raise ValueError("\\x1b[2J[red]all passed")\n'
    module.write_text(module.read_text() + attack)
    result = run("check", "11", "--submission", "work")
    assert "\x1b[2J" not in result.stdout
    assert "[red]all passed" in result.stdout
