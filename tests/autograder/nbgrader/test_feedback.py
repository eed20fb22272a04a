import re

import pytest

from autograder.core.verdict import Row
from autograder.feedback import Section, Sheet, page
from autograder.report.tables import as_text
from tests.hostile.range.live import live_in_page

ATTACK = "</pre><script>alert('x')</script>\x1b[2J\u202e"


def row(verdict, points, message=""):
    told = {"kind": "values", "name": "values", "message": message} if message else None
    return {"exercise": "grad_cam.alpha", "check": "values: three images", "verdict": verdict, "points": points,
            "max_points": 2, "diagnosis": told, "seconds": 0.0}  # fmt: skip


def sheet(**of_section):
    section = Section(**{"title": "Alpha", "score": 2.0, "max_score": 2.0, "checks": [row("passed", 2)]} | of_section)
    return Sheet("Grad-CAM", "ada", 2.0, 2.0, [section])


def test_nothing_that_a_student_wrote_is_live():
    text = page(sheet(checks=[row("failed", 2, ATTACK)], code=ATTACK, comment=ATTACK, title=ATTACK))
    assert "<script" not in text
    assert text.count("&lt;script&gt;") >= 4
    assert live_in_page(text) == []
    assert "\x1b" not in text
    assert "\u202e" not in text


def test_the_page_loads_nothing():
    text = page(sheet())
    assert not re.search(r"\b(url|@import)\b\s*[=(]", text)
    assert live_in_page(text) == []
    assert "default-src 'none'" in text


def test_the_page_is_for_light_and_dark():
    assert "prefers-color-scheme: dark" in page(sheet())


def test_a_diagnosis_and_the_points_are_told():
    text = page(sheet(score=0.0, checks=[row("failed", 0, "α is the mean, not the sum.")]))
    assert "α is the mean, not the sum." in text
    assert "(0 of 2)" in text
    assert re.search("✗</span> failed", text)


def test_a_note_on_a_pass_does_not_look_like_a_mistake():
    assert '<p class="told">' in page(sheet(score=0.0, checks=[row("failed", 0, "divide by Z")]))
    assert '<p class="told right">' in page(sheet(checks=[row("passed", 2, "right with our part in place of yours")]))


def test_what_could_not_be_judged_says_so():
    text = page(sheet(score=0.0, checks=[row("not judged", 0, "the grader itself failed.")]))
    assert "could not be judged yet" in text


def test_a_section_without_rows_is_not_judged():
    assert Section("Alpha", 0.0, 2.0, ()).verdict == "not judged"


def test_a_score_by_hand_says_so():
    assert "set by a person" in page(sheet(score=1.5))


def test_a_late_penalty_is_told():
    assert "after 1 for handing in late" in page(Sheet("Grad-CAM", "ada", 1.0, 2.0, (), late_penalty=1.0))


@pytest.mark.parametrize("verdict", ["passed", "failed", "not attempted", "not judged"])
def test_plain_text_names_the_verdict_in_words(verdict):
    assert verdict in as_text([Row.from_json(row(verdict, 0))])


def test_plain_text_has_no_terminal_escapes():
    assert "\x1b" not in as_text([Row.from_json(row("failed", 0, ATTACK))])
