"""The checks are checked: every known mistake is rejected and named, every right variant passes, by a margin."""

from __future__ import annotations

from functools import cache

import pytest

from autograder.core.compare import compare, distance
from autograder.core.diagnose import diagnose
from autograder.core.grade import grade_function
from autograder.core.judge import judge
from autograder.core.oracle import Part, Setting, parts_of
from autograder.core.verdict import FAILED, PASSED, Row
from autograder.course import registry
from autograder.course.records import Case
from autograder.isolated import Outcome, observe
from tests.exercises.written import variants, variants_of

EXERCISES = [exercise for lesson in registry.lessons() for exercise in lesson.exercises]
TERM = "spring term"
SECRETS = ("", TERM, "autumn term")
"""Practice, and two course secrets: a fixture that sees every mistake only by luck would fail one of them."""


def parts_drawn(exercise, secret) -> list[Part]:
    """What a secret draws; in practice all: what everybody may see is the same for every secret."""
    return [part for part in parts_of(exercise, Setting(secret=secret)) if part.unseen or not secret]


def each_exercise(test):
    """All tests of one exercise, then all of the next: they share what was computed for its cases."""
    return pytest.mark.parametrize("exercise", EXERCISES, ids=lambda e: e.id, scope="module")(test)


def each_secret(test):
    return pytest.mark.parametrize("secret", SECRETS, ids=["practice", "spring term", "autumn term"])(test)


@each_exercise
@each_secret
def test_every_case_rejects_every_misconception_names_it_and_tells_it_apart_by_a_hundred_tolerances(exercise, secret):
    for mistake in exercise.misconceptions:
        assert_no(mistake.wrong.fault)
    for part in (part for part in parts_drawn(exercise, secret) if isinstance(part.part, Case)):
        assert_no(part.clash or misread(exercise, part), f"{exercise.id}, case {part.part.name!r}: ", NEXT)


NEXT = (
    ". Change that case's inputs in cases.py, take another draw of it (`draw`), or drop one of the mistakes; "
    "never another tolerance."
)


def assert_no(fault, before="", after=""):
    """What an author reads is one sentence, without our code."""
    if fault:
        pytest.fail(f"{before}{fault}{after}", pytrace=False)


def misread(exercise, part) -> str:
    """The first mistake that passes a case or is taken for something else."""
    place = {mistake.name: mistake.place for mistake in exercise.misconceptions}
    for name, results in part.mistakes.items():
        finding = compare(part.expected, results, exercise.outputs)
        if finding is None and name in part.missed:
            continue
        if finding is None:
            return f"the mistake {place[name]} passes"
        why = diagnose(finding, part.expected, results, symbols=exercise.outputs, mistakes=part.mistakes)
        if (why.kind, why.name) != ("misconception", name):
            return f"the mistake {place[name]} is taken for {place.get(why.name, why.kind)}"
    return ""


OF_STRANGERS = {
    "filters.scale_filters": "flat_for_constant", "filters.tile": "narrowed",
    "nearest_neighbors.embed": "first_namesake last_namesake relu_added",
    "nearest_neighbors.euclidean_distances": "expanded", "layer_activation.dissect": "on_the_image",
    "class_visualization.ascend": "stops_when_the_score_falls", "guided_backprop.guided_backprop": "one_mask_a_module",
    "cam.convert_to_cam": "relu_before_pooling", "cam.class_activation_map": "relu_on_features",
    "cam.box_from_map": "widest_box threshold_of_the_small_map eight_bits",
    "deeplift.rescale_multiplier": "wide_fallback one_at_zero", "deeplift.deeplift_two_layers": "wide_fallback",
    "lrp.epsilon_rule": "zero_has_no_sign divided_without_share", "lrp.gamma_layer": "divided_without_share",
    "which_map.deletion_curve": "ties_together", "which_map.pointing_game": "near_ties",
}  # fmt: skip
"""Exercise -> wrong answers that came from outside and kept all their points before they were known mistakes."""


IN_PUBLIC_CODE = {
    "class_visualization.ascent_step": "over_root_mean_square over_mean_size",
    "class_visualization.regularized_objective": "sum_of_the_batch", "grad_cam.grad_cam": "xgrad_cam",
    "guided_grad_cam.guided_grad_cam": "coarse_product", "deeplift.deeplift_two_layers": "rescaled_to_the_sum",
    "lrp.epsilon_rule": "root_mean_square absolute_of_the_mean",
}  # fmt: skip
"""Exercise -> what public code does in its place, and what had no name."""

