"""Every screen can be read in forty columns, without colour, and aloud."""

import os
import re
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from autograder.course import outlines as course
from autograder.study.folder import Work
from autograder.study.progress import State
from autograder.study.screens import course_map, current, in_progress, lesson_list
from autograder.study.signs import in_own_order
from autograder.study.telling import hints, task, verdict

from .conftest import printed, standing

LESSONS = len(course.outlines())
POINTS = sum(item.points for outline in course.outlines() for item in outline.items)


@pytest.fixture
def begun(tmp_path):
    """The whole course, with one lesson in progress."""
    progress = {"11_grad_cam": ["passed", "failed"], "01_filters": ["passed"] * 10}
    return [standing(tmp_path, outline, progress.get(outline.id, [])) for outline in course.outlines()]


def test_the_map_opens_the_lesson_in_progress_and_ends_in_the_next_command(begun):
    text = printed(course_map(begun, _console(80, True)), 80)
    assert text.startswith(f"The course: 1 of {LESSONS} lessons finished, 33 of {POINTS} points, about ")
    assert "> 11 Grad-CAM" in text
    assert re.search(r"✗ failed +Importance of a channel *\n +grad_cam.neuron_importance, easy, 5 min, 0 of 5", text)
    assert "filters.tile" not in text
    assert "is not right yet. You summed the gradients" in " ".join(text.split())
    assert "cnnviz watch 11" in text
    assert "cnnviz hint grad_cam.neuron_importance" in text


def test_a_lesson_in_progress_with_an_unreadable_file_says_so_calmly(tmp_path, begun):
    begun[10] = standing(tmp_path, begun[10].work.outline, [], problem="grad_cam.py is not complete yet: line 40, x.")
    text = " ".join(printed(course_map(begun, _console(80)), 80).split())
    assert "Next: grad_cam.py is not complete yet: line 40, x. Put " in text


def test_a_finished_course_is_told_so(tmp_path):
    done = [standing(tmp_path, outline, ["passed"] * len(outline.items)) for outline in course.outlines()]
    text = printed(course_map(done, _console(80)), 80)
    assert f"{LESSONS} of {LESSONS} lessons finished, {POINTS} of {POINTS} points\n" in text
    assert "you have taken the whole course" in text
    assert "left" not in text


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("terminal", [True, False])
def test_no_line_is_wider_than_the_terminal(begun, cache, width, terminal):
    console = _console(width, terminal)
    screens = [*course_map(begun, console), *lesson_list(begun[10], console), *verdict(begun[10].states[1])]
    screens += [*hints(course.item("lrp.gamma_layer"), cache, everything=True)]
    lines = printed(screens, width).splitlines()
    assert max(map(cell_len, lines)) <= width
    words = "\n".join(lines)
    assert words.count("neuron_importance") >= 3


@pytest.mark.parametrize("plain", [{"CNNVIZ_PLAIN": "1"}, {"TERM": "dumb"}])
def test_a_reader_of_screens_gets_words_and_no_drawing(begun, monkeypatch, plain):
    for name, value in plain.items():
        monkeypatch.setenv(name, value)
    text = printed(course_map(begun, _console(80, True)), 80)
    assert not set(text) & set("■□█#│╭━")
    assert "Grad-CAM: 1 of 10 done, 7 of 33 points, 30 min left" in text


@pytest.mark.parametrize("sign", ["✓ passed", "✗ failed", "· not attempted"])
def test_beside_every_sign_stands_its_word(begun, sign):
    text = printed(lesson_list(begun[10], _console(80, True)), 80)
    assert sign in text
    assert text.count(sign[0]) == text.count(sign)


def test_without_colour_there_is_no_escape_and_with_colour_there_is(begun, monkeypatch):
    coloured = printed(lesson_list(begun[10], _console(80)), force_terminal=True, color_system="standard")
    monkeypatch.setenv("NO_COLOR", "1")
    plain = printed(lesson_list(begun[10], _console(80)), force_terminal=True, color_system="standard")
    assert "\x1b[32m" in coloured
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]", plain)
    assert "✗ failed" in plain


def test_what_a_students_code_says_cannot_steer_the_terminal(begun):
    told = (("\x1b]0;owned\x07[red]x[/red]", ("values",)),)
    text = printed(verdict(State(begun[10].states[1].item, "failed", 0, told, output="\x1b[2J")))
    assert "\x1b" not in text
    assert "[red]x[/red]" in text


def test_a_cell_in_the_middle_of_being_typed_is_one_calm_sentence(begun):
    why = "line 12 of its cell, '(' was never closed"
    text = printed(verdict(State(begun[10].states[1].item, "failed", incomplete=why)))
    assert " ".join(text.split()) == (
        "neuron_importance is not complete yet: line 12 of its cell, '(' was never closed."
    )


def test_one_thing_at_a_time(begun):
    told = (("one axis is missing.", ("values",)), ("a hook is left.", ("promises",)))
    text = printed(verdict(State(begun[10].states[1].item, "failed", 0, told)))
    assert "One axis is missing.\n  Other checks say more; begin with this; c shows them.\n" in text
    assert "hook" not in text


def test_long_output_is_cut(begun):
    state = State(begun[10].states[1].item, "failed", output="\n".join("line" for _ in range(100)))
    assert "and 60 lines more" in printed(verdict(state))


def test_the_lesson_in_progress_is_the_one_saved_last(tmp_path):
    outlines = course.outlines()[:3]
    found = [standing(tmp_path, outline, ["passed"]) for outline in outlines]
    for n, one in enumerate(found):
        one.work.folder.mkdir()
        one.work.module.write_text("")
        os.utime(one.work.module, (n % 2, n % 2))
    assert current(found) is found[1]


def test_a_lesson_that_has_changed_since_it_was_checked_is_in_progress(student, cache, begun):
    found = [Work(outline, student / outline.id) for outline in course.outlines()[:3]]
    for one in found:
        one.folder.mkdir()
    assert in_progress(found, cache) == found[0]
    found[2].module.write_text("begun = True")
    assert in_progress(found, cache) == found[2]


def test_a_prediction_is_told_with_what_its_words_mean(monkeypatch):
    monkeypatch.setattr("getpass.getuser", lambda: "ada")
    text = printed(task(course.item("grad_cam.sum_or_mean"), "grad_cam.py"))
    assert "Prediction sum_or_mean: Someone sums the gradients" in text
    assert text.count("\n  smaller ") == text.count("\n  same_picture ") == 1
    assert re.search(r'Set sum_or_mean to "\w+", "\w+", "\w+" or "\w+" in grad_cam.py.', " ".join(text.split()))


def test_each_user_has_an_order_of_options_of_their_own_that_stays(monkeypatch):
    item = course.item("grad_cam.sum_or_mean")
    orders = {}
    for user in ("ada", "bob", "cy", "ada"):
        monkeypatch.setattr("getpass.getuser", lambda user=user: user)
        orders.setdefault(user, []).append(in_own_order(item.options, item.id))
    assert orders["ada"][0] == orders["ada"][1]
    assert len({tuple(order) for given in orders.values() for order in given}) > 1
    assert all(sorted(order) == sorted(item.options) for given in orders.values() for order in given)


def _console(width, terminal=False):
    return Console(width=width, file=StringIO(), force_terminal=terminal)
