"""A wrong result is explained by what the student did, before by where it differs."""

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from autograder.core.compare import compare
from autograder.core.diagnose import EFFECTS, diagnose, effect_message, side_effect
from autograder.core.grade import grade_function
from autograder.core.message import message
from autograder.course import registry
from autograder.course.records import Call, Case
from autograder.report.sentences import catalogue, sentence
from tests.autograder.test_compare import result
from tests.autograder.test_relations import SAID

RNG = np.random.default_rng(0)
MAPS = [RNG.normal(size=(3, 4, 4)), RNG.normal(size=(1, 4, 4))]


def told(wrong, maps=MAPS, *, known=None, symbols=("L",)):
    expected, got = [result(m) for m in maps], [result(wrong(m)) for m in maps]
    finding = compare(expected, got, symbols)
    assert finding is not None
    return diagnose(finding, expected, got, symbols=symbols, mistakes=known or {}, exercise="grad_cam.grad_cam")


def test_a_known_mistake_comes_before_a_relation():
    known = {"sum_for_mean": [result(16 * m) for m in MAPS]}
    diagnosis = told(lambda m: 16 * m, known=known)
    assert (diagnosis.kind, diagnosis.name) == ("misconception", "sum_for_mean")
    assert diagnosis.message == message("grad_cam.grad_cam/sum_for_mean")


def test_a_known_mistake_is_recognised_by_its_shape_too():
    known = {"no_sum": [result(np.stack([m, m], 1)) for m in MAPS]}
    assert told(lambda m: np.stack([m, m], 1), known=known).name == "no_sum"


def test_a_known_mistake_that_gives_nan_is_recognised():
    known = {"divides_by_zero": [result(np.full_like(m, np.nan)) for m in MAPS]}
    assert told(lambda m: np.full_like(m, np.nan), known=known).name == "divides_by_zero"


def test_noise_is_no_relation():
    noise = np.random.default_rng(1)
    diagnosis = told(lambda m: m + noise.normal(size=m.shape))
    assert diagnosis.kind == "values"


def test_outputs_that_are_right_are_said_to_be():
    expected, got = [result(MAPS[0], MAPS[0])], [result(MAPS[0], -MAPS[0])]
    finding = compare(expected, got, ("A", "dA"))
    diagnosis = diagnose(finding, expected, got, symbols=("A", "dA"), mistakes={})
    assert sentence(diagnosis.message) == "A is right; dA is the negative of what the formula gives."


def test_every_side_effect_has_its_sentence():
    for slug in EFFECTS:
        assert side_effect([slug]).message == effect_message(slug)
        assert f"effect.{slug}" in catalogue()
    both = side_effect(["inputs", "hooks"])
    assert both.name == "hooks"
    assert catalogue()["effect.inputs"] in sentence(both.message)


def where(want, have, symbols=("X",), inputs=(), again=None):
    """What is told of one or several calls."""
    expected, got = ([result(*(a if isinstance(a, tuple) else (a,))) for a in each] for each in (want, have))
    for observed in got:
        observed.again = again
    finding = compare(expected, got, symbols)
    return finding and diagnose(finding, expected, got, symbols=symbols, mistakes={}, inputs=inputs)


def at(array, value, *places):
    array = array.copy()
    for place in places:
        array[place] = value
    return array


X = np.arange(10.0, 34.0).reshape(6, 4)


def test_a_few_wrong_values_are_listed():
    told = sentence(where([X], [at(X, 5.0, (0, 1), (2, 3), (4, 0))]).message)
    assert told == (
        "X departs in 3 of 24 values (X[0, 1], X[2, 3] and X[4, 0]): at X[4, 0] got 5, the formula gives 26."
    )


def test_one_wrong_value_is_located_with_both_values():
    assert sentence(where([X], [at(X, 5.0, (2, 3))]).message) == (
        "X departs in 1 of 24 values: at X[2, 3] got 5, the formula gives 21."
    )


@pytest.mark.parametrize(("size", "told"), [(1e-7, None), (2e-6, True), (5e-5, True), (2e-4, False)])
def test_values_that_are_right_to_single_precision_alone_are_told_so(size, told):
    found = where([X], [X + size * X.max() * np.cos(X) / np.abs(np.cos(X)).max()])
    assert (
        found is None
        if told is None
        else ("It is right to 0.0001, and 1e-06 is asked for: is" in sentence(found.message)) is told
    )


def test_everywhere_is_said_where_it_is_everywhere():
    assert sentence(where([X], [X**2 / 9]).message) == "X departs everywhere: at X[5, 3] got 121, the formula gives 33."


def test_the_first_step_of_a_path_that_departs_is_told():
    later = at(X, 5.0, (3, slice(1, 3)), (4,), (5,))
    assert sentence(where([X], [later]).message) == (
        "X[0] to X[2] are right, X[3] is the first that departs: at X[3, 2] got 5, the formula gives 24."
    )


@pytest.mark.parametrize("value", [0, 1])
def test_an_expected_0_or_1_that_is_not_there_is_told(value):
    right = at(X, float(value), *((n, n % 4) for n in range(6)))
    wrong = np.where(right == value, 0.25, right)
    assert sentence(where([right], [wrong]).message).startswith(
        f"X departs only where the formula gives {value} (6 of 24 values): at X[0, 0] got 0.25"
    )


def test_the_samples_that_depart_are_told_where_they_are_few():
    twice = np.stack([X] * 5) + np.arange(5)[:, None, None] / 8
    wrong = at(twice, 7.0, (1, 2), (3, slice(0, 2)))
    assert sentence(where([twice], [wrong]).message).startswith(
        "X departs in 12 of 120 values, all in X[1] and X[3]: at X["
    )


