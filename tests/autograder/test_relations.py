"""Each relation is found where it holds, and none is said where too little speaks for it."""

import numpy as np
import pytest

from autograder.core.relations import DETAILED, RELATIONS, relation, relation_message, shape_relation
from autograder.report.sentences import catalogue, sentence

RNG = np.random.default_rng(0)
MAPS = [RNG.normal(size=(3, 4, 4)), RNG.normal(size=(1, 4, 4))]
INPUTS = [RNG.normal(size=(3, 4, 5)), RNG.normal(size=(2, 3, 4))]
"""Before a ReLU."""


def found(wrong, maps=MAPS):
    return relation([(m, wrong(m)) for m in maps], 1e-6)


def min_max(m):
    low, high = m.min((1, 2), keepdims=True), m.max((1, 2), keepdims=True)
    return (m - low) / (high - low)


def by_sample(m):
    return np.arange(1.0, len(m) + 1).reshape(-1, 1, 1)


def relu(m):
    return np.maximum(m, 0)


def reshaped(m):
    return np.transpose(m, (0, 2, 1)).reshape(m.shape)


SAID = {
    "zero": (np.zeros_like, MAPS),
    "added_relu": (relu, MAPS),
    "sign": (np.negative, MAPS),
    "absolute": (np.abs, MAPS),
    "scale": (lambda m: 2.5 * m, MAPS),
    "offset": (lambda m: m + 3, MAPS),
    "min_max": (min_max, MAPS),
    "min_max_per_call": (lambda m: (m - m.min()) / np.ptp(m), [m[0] for m in MAPS]),
    "transposed": (lambda m: m.swapaxes(1, 2), MAPS),
    "flipped": (lambda m: m[:, :, ::-1], MAPS),
    "first_sample": (lambda m: np.broadcast_to(m[:1], m.shape), MAPS),
    "other_order": (lambda m: np.roll(m, 1, 0), INPUTS),
    "reshaped": (reshaped, INPUTS),
    "scale_per_call": (lambda m: m * len(m), MAPS),
    "scale_per_sample": (lambda m: m / np.abs(m).max((1, 2), keepdims=True), MAPS),
    "offset_per_sample": (lambda m: m + by_sample(m), MAPS),
    "constant": (lambda m: np.full_like(m, m.mean()), MAPS),
}


@pytest.mark.parametrize("name", SAID)
def test_each_relation_is_found(name):
    wrong, maps = SAID[name]
    assert found(wrong, maps)[0] == name


def test_a_missing_relu_is_found():
    assert relation([(relu(m), m) for m in INPUTS], 1e-6)[0] == "missing_relu"


@pytest.mark.parametrize("shift", [0.3, -0.3])
def test_a_constant_before_the_relu_is_found(shift):
    assert relation([(relu(m), relu(m + shift)) for m in INPUTS], 1e-6)[0] == "relu_offset"


def test_a_constant_of_each_samples_own_before_the_relu_is_found():
    pairs = [(relu(m), relu(m + 0.1 * by_sample(m))) for m in INPUTS]
    assert relation(pairs, 1e-6)[0] == "relu_offset_per_sample"


def test_every_relation_is_tested():
    assert {*SAID, "missing_relu", "relu_offset", "relu_offset_per_sample"} == set(RELATIONS)


SHAPES = [(), (1,), (2,), (3,), (4,), (7,), (1, 1), (1, 3), (3, 1), (2, 2), (3, 3), (1, 2, 2), (2, 1, 1), (2, 3, 3)]
DRAWS = {
    "floats": lambda rng, shape: rng.normal(size=shape),
    "positive": lambda rng, shape: np.abs(rng.normal(size=shape)),
    "after a ReLU": lambda rng, shape: relu(rng.normal(size=shape)),
    "whole": lambda rng, shape: rng.integers(0, 4, shape).astype(float),
    "true or false": lambda rng, shape: rng.integers(0, 2, shape).astype(float),
    "flat": lambda rng, shape: np.full(shape, rng.normal()),
    "one place": lambda rng, shape: rng.normal() * (np.arange(np.prod(shape, dtype=int)).reshape(shape) == 0),
}