FROM_OUTSIDE = [(name, wrong) for found in (OF_STRANGERS, IN_PUBLIC_CODE) for name, wrong in found.items()]


@pytest.mark.parametrize(("name", "wrong"), FROM_OUTSIDE)
def test_wrong_answers_from_outside_are_known_mistakes(name, wrong):
    assert set(wrong.split()) <= {m.name for m in registry.exercise(name).misconceptions}


@each_exercise
@each_secret
def test_right_variants_earn_every_point(exercise, secret):
    right = variants_of(exercise)
    if len(right) < 4:
        assert_no(
            f"{exercise.id} has {len(right)} right answers in other words and needs four: VARIANTS[{exercise.id!r}] in "
            f"{variants(exercise.module).__file__}"
        )
    for variant in (exercise.reference, *right):
        wrong = lost(exercise, variant, parts_drawn(exercise, secret))
        assert not wrong, f"{exercise.id}: the right answer {variant.__name__} does not pass {wrong}"


def lost(exercise, function, parts):
    ran = Outcome("ran", tuple(observe(function, [call for part in parts for call in part.planned])))
    rows = judge(exercise, parts, ran).rows
    return [(row.check, row.verdict, row.diagnosis) for row in rows if row.verdict != PASSED]


@cache
def rows_of_mistakes(exercise) -> dict[str, tuple[Row, ...]]:
    """Name of a known mistake -> what it gets in practice."""
    return {mistake.name: grade_function(exercise, mistake.wrong).rows for mistake in exercise.misconceptions}


@each_exercise
def test_misconceptions_earn_no_point_for_laws_and_promises(exercise):
    special = {name for case in exercise.cases for name in case.only_here}
    for misconception in (m for m in exercise.misconceptions if m.name not in special):
        rows = rows_of_mistakes(exercise)[misconception.name]
        earned = [row.check for row in rows if row.verdict != FAILED or row.points]
        assert not earned, f"{exercise.id}: the mistake {misconception.place} earns points for {earned}"


SPECIAL = [(exercise, case) for exercise in EXERCISES for case in exercise.cases if case.only_here]


@pytest.mark.parametrize(("exercise", "case"), SPECIAL, ids=lambda value: getattr(value, "id", ""))
def test_a_special_input_costs_its_own_row_alone(exercise, case):
    for name in case.only_here:
        (wrong,) = (m.wrong for m in exercise.misconceptions if m.name == name)
        failed = [row for row in grade_function(exercise, wrong, Setting(TERM, "ada")).rows if row.verdict != PASSED]
        told = [(row.check, row.diagnosis.kind, row.diagnosis.name) for row in failed if "law: " not in row.check]
        assert told == [(f"values: {case.name}", "misconception", name)]
        assert all(row.diagnosis.kind == "law" for row in failed if "law: " in row.check)


def test_there_is_one():
    assert ("tsne.joint_probabilities", "least_distance_kept") in [(e.id, n) for e, c in SPECIAL for n in c.only_here]


@each_exercise
def test_laws_see_at_least_one_misconception(exercise):
    for law in exercise.laws:
        broken = [
            name
            for name, rows in rows_of_mistakes(exercise).items()
            for row in rows
            if row.check == f"law: {law.name}" and row.diagnosis and row.diagnosis.kind in ("law", "shape", "type")
        ]
        assert broken, (
            f"{exercise.id}: the law {law.name} holds for every known mistake, so it says nothing; give it inputs on "
            f"which one breaks it, or drop it"
        )


@each_exercise
def test_cases_are_the_same_for_all_students_but_for_the_draw_that_is_each_ones_own(exercise):
    for ours, again, theirs in zip(
        *(cases_of_student(exercise, student) for student in ("ada", "ada", "grace")), strict=True
    ):
        assert distance(ours.expected, again.expected) == 0
        same = distance(ours.expected, theirs.expected) == 0
        assert same is not ours.own


def cases_of_student(exercise, student) -> list[Part]:
    return [p for p in parts_of(exercise, Setting(TERM, student)) if isinstance(p.part, Case)]
