"""No cell runs, and no name is lost: OWASP's list of beginnings, and the full-width forms that LibreOffice knows."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.exports.formulas import neutral, original

SAFE = st.characters(exclude_categories=["Cs"], exclude_characters="\0")


@settings(deadline=None)
@given(st.text(SAFE) | st.text("='+-@＝\t\r \u200b\u202ea"))
def test_every_text_comes_back(text):
    assert original(neutral(text)) == text


@settings(deadline=None)
@given(st.text(" '\u200b\u202e\ufeff\u3000\n"), st.sampled_from("=+-@\t\r＝＋－＠"), st.text(SAFE, max_size=5))
def test_nothing_that_runs_begins_a_cell(before, start, after):
    assert neutral(before + start + after).startswith("'")


@pytest.mark.parametrize(
    "name", ["O'Neil", "김민수", "عمر", "👩‍🔬", "Kim, Minsu", "a=b", "two\nlines", "'t Hooft", "", "12"]
)
def test_a_harmless_name_stays_as_it_is(name):
    assert neutral(name) == name


def test_what_no_file_can_hold_is_replaced():
    assert neutral("a\0b\ud800") == "a�b�"
