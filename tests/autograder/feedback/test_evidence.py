"""What is kept of a student's values: visible cases only, small, and whatever a student returns."""

import json
from dataclasses import replace

import numpy as np
import pytest

from autograder.batch.stages import Result
from autograder.core.evidence import LARGEST, Exhibit, exhibit, exhibits_of
from autograder.core.judge import Evidence
from autograder.feedback.views import view
from tests.autograder.feedback.wrong import graded, results


def shown(got, expected, check="values: three images"):
    return exhibit(Evidence(check, "L", np.asarray(expected), np.asarray(got)))


def test_a_result_comes_back_with_its_evidence():
    for result in results():
        assert Result.from_json(json.loads(json.dumps(result.as_json()))).as_json() == result.as_json()
    assert sum(len(result.evidence) for result in results()) >= 5


def test_a_result_of_an_older_version_has_none():
    kept = results()[0].as_json()
    del kept["evidence"]
    assert Result.from_json(kept).evidence == ()


def test_evidence_that_is_something_else_is_refused():
    kept = results()[0].as_json()
    kept["evidence"][0]["yours"]["shape"] = [4000, 4000]
    with pytest.raises(ValueError, match="an exhibit's values are not of its shape"):
        Result.from_json(kept)


def test_nothing_of_a_hidden_case_is_kept():
    judged = graded("grad_cam.neuron_importance")
    hidden = {row.check for row in judged.rows if row.check.startswith("hidden")}
    kept = {each.check for each in exhibits_of(judged)}
    assert hidden
    assert kept
    assert not kept & hidden


def test_what_is_right_is_not_kept():
    judged = graded("grad_cam.neuron_importance")
    right = replace(judged, evidence=tuple(replace(e, got=e.expected) for e in judged.evidence))
    assert exhibits_of(right) == ()


def test_the_map_that_departs_most_is_shown():
    expected = np.zeros((3, 2, 4, 4))
    got = expected.copy()
    got[1, 1, 2, 3], got[2, 0, 0, 0] = 5.0, 1.0
    made = shown(got, expected)
    assert made.place == (1, 1)
    assert made.yours.array[2, 3] == 5.0
    assert "L[1, 1, :, :]" in view(made).caption


def test_a_large_array_is_kept_small():
    made = shown(np.ones((2, 1000, 700)), np.zeros((2, 1000, 700)))
    assert max(made.yours.shape) <= LARGEST
    assert "every 16. value" in view(made).caption


STRANGE = (np.array(np.nan), np.full((2, 3), np.inf), np.full((2, 3), 1e300), np.zeros((0, 4)), np.zeros((1,) * 12),
           np.ones((2, 3), complex), np.ones((2, 3), bool), np.array([np.nan, 1.0]),
           np.full((70, 1), -0.0))  # fmt: skip


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("got", STRANGE, ids=lambda a: f"{a.dtype}{list(a.shape)}")
@pytest.mark.parametrize("expected", [np.ones((2, 3)), np.array(2), np.ones((3, 2, 3))], ids=lambda a: str(a.shape))
def test_whatever_a_student_returns_is_shown_or_left_out(got, expected):
    for pair in ((got, expected), (got, np.ones(got.shape))):
        made = shown(*pair)
        if made is not None:
            assert Exhibit.from_json(json.loads(json.dumps(made.as_json()))) == made
            assert view(made).maps or view(made).lines


def test_yours_and_the_formulas_have_one_scale_and_the_difference_its_own():
    legends = view(shown([[1.0, 2.0], [3.0, 4.0]], [[0.0, 2.0], [3.0, 9.0]])).legends
    assert [(one.name, one.low, one.high) for one in legends] == [
        ("yours and the formula's", "0", "9"),
        ("difference", "−5", "5"),
    ]


def test_numbers_stand_on_colours_that_they_are_read_on():
    from autograder.feedback.colours import ink_on

    assert ink_on(np.array([253, 231, 37])) == "#000"
    assert ink_on(np.array([68, 1, 84])) == "#fff"
