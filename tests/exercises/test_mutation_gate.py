"""The checks are checked: every known mistake is rejected and named, every right variant passes, by a margin."""

from __future__ import annotations

import importlib
import itertools

import pytest

from autograder import registry
from autograder.compare import MARGIN, TOLERANCE, compare, distance
from autograder.diagnose import diagnose
from autograder.grade import grade_function
from autograder.oracle import Part, Setting, parts_of
from autograder.records import Case
from autograder.verdict import FAILED, PASSED

EXERCISES = [exercise for lesson in registry.lessons() for exercise in lesson.exercises]
SECRETS = ("", "spring term", "autumn term")
"""Practice, and two course secrets: a fixture that sees every mistake only by luck would fail one of them."""


def variants_of(exercise):
    return importlib.import_module(f"tests.exercises.variants_{exercise.module}").VARIANTS[exercise.id]


def cases_of(exercise, secret) -> list[Part]:
    return [part for part in parts_of(exercise, Setting(secret=secret)) if isinstance(part.part, Case)]


def each_exercise(test):
    return pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id)(test)


def each_secret(test):
    return pytest.mark.parametrize("secret", SECRETS, ids=lambda s: s or "practice")(test)


@each_exercise
@each_secret
def test_every_misconception_is_rejected_and_named_by_every_case(exercise, secret):
    for part in cases_of(exercise, secret):
        for name, (sentence, results) in part.mistakes.items():
            finding = compare(part.expected, results, exercise.outputs)
            assert finding is not None, f"{name} passes {part.part.name}"
            told = diagnose(
                finding, part.expected, results, symbols=exercise.outputs, known=part.mistakes, hidden=part.part.hidden
            )
            assert (told.kind, told.name, told.message) == ("misconception", name, sentence), part.part.name


@each_exercise
@each_secret
def test_every_misconception_is_a_hundred_tolerances_away(exercise, secret):
    near = {
        (part.part.name, name): far
        for part in cases_of(exercise, secret)
        for name, (_, results) in part.mistakes.items()
        if (far := distance(part.expected, results)) <= MARGIN
    }
    assert not near


@each_exercise
def test_no_two_misconceptions_look_alike(exercise):
    for part in cases_of(exercise, ""):
        for (one, (_, a)), (other, (_, b)) in itertools.combinations(part.mistakes.items(), 2):
            assert min(distance(a, b), distance(b, a)) > 2 * TOLERANCE["float32"], (
                f"{one} and {other} on {part.part.name}"
            )


@each_exercise
@each_secret
def test_right_variants_earn_every_point(exercise, secret):
    variants = variants_of(exercise)
    assert len(variants) >= 4
    for variant in (exercise.reference, *variants):
        graded = grade_function(exercise, variant, Setting(secret=secret))
        wrong = [(row.check, row.verdict, row.diagnosis) for row in graded.rows if row.verdict != PASSED]
        assert not wrong, variant.__name__


@each_exercise
def test_misconceptions_earn_no_point_for_laws_and_promises(exercise):
    for misconception in exercise.misconceptions:
        rows = grade_function(exercise, misconception.wrong).rows
        assert all(row.verdict == FAILED and row.points == 0 for row in rows), misconception.name


@each_exercise
def test_laws_see_at_least_one_misconception(exercise):
    for law in exercise.laws:
        broken = [
            m.name
            for m in exercise.misconceptions
            for row in grade_function(exercise, m.wrong).rows
            if row.check == f"law: {law.name}" and row.diagnosis.kind in ("law", "shape", "type")
        ]
        assert broken, f"{law.name} holds for every mistake: it says nothing"


@each_exercise
def test_cases_are_the_same_for_all_students_but_for_the_draw_that_is_each_ones_own(exercise):
    for ours, again, theirs in zip(
        *(cases_of_student(exercise, student) for student in ("ada", "ada", "grace")), strict=True
    ):
        assert distance(ours.expected, again.expected) == 0
        same = distance(ours.expected, theirs.expected) == 0
        assert same is not ours.own


def cases_of_student(exercise, student) -> list[Part]:
    return [p for p in parts_of(exercise, Setting("secret", student)) if isinstance(p.part, Case)]
