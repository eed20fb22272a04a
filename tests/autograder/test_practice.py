"""`check` in a notebook: a panel with picture, verdict and diagnosis, never a traceback of ours."""

import bdb
import re
import sys
import traceback
from pathlib import Path

import pytest

from autograder import check
from autograder.core.grade import grade_function
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, PASSED, summary
from autograder.course import registry

ROOT = Path(__file__).parents[2]


def summed(gradients):
    return gradients.sum(dim=(2, 3))


def test_a_right_function_passes_and_is_drawn():
    panel = check("grad_cam.neuron_importance", registry.exercise("grad_cam.neuron_importance").reference)
    assert panel.passed
    html = panel._repr_html_()
    assert "yours, as the formula&#39;s" in html
    assert "<math" in html
    assert "5 of 5 points" in html
    assert "5 of 5 points" in repr(panel)


def test_a_mistake_is_named_in_panel_and_terminal():
    panel = check("grad_cam.neuron_importance", summed)
    assert not panel.passed
    for text in (repr(panel), panel._repr_html_()):
        assert "divide by Z" in text
        assert "0 of 5 points" in text


def named_otherwise(gradients):
    return weights.mean(dim=(2, 3))  # noqa: F821 - the mistake


def without_its_import(gradients):
    return np.mean(gradients)  # noqa: F821 - the mistake


def with_other_arguments(activations, alpha, layer):
    return activations


@pytest.mark.parametrize(
    ("exercise", "function", "told"),
    [
        ("grad_cam.neuron_importance", named_otherwise, "The argument of `neuron_importance` is `gradients`."),
        ("grad_cam.neuron_importance", without_its_import, ""),
        ("grad_cam.grad_cam_map", with_other_arguments, "The arguments of `grad_cam_map` are `activations` and"),
    ],
)
def test_a_missing_name_or_other_arguments_are_told_with_the_arguments_names(exercise, function, told):
    function.__qualname__ = exercise.split(".")[1]
    said = " ".join(repr(check(exercise, function)).split())
    assert (told or "raised NameError") in said
    assert told or "The argument" not in said


