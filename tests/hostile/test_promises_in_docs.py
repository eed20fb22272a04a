"""docs/grading.md promises nothing that no test holds, and each thing that it does not promise is written here too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = (TESTS.parent / "docs" / "grading.md").read_text(encoding="utf-8")

HELD = {
    "It runs in a child process that never held an answer": [
        "test_the_answer_key_is_not_importable_on_any_rung",
        "test_no_file_of_the_project_is_readable",
        "test_the_graders_environment_is_not_visible_and_nothing_is_left_when_it_closes",
    ],
    "It forks one child a call": [
        "test_an_endless_call_ends_at_the_limit_and_earlier_calls_are_kept",
        "test_what_a_call_leaves_running_ends_with_it",
        "test_state_does_not_travel_to_the_next_submission",
    ],
    "at most 1.5 times the sum of its exercises' limits": [
        "test_no_way_to_be_slow_costs_more_than_one_and_a_half_times_the_limits"
    ],
    "raw arrays through an anonymous pipe": [
        "test_announced_blobs_beyond_the_limit_are_refused_before_they_arrive",
        "test_a_blob_that_is_not_a_plain_array_is_a_bad_answer",
        "test_forged_bytes_on_every_descriptor_are_a_bad_answer",
    ],
    "is shown and never obeyed": ["test_an_attack_gets_nothing", "test_no_cell_of_a_table_is_a_formula"],
    "never held a hidden input": [
        "test_the_process_whose_words_are_told_never_held_a_hidden_input",
        "test_no_number_of_a_hidden_input_is_told_anywhere",
        "test_the_table_is_finite_and_complete",
    ],
    "Values learned by heart earn nothing": ["test_values_learned_by_heart_earn_nothing"],
}
"""A fragment of each promise of "What student code meets" -> tests that hold it."""

ROWS = {
    "`values: ...`": ["test_values_learned_by_heart_earn_nothing"],
    "`hidden values: ...`": ["test_hard_coded_outputs_of_the_visible_case_fail_the_hidden_one"],
    "`law: ...`": ["test_a_law_is_held_to_the_precision_of_what_was_returned"],
    "`promises`": ["test_a_model_or_input_that_is_not_as_it_was_costs_the_promise"],
    "`answer`": ["test_a_prediction_that_is_not_one_option_has_no_point"],
    "`bubblewrap`": ["test_bubblewrap_is_probed_by_what_it_does", "test_no_other_process_can_be_read_or_ended"],
    "`landlock`": ["test_no_mark_is_left_on_a_file_outside", "test_a_note_of_one_call_is_not_found_by_the_next"],
    "`rlimits`": ["test_a_memory_bomb_has_a_status_of_its_own"],
}
"""The first cell of each row of a table -> tests that hold what the row says."""

NOT_PROMISED = {
    "Promises are seen in the process that runs the student's code": [
        "test_an_accepted_attack_keeps_promise_points_and_gains_no_others"
    ],
    "Side effects are seen after each call": ["test_what_is_put_back_was_never_changed"],
    "Hidden inputs can be looked at": ["test_no_number_of_a_hidden_input_is_told_anywhere"],
    "Timing.": [],
    "The secret is the root of it all": [],
}
"""A fragment of each thing that is not promised -> tests that show how far it goes; it may have none."""


def section(heading: str) -> str:
    """From one heading to the next."""
    _, found, rest = DOCS.partition(f"\n{heading}\n")
    assert found, f'docs/grading.md has no heading "{heading}"'
    return re.split(r"\n#+ ", rest)[0]


def bullets(heading: str) -> list[str]:
    """Each as one line."""
    items = re.findall(r"(?m)^- (.*(?:\n  .*)*)", section(heading))
    return [" ".join(item.replace("*", "").split()) for item in items]


@cache
def names() -> frozenset[str]:
    """Of every test."""
    texts = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return frozenset(name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "known"), [("## What student code meets", HELD), ("### What is not promised", NOT_PROMISED)]
)
def test_each_sentence_of_the_docs_is_known_here_and_each_of_these_stands_there(heading, known):
    told = bullets(heading)
    assert told
    for bullet in told:
        assert any(part in bullet for part in known), f'name the tests of "{bullet}" in this file'
    for part in known:
        assert any(part in bullet for bullet in told), f'"{part}" does not stand in "{heading}" any more'


def test_each_row_of_the_docs_tables_is_known_here_and_each_of_these_stands_there():
    rows = re.findall(r"(?m)^\| (`[^|]*`) \|", DOCS)
    assert sorted(rows) == sorted(ROWS)


@pytest.mark.parametrize("promise", [*HELD, *ROWS, *NOT_PROMISED])
def test_the_tests_that_hold_a_promise_exist(promise):
    wanted = {**HELD, **ROWS, **NOT_PROMISED}[promise]
    assert {*wanted} <= names()
    assert wanted or promise in NOT_PROMISED
