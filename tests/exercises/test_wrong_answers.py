"""Wrong answers that are no known mistakes: every case rejects them, whatever it draws."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec

import pytest

from autograder.core.compare import compare
from autograder.core.grade import grade_function
from autograder.core.oracle import Setting, parts_of
from autograder.core.verdict import FAILED
from autograder.course import registry
from autograder.course.records import Case
from tests.exercises.wrong_tsne import distances_by_the_expanded_square

SECRETS = [f"course {n}" for n in range(3)]
"""What a case draws is decided by these."""


def _wrong() -> Mapping[str, Sequence[Callable]]:
    modules = (f"tests.exercises.wrong_{lesson.name}" for lesson in registry.lessons())
    return {name: wrong for m in modules if find_spec(m) for name, wrong in importlib.import_module(m).WRONG.items()}


WRONG = _wrong()


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_answer_fails_every_case_of_every_course(name):
    """One that is wrong on a special input alone passes every case but the one that is about it."""
    exercise = registry.exercise(name)
    tried = [
        (secret, part)
        for secret in SECRETS
        for part in parts_of(exercise, Setting(secret))
        if isinstance(part.part, Case) and (part.part.hidden or secret == SECRETS[0])
    ]
    for wrong in WRONG[name]:
        passed = [
            (s, part) for s, part in tried if compare(part.expected, part.results(wrong), exercise.outputs) is None
        ]
        special = [(s, part) for s, part in tried if not part.part.only_here]
        assert not passed or (passed == special != tried), (wrong.__name__, [(s, p.part.name) for s, p in passed])


@pytest.mark.parametrize("exercise", [e for lesson in registry.lessons() for e in lesson.exercises], ids=lambda e: e.id)
def test_at_least_five_wrong_answers_are_tried(exercise):
    tried = len(WRONG.get(exercise.id, ()))
    if tried < 5:
        pytest.fail(
            f"{exercise.id}: {tried} plausible wrong answers that are no known mistakes are tried and five needed: add "
            f"them to WRONG in tests/exercises/wrong_{exercise.module}.py",
            pytrace=False,
        )


def test_squared_distances_that_lose_precision_far_from_0_break_the_law_of_moved_points():
    rows = grade_function(registry.exercise("tsne.squared_distances"), distances_by_the_expanded_square).rows
    assert [row.check for row in rows if row.verdict == FAILED] == ["law: turned_moved_enlarged"]
