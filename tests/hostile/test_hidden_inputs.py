"""A hand-in that says every input it is called with: visible ones are told in every place, hidden ones in none."""

from __future__ import annotations

import html
import io
import json
import re
from pathlib import Path

import pytest
from rich.console import Console

import autograder
from autograder.batch.stages import Handed
from autograder.batch.work import Task, perform
from autograder.core import unseen
from autograder.core.judge import Graded
from autograder.core.oracle import Part, Setting, parts_of
from autograder.core.verdict import Row
from autograder.course import registry
from autograder.feedback.student_page import Sheet, page, section_of
from autograder.isolated.rungs import reasons
from autograder.reading.submission import from_code
from autograder.report.sentences import in_sentences
from autograder.report.tables import as_text, diagnoses, lesson_table
from tests.hostile.range import exports
from tests.hostile.range.attacks import LESSON

RIGHT = (Path(autograder.__file__).parent / "demo" / "right" / LESSON / "grad_cam.py").read_text("utf-8")
SAYS = '''

import functools, os, sys, time, warnings

SEEN = {seen}
"""First number of each input that everybody may see: 7 digits of it."""


def numbers(value):
    if isinstance(value, torch.Tensor) and value.is_floating_point() and value.numel():
        return [value.detach().flatten()[0].item()]
    return []


def saying(right, channel):
    @functools.wraps(right)
    def wrong(*args):
        first = next(n for value in args for n in numbers(value))
        digits = f"{{abs(first):.7f}}".replace("0.", "")
        return channel(right(*args), ("SEEN" if digits in SEEN else "LOOT") + digits)

    return wrong


def raises(right, told):
    print(told, flush=True)
    raise type(told, (ValueError,), {{}})(told)


def warns(right, told):
    warnings.warn(told)
    print(told, file=sys.stderr, flush=True)
    raise KeyError(told)


def counts(right, told):
    return (right,) * (2 + int(told[4:6]))


def ends(right, told):
    print(told, flush=True)
    os._exit(int(told[4:6])) if "LOOT" in told else None
    raise ValueError(told)


def sizes(right, told):
    return torch.zeros(*map(int, told[4:7].replace("0", "1")))


capture = saying(capture, raises)
neuron_importance = saying(neuron_importance, warns)
grad_cam_map = saying(grad_cam_map, counts)
grad_cam = saying(grad_cam, ends)
quadrant_shares = saying(quadrant_shares, sizes)
'''


def first_number(call) -> str:
    """What the hand-in says of a call."""
    values = [value for value in call.args if hasattr(value, "is_floating_point") and value.is_floating_point()]
    return f"{abs(values[0].flatten()[0].item()):.7f}".replace("0.", "")


def said_of(*, hidden: bool, secret: str = "") -> set[str]:
    parts = [part for e in registry.lesson(LESSON).exercises for part in parts_of(e, Setting(secret, "teller"))]
    return {first_number(call) for part in parts if part.unseen is hidden for call in part.planned}


def everything(results) -> str:
    """All that is made of the results for student and instructor, but for the code that was handed in."""
    rows = [row for result in results for row in result.rows]
    sections = [section_of(registry.item(r.item), r.rows, exhibits=r.evidence) for r in results]
    console = Console(width=200, record=True, file=io.StringIO())
    graded = [Graded(registry.item(r.item), r.rows, r.evidence) for r in results]
    console.print(lesson_table(registry.lesson(LESSON), graded), diagnoses(graded))
    kept = [json.dumps(result.as_json(), ensure_ascii=False) for result in results]
    cells = [as_text(rows), json.dumps([f(r) for r in rows for f in (in_sentences, Row.as_json)], ensure_ascii=False)]
    shown = [page(Sheet(LESSON, "teller", 0, 1, sections)), console.export_text()]
    return html.unescape("\n".join([*kept, *cells, *shown, *exports.tables(results), exports.gradescope(results)]))


def told_by(rung: str) -> str:
    """All that the hand-in can make a grader say."""
    text = RIGHT + SAYS.format(seen=sorted(said_of(hidden=False)))
    handed = Handed("teller", LESSON, from_code(text.encode(), "grad_cam.py"), "0" * 64)
    return everything(perform(Task(handed, "the secret", "", rung=rung)))


@pytest.mark.parametrize("rung", ["rlimits", "landlock", "bubblewrap"])
def test_no_hidden_input_is_told_anywhere(rung):
    """In the kept result, the terminal, the pages, nbgrader's cells, the tables and what Gradescope shows."""
    if reason := reasons()[rung]:
        pytest.skip(f"this machine does not offer {rung}: {reason}")
    told = told_by(rung)
    assert re.search(r"SEEN\d{7}", told), "what the code says of visible inputs is not told either: nothing is shown"
    assert not re.findall(r"LOOT\d*", told)
    hidden = said_of(hidden=True, secret="the secret") - said_of(hidden=False)
    assert len(hidden) > 10
    assert not [number for number in hidden if number.strip("0") and number in told]


def test_a_grader_that_tells_of_hidden_inputs_what_it_tells_of_others_is_beaten(monkeypatch):
    monkeypatch.setattr(Part, "unseen", False)
    monkeypatch.setattr(unseen, "restricted", lambda row, exercise: row)
    assert re.search(r"LOOT\d{7}", told_by("rlimits"))
