"""One thread, so that small tensors never wait for a second core; which tests are long; reports that xdist can send."""

import os
import re
from contextlib import ExitStack
from functools import cache

import pytest
import torch

from autograder.isolated import Runner
from autograder.isolated.rungs import best, reasons

LONG = (
    "tests/autograder/authoring/test_lint.py::test_a_notebook_that_raises",
    "tests/autograder/authoring/test_lint.py::test_a_stub_that_holds",
    "tests/autograder/authoring/test_lint.py::test_the_lint_compares",
    "tests/autograder/authoring/test_release.py",
    "tests/autograder/batch/test_commands.py::test_ctrl_c",
    "tests/autograder/batch/test_dask.py",
    "tests/autograder/batch/test_grading.py::test_a_submission_that_kills",
    "tests/autograder/batch/test_grading.py::test_killed_five",
    "tests/autograder/batch/test_regrading.py",
    "tests/autograder/batch/test_similarity.py::test_a_thousand",
    "tests/autograder/exports/test_classroom.py::test_a_command_runs",
    "tests/autograder/exports/test_gradescope.py::test_a_right_answer_has_all",
    "tests/autograder/exports/test_gradescope.py::test_the_build_script",
    "tests/autograder/exports/test_gradescope.py::test_without_bubblewrap",
    "tests/autograder/isolated/test_queueing.py",
    "tests/autograder/isolated/test_tampering.py::test_honest",
    "tests/autograder/kit/test_course_installed.py",
    "tests/autograder/kit/test_installed.py",
    "tests/autograder/kit/test_release.py::test_the_same_course",
    "tests/autograder/nbgrader/test_commands.py",
    "tests/autograder/nbgrader/test_known_results.py",
    "tests/autograder/study/test_debugging.py::test_a_right_function",
    "tests/autograder/study/test_debugging.py::test_without_a_terminal",
    "tests/autograder/study/test_watch.py::test_a_new_save",
    "tests/autograder/study/test_watch.py::test_ctrl_c",
    "tests/autograder/study/test_watch.py::test_without_a_terminal",
    "tests/autograder/test_allowance.py::test_who_sleeps",
    "tests/autograder/test_cli.py::test_a_message_of",
    "tests/autograder/test_cli.py::test_every_lesson_found",
    "tests/autograder/test_gallery.py::test_every_picture",
    "tests/autograder/test_gallery.py::test_every_row",
    "tests/autograder/test_gallery.py::test_the_page",
    "tests/autograder/test_gallery.py::test_two_targets",
    "tests/autograder/test_pytest_plugin.py::test_a_failure",
    "tests/autograder/test_pytest_plugin.py::test_a_lesson_far",
    "tests/autograder/test_pytest_plugin.py::test_a_right_exercise",
    "tests/autograder/test_pytest_plugin.py::test_another_folder",
    "tests/autograder/test_pytest_plugin.py::test_the_table",
    "tests/autograder/test_pytest_plugin.py::test_two_copies",
    "tests/autograder/test_routes.py",
    "tests/autograder/test_submission.py::test_a_class_of_long_texts",
    "tests/browser/test_cohort.py",
    "tests/browser/test_colour_blind.py",
    "tests/browser/test_explore.py",
    "tests/browser/test_jupyterlab.py",
    "tests/browser/test_site.py",
    "tests/cnnviz/test_digit_net.py::test_evaluate",
    "tests/cnnviz/test_package.py::test_networks_load",
    "tests/cnnviz/test_package.py::test_shapes_import",
    "tests/cnnviz/test_package.py::test_the_functions_win",
    "tests/cnnviz_ref/test_class_visualization.py::test_trained_network",
    "tests/cnnviz_ref/test_lrp.py::test_flat",
    "tests/cnnviz_ref/test_lrp.py::test_zero_is_gradient",
    "tests/content/test_course.py::test_the_course_keeps",
    "tests/content/test_examples.py::test_the_page_for",
    "tests/content/test_adapting.py::test_a_new",
    "tests/content/test_adapting.py::test_nothing_was",
    "tests/content/test_adapting.py::test_two_submissions",
    "tests/content/test_adapting.py::test_what_the_page",
    "tests/content/test_teaching.py",
    "tests/devices/test_notebooks.py::test_no_cell",
    "tests/exercises/test_names.py",
    "tests/exercises/test_single_precision.py",
    "tests/exercises/test_wrong_answers.py::test_a_wrong",
    "tests/hostile/test_accepted.py::test_an_accepted_attack_keeps",
    "tests/hostile/test_as_an_ordinary_user.py",
    "tests/hostile/test_crowding.py",
    "tests/hostile/test_current_folder.py",
    "tests/hostile/test_endurance.py::test_a_killed",
    "tests/hostile/test_exchange.py",
    "tests/hostile/test_lent_parts.py::test_row",
    "tests/hostile/test_on_landlock.py",
    "tests/hostile/test_on_nbgrader.py",
    "tests/hostile/test_on_pytest.py",
    "tests/hostile/test_on_rlimits.py",
    "tests/hostile/test_strangers_bytes.py::test_of_several",
    "tests/hostile/test_strangers_bytes.py::test_without_a_child",
    "tests/hostile/test_text.py::test_mypy",
    "tests/hostile/test_weak_",
    "tests/places/test_jupyterhub.py",
    "tests/places/test_systems.py",
)
"""Beginnings of tests that `make test-all` runs and `pytest` does not."""