def test_the_plain_text_has_no_escape_codes(monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in repr(check("grad_cam.neuron_importance", summed))


def test_in_a_notebook_no_empty_output_stands_above_the_panel(monkeypatch):
    shown = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("IPython.display.display", lambda *given, **named: shown.append(given))
    assert "divide by Z" in repr(check("grad_cam.neuron_importance", summed))
    assert shown == []


def test_a_students_text_is_escaped():
    def attack(gradients):
        raise ValueError("<script>alert(1)</script>")

    html = check("grad_cam.neuron_importance", attack)._repr_html_()
    assert "<script>" not in html
    assert "&lt;script&gt;" in html


def helped(values):
    return values + missing  # noqa: F821


def test_an_exception_is_left_to_the_debugger_with_the_students_own_frames(monkeypatch):
    for name in ("last_type", "last_value", "last_traceback", "last_exc"):
        monkeypatch.setattr(sys, name, None, raising=False)

    def raising(gradients):
        return helped(gradients)

    panel = check("grad_cam.neuron_importance", raising)
    frames = [frame.f_code.co_name for frame, _ in traceback.walk_tb(sys.last_traceback)]
    assert frames == ["raising", "helped"]
    assert sys.last_exc is sys.last_value
    assert sys.last_type is NameError
    assert ", in helped: return values + missing" in repr(panel)


@pytest.mark.parametrize("stop", [KeyboardInterrupt, bdb.BdbQuit])
def test_an_interrupted_function_shows_its_own_line_and_a_debugger_that_is_left_ends_the_check(stop):
    calls = []

    def endless(gradients):
        calls.append(sys._getframe())
        raise stop

    with pytest.raises(KeyboardInterrupt) as raised:
        check("grad_cam.neuron_importance", endless)
    assert [entry.name for entry in raised.traceback][1:] == ["check", "endless"]
    assert len(calls) == 1
    above = calls[0].f_back.f_back
    assert above.f_locals["__tracebackhide__"] is True


def test_nothing_of_a_hidden_case_is_drawn():
    exercise = registry.exercise("grad_cam.neuron_importance")
    shown = grade_function(exercise, exercise.reference).evidence
    assert shown
    assert not any("hidden" in evidence.check for evidence in shown)


def test_pictures_carry_their_numbers_as_text():
    panel = check("grad_cam.grad_cam_map", registry.exercise("grad_cam.grad_cam_map").misconceptions[0].wrong)
    html = panel._repr_html_()
    shown = re.findall(r'(?:alt|role="group" aria-label)="([^"]*)"', html)
    assert len(shown) >= 4
    assert all(re.search(r"\d", words) for words in shown if "formula of" not in words)


def test_the_panel_says_what_the_feedback_page_says():
    panel = check("grad_cam.neuron_importance", summed)
    html = panel._repr_html_()
    for words in ("What to look at next", "cnnviz hint grad_cam.neuron_importance", "the formula&#39;s", "difference"):
        assert words in html


def test_a_stub_is_one_quiet_line():
    def stub(gradients):
        raise NotImplementedError

    panel = check("grad_cam.neuron_importance", stub)
    assert "not attempted" in repr(panel)
    assert "<img" not in panel._repr_html_()


@pytest.fixture
def forgetful(tmp_path, monkeypatch):
    """A user who has answered nothing yet."""
    monkeypatch.setenv("CNNVIZ_CACHE", str(tmp_path))


def test_the_first_answer_stays_and_both_are_said(forgetful):
    told = 'your first answer was "smaller"; the one of now is "same_picture".'
    assert "first" not in repr(check("grad_cam.sum_or_mean", "z"))
    assert "first" not in repr(check("grad_cam.sum_or_mean", "smaller"))
    again = check("grad_cam.sum_or_mean", "same_picture")
    assert again.passed
    assert told in " ".join(repr(again).split())
    assert "your first answer was" in again._repr_html_()
    assert "first" not in repr(check("grad_cam.sum_or_mean", "smaller"))
    assert "not attempted" in repr(check("grad_cam.sum_or_mean", None))


def test_without_a_place_to_keep_it_an_answer_is_still_judged(monkeypatch):
    monkeypatch.setitem(sys.modules, "autograder.study.cache", None)
    assert check("grad_cam.sum_or_mean", "same_picture").passed


def test_a_prediction_is_marked_with_the_feedback_of_its_option(forgetful):
    question = registry.question("grad_cam.sum_or_mean")
    wrong = next(letter for letter in question.options if letter != question.answer)
    assert check(question.id, question.answer).passed
    assert " ".join(question.options[wrong].feedback.split()) in " ".join(repr(check(question.id, wrong)).split())
    assert "not attempted" in repr(check(question.id, None))
    assert 'got "z", choose one of other_picture, same' in repr(check(question.id, "z"))


@pytest.mark.parametrize(
    ("name", "answer", "words"),
    [
        ("grad_cam.neuron", summed, 'exercise: got "grad_cam.neuron", which does not exist; did you mean'),
        ("grad_cam.neuron_importance", 3, "got int, allowed is your function; write check"),
        ("grad_cam.sum_or_mean", summed, "got function, allowed is one of the words; see sum_or_mean above"),
    ],
)
def test_bad_input_is_one_sentence(name, answer, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        check(name, answer)


def test_a_function_of_another_name_is_right_and_told_that_it_would_not_be_found():
    def average(gradients):
        return gradients.mean(dim=(2, 3))

    panel = check("grad_cam.neuron_importance", average)
    assert panel.passed
    told = "you passed `average`; when you hand in, only a function `neuron_importance` is looked for: name it so."
    assert told in " ".join(repr(panel).split())


def test_a_function_under_its_name_is_told_nothing_whatever_it_calls_itself():
    names = {"check": check}
    exec("neuron_importance = lambda gradients: gradients.mean(dim=(2, 3))", names)
    panel = eval("check('grad_cam.neuron_importance', neuron_importance)", names)
    assert panel.passed
    assert not any(row.note for row in panel.graded.rows)


@pytest.fixture
def solved():
    """Names of a notebook in which lesson 11 is solved, but for the importances, which are sums."""
    names = {"check": check}
    exec((ROOT / "solutions" / "11_grad_cam" / "grad_cam.py").read_text("utf-8"), names)
    exec("def neuron_importance(gradients):\n    print('hello')\n    return gradients.sum(dim=(2, 3))", names)
    return names


def test_what_is_built_on_a_wrong_exercise_is_right_with_ours_as_when_it_is_graded(solved, capsys, monkeypatch):
    monkeypatch.setattr("autograder.practice.practice_showcase", lambda *_, **__: [])
    before = dict(solved)
    panel = eval("check('grad_cam.grad_cam', grad_cam)", solved)
    assert panel.passed
    assert "right with our grad_cam.neuron_importance in place of yours" in " ".join(repr(panel).split())
    assert all(solved[name] is before[name] for name in before), "the notebook's own names are back"
    assert solved.keys() - before.keys() <= {"__builtins__"}
    printed = capsys.readouterr().out.count("hello")
    grade_function(registry.exercise("grad_cam.grad_cam"), solved["grad_cam"])
    assert printed == capsys.readouterr().out.count("hello"), "only the student's own run prints"


def test_where_ours_are_not_installed_it_says_where_to_begin(solved, monkeypatch):
    monkeypatch.setattr("autograder.core.grade.lent", lambda *_: None)
    panel = eval("check('grad_cam.grad_cam', grad_cam)", solved)
    assert not panel.passed
    assert "begin with grad_cam.neuron_importance, which this is built on" in " ".join(repr(panel).split())


def test_our_parts_do_not_help_what_is_wrong_itself(solved):
    exec("def grad_cam(*given):\n    return -neuron_importance(capture(*given)[1])", solved)
    panel = eval("check('grad_cam.grad_cam', grad_cam)", solved)
    assert not panel.passed
    assert "in place of yours" not in repr(panel)
    assert len(panel.pictures) == 2, "a map of another shape is drawn alone, beside the formula's"


def test_a_map_that_is_wrong_is_drawn_on_the_photo_beside_the_formulas_and_the_difference():
    exercise = registry.exercise("grad_cam.grad_cam_map")
    panel = check(exercise.id, lambda activations, alpha: 3 * exercise.reference(activations, alpha))
    assert [each.caption for each in panel.pictures] == [
        "your map on a real photo", "the formula's", "the difference: yours minus the formula's",
    ]  # fmt: skip
    yours, right, difference = (each.alt for each in panel.pictures)
    assert yours == right == difference, "the largest value lies in the same place"
    assert len({each.data for each in panel.pictures}) == 3
    assert len(check(exercise.id, exercise.reference).pictures) == 1


def test_without_arguments_it_is_a_table_of_the_lesson_and_what_comes_next(solved, capsys):
    exec("def quadrant_shares(maps, quadrants):\n    raise NotImplementedError", solved)
    table = eval("check()", solved)
    assert table.lesson.id == "11_grad_cam"
    verdicts = {each.item.id.split(".")[1]: summary(each.rows) for each in table.graded}
    assert verdicts["capture"] == verdicts["grad_cam"] == PASSED
    assert (verdicts["neuron_importance"], verdicts["quadrant_shares"]) == (FAILED, NOT_ATTEMPTED)
    for text in (" ".join(repr(table).split()), table._repr_html_()):
        assert "Next: Importance of a channel is not right yet: You summed" in text
        assert "grad_cam.quadrant_shares" in text
    assert capsys.readouterr().out == ""
    solved.clear()
    with pytest.raises(ValueError, match="no exercise of the course is defined in this notebook"):
        eval("check()", {"check": check})
