"""No verdict depends on a student's name: wrong answers that nobody had listed get the same rows under any."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import pytest

from autograder.core.judge import judge
from autograder.core.oracle import Part, Setting, parts_of
from autograder.core.verdict import FAILED, Row
from autograder.course import registry
from autograder.course.records import Exercise
from autograder.isolated import Observation, Outcome
from tests.exercises.test_wrong_answers import WRONG

NAMES = [f"student {n}" for n in range(20)]
CHOSEN = [name for lesson in registry.lessons() for name in [n for n in WRONG if n.startswith(f"{lesson.name}.")][:2]]


@cache
def shared(part: Part, wrong: Callable) -> tuple[Observation, ...]:
    return part.results(wrong)


def rows(exercise: Exercise, wrong: Callable) -> Iterator[tuple[Row, ...]]:
    """The rows of one wrong answer under each name."""
    for parts in drawn(exercise):
        seen = [part.results(wrong) if part.own else shared(part, wrong) for part in parts]
        yield judge(exercise, parts, Outcome("ran", tuple(have for part in seen for have in part))).rows


@cache
def drawn(exercise: Exercise) -> list[list[Part]]:
    return [parts_of(exercise, Setting("secret", name)) for name in NAMES]


def test_two_exercises_of_each_lesson_are_tried():
    assert len(CHOSEN) == 2 * len(registry.lessons())


@pytest.mark.parametrize("name", CHOSEN)
def test_twenty_names_have_the_same_rows(name):
    exercise = registry.exercise(name)
    for wrong in WRONG[name][:3]:
        first, *others = rows(exercise, wrong)
        assert all(other == first for other in others), wrong.__name__


@pytest.mark.parametrize(
    ("name", "mistake"),
    [("class_visualization.ascend", "stops_when_the_score_falls"), ("cam.box_from_map", "eight_bits")],
)
def test_mistakes_that_had_been_found_by_luck_have_the_same_rows_too(name, mistake):
    exercise = registry.exercise(name)
    (wrong,) = (known.wrong for known in exercise.misconceptions if known.name == mistake)
    found = set(rows(exercise, wrong))
    assert len(found) == 1
    assert {row.verdict for row in found.pop()} == {FAILED}


def test_a_mistake_that_shows_on_some_draws_only_costs_the_same_under_every_name():
    exercise = registry.exercise("grad_cam.neuron_importance")

    def by_luck(gradients):
        return exercise.reference(gradients) * (1 + (gradients[0, 0, 0, 0] > 1.0))

    parts = [part for parts in drawn(exercise) for part in parts if part.own]
    assert {bool(part.calls[0].inputs["gradients"][0, 0, 0, 0] > 1.0) for part in parts} == {True, False}
    assert len(set(rows(exercise, by_luck))) == 1
