"""docs/grading.md promises nothing that no test holds, and each thing that it does not promise is written here too."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
DOCS = (TESTS.parent / "docs" / "grading.md").read_text(encoding="utf-8")

HELD = {
    "Student code is hostile or merely unlucky": ["test_an_attack_gets_nothing", "test_a_crash_says_how"],
    "It runs in a child process that never held an answer": [
        "test_the_answer_key_is_not_importable_on_any_rung",
        "test_the_graders_environment_is_not_visible_and_nothing_is_left_when_it_closes",
    ],
    "`cnnviz_ref` and `autograder` cannot be imported there": [
        "test_the_answer_key_and_the_grader_are_not_importable",
        "test_no_file_of_the_project_is_readable",
        "test_results_are_there_and_cannot_be_read",
        "test_the_graders_environment_is_not_visible_and_nothing_is_left_when_it_closes",
    ],
    "The warm parent of that child": [
        "test_state_does_not_travel_to_the_next_submission",
        "test_state_left_by_one_call_does_not_reach_the_next_call",
    ],
    "It forks one child per call": [
        "test_an_endless_call_ends_at_the_limit_and_earlier_calls_are_kept",
        "test_a_memory_bomb_has_a_status_of_its_own",
        "test_a_full_disk_is_status_output",
        "test_results_beyond_the_limit_are_status_output",
        "test_what_a_call_leaves_running_ends_with_it",
    ],
    "On Linux the clock stands still while the call waits": [
        "test_what_fits_on_a_quiet_machine_fits_on_a_busy_one",
        "test_three_times_the_limit_is_all_that_a_queue_can_add",
    ],
    "What the call's own threads compute": ["test_what_the_calls_own_threads_and_processes_explain_is_not_pardoned"],
    "By this clock all runs": ["test_no_way_to_be_slow_costs_more_than_one_and_a_half_times_the_limits"],
    "Each exercise keeps its own limit": [
        "test_every_exercise_keeps_its_own_limit_however_slow_the_others_are",
        "test_who_sleeps_in_one_exercise_keeps_the_points_of_the_others",
        "test_a_file_that_is_late_does_not_stop_the_other_one",
    ],
    "After two time-outs of a file": ["test_after_two_runs_that_are_late_none_is_made_beyond_the_limit"],
    "On macOS and Windows, which have no safe fork": [
        "test_each_call_is_made_by_a_process_that_waited_and_whose_place_is_taken_at_once",
        "test_a_call_finds_nothing_of_the_one_before",
    ],
    "Time and output are limited there": ["test_a_spawned_worker_answers_like_a_fork"],
    "That is enough for a student's own code": ["test_without_a_sandbox_only_with_a_loud_warning"],
    "Raw arrays come back through an anonymous pipe": [
        "test_announced_blobs_beyond_the_limit_are_refused_before_they_arrive",
        "test_a_blob_that_is_not_a_plain_array_is_a_bad_answer",
        "test_forged_bytes_on_every_descriptor_are_a_bad_answer",
    ],
    "What others wrote is shown and never obeyed": [
        "test_an_attack_gets_nothing",
        "test_no_cell_of_a_table_is_a_formula",
        "test_feedback_index_and_class_pages",
        "test_pytest_shows_names_prints_warnings_and_tracebacks_as_text",
        "test_nbgraders_own_log_in_a_course_is_safe",
    ],
    "In place of a character that would steer a terminal": [
        "test_the_screen_obeys_nothing_wherever_it_stands",
        "test_the_screen_says_a_line_as_one_line",
    ],
    "One module makes such text": [
        "test_mypy_refuses_a_strangers_text_at_every_sink",
        "test_text_leaves_by_its_one_way_only",
    ],
    "The visible cases run in a process of their own": [
        "test_the_process_whose_words_are_told_never_held_a_hidden_input",
        "test_what_everybody_may_see_is_told_in_full",
    ],
    "From the second process only rows are taken": [
        "test_the_table_is_finite_and_complete",
        "test_what_is_not_in_the_table_cannot_be_told",
    ],
    "No message, type, shape, count": [
        "test_no_way_of_saying_a_hidden_input_reaches_a_record",
        "test_no_number_of_a_hidden_input_is_told_anywhere",
    ],
    "Promises are told in full of visible cases": [
        "test_of_several_effects_in_a_hidden_case_the_first_alone_is_told_and_no_name"
    ],
    "The second run gets what is left": ["test_the_second_run_gets_what_is_left_of_the_limit_and_at_least_half_of_it"],
    "Memorised values earn nothing": [
        "test_values_learned_by_heart_earn_nothing",
        "test_every_hidden_case_has_a_call_that_only_a_function_that_computes_gets_right",
    ],
    "That draw decides nothing else": ["test_twenty_names_have_the_same_rows"],
    "What a child can do is spoil its own answer": [
        "test_the_batch_comes_to_its_end_and_leaves_nothing_and_nobody_else_is_touched"
    ],
    "What it cannot forge is an array": ["test_forged_bytes_on_every_descriptor_are_a_bad_answer"],
}
"""How each sentence of "What student code meets" begins -> tests that hold it."""

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
        "test_a_model_or_input_that_is_not_as_it_was_costs_the_promise"
    ],
    "Code that looks for the grader's own in that process": [
        "test_an_accepted_attack_keeps_promise_points_and_gains_no_others",
        "test_a_hidden_side_effect_is_seen_or_the_hiding_is",
    ],
    "Three attacks that do so are known and accepted": [
        "test_the_docs_name_each_accepted_attack_and_how_many_there_are",
        "test_an_accepted_attack_keeps_promise_points_and_gains_no_others",
    ],
    "Side effects are seen after each call": ["test_what_is_put_back_was_never_changed"],
    "Hidden inputs can be looked at": ["test_no_number_of_a_hidden_input_is_told_anywhere"],
    "No answer is told, and the second draw": [
        "test_the_table_is_finite_and_complete",
        "test_hidden_cases_of_two_students_differ_and_both_are_passed_by_the_formula",
    ],
    "Timing.": [],
    "A call of one student could in principle leave traces in the speed": [],
    "Everything depends on the secret": ["test_results_of_another_secret_are_refused"],
    "In a notebook `check` calls the function": [
        "test_outputs_that_were_there_before_count_for_nothing",
        "test_an_attack_gets_nothing",
    ],
    "What practice draws beside the formula's values": ["test_nothing_of_a_hidden_case_is_drawn"],
}
"""How each sentence of "What is not promised" begins -> tests that show how far it goes; it may have none."""

QUOTED_ALONE = {name for name, tests in NOT_PROMISED.items() if not tests}
"""What cannot be shown by a test: that nothing is promised."""


def section(heading: str) -> str:
    """From one heading to the next."""
    _, found, rest = DOCS.partition(f"\n{heading}\n")
    assert found, f'docs/grading.md has no heading "{heading}"'
    return re.split(r"\n#+ ", rest)[0]


def sentences(heading: str) -> list[str]:
    """Each as one line, those of lists too."""
    blocks = re.split(r"\n\n|\n(?=- )", section(heading))
    texts = (" ".join(block.removeprefix("- ").replace("*", "").split()) for block in blocks)
    return [each for text in texts for each in re.split(r"(?<=[.?!])\s+(?=[A-Z`])", text) if each]


@cache
def names() -> frozenset[str]:
    """Of every test."""
    texts = (path.read_text(encoding="utf-8") for path in TESTS.rglob("test_*.py"))
    return frozenset(name for text in texts for name in re.findall(r"^def (test_\w+)", text, re.MULTILINE))


@pytest.mark.parametrize(
    ("heading", "known"), [("## What student code meets", HELD), ("### What is not promised", NOT_PROMISED)]
)
def test_each_sentence_of_the_docs_is_known_here_and_each_of_these_stands_there(heading, known):
    told = sentences(heading)
    assert len(told) > 8
    assert [each for each in told if sum(each.startswith(begin) for begin in known) != 1] == []
    assert [begin for begin in known if not any(each.startswith(begin) for each in told)] == []


def test_a_new_sentence_of_the_docs_is_seen(monkeypatch):
    heading = "### What is not promised"
    monkeypatch.setitem(globals(), "DOCS", DOCS.replace("- *Timing.*", "- *Timing.* Nothing is slow. And `x` is."))
    new = [each for each in sentences(heading) if not any(each.startswith(begin) for begin in NOT_PROMISED)]
    assert new == ["Nothing is slow.", "And `x` is."]


def test_each_row_of_the_docs_tables_is_known_here_and_each_of_these_stands_there():
    rows = re.findall(r"(?m)^\| (`[^|]*`) \|", DOCS)
    assert sorted(rows) == sorted(ROWS)


@pytest.mark.parametrize("promise", [*HELD, *ROWS, *NOT_PROMISED])
def test_the_tests_that_hold_a_promise_exist(promise):
    wanted = {**HELD, **ROWS, **NOT_PROMISED}[promise]
    assert {*wanted} <= names()
    assert wanted or promise in QUOTED_ALONE
