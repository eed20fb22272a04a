"""What counts as a success: each judge sees what it should, and nothing where there is nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.hostile.range.attacks import Attack
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.course import INNOCENT
from tests.hostile.range.front import of_all
from tests.hostile.range.judges import achieved, answer_lines, full_points
from tests.hostile.range.live import live_in_page, live_in_table, live_in_terminal
from tests.hostile.range.outcome import Outcome, Student
from tests.hostile.range.watching import Ending

FULL = full_points()
NOTHING = dict.fromkeys(FULL, 0)
CANARIES = Canaries.fresh()
CLEAN = Outcome(Ending(0, 1.0), {name: Student(FULL) for name in INNOCENT}, finished=True, left=("home, new: .cache",))
ATTACK = Attack(Path("attacks/forge/idle"), "does nothing", "points", "points", "rlimits", True, student="eve")
AFTER = replace(CLEAN, students={**CLEAN.students, "eve": Student(NOTHING)})


def with_eve(**changes):
    """The same batch, and something else of the attacker's."""
    return replace(AFTER, students={**AFTER.students, "eve": replace(AFTER.students["eve"], **changes)})


def with_ada(points):
    return replace(AFTER, students={**AFTER.students, "!ada": Student(points)})


def test_an_attack_that_got_nothing_has_achieved_nothing():
    assert achieved(ATTACK, AFTER, CLEAN, CANARIES) == {}


@pytest.mark.parametrize(
    ("after", "kind", "seen"),
    [
        (with_eve(points={**NOTHING, "grad_cam.capture": 7}), "points", "grad_cam.capture: 7 points"),
        (replace(AFTER, complaints=("a file is not as signed",)), "points", "a file is not as signed"),
        (with_ada({**FULL, "grad_cam.capture": 6}), "innocent", "!ada: grad_cam.capture"),
        (with_eve(told=f"LOOT {CANARIES.text['home']}"), "leak", "a file in the grader's home"),
        (with_eve(told=max(answer_lines())), "leak", 'the line "'),
        (replace(AFTER, left=("home, new: .cache", "home, new: x")), "file", "home, new: x"),
        (replace(AFTER, ending=Ending(0, 1.0, left=("sleep 300",))), "process", "sleep 300"),
        (replace(AFTER, ending=Ending(None, 99.0)), "hang", "it was stopped after 99 s"),
        (replace(AFTER, finished=False), "stop", "it ended with status 0; without all results: nobody"),
        (with_eve(points={}), "stop", "it ended with status 0; without all results: eve"),
        (with_eve(page="<p onclick=x()>"), "live", 'the attribute onclick="x()"'),
        (replace(AFTER, terminal="\x1b[2J"), "live", "the character '\\x1b' in the terminal"),
    ],
)
def test_each_success_is_seen_and_nothing_else(after, kind, seen):
    told = achieved(ATTACK, after, CLEAN, CANARIES)
    assert seen in told.pop(kind)
    assert told == {}


def test_deserved_points_are_no_success_and_their_loss_is_one():
    honest = replace(ATTACK, deserved={"grad_cam.capture": 7})
    assert achieved(honest, with_eve(points={**NOTHING, "grad_cam.capture": 7}), CLEAN, CANARIES) == {}
    assert achieved(honest, AFTER, CLEAN, CANARIES) == {"innocent": "honest grad_cam.capture: 0 of 7"}


def test_a_right_submission_keeps_its_innocent_points_and_may_earn_the_others():
    damaged = replace(ATTACK, deserved_all_of="solutions", innocent=("grad_cam.capture",))
    assert achieved(damaged, with_eve(points=FULL), CLEAN, CANARIES) == {}
    assert "honest grad_cam.capture: 0 of 7" in achieved(damaged, AFTER, CLEAN, CANARIES)["innocent"]


def test_a_line_that_the_attacker_handed_in_is_not_stolen(tmp_path):
    line = max(answer_lines())
    (tmp_path / "grad_cam.py").write_text(line, encoding="utf-8")
    assert achieved(replace(ATTACK, folder=tmp_path), with_eve(told=line), CLEAN, CANARIES) == {}


@pytest.mark.parametrize(
    "text", ["<script>", "<SCRIPT src=x>", "<p onload='x'>", '<a href="javascript:x">', "<svg>", "<iframe srcdoc=x>",
             '<meta http-equiv="refresh" content="0">'],
)  # fmt: skip
def test_a_page_that_runs_something_is_live(text):
    assert live_in_page(f"<!DOCTYPE html><html><body>{text}</body></html>")


def test_the_feedback_page_of_an_ordinary_student_is_not_live():
    from autograder.feedback import Section, Sheet, page

    told = page(Sheet("11_grad_cam", "<script>alert(1)</script>", 0, 1, [Section("x", 0, 1, [], code="<img src=x>")]))
    assert live_in_page(told) == []


@pytest.mark.parametrize("cell", ["=1+1", "+1+cmd", "-2+3", "@SUM(1)", "  =1+1", "\t=1"])
def test_a_formula_in_a_table_is_live(cell):
    assert live_in_table(f'student,points\n"{cell}",1\n')


def test_numbers_and_marked_text_in_a_table_are_not_live():
    assert live_in_table("student,points\n'=1+1,-1.5\nAda,+3\n") == []


def test_a_formula_is_found_beside_a_very_long_cell_and_behind_a_zero_byte():
    assert live_in_table(f"{'x' * 200_000},1\n\0=1+1,2\n") == ["the cell '=1+1'"]


def test_plain_lines_in_a_terminal_are_not_live():
    assert live_in_terminal("✓ 1/2 Zoë 11_grad_cam: 8 passed\r\n\tand so on\n") == []


def test_what_befell_a_whole_batch_is_told_from_what_one_student_did():
    mine, other = {"hang": "late", "points": "7"}, {"hang": "late"}
    assert of_all([mine, other]) == {"hang": "late"}
    assert of_all([mine, {}]) == {}
