"""An honest slip costs the promises alone, and the sentence says what to put back; who puts it back keeps them."""

from pathlib import Path

from autograder.core.grade import grade_item
from autograder.core.oracle import Setting
from autograder.core.verdict import FAILED, PASSED
from autograder.course import registry
from autograder.reading.submission import load_submission
from autograder.report.sentences import sentence

RIGHT = Path(__file__).parents[2] / "solutions" / "09_guided_backprop" / "guided_backprop.py"
PATCHED = """

right = backward_rules


def backward_rules(x, R):
    was = nn.ReLU.forward
    nn.ReLU.forward = lambda self, x: x.clamp(min=0)
    try:
        return right(x, R)
    finally:
        {last}
"""


def graded(tmp_path, runner, last):
    text = RIGHT.read_text(encoding="utf-8") + PATCHED.format(last=last)
    (tmp_path / "guided_backprop.py").write_text(text, encoding="utf-8")
    lesson = registry.lesson("09_guided_backprop")
    item = registry.item("guided_backprop.backward_rules")
    return grade_item(load_submission(tmp_path, lesson), item, Setting(), runner).rows


def test_who_patches_relu_and_forgets_it_loses_the_promise_and_is_told_its_name(tmp_path, runner):
    *values, promise = graded(tmp_path, runner, "pass")
    assert {row.verdict for row in values} == {PASSED}
    assert (promise.check, promise.verdict) == ("promises", FAILED)
    assert sentence(promise.diagnosis.message) == (
        "`torch.nn.ReLU.forward` is not what it was: keep what stood there and put it back in `finally`, so that it is "
        "back after an error too."
    )


def test_who_puts_relu_back_in_finally_keeps_the_promise(tmp_path, runner):
    assert {row.verdict for row in graded(tmp_path, runner, "nn.ReLU.forward = was")} == {PASSED}
