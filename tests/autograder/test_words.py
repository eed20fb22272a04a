"""What others wrote is shown as it is, but for what would be obeyed instead of shown."""

import csv
import io
import json
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.text.words import LONGEST, cell, counted, csv_text, json_text, printable, shown, visible

JOINED = ["👩\u200d🔬", "علی\u200cرضا", "क\u094d\u200dष", "김민서", "é"]


@pytest.mark.parametrize("name", JOINED)
def test_what_joins_letters_and_emoji_stays(name):
    assert visible(name) == printable(name) == cell(name) == name


def test_nothing_steers_the_terminal():
    assert printable("a\x1b[2Jb\u202ec\udcffd\ne\u2028f") == "a�[2Jb�c�d e f"
    assert visible("a\x1b[2Jb\u202ec\udcffd\ne\u2028f\tg\rh") == "a�[2Jb�c�d\ne�f\tg�h"


def test_spaces_of_other_scripts_are_spaces():
    assert visible("一\u3000二\xa0三") == "一\u3000二\xa0三"
    assert printable("一\u3000二\xa0三") == "一\u3000二\xa0三"


def test_what_is_long_is_cut():
    assert shown("a" * 3000) == "a" * LONGEST + " …"


def test_a_number_agrees_with_its_noun():
    assert [counted(n, "point") for n in (0, 1, 2)] == ["0 points", "1 point", "2 points"]


def original(shown_cell):
    """What `cell` was given, where that was one line that shows."""
    own = shown_cell.removeprefix("'")
    return own if cell(own) == shown_cell else shown_cell


SHOWN = st.text(st.characters().filter(lambda c: visible(c) == c and c not in "\n\t;|,"))


@settings(deadline=None)
@given(SHOWN | st.text("='+-@＝ a"))
def test_every_name_comes_back_from_a_cell(name):
    assert original(cell(name)) == name


@settings(deadline=None)
@given(st.text(" '\t\n\u3000\u200d"), st.sampled_from("=+-@＝＋－＠﹢﹣﹦﹫"), st.text(max_size=5))
def test_nothing_that_runs_begins_a_cell(before, start, after):
    assert cell(before + start + after).startswith("'")


@pytest.mark.parametrize("text", ["a,=1", "a; +cmd|'x'!A0", "a|@x", "a, -2+3+cmd|'x'!A0", "a,-2 +cmd"])
def test_what_another_separator_would_begin_a_cell_with_does_not_run(text):
    assert re.search(r"[;|,] *'[=+@-]", cell(text))


@pytest.mark.parametrize("text", ["got 1, -2", "by -0.5; -3 there", "1, -2, +4."])
def test_a_number_in_a_sentence_stays(text):
    assert cell(text) == text


@pytest.mark.parametrize("name", ["O'Neil", "Kim, Minsu", "a=b", "'t Hooft", "", "12", "a;b"])
def test_a_harmless_name_stays_as_it_is(name):
    assert cell(name) == name


def test_a_cell_is_one_line_and_steers_nothing():
    assert cell("a\0b\ud800\rc\n\x1b") == "a�b� c �"


def test_another_separator_splits_no_cell():
    text = csv_text([["a;=1+1;b\t=2", 3, -0.5, None]])
    assert text == """"a;'=1+1;b =2","3","-0.5",""\n"""
    (row,) = csv.reader(io.StringIO(text), delimiter=";")
    assert row[0].startswith("a;'=1+1;b =2")


def test_json_keeps_what_is_read_and_shows_nothing_that_steers():
    text = json_text({"é\x9b": ["김", "a\x1b\u202e", 1, None, True]})
    assert json.loads(text) == {"é�": ["김", "a��", 1, None, True]}
    assert "김" in text
