"""Seeds and bound arguments."""

import dataclasses

import pytest

from autograder.core.oracle import Setting, parts_of, planned, seed_of
from autograder.course import registry
from autograder.course.records import Call

EXERCISE = registry.exercise("grad_cam.neuron_importance")
VISIBLE = next(case for case in EXERCISE.cases if not case.hidden)
HIDDEN = next(case for case in EXERCISE.cases if case.hidden)


ADA, GRACE, OTHER = Setting("s", "ada"), Setting("s", "grace"), Setting("t", "ada")


def test_visible_cases_have_one_seed_hidden_ones_one_of_the_course_and_one_of_each_students_own():
    assert len({seed_of(EXERCISE, VISIBLE, s) for s in (ADA, GRACE, OTHER)}) == 1
    assert seed_of(EXERCISE, HIDDEN, ADA) == seed_of(EXERCISE, HIDDEN, GRACE) != seed_of(EXERCISE, HIDDEN, OTHER)
    own = [seed_of(EXERCISE, HIDDEN, s, own=True) for s in (ADA, GRACE, OTHER)]
    assert len({*own, seed_of(EXERCISE, HIDDEN, ADA)}) == 4


def test_each_student_is_judged_on_the_same_parts_and_on_a_draw_of_their_own():
    ada, grace = (parts_of(EXERCISE, setting) for setting in (ADA, GRACE))
    shared = len(EXERCISE.parts)
    assert ada[:shared] == grace[:shared]
    assert [(part.part, part.own) for part in ada[shared:]] == [(HIDDEN, True)]
    assert ada[-1].seed != grace[-1].seed


def test_in_practice_nothing_is_drawn_for_one_student_alone():
    assert not any(part.own for part in parts_of(EXERCISE, Setting()))


def test_a_case_that_gives_what_the_reference_does_not_take_is_said():
    with pytest.raises(ValueError, match=r"a case gives \['alpha'\], which the reference does not take"):
        planned(EXERCISE, Call({"alpha": 1}))


def test_keyword_only_arguments_are_passed_by_keyword():
    call = planned(dataclasses.replace(EXERCISE, reference=lambda a, *, b: a), Call({"b": 2, "a": 1}))
    assert (call.args, call.kwargs) == ((1,), {"b": 2})
