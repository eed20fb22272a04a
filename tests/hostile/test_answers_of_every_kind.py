"""Predictions that are every answer at once, and code that reads as other code than it shows."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest

import autograder
from autograder.core.grade import grade_item
from autograder.core.oracle import Setting
from autograder.course import registry
from autograder.reading.submission import from_code

LESSON = registry.lesson("11_grad_cam")
QUESTION = registry.item("grad_cam.sum_or_mean")
RIGHT = (Path(autograder.__file__).parent / "demo" / "right" / "11_grad_cam" / "grad_cam.py").read_text("utf-8")
WRONG = next(option for option in QUESTION.options if option != QUESTION.answer)
EVERY = [*QUESTION.options]

ANSWERS = {
    "a list of all": f"sum_or_mean = {EVERY}",
    "a set of all": f"sum_or_mean = {set(EVERY)}",
    "a dictionary": f"sum_or_mean = {dict(zip(EVERY, EVERY[::-1], strict=True))}",
    "all in one text": f'sum_or_mean = "{"".join(EVERY)}"',
    "spaces and all": f'sum_or_mean = "{" ".join(EVERY)}"',
    "a sum of two": f'sum_or_mean = "{QUESTION.answer[:4]}" + "{QUESTION.answer[4:]}"',
    "the empty text": 'sum_or_mean = ""',
    "a text that equals everything": """
class Agreeable(str):
    def __eq__(self, other):
        return True
    __hash__ = str.__hash__
sum_or_mean = Agreeable("z")""",
    "a function": f'sum_or_mean = lambda: "{QUESTION.answer}"',
    "an exception to choose by": f"""
try:
    import cnnviz_ref
    sum_or_mean = "{QUESTION.answer}"
except ImportError:
    sum_or_mean = "{WRONG}\"""",
    "what the environment says": f"""
import os
sum_or_mean = "{QUESTION.answer}" if "CNNVIZ_SECRET" in os.environ else "{WRONG}\"""",
    "the last of several": f'sum_or_mean = "{QUESTION.answer}"\nsum_or_mean = "{WRONG}"',
    "another name that looks the same": f'sum_or_mеan = "{QUESTION.answer}"',
    "a comment": f'sum_or_mean = None  # "{QUESTION.answer}"',
}


def points(submission) -> int:
    return sum(row.points for row in grade_item(submission, QUESTION, Setting(), None).rows)


@pytest.mark.parametrize("way", ANSWERS)
def test_a_prediction_that_is_not_one_option_has_no_point(way):
    submission = from_code(f"{RIGHT}\nsum_or_mean = None\n{ANSWERS[way]}\n".encode(), "grad_cam.py")
    assert points(submission) == 0


def test_the_one_option_has_its_point():
    submission = from_code(f'{RIGHT}\nsum_or_mean = "{QUESTION.answer}"\n'.encode(), "grad_cam.py")
    assert points(submission) == QUESTION.points


@pytest.mark.parametrize(
    "codec",
    ["utf-7", "rot13", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "hex", "zlib", "utf-16"],
)
def test_code_that_reads_as_other_code_than_it_shows_is_refused_with_a_sentence(codec):
    hidden = RIGHT.encode("utf-8")
    if codec in ("utf-7", "unicode_escape", "raw_unicode_escape"):
        hidden = codecs.encode(RIGHT, codec)
    text = b"# coding: " + codec.encode() + b"\n" + hidden
    with pytest.raises(ValueError, match=r"^submission: grad_cam.py "):
        from_code(text, "grad_cam.py")
