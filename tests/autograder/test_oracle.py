"""Seeds, bound arguments, and packs of arrays that stand in for the answer key."""

import dataclasses

import pytest

from autograder import registry
from autograder.compare import distance
from autograder.oracle import RecordedPart, Setting, parts_of, planned, record, seed_of
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


def test_a_recorded_pack_gives_what_the_live_oracle_gives(tmp_path):
    live = parts_of(EXERCISE, Setting())
    record(live, tmp_path / "pack.npz")
    for part in live:
        packed = RecordedPart(part.exercise, part.part, part.seed, part.device, tmp_path / "pack.npz")
        assert distance(part.expected, packed.expected) == 0
        assert part.mistakes.keys() == packed.mistakes.keys()
        for name, (sentence, results) in part.mistakes.items():
            assert packed.mistakes[name][0] == sentence
            assert distance(results, packed.mistakes[name][1]) == 0


def test_a_pack_of_another_course_version_is_said(tmp_path):
    live = parts_of(EXERCISE, Setting())
    record(live[:1], tmp_path / "pack.npz")
    last = live[-1]
    with pytest.raises(ValueError, match="record it again with this course version"):
        _ = RecordedPart(last.exercise, last.part, last.seed, last.device, tmp_path / "pack.npz").expected
