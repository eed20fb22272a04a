"""Seeds and bound arguments."""

import dataclasses

import pytest

from autograder import registry
from autograder.oracle import Setting, planned, seed_of
from autograder.records import Call

EXERCISE = registry.exercise("grad_cam.neuron_importance")
VISIBLE = next(case for case in EXERCISE.cases if not case.hidden)
HIDDEN = next(case for case in EXERCISE.cases if case.hidden)


def test_visible_cases_have_one_seed_and_hidden_ones_a_seed_of_each_students_own():
    ada, grace, other = Setting("s", "ada"), Setting("s", "grace"), Setting("t", "ada")
    assert len({seed_of(EXERCISE, VISIBLE, s) for s in (ada, grace, other)}) == 1
    assert len({seed_of(EXERCISE, HIDDEN, s) for s in (ada, grace, other)}) == 3


def test_a_case_that_gives_what_the_reference_does_not_take_is_said():
    with pytest.raises(ValueError, match=r"a case gives \['alpha'\], which the reference does not take"):
        planned(EXERCISE, Call({"alpha": 1}))


def test_keyword_only_arguments_are_passed_by_keyword():
    call = planned(dataclasses.replace(EXERCISE, reference=lambda a, *, b: a), Call({"b": 2, "a": 1}))
    assert (call.args, call.kwargs) == ((1,), {"b": 2})
