"""`cnnviz debug`: what a student sees of one call."""

import sys

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.isolated import current_folder
from autograder.study import signs
from autograder.study.folder import Work

from .conftest import write
from .terminal import Terminal

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="needs a terminal of Unix")
SUM = 'print("channels", gradients.shape[1])\n    return gradients.sum(dim=(2, 3))'
RAISES = "return _helped(gradients)\n\n\ndef _helped(values):\n    doubled = 2 * values\n    return doubled + missing"


@pytest.fixture
def debug(student):
    def invoke(*arguments):
        signs.console.cache_clear()
        return CliRunner().invoke(cli.app, ["debug", *arguments], catch_exceptions=False)

    yield invoke
    signs.console.cache_clear()


def words(result) -> str:
    return " ".join(result.stdout.split())


def test_inputs_call_prints_verdict_and_the_largest_difference_are_shown(debug, work: Work):
    write(work, SUM)
    result = debug("11")
    text = words(result)
    assert result.exit_code == 1
    assert "grad_cam.neuron_importance in grad_cam.py, with three images" in text
    assert "gradients Tensor [3, 5, 4, 6] float64, -2.967 to 4.18 >>> neuron_importance(gradients)" in text
    assert "channels 5 returned Tensor [3, 5] float64" in text
    assert "You summed" in text
    assert "The largest difference is at α[0, 1]: yours is -27.1406, the formula gives -1.13086." in text


def test_without_a_terminal_the_students_own_frames_are_printed(debug, work: Work):
    write(work, RAISES)
    text = words(debug("11", "neuron_importance"))
    begin, helped, error = (text.index(part) for part in (
        "in neuron_importance return _helped(gradients)", "in _helped return doubled + missing", "NameError: name 'miss"
    ))  # fmt: skip
    assert begin < helped < error
    assert "observing.py" not in text
    assert "debugging.py" not in text


def test_a_right_function_says_so_and_its_first_case_is_run(debug, work: Work):
    write(work, "breakpoint\n    return gradients.mean(dim=(2, 3))")
    result = debug("11", "neuron_importance")
    assert result.exit_code == 0
    assert words(result).startswith("No visible case fails; this is the first.")
    assert words(result).endswith("This call is right.")


def test_what_is_left_changed_is_told_where_the_values_are_right(debug, work: Work):
    write(work, "alpha = gradients.mean(dim=(2, 3))\n    gradients.mul_(2)\n    return alpha")
    assert "an argument is changed in place" in words(debug("11", "neuron_importance"))
    write(work, "return gradients.mean(dim=(2, 3))")
    assert words(debug("11", "neuron_importance")).endswith("This call is right.")  # the case is as it was


def test_what_cannot_be_run_is_one_sentence(debug, work: Work):
    assert "is not written yet; write neuron_importance first." in debug("11", "neuron_importance").stderr
    assert "no exercise of lesson 11 that you have written fails; name one: capture" in debug("11").stderr
    assert 'got "tile", which does not exist; choose one of grad_cam.' in debug("11", "tile").stderr
    assert "is a prediction, which runs no code" in debug("11", "sum_or_mean").stderr
    work.module.write_text("def neuron_importance(gradients:\n", encoding="utf-8")
    assert "is not complete yet" in debug("11", "neuron_importance").stderr


def test_breakpoint_stops_in_their_line_and_an_error_opens_pdb_in_their_frame(work: Work):
    write(work, "breakpoint()\n    total = gradients.sum()\n    return total + missing")
    with Terminal(current_folder.run("autograder.cli", "debug", "11", "neuron_importance")) as terminal:
        shown = terminal.wait_for("(Pdb)")
        assert shown.index("gradients Tensor [3, 5, 4, 6]") < shown.index("total = gradients.sum()")
        since = terminal.press("w\n")
        assert "autograder" not in terminal.wait_for("(Pdb)", since=since)
        since = terminal.press("c\n")
        terminal.wait_for("-> return total + missing", since=since)
        since = terminal.press("p total.ndim + 40\n")
        terminal.wait_for("40", since=since)
        terminal.press("q\n")
        assert terminal.process.wait(20) == 1
