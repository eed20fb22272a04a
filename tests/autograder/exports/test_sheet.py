"""A file of somebody else's stays as it is, byte for byte, but for the cell that is set."""

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.exports.csv_file import SEPARATORS, parsed, read

NAMES = [
    "Kim, Minsu",
    'The "Boss"',
    "김민수",
    "عمر بن الخطاب",
    "👩‍🔬 Ada",
    "two\nlines",
    "tab\tbed",
    "semi;colon",
    " spaced ",
    "",
]
text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(NAMES)
tables = st.lists(st.lists(text, min_size=2, max_size=4), min_size=1, max_size=5)


@settings(deadline=None)
@given(st.text('a,;\t"\r\n 김', max_size=60), st.booleans())
def test_what_is_read_is_written_again_whatever_it_is(text, marked):
    data = (("\ufeff" if marked else "") + text).encode()
    try:
        sheet = parsed(data)
    except SyntaxError:
        assert text.count('"') > 0
        return
    assert bytes(sheet) == data


@settings(deadline=None)
@given(tables, st.sampled_from(SEPARATORS), st.sampled_from([(csv.QUOTE_ALL, "\n"), (csv.QUOTE_MINIMAL, "\r\n")]))
def test_values_are_those_that_pythons_csv_reads(rows, separator, style):
    quoting, end = style
    rows = [["", ""], *rows]
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=quoting, lineterminator=end).writerows(rows)
    if (sheet := parsed(out.getvalue().encode())).separator == separator:
        assert [sheet.row(n) for n in range(len(sheet))] == rows


@settings(deadline=None)
@given(tables, text, st.data())
def test_setting_a_cell_changes_that_cell_alone(rows, value, data):
    out = io.StringIO()
    csv.writer(out, lineterminator="\r\n").writerows([["", "", "", "", ""], *rows])
    sheet = parsed(out.getvalue().encode())
    row = data.draw(st.integers(0, len(sheet) - 1))
    column = data.draw(st.integers(0, len(sheet.row(row)) - 1))
    before = [sheet.row(n) for n in range(len(sheet))]
    sheet.set(row, column, value)
    before[row][column] = value
    assert list(csv.reader(io.StringIO(bytes(sheet).decode(), newline=""))) == before


def test_a_cell_that_was_quoted_stays_quoted():
    sheet = parsed(b'"a","b"\r\n1,"2"\r\n')
    sheet.set(1, 0, "3")
    sheet.set(1, 1, "4")
    assert bytes(sheet) == b'"a","b"\r\n3,"4"\r\n'


def test_a_broken_file_is_refused_in_one_sentence(tmp_path):
    path = tmp_path / "grades.csv"
    path.write_bytes(b'Student,ID\n"Kim')
    with pytest.raises(
        ValueError, match=r"gradebook: .*grades.csv, row 2, has a quote that is never closed; download it"
    ):
        read(path, "gradebook")
    path.write_bytes("Student,ID\n김".encode("euc-kr"))
    with pytest.raises(
        ValueError, match=r"gradebook: .*is not UTF-8 text \(byte 11\); take the file as it was downloaded"
    ):
        read(path, "gradebook")
