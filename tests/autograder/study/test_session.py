"""What `cnnviz watch` answers, without a terminal, a clock or a check that runs."""

from dataclasses import replace
from io import StringIO

import pytest

from autograder.course import outlines
from autograder.study.folder import Work
from autograder.study.session import Session
from autograder.text.screen import Screen

from .conftest import handed_out, standing, write


class Heard:
    """A session on the lessons 11 and 12, what it says, and what it asks to be checked."""

    def __init__(self, folder, cache):
        self.works = [Work(outlines.lesson(name), folder / outlines.lesson(name).id) for name in ("11", "12")]
        self.folder, self.asked, self.viewed, self._read = folder, [], [], 0
        self._console = Screen(width=200, file=StringIO())
        asked, viewed = (lambda *check: self.asked.append(check)), (lambda *view: self.viewed.append(view))
        self.session = Session(self.works, self.works[0], cache, self._console, asked, viewed)

    def standing(self, *verdicts, **more):
        """How lesson 11 stands after a save."""
        return standing(self.folder, self.works[0].outline, verdicts, **more)

    def save(self, *verdicts, **more):
        """A save of lesson 11 and its check; what is said."""
        found = self.standing(*verdicts, **more)
        self.session.saved(self.works[0], {self.works[0].module})
        for state in found.states if not found.problem else ():
            self.session.judged(state)
        self.session.checked(found)
        return self.said()

    def press(self, key):
        self.session.pressed(key)
        return self.said()

    def said(self):
        """What was said since the last time."""
        text = self._console.file.getvalue()
        new, self._read = text[self._read :], len(text)
        return " ".join(new.split())


@pytest.fixture
def heard(student, cache):
    heard = Heard(student / "lessons", cache)
    heard.session.begin()
    return heard


def test_the_first_words_say_where_to_write_and_what(heard):
    text = heard.said()
    assert "Write in lessons/11_grad_cam/grad_cam.py or in the notebook beside it." in text
    assert "Activations and their gradients: write capture in lessons/11_grad_cam/grad_cam.py" in text
    assert text.endswith("h hint, n next, l list, r reset, ? all keys, q quit")


def test_only_what_changed_is_told(heard):
    heard.save("passed", "failed")
    text = heard.save("passed", "passed")
    assert "✓ passed Importance of a channel" in text
    assert "Activations" not in text
    assert "The map: write grad_cam_map" in text
    assert "Nothing that counts has changed." in heard.save("passed", "passed")


def test_the_keys_are_about_the_exercise_that_went_wrong(heard):
    heard.save("not attempted", "failed")
    assert "Importance of a channel (grad_cam.neuron_importance) Hint 1 of 3" in heard.press("h")
    assert "Put neuron_importance back" in heard.press("r")


def test_a_pass_leads_to_what_comes_after_it_and_then_to_what_was_left_out(heard):
    assert "The map: write grad_cam_map" in heard.save("not attempted", "passed")
    text = heard.save(*["not attempted", *["passed"] * 9])
    assert "Activations and their gradients: write capture" in text


def test_a_prediction_comes_with_its_words_and_has_no_hints(heard):
    text = heard.save(*["passed"] * 7)
    assert "Prediction sum_or_mean: Someone sums" in text
    assert 'Set sum_or_mean to "' in text
    assert "is a prediction, which has no hints; guess" in heard.press("h")


def test_a_finished_lesson_leads_to_the_next_one(heard):
    text = heard.save(*["passed"] * 10)
    assert "Lesson 11 Grad-CAM is finished. n goes on with 12 Guided Grad-CAM." in text
    heard.works[1].folder.mkdir()
    text = heard.press("n")
    assert "Lesson 12 Guided Grad-CAM" in text
    assert "write upsample in" in text


def test_typing_is_not_disturbed(heard):
    heard.save("passed", "failed")
    text = heard.save(problem="grad_cam.py is not complete yet: line 40, '(' was never closed.")
    assert "line 40, '(' was never closed. Nothing was checked; go on, and save again." in text
    assert "✓ passed Importance" in heard.save("passed", "passed")