@pytest.mark.parametrize(
    ("value", "told"), [(0.0, " The formula gives 0 there."), (1.0, " The formula gives 1 there."), (0.5, "")]
)
def test_what_the_formula_gives_in_place_of_nan_is_told(value, told):
    right = at(X, value, (2,))
    assert (
        sentence(where([right], [at(right, np.nan, (2,))]).message) == f"X: 4 of 24 values are NaN or infinite.{told}"
    )


def test_a_wrong_call_of_an_exercise_is_told_by_its_arguments():
    exercise = registry.exercise("occlusion.window_boxes")
    calls = [Call({"H": 8, "W": W, "window": 4, "stride": 2}) for W in (9, 12)]

    def wrong(H, W, window, stride):
        boxes = exercise.reference(H, W, window, stride)
        return boxes.roll(1, 1) if W == 12 else boxes

    told = grade_function(replace(exercise, cases=(Case("two pictures", lambda generator: calls),)), wrong)
    message = sentence(told.rows[0].diagnosis.message)
    assert message.startswith("wrong in 1 of 2 calls, with W=12: `boxes` departs in ")


def test_the_first_step_of_the_descent_that_departs_is_told():
    exercise = registry.exercise("tsne.descend")

    def wrong(P, start, **options):
        path = exercise.reference(P, start, **options)
        return torch.cat([path[:3], path[3:] * 1.01 + 0.1])

    told = sentence(grade_function(exercise, wrong).rows[0].diagnosis.message)
    assert told.startswith("`path[0]` to `path[2]` are right, `path[3]` is the first that departs: at `path[3, ")


def test_the_calls_that_depart_are_told_by_what_they_differ_in():
    inputs = [{"images": X[:n], "columns": columns, "model": object(), "same": 3} for n, columns in ((2, 3), (6, 12))]
    told = sentence(where([X[:2], X], [X[:2], at(X, 5.0, (5, 1))], inputs=inputs).message)
    assert told == (
        "wrong in 1 of 2 calls, with images [6, 4], columns=12: X departs in 1 of 24 values: "
        "at X[5, 1] got 5, the formula gives 31."
    )


@pytest.mark.parametrize(
    ("right", "told"),
    [
        ((True, True, False), "A and B are right; C departs everywhere"),
        ((True, False, True), "A and C are right; B departs everywhere"),
        ((True, False, False), "A is right; B departs everywhere"),
        ((False, False, True), "C is right; A departs everywhere"),
        ((False, False, False), "A departs everywhere"),
    ],
)
def test_the_outputs_that_are_right_are_told(right, told):
    want = tuple(X + n for n in range(3))
    have = tuple(x if fine else x**2 for x, fine in zip(want, right, strict=True))
    assert sentence(where([want], [have], ("A", "B", "C")).message).startswith(told)


def test_a_word_is_marked_as_a_name():
    assert (
        sentence(where([X], [X[::-1]], ("boxes",)).message) == "`boxes` is right, but with its rows in reversed order."
    )
    assert sentence(where([X, X], [X, at(X, 5.0, (2, 3))], ("path",)).message) == (
        "wrong in 1 of 2 calls: `path` departs in 1 of 24 values: at `path[2, 3]` got 5, the formula gives 21."
    )


def test_only_the_first_sample_is_right():
    told = where([X, X[:3]], [np.vstack([x[:1], x[1:] ** 2]) for x in (X, X[:3])])
    assert (told.name, sentence(told.message)) == (
        "first_alone",
        "the first sample of X is right, and every other departs.",
    )


def test_only_one_sample_at_a_time_is_right():
    told = where([X, X[:1]], [X**2 / 9, X[:1]])
    assert told.name == "one_at_a_time"
    assert sentence(told.message).startswith("X is right where one sample is given, and wrong where several are")


@pytest.mark.parametrize("wrong", [(slice(None), 2), (slice(0, 5),)], ids=["one channel", "not every sample"])
def test_another_reason_is_not_taken_for_the_number_of_samples(wrong):
    assert where([X, X[:1]], [at(X, 5.0, wrong), X[:1]]).kind == "values"


def test_two_calls_that_differ_are_told():
    told = where([X], [2 * X], again=(3 * X,))
    assert (told.name, told.kind) == ("second_call", "relation")
    assert sentence(told.message).startswith("two calls with the same inputs give different values of X")


def test_too_little_that_is_right_tells_nothing():
    zeros = np.zeros((3, 2))
    assert where([at(zeros, 1.0, (1,), (2,))], [at(zeros, 7.0, (1,), (2,))]).kind == "values"


@pytest.mark.parametrize(
    ("symbols", "begin"),
    [("C", ""), ("AC", "A is right; "), ("ABC", "A and B are right; "), ("ABDC", "A, B and D are right; ")],
)
@pytest.mark.parametrize("name", SAID)
def test_every_relation_is_said_of_one_and_of_several_outputs(name, symbols, begin):
    wrong, maps = SAID[name]
    want = [(m,) * len(symbols) for m in maps]
    have = [(*(m,) * (len(symbols) - 1), wrong(m)) for m in maps]
    told = where(want, have, symbols)
    said = re.escape(catalogue()[f"relation.{name}"].replace("{symbol}", "C")).replace(r"\{detail\}", ".+")
    assert told.name == name
    assert re.fullmatch(re.escape(begin) + said, sentence(told.message))