@pytest.mark.parametrize("draw", DRAWS)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("calls", [1, 2, 6])
def test_no_relation_is_said_of_arrays_that_have_none(shape, draw, calls):
    rng = np.random.default_rng(calls)
    for _ in range(3):
        pairs = [(DRAWS[draw](rng, shape), DRAWS[draw](rng, shape)) for _ in range(calls)]
        assert relation(pairs, 1e-6) is None, pairs


def test_a_multiple_needs_more_than_one_number_a_call():
    """Any number is a multiple of any other."""
    numbers = [np.array(v) for v in RNG.normal(size=8)]
    assert relation([(n, np.array(w)) for n, w in zip(numbers, RNG.normal(size=8), strict=True)], 1e-6) is None
    assert found(lambda n: 3 * n, numbers)[0] == "scale"


def test_a_factor_near_1_is_told_in_enough_digits():
    assert found(lambda m: 1.00001 * m)[1] == "1.00001"


def test_three_numbers_are_enough_for_a_factor_and_not_for_a_whole_one():
    assert found(lambda m: 2 * m, [np.array([1.5, -2.2, 3.1])])[0] == "scale"
    assert found(lambda m: 2 * m, [np.array([1.0, 2, 4])]) is None


def test_of_one_number_a_sample_no_multiple_is_said():
    assert relation([(RNG.normal(size=(6, 1)), RNG.normal(size=(6, 1)))], 1e-6) is None


def test_whole_numbers_in_another_order_are_no_relation():
    assert relation([(np.arange(8.0), np.array([3.0, 1, 0, 2, 7, 6, 4, 5]))], 1e-6) is None


def test_a_small_array_is_no_multiple_of_a_large_one():
    assert relation([(MAPS[0], 1e-9 * RNG.normal(size=MAPS[0].shape))], 1e-6)[0] == "zero"
    assert relation([(MAPS[0], 1e-5 * RNG.normal(size=MAPS[0].shape))], 1e-6) is None


@pytest.mark.parametrize("name", RELATIONS)
def test_a_relation_that_has_a_detail_has_a_sentence_without_it(name):
    assert ("{detail}" in catalogue()[f"relation.{name}"]) is (name in DETAILED)
    assert relation_message(name, "L").values == (("symbol", "L"),)


@pytest.mark.parametrize(
    ("asked", "got", "told"),
    [
        ((3, 4, 5), (3, 5, 4), "Rows and columns are exchanged."),
        ((3, 4, 5), (1, 3, 4, 5), "There is an axis of size 1 too many."),
        ((3, 1, 5), (3, 5), "There is an axis of size 1 too few."),
        ((3, 4, 5), (3, 40, 50), "Was the map upsampled? A smaller grid is asked for."),
        ((3, 40, 50), (3, 4, 5), "Is the map still to be upsampled? A larger grid is asked for."),
        ((3, 4, 5), (4, 5), "One axis or more are missing: was something summed or averaged away?"),
        ((3, 4, 5), (3, 7, 4, 5), "One axis or more are left over: is a sum or a mean missing?"),
        ((3, 4, 5), (4, 5, 3), "The axes are in another order."),
        ((3, 4, 5), (1, 4, 5), "Only one sample came back."),
        ((3, 5), (3, 5, 16, 24), "One axis or more are left over: is a sum or a mean missing?"),
        ((3, 6), (3, 12), ""),
        ((3, 6), (6, 12), ""),
        ((3, 4, 5), (2, 9), ""),
        ((3, 4, 5), (2, 9, 9), ""),
    ],
)
def test_shapes_are_explained(asked, got, told):
    assert " ".join(map(sentence, shape_relation(np.zeros(asked), np.zeros(got)))) == told