def test_a_reset_is_asked_for_and_any_other_key_leaves_all_as_it_is(heard, work):
    write(work, "return 1")
    heard.save("not attempted", "failed")
    heard.press("r")
    assert heard.press("n") == "Nothing was changed."
    heard.press("r")
    assert "neuron_importance is as it was handed out. Yours is kept in lessons/11_grad_cam/" in heard.press("y")
    assert work.module.read_text(encoding="utf-8") == handed_out("grad_cam.py")


def test_enter_runs_the_exercise_again_whatever_is_known(heard):
    heard.save("not attempted", "failed")
    heard.press("enter")
    assert heard.asked == [(heard.works[0], "grad_cam.neuron_importance")]


def test_p_goes_back_c_shows_all_checks_and_o_all_output(heard):
    found = heard.standing("passed", "failed")
    both = (("divide by Z.", ("values",)), ("a hook is left.", ("promises",)))
    wrong = replace(found.states[1], told=both, output="\n".join(f"line {n}" for n in range(50)))
    found = replace(found, states=(found.states[0], wrong, *found.states[2:]))
    heard.session.judged(wrong)
    assert "line 39 and 10 lines more; o shows all" in heard.said()
    heard.session.checked(found)
    heard.said()
    assert "line 48 line 49" in heard.press("o")
    assert "values: Divide by Z. promises: a hook is left." in heard.press("c")
    assert "✓ passed Activations and their gradients" in heard.press("p")
    assert "This is the first exercise of the lesson." in heard.press("p")
    assert "capture printed nothing, or was not run" in heard.press("o")


def test_v_asks_for_the_page_of_the_exercise_and_says_where_it_lies(heard, tmp_path):
    heard.save("not attempted", "failed")
    heard.press("v")
    assert heard.viewed == [(heard.works[0], "grad_cam.neuron_importance")]
    heard.session.pictured(tmp_path / "page.html", opened=False)
    assert heard.said() == f"Open in your browser: {tmp_path / 'page.html'}"
    heard.session.pictured(None, opened=False)
    assert "nothing to show yet" in heard.said()


def test_seconds_are_counted_on_one_line_of_a_terminal_and_nowhere_else(student, cache):
    heard = Heard(student / "lessons", cache)
    heard.session.begin(keys=False)
    heard.said()
    for seconds in range(1, 6):
        heard.session.slow(seconds)
    assert heard.said() == "Checking..."
    heard.session._console = Screen(width=80, file=(shown := StringIO()), force_terminal=True, color_system=None)
    heard.session._keys = True
    for seconds in range(1, 5):
        heard.session.slow(seconds)
    heard.session.leave()
    parts = [part.strip() for part in shown.getvalue().replace("\x1b[2K", "").split("\r")]
    assert [part for part in parts if part] == ["Checking...", "Checking...", "Checking... 3 s", "Checking... 4 s"]
    assert "\n" not in shown.getvalue()


def test_an_unknown_key_lists_the_keys_and_q_ends_it(heard):
    assert "c, o all checks of it, all that its code printed Enter check it again" in heard.press("?")
    heard.press("q")
    assert heard.session.over


def test_a_check_that_ends_after_the_student_went_on_says_nothing(heard):
    heard.works[1].folder.mkdir()
    for _ in range(10):
        heard.press("n")
    assert heard.session.work == heard.works[1]
    late = heard.standing("failed")
    heard.session.judged(late.states[0])
    heard.session.checked(late)
    assert heard.said() == ""


def test_a_fault_of_ours_is_called_one(heard):
    heard.said()
    heard.session.failed(RuntimeError("boom\x1b[2J"))
    assert "The check itself failed (RuntimeError: boom" in (text := heard.said())
    assert "your code may be right" in text
    assert "\x1b" not in text


def test_before_the_first_check_is_there_keys_wait(student, cache, work):
    write(work, "return 1")
    heard = Heard(student / "lessons", cache)
    heard.session.begin()
    assert heard.asked == [(work, "")]
    heard.said()
    assert {heard.press(key) for key in "hlr"} == {"The first check is still running."}
