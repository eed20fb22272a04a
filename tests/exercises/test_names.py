"""No verdict depends on a student's name: wrong answers that nobody had listed get the same rows under any."""

from __future__ import annotations

from functools import cache

import pytest

from autograder import registry
from autograder.isolated import Outcome
from autograder.judge import judge
from autograder.oracle import Setting, parts_of
from autograder.verdict import Row
from tests.exercises.test_wrong_answers import NAMES, WRONG

CHOSEN = [name for lesson in registry.lessons() for name in [n for n in WRONG if n.startswith(f"{lesson.name}.")][:2]]


@cache
def observed(part, wrong):
    return part.results(wrong)


def rows(exercise, wrong, student) -> tuple[Row, ...]:
    parts = parts_of(exercise, Setting("secret", student))
    seen = [part.results(wrong) if part.own else observed(part, wrong) for part in parts]
    return judge(exercise, parts, Outcome("ran", tuple(have for part in seen for have in part))).rows


@pytest.mark.parametrize("name", CHOSEN)
def test_twenty_names_have_the_same_rows(name):
    exercise = registry.exercise(name)
    for wrong in WRONG[name]:
        first, *others = (rows(exercise, wrong, student) for student in NAMES)
        assert all(other == first for other in others), wrong.__name__


def test_a_mistake_that_shows_on_some_draws_only_costs_the_same_under_every_name():
    """What a draw may hide: a tie, a sign, a zero. Here an answer is wrong where the first number is above its mean."""
    exercise = registry.exercise("grad_cam.neuron_importance")

    def lucky(gradients):
        return exercise.reference(gradients) * (1 + (gradients[0, 0, 0, 0] > 1.0))

    hidden = {tuple((r.check, r.verdict) for r in rows(exercise, lucky, f"student {n}")) for n in range(40)}
    assert len(hidden) == 1
