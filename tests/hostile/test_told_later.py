"""What a hidden call was given is not told by a visible one: not in an exception, not in a picture of its values.

The code notes a number of every input that it is given, and hands all it has noted to whatever is shown of it.
"""

from __future__ import annotations

import re
import sys

import pytest

from autograder.core.grade import grade_item
from autograder.core.oracle import Setting, parts_of
from autograder.course import registry
from autograder.course.records import Case
from autograder.reading.submission import from_code

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="one warm process for all, by forking")

ITEM = registry.item("grad_cam.neuron_importance")
SETTING = Setting(secret="a secret of this test", student="eve")
NOTED = """
import os, pathlib, sys, tempfile
import torch

NOTES = []

def note(gradients):
    number = round(float(gradients.abs().sum()) * 1000) % 999983
    NOTES.append(number)
    sys.modules.setdefault("kept", type(sys)("kept")).__dict__.setdefault("notes", []).append(number)
    os.environ["NOTES"] = os.environ.get("NOTES", "") + f" {number}"
    torch.notes = getattr(torch, "notes", []) + [number]
    for place in (tempfile.gettempdir(), "."):
        try:
            with open(pathlib.Path(place, "cnnviz-red-notes"), "a") as file:
                file.write(f" {number}")
        except OSError:
            pass

def told():
    found = [*NOTES, *sys.modules["kept"].notes, *torch.notes]
    return " ".join(map(str, dict.fromkeys(found)))
"""
ENDS = {
    "an exception": "raise ValueError(told())",
    "a type's name": "raise type('E' + told().replace(' ', '_'), (ValueError,), {})()",
    "a warning and a print": "import warnings; warnings.warn(told()); print(told()); return gradients",
    "values": "return torch.tensor([[float(n) for n in told().split()]], dtype=gradients.dtype)",
    "values of the right shape": """
    numbers = torch.tensor([float(n) for n in told().split()] * 400, dtype=gradients.dtype)
    return numbers[: gradients.shape[0] * gradients.shape[1]].view(gradients.shape[:2])""",
    "a shape": "return torch.zeros([n % 97 for n in map(int, told().split())][-1] + 1)",
    "a type": "return type('T' + told().replace(' ', '_'), (), {})()",
}


def number_of(planned) -> str:
    return str(round(float(planned.args[0].abs().sum()) * 1000) % 999983)


def inputs(hidden: bool) -> set[str]:
    """Of cases that a student may see, or of all others: hidden cases, laws, the second draw."""
    return {
        number_of(planned)
        for part in parts_of(ITEM, SETTING)
        if (part.own or not isinstance(part.part, Case) or part.part.hidden) is hidden
        for planned in part.planned
    }


@pytest.mark.parametrize("way", ENDS)
def test_no_number_of_a_hidden_input_is_told_anywhere(way, runner):
    code = f"{NOTED}\ndef neuron_importance(gradients):\n    note(gradients)\n    {ENDS[way].strip()}\n"
    graded = grade_item(from_code(code.encode(), "grad_cam.py"), ITEM, SETTING, runner)
    told = repr(graded)
    numbers = {*re.findall(r"\d+", told)}
    assert not numbers & (inputs(hidden=True) - inputs(hidden=False)), [row.as_json() for row in graded.rows]


def test_the_same_code_tells_the_numbers_of_inputs_that_may_be_seen(runner):
    code = f"{NOTED}\ndef neuron_importance(gradients):\n    note(gradients)\n    {ENDS['an exception']}\n"
    graded = grade_item(from_code(code.encode(), "grad_cam.py"), ITEM, SETTING, runner)
    assert {*re.findall(r"\d+", repr(graded))} & inputs(hidden=False)
