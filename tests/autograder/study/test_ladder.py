"""The ladder of hints: one rung at a time, and nobody else's business."""

import pytest

from autograder.course import outlines
from autograder.study.telling import climb, hints

from .conftest import printed

ITEM = outlines.item("grad_cam.neuron_importance")


def test_each_time_the_next_rung_and_at_the_end_the_last_again(cache):
    assert [climb(ITEM, cache) for _ in range(4)] == [1, 2, 3, 3]


def test_a_rung_that_is_asked_for_moves_the_ladder_no_further_back(cache):
    assert [climb(ITEM, cache, 2), climb(ITEM, cache, 1), climb(ITEM, cache)] == [2, 1, 3]


def test_a_damaged_note_begins_the_ladder_anew(cache):
    climb(ITEM, cache)
    (cache.folder / f"hints/{ITEM.id}.json").write_text("}{")
    assert climb(ITEM, cache) == 1


def test_what_was_looked_at_lies_in_the_cache_folder_only(cache, student):
    before = sorted(student.rglob("*"))
    climb(ITEM, cache)
    assert sorted(student.rglob("*")) == before
    assert [path.name for path in cache.folder.rglob("*.json")] == [f"{ITEM.id}.json"]


def test_the_whole_ladder_has_its_three_rungs_in_order(cache):
    text = printed(hints(ITEM, cache, everything=True), width=200)
    assert [text.index(hint.split("\n")[0]) for hint in ITEM.hints] == sorted(text.index(h) for h in ITEM.hints)
    assert "Hint 1 of 3, a question:" in text


@pytest.mark.parametrize(
    ("name", "rung", "words"),
    [
        ("grad_cam.neuron_importance", 4, "--rung: got 4, allowed are 1 to 3; leave it out for the next one."),
        ("grad_cam.sum_or_mean", None, "grad_cam.sum_or_mean is a prediction, which has no hints; guess"),
    ],
)
def test_what_has_no_such_hint_is_refused_in_one_sentence(cache, name, rung, words):
    with pytest.raises(ValueError, match=words):
        climb(outlines.item(name), cache, rung)
