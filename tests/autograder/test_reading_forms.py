"""Right work is right in whatever form it is written: what the notebook gives is what the grader gives."""

from pathlib import Path

import pytest

from autograder.core.grade import grade_item
from autograder.core.oracle import Setting
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, PASSED, summary
from autograder.course import registry
from autograder.course.records import Lesson
from autograder.reading.submission import from_code, from_notebook, load_submission
from autograder.report.sentences import sentence
from tests.autograder.right_forms import FORMS, MEAN, RIGHT, SCRIPT, STUB, hand_in, notebook, using

IMPORTANCE = registry.exercise("grad_cam.neuron_importance")
ROOT = Path(__file__).parents[2]
LESSON = registry.lesson("11_grad_cam")


def read(tmp_path, *cells, beside=()):
    return load_submission(hand_in({"grad_cam.ipynb": notebook(*cells), **dict(beside)}, tmp_path), LESSON)


def graded(submission, runner):
    return grade_item(submission, IMPORTANCE, Setting(secret="spring term"), runner)


def verdict(submission, runner):
    rows = graded(submission, runner).rows
    return summary(rows), rows[0].diagnosis and sentence(rows[0].diagnosis.message)


@pytest.mark.parametrize("form", FORMS)
def test_right_work_in_this_form_has_every_point(tmp_path, runner, form):
    assert verdict(load_submission(hand_in(FORMS[form], tmp_path), LESSON), runner) == (PASSED, None)


MISNAMED = {
    "misspelt": ("def neuron_importence(gradients):\n" + MEAN, "a function `neuron_importence` (CELL, line 1)"),
    "case": ("def Neuron_Importance(gradients):\n" + MEAN, "a function `Neuron_Importance` (CELL, line 1)"),
    "no underscore": ("neuronimportance = lambda g: g.mean((2, 3))", "a function `neuronimportance` (CELL, line 1)"),
    "renamed": ("def alpha(gradients):\n" + MEAN, "a function `alpha` (CELL, line 1)"),
    "a method": (
        "class A:\n    def neuron_importance(self, gradients):\n        return 1",
        "a function `neuron_importance` inside `A` (CELL, line 2)",
    ),
    "nested": (
        "def outer():\n    def neuron_importance(gradients):\n        return 1",
        "a function `neuron_importance` inside `outer` (CELL, line 2)",
    ),
}


@pytest.mark.parametrize("form", MISNAMED)
def test_a_function_of_another_name_is_named(tmp_path, form):
    text, told = MISNAMED[form]
    for submission, cell in (
        (read(tmp_path, "x = 1", text), "grad_cam.ipynb, cell 2"),
        (from_code(text.encode(), "grad_cam.py"), "grad_cam.py"),
    ):
        said, message = verdict(submission, None)
        assert said == FAILED
        assert message.startswith(f"there is {told.replace('CELL', cell)}. Only a function `neuron_importance` at top")


@pytest.mark.parametrize("text", ["x = 1", STUB.replace("def neuron", "def other"), "neuron_importance = None"])
def test_a_function_that_is_missing_is_said_to_be_missing(text):
    said, message = verdict(from_code(text.encode(), "grad_cam.py"), None)
    assert said == NOT_ATTEMPTED
    if "None" not in text:
        assert message == "there is no function `neuron_importance` in grad_cam.py; it is looked for by this name."


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_nothing_is_said_to_be_misnamed_in_a_lesson_as_it_is_handed_out_or_solved(lesson: Lesson):
    from autograder.core.attempts import lookalike

    for of, kind in ((from_code, "py"), (None, "ipynb")):
        for folder in ("lessons", "solutions"):
            path = ROOT / folder / lesson.id / f"{lesson.name}.{kind}"
            submission = of(path.read_bytes(), path.name) if of else from_notebook(path)
            assert [e.id for e in lesson.exercises if lookalike(e, submission)] == []


def test_a_needed_statement_that_fails_is_named_with_cell_and_line(tmp_path, runner):
    failing = "import torch\n\nk = torch.nowhere()"
    _, message = verdict(read(tmp_path, "x = 1", failing, using("k")), runner)
    assert "name 'k' is not defined (before that grad_cam.ipynb, cell 2, line 3, failed: AttributeError: " in message


def test_a_needed_statement_that_never_ends_is_named_with_cell_and_line(tmp_path, runner):
    slow = read(tmp_path, "n = 1\nwhile n:\n    n += 1\nk = n", using("k"))
    rows = grade_item(slow, IMPORTANCE, Setting(seconds=2), runner).rows
    assert "(before that grad_cam.ipynb, cell 1, line 2, failed: TooSlow: it took more than 1.6 s)" in sentence(
        rows[0].diagnosis.message
    )


def test_lines_of_a_script_are_those_of_the_file(runner):
    wrong = SCRIPT.replace("dims = (2, 3)", "dims = nowhere")
    _, message = verdict(from_code(wrong.encode(), "grad_cam.py"), runner)
    assert "(before that grad_cam.py, cell 1, line 9, failed: NameError: name 'nowhere'" in message


def test_a_module_beside_the_work_is_confined_and_takes_the_place_of_no_other(tmp_path, runner):
    beside = {"torch.py": "raise SystemExit", "helpers.py": "import autograder.core"}
    work = read(tmp_path, "import torch, helpers", RIGHT.replace("return", "helpers; return"), beside=beside)
    assert "autograder.core" in verdict(work, runner)[1]


def test_no_link_is_followed_to_a_module_beside_the_work(tmp_path, runner):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "key.py").write_text("def mean(x): return x.mean(dim=(2, 3))\n")
    (tmp_path / "work").mkdir()
    (tmp_path / "work" / "there").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "work" / "key.py").symlink_to(tmp_path / "elsewhere" / "key.py")
    for name in ("key", "there.key"):
        text = f"def neuron_importance(gradients):\n    from {name} import mean\n    return mean(gradients)"
        said, message = verdict(read(tmp_path / "work", text), runner)
        assert (said, "No module named" in message) == (FAILED, True)
