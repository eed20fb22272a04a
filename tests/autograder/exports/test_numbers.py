"""Numbers as platforms write them, in either way of marking decimals."""

import pytest

from autograder.exports.numbers import number, written


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("31.00", 31), ("31,00", 31), ("1,234.50", 1234.5), ("1.234,50", 1234.5), (" 7 ", 7), ("1\u00a0234,5", 1234.5),
        ("-2.5", -2.5), ("", None), ("-", None), ("EX", None), ("(read only)", None), ("nan", None), ("inf", None),
    ],
)  # fmt: skip
def test_a_cell_is_read_as_a_number_or_as_none(text, value):
    assert number(text) == value


@pytest.mark.parametrize(
    ("value", "like", "text"),
    [(31, "31.00", "31"), (15.483, "", "15.48"), (7.5, "10,00", "7,5"), (0, "10,00", "0"), (0.999, "", "1")],
)
def test_a_grade_is_written_with_at_most_two_decimals(value, like, text):
    assert written(value, like) == text
