"""A wrong result is explained by what the student did, before by where it differs."""

import numpy as np
import pytest

from autograder.compare import compare
from autograder.diagnose import EFFECTS, diagnose, side_effect
from autograder.relations import RELATIONS, UNSEEN, relation, shape_relation
from tests.autograder.test_compare import result

RNG = np.random.default_rng(0)
MAPS = [RNG.normal(size=(3, 4, 4)), RNG.normal(size=(1, 4, 4))]


def told(wrong, maps=MAPS, *, known=None, hidden=False, symbols=("L",)):
    expected, got = [result(m) for m in maps], [result(wrong(m)) for m in maps]
    finding = compare(expected, got, symbols)
    assert finding is not None
    return diagnose(finding, expected, got, symbols=symbols, known=known or {}, hidden=hidden)


def test_a_known_mistake_comes_before_a_relation():
    known = {"sum_for_mean": ("You summed; alpha is a mean.", [result(16 * m) for m in MAPS])}
    diagnosis = told(lambda m: 16 * m, known=known)
    assert (diagnosis.kind, diagnosis.name) == ("misconception", "sum_for_mean")
    assert diagnosis.message == "You summed; alpha is a mean."


def test_a_known_mistake_is_recognised_by_its_shape_too():
    known = {"no_sum": ("You did not sum over k.", [result(np.stack([m, m], 1)) for m in MAPS])}
    assert told(lambda m: np.stack([m, m], 1), known=known).name == "no_sum"


def test_a_known_mistake_that_gives_nan_is_recognised():
    known = {"divides_by_zero": ("Z is zero.", [result(np.full_like(m, np.nan)) for m in MAPS])}
    assert told(lambda m: np.full_like(m, np.nan), known=known).name == "divides_by_zero"


def min_max(m):
    low, high = m.min((1, 2), keepdims=True), m.max((1, 2), keepdims=True)
    return (m - low) / (high - low)


@pytest.mark.parametrize(
    ("name", "wrong"),
    {
        "zero": np.zeros_like,
        "added_relu": lambda m: np.maximum(m, 0),
        "sign": np.negative,
        "absolute": np.abs,
        "scale": lambda m: 2.5 * m,
        "offset": lambda m: m + 3,
        "min_max": min_max,
        "transposed": lambda m: m.swapaxes(1, 2),
        "flipped": lambda m: m[:, :, ::-1],
        "first_sample": lambda m: np.broadcast_to(m[:1], m.shape),
        "scale_per_call": lambda m: m * len(m),
        "scale_per_sample": lambda m: m / np.abs(m).max((1, 2), keepdims=True),
        "constant": lambda m: np.full_like(m, m.mean()),
    }.items(),
)
def test_each_relation_is_found(name, wrong):
    diagnosis = told(wrong)
    assert (diagnosis.kind, diagnosis.name) == ("relation", name)
    assert "{" not in diagnosis.message


def test_a_missing_relu_is_found():
    expected = [np.maximum(m, 0) for m in MAPS]
    assert relation(list(zip(expected, MAPS, strict=True)), 1e-6)[0] == "missing_relu"


def test_every_relation_is_tested():
    tested = {name for name, _ in test_each_relation_is_found.pytestmark[0].args[1]}
    assert tested | {"missing_relu"} == set(RELATIONS)


def test_noise_is_no_relation():
    noise = np.random.default_rng(1)
    diagnosis = told(lambda m: m + noise.normal(size=m.shape))
    assert diagnosis.kind == "values"


def test_one_wrong_value_is_located_with_both_values():
    def wrong(m):
        changed = m.copy()
        changed[0, 1, 2] += 5
        return changed

    message = told(wrong).message
    assert "most at L[0, 1, 2]" in message
    assert f"the formula gives {MAPS[0][0, 1, 2]:.6g}" in message


def test_a_hidden_case_tells_no_value_and_no_place():
    def wrong(m):
        changed = m.copy()
        changed[0, 1, 2] += 5
        return changed

    message = told(wrong, hidden=True).message
    assert not any(character.isdigit() for character in message)


def test_an_exception_on_a_hidden_case_does_not_carry_its_inputs():
    error = {"type": "ValueError", "message": "tensor([0.1234])", "line": 3, "source_line": "raise ValueError(x)"}
    expected, got = [result(MAPS[0])], [result(kind="raised", error=error)]
    finding = compare(expected, got, ("L",))
    shown, kept = (diagnose(finding, expected, got, symbols=("L",), known={}, hidden=h).message for h in (False, True))
    assert "0.1234" in shown
    assert kept == "your function raised ValueError (line 3) on inputs that are not shown."


def test_the_name_of_an_exception_does_not_carry_a_hidden_cases_inputs():
    error = {"type": "x0_1234", "message": "", "line": None, "source_line": "loot = '0.1234'"}
    expected, got = [result(MAPS[0])], [result(kind="raised", error=error)]
    finding = compare(expected, got, ("L",))
    kept = diagnose(finding, expected, got, symbols=("L",), known={}, hidden=True).message
    assert kept == "your function raised an exception of its own on inputs that are not shown."


def test_outputs_that_are_right_are_said_to_be():
    expected, got = [result(MAPS[0], MAPS[0])], [result(MAPS[0], -MAPS[0])]
    finding = compare(expected, got, ("A", "dA"))
    diagnosis = diagnose(finding, expected, got, symbols=("A", "dA"), known={}, hidden=False)
    assert diagnosis.message == "A is right; dA is the negative of what the formula gives."


@pytest.mark.parametrize(
    ("got", "words"),
    [
        ((3, 5, 4), "rows and columns"),
        ((1, 3, 4, 5), "size 1"),
        ((3, 40, 50), "upsampled"),
        ((4, 5), "missing"),
        ((3, 7, 4, 5), "left over"),
        ((4, 5, 3), "another order"),
    ],
)
def test_shapes_are_explained(got, words):
    assert words in shape_relation(np.zeros((3, 4, 5)), np.zeros(got))


def test_a_shape_that_has_no_simple_reason_gets_none():
    assert shape_relation(np.zeros((3, 4, 5)), np.zeros((2, 9, 9))) is None


def test_every_side_effect_has_its_sentence():
    for slug, sentence in EFFECTS.items():
        assert side_effect([slug]).message == sentence
    both = side_effect(["inputs", "hooks"])
    assert both.name == "hooks"
    assert EFFECTS["inputs"] in both.message


@pytest.mark.parametrize("wrong", [lambda m: 4 * m, lambda m: m + 3, lambda m: m * (1 + m.size)])
def test_a_relation_on_a_hidden_case_is_told_without_its_number(wrong):
    expected, got = [result(m) for m in MAPS], [result(wrong(m)) for m in MAPS]
    finding = compare(expected, got, ("L",))
    shown, kept = (diagnose(finding, expected, got, symbols=("L",), known={}, hidden=h) for h in (False, True))
    assert shown.kind == kept.kind == "relation"
    assert any(character.isdigit() for character in shown.message)
    assert not any(character.isdigit() for character in kept.message)


def test_every_relation_that_tells_a_number_has_a_sentence_without():
    assert set(UNSEEN) <= set(RELATIONS)
