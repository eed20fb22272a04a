"""Seeds and bound arguments."""

import dataclasses
import re

import pytest

from autograder.core.oracle import Part, Setting, parts_of, planned, seed_of
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


def twice(**changes):
    """A case of an exercise that knows its first mistake twice, the second time with changes."""
    first = EXERCISE.misconceptions[0]
    twin = dataclasses.replace(first, name="twin", line="mistakes.md:9", **changes)
    exercise = dataclasses.replace(EXERCISE, misconceptions=(first, twin))
    return Part(exercise, VISIBLE, seed_of(exercise, VISIBLE, Setting()))


def test_two_known_mistakes_that_look_alike_are_named_with_their_lines():
    assert twice().clash == f"twin (mistakes.md:9) and {EXERCISE.misconceptions[0].place} look alike"
    assert re.search(r"\.md:\d+\)$", EXERCISE.misconceptions[0].place)


def test_a_known_mistake_that_raises_is_named_with_its_line_and_what_it_said():
    assert twice(wrong=lambda *_: 1 / 0).clash == "twin (mistakes.md:9) gives no value: division by zero"


def test_what_a_draw_computed_to_tell_its_mistakes_apart_is_not_computed_again():
    made = []

    def wrong(*args):
        made.append(1)
        return EXERCISE.misconceptions[0].wrong(*args)

    first = dataclasses.replace(EXERCISE.misconceptions[0], wrong=wrong)
    part = Part(dataclasses.replace(EXERCISE, misconceptions=(first,)), HIDDEN, 1, redrawn=True)
    assert part.calls
    before = len(made)
    assert (len(part.mistakes), part.clash, len(made)) == (1, "", before)
    assert before == len(part.calls)