CASES = {
    "tests/autograder/isolated/test_rungs.py": r"\[bubblewrap[-\]]|::test_[^[]*$",
    "tests/autograder/kit/test_recorded.py": r"\[(11_)?grad_cam|::test_[^[]*$",
    "tests/autograder/test_doctor.py::test_what_a_sandbox": r"bubblewrap",
    "tests/autograder/test_pytest_plugin.py::test_a_device": r"arguments0",
    "tests/autograder/test_pytest_plugin.py::test_another_project": r"arguments1",
    "tests/autograder/test_unseen.py::test_no_way": r"a message|a shape|values|print",
    "tests/browser/test_feedback.py": r"-1280-light\]",
    "tests/cnnviz_ref/test_cam.py::test_networks_of": r"squeezenet",
    "tests/cnnviz_ref/test_contract.py": r"-gap(-float64|-first|-last)?\]|-flatten\]|\[[a-z_]+\]|::test_[^[]*$",
    "tests/cnnviz_ref/test_deeplift.py::test_contributions": r"squeezenet|digit_net|::test_[^[]*$",
    "tests/cnnviz_ref/test_last_layer.py::test_it_ends": r"squeezenet",
    "tests/cnnviz_ref/test_propagation.py::test_networks_that": r"shufflenet",
    "tests/devices/test_exercises.py": r"\[pretend-deeplift\.|::test_[^[]*$",
    "tests/devices/test_methods.py": r"-gap-",
    "tests/exercises/test_general_mistakes.py": r"\[(filters|deeplift|saliency)\.",
    "tests/exercises/test_mutation_gate.py": r"\[(practice-)?(filters|deeplift|saliency)\.|::test_[^[]*$",
    "tests/hostile/test_hidden_inputs.py::test_no_hidden": r"bubblewrap",
    "tests/hostile/test_lent_parts.py": r"\[bubblewrap|\[grad_cam|::test_[^[]*$",
    "tests/hostile/test_notes_to_the_next.py::test_a_note": r"bubblewrap-.*(queue|stands)",
    "tests/hostile/test_on_bubblewrap.py": r"::test_the|patched_comp|read_solutions|zip_outside",
    "tests/hostile/test_one_submission.py": r"a pipe-check|answers-pytest",
    "tests/hostile/test_strangers_bytes.py::test_every_route": r"pytest",
    "tests/hostile/test_strangers_bytes.py::test_the_reader": r"zeros|twenty-five",
    "tests/hostile/test_text.py::test_pytest_": r"tb=native|arguments0",
    "tests/networks/test_networks.py": r"squeezenet1_1|::test_[^[]*$",
    "tests/oracles/test_guided_backprop_oracles.py::test_captum_agrees": r"squeezenet",
}
"""Beginning of tests with many cases -> those that `pytest` runs."""

FEW = 6
"""Of every other test `pytest` runs no more cases than these, from all over its list; `make test-all` runs all."""

os.environ["COLUMNS"] = "200"
for own in ("PYTEST_ADDOPTS", "CI", "BUILD_NUMBER"):  # of this run; what tests start prints as it does for a student
    os.environ.pop(own, None)

torch.set_num_threads(1)


@pytest.fixture(scope="session")
def on_rung():
    """Gives what runs student code on a rung; each has one warm process for all tests."""
    with ExitStack() as stack:

        @cache
        def warm(rung):
            if reason := reasons()[rung]:
                pytest.skip(f"this machine does not offer {rung}: {reason}")
            return stack.enter_context(Runner(rung=rung))

        yield warm


@pytest.fixture(scope="session")
def runner(on_rung):
    """Runs student code on the best rung."""
    return on_rung(best().name)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport():
    """Names of hostile files that no UTF-8 can say stand in logs; a worker could not send them."""
    report = yield
    report.sections = [(name, text.encode("utf-8", "backslashreplace").decode()) for name, text in report.sections]
    return report


def pytest_collection_modifyitems(items):
    """Marks what is long, and puts its files first: of several processes none is left with one of them at the end."""
    by_test = {}
    for item in items:
        by_test.setdefault(item.nodeid.split("[")[0], []).append(item)
    for test, cases in by_test.items():
        pattern = next((CASES[beginning] for beginning in CASES if test.startswith(beginning)), None)
        few = range(0, len(cases), -(-len(cases) // FEW))
        for n, item in enumerate(cases):
            short = re.search(pattern, item.nodeid) if pattern else n in few
            if test.startswith(LONG) or not short:
                item.add_marker("long")
    long = {item.path for item in items if item.nodeid.startswith(LONG)}
    items.sort(key=lambda item: item.path not in long)
