"""What others wrote is shown as it is, but for what would be obeyed instead of shown."""

import pytest

from autograder.words import LONGEST, counted, named, printable, shown, visible

JOINED = ["👩\u200d🔬", "علی\u200cرضا", "क\u094d\u200dष", "김민서", "é"]


@pytest.mark.parametrize("name", JOINED)
def test_what_joins_letters_and_emoji_stays(name):
    assert visible(name) == printable(name) == named(name) == name


def test_nothing_steers_the_terminal():
    assert printable("a\x1b[2Jb\u202ec\udcffd\ne\u2028f") == "a�[2Jb�c�d e f"
    assert visible("a\x1b[2Jb\u202ec\udcffd\ne\u2028f\tg\rh") == "a�[2Jb�c�d\ne�f\tg�h"


def test_spaces_of_other_scripts_are_spaces():
    assert visible("一\u3000二\xa0三") == "一\u3000二\xa0三"
    assert printable("一\u3000二\xa0三") == "一 二 三"


def test_what_is_long_is_cut():
    assert shown("a" * 3000) == "a" * LONGEST + " …"
    assert named("a\n" * 3000) == "a " * (LONGEST // 2)


def test_a_number_agrees_with_its_noun():
    assert [counted(n, "point") for n in (0, 1, 2)] == ["0 points", "1 point", "2 points"]
