"""A known mistake is recognised beside something else; and never where too little speaks for it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from autograder.core.grade import grade_function
from autograder.core.mistakes import exact_match, near_match
from autograder.core.oracle import Setting
from autograder.course import registry
from autograder.report.sentences import sentence
from tests.autograder.test_compare import result

RNG = np.random.default_rng(0)
RIGHT = [RNG.normal(size=(6, 4, 5)), RNG.normal(size=(5, 3, 4))]
WRONG = [np.cos(m) for m in RIGHT]
OTHER = [m**2 for m in RIGHT]


def results(maps):
    return [result(m) for m in maps]


def near(maps, known=None, right=RIGHT):
    known = {"cosine": WRONG, "square": OTHER} if known is None else known
    return near_match({name: results(m) for name, m in known.items()}, results(right), results(maps))


def changed(maps, value, at=(0, 1)):
    maps = [m.copy() for m in maps]
    maps[at[0]][at[1]] = value
    return maps


def test_a_mistake_with_nan_is_recognised_apart_from_rounding():
    known = {"cosine": results(changed(WRONG, np.nan))}
    assert exact_match(known, results([m + 1e-9 for m in changed(WRONG, np.nan)])).name == "cosine"


def test_a_mistake_beside_a_sample_that_is_nan_is_named_and_the_nan_told():
    match = near(changed(WRONG, np.nan))
    assert (match.name, match.beside) == ("cosine", ("nan",))


def test_a_mistake_that_gives_nan_is_recognised_where_the_student_guards_against_it():
    match = near(WRONG, {"cosine": changed(WRONG, np.nan)})
    assert (match.name, match.beside) == ("cosine", ())


def test_a_mistake_beside_another_special_case_is_named():
    match = near(changed(WRONG, 7.0))
    assert (match.name, match.beside) == ("cosine", ("most",))


def test_a_mistake_beside_a_special_case_in_every_sample_is_named():
    """A matrix with another diagonal."""
    right, wrong = RNG.normal(size=(11, 11)), RNG.normal(size=(11, 11))
    match = near([wrong + np.eye(11)], {"other": [wrong]}, [right])
    assert (match.name, match.beside) == ("other", ("most",))
    assert near([wrong + np.tri(11)], {"other": [wrong]}, [right]) is None


def test_ties_in_another_order_hide_no_name():
    right, wrong = (np.argsort(RNG.normal(size=(6, 8)), 1) for _ in range(2))
    tied = wrong.copy()
    tied[2, :2] = tied[2, 1::-1]
    assert near([tied], {"other": [wrong]}, [right]).name == "other"


def test_ties_in_another_order_hide_no_name_in_one_list():
    right, wrong = np.arange(12), np.roll(np.arange(12), 5)
    tied = wrong.copy()
    tied[:2] = tied[1::-1]
    assert near([tied], {"other": [wrong]}, [right]).name == "other"


@pytest.mark.parametrize("factors", [(6.0, 6.0), (6.0, 5.0), (-1.0, 0.2)])
def test_a_factor_hides_no_name(factors):
    match = near([f * m for f, m in zip(factors, WRONG, strict=True)])
    assert (match.name, match.beside) == ("cosine", ("factor",))


def test_a_multiple_of_the_right_answer_is_no_mistake_up_to_a_factor():
    assert near([3 * m for m in RIGHT], {"twice": [2 * m for m in RIGHT]}) is None


def test_one_number_a_call_is_no_mistake_up_to_a_factor():
    right, wrong, got = ([np.array(v) for v in RNG.normal(size=6)] for _ in range(3))
    assert near(got, {"other": wrong}, right) is None


def test_of_two_that_are_equal_up_to_a_factor_none_is_named():
    assert near([3 * m for m in WRONG], {"cosine": WRONG, "twice": [2 * m for m in WRONG]}) is None


def test_a_mistake_that_is_wrong_where_the_student_is_right_is_not_named():
    half = [np.concatenate([w[: len(w) // 2], r[len(w) // 2 :]]) for w, r in zip(WRONG, RIGHT, strict=True)]
    assert near(half) is None


@pytest.mark.parametrize("seed", range(20))
def test_noise_is_no_known_mistake(seed):
    noise = np.random.default_rng(seed)
    known = {str(n): [noise.normal(size=m.shape) for m in RIGHT] for n in range(20)}
    assert near([noise.normal(size=m.shape) for m in RIGHT], known) is None
    whole = {str(n): [noise.integers(0, 9, 8)] for n in range(20)}
    assert near([noise.integers(0, 9, 8)], whole, [noise.integers(0, 9, 8)]) is None


EXERCISE = registry.exercise("grad_cam.neuron_importance")
MISTAKE = next(m for m in EXERCISE.misconceptions if m.name == "one_axis")


def told(function, exercise=EXERCISE):
    rows = grade_function(exercise, function, Setting("secret", "ada")).rows
    return {row.check.split(":")[0]: row.diagnosis for row in rows if "values" in row.check}


def visible(gradients):
    return gradients.shape[1:] == (5, 4, 6)


def test_a_name_that_the_hidden_row_contradicts_is_not_stated():
    rows = told(lambda g: MISTAKE.wrong(g) if visible(g) else g.amax((2, 3)))
    assert (rows["values"].kind, rows["values"].name) == ("likeness", "one_axis")
    assert sentence(rows["values"].message).startswith(
        "your values here equal those of a known mistake, but in another case"
    )
    assert rows["hidden values"].kind in ("values", "relation")


def test_a_name_is_not_stated_where_the_student_is_right_and_the_mistake_is_not():
    rows = told(lambda g: MISTAKE.wrong(g) if visible(g) else EXERCISE.reference(g))
    assert rows["values"].kind == "likeness"


def test_a_name_that_every_case_bears_out_is_stated():
    assert {row.kind for row in told(MISTAKE.wrong).values()} == {"misconception"}


def test_a_case_in_which_the_mistake_is_right_does_not_contradict_it():
    """It shows in the visible case alone."""
    only_here = replace(MISTAKE, wrong=lambda g: MISTAKE.wrong(g) if visible(g) else EXERCISE.reference(g))
    rows = told(only_here.wrong, replace(EXERCISE, misconceptions=(only_here,)))
    assert rows["values"].kind == "misconception"


def tripled(gradients):
    return 3 * MISTAKE.wrong(gradients)


def with_a_nan(gradients):
    return MISTAKE.wrong(gradients).index_fill(0, torch.tensor([0]), float("nan"))


@pytest.mark.parametrize("function", [tripled, with_a_nan])
def test_neither_a_factor_nor_a_nan_hides_a_name_in_the_verdict(function):
    rows = told(function)
    assert {(row.kind, row.name) for row in rows.values()} == {("misconception", "one_axis")}
    assert all("Besides, " in sentence(row.message) for row in rows.values())
