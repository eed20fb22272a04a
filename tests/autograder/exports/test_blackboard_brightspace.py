"""Grades into gradebooks of the shapes that Blackboard and Brightspace export, and into no other place of them."""

import codecs

import pytest

from autograder.core.verdict import FAILED, NOT_JUDGED
from autograder.exports import blackboard, brightspace
from autograder.exports.csv_file import parsed

from .conftest import refused, run, standing, work

COLUMN = "Lab 11: Grad-CAM [Total Pts: 33 Score] |4711"
BLACKBOARD = f'''\
"Last Name","First Name","Username","Student ID","Last Access","Availability","Quiz [Total Pts: 10 Score] |4710",\
"{COLUMN}","Grad-CAM, all [Total Pts: up to 41 Score] |4712"
"Kim","Minsu","mkim","0042","2026-09-01 20:20:47","Yes","7.00","","7.00"
"김","민수","minsu2","0043","","Yes","","Needs Grading",""
"=cmd|' /C calc'!A0","O'Neil, ""B""","boneil","0044","","Yes","","12.00",""
"García","Ana","@agarcia","0045","","No","","",""
'''
NUMERIC = "Lab 11: Grad-CAM Points Grade <Numeric MaxPoints:33 Weight:10 Category:Labs>"
BRIGHTSPACE = f'''\
OrgDefinedId,Username,Last Name,First Name,Email,{NUMERIC},Essay Text Grade <Text>,\
Calculated Final Grade Numerator,End-of-Line Indicator
#0042,#mkim,Kim,Minsu,mkim@example.edu,,,12.5,#
#0043,#minsu2,김,민수,minsu2@example.edu,-,,,#
#0044,#boneil,=cmd|' /C calc'!A0,"O'Neil, ""B""",b@example.edu,12,,,#
#0045,#@agarcia,García,Ana,ana@example.edu,,,,#
'''
FORMS = {
    "Blackboard": (blackboard, BLACKBOARD.replace("\n", "\r\n").encode("utf-8-sig"), COLUMN),
    "Blackboard's .xls": (
        blackboard,
        codecs.BOM_UTF16_LE + BLACKBOARD.replace('","', '"\t"').encode("utf-16-le"),
        COLUMN,
    ),
    "Brightspace": (brightspace, BRIGHTSPACE.encode("utf-8"), NUMERIC),
}
each_form = pytest.mark.parametrize(("platform", "data", "column"), FORMS.values(), ids=FORMS)


def filled(platform, data, *standings, **options):
    sheet = parsed(data)
    told = platform.merged(sheet, standings, **options)
    return bytes(sheet), told


def changed(before, after):
    """(row, value) of every cell that is not as it was, after all else was seen to be the same bytes."""
    old, new = parsed(before), parsed(after)
    places = [(r, c) for r in range(len(old)) for c in range(len(old.row(r))) if old.value(r, c) != new.value(r, c)]
    found = [(r, new.value(r, c)) for r, c in places]
    for r, c in places:
        old.set(r, c, new.value(r, c))
    assert bytes(old) == after
    return found


@each_form
def test_a_file_comes_back_byte_by_byte(platform, data, column):
    assert bytes(parsed(data)) == data


@each_form
def test_only_the_grades_change(platform, data, column):
    students = standing("mkim"), standing("Ana García", FAILED), standing("0043", first=FAILED)
    after, told = filled(platform, data, *students)
    assert changed(data, after) == [(1, "33"), (2, "26"), (4, "0")]
    assert (told.written, told.unmatched) == (3, 0)


@each_form
@pytest.mark.parametrize("student", ["boneil", "0044", '"B" O\'Neil', "=cmd|' /C calc'!A0"])
def test_hostile_names_find_their_row_or_none_and_stay_as_they_are(platform, data, column, student):
    after, told = filled(platform, data, standing(student), replace=True)
    assert changed(data, after) == ([(3, "33")] if student in ("boneil", "0044") else [])
    assert told.unmatched == (student not in ("boneil", "0044"))


@each_form
def test_another_grade_stays_and_is_named(platform, data, column):
    after, told = filled(platform, data, standing("boneil"))
    assert after == data
    assert any('(add --replace to change them): "boneil: 12' in sentence for sentence in told.sentences)


@each_form
def test_what_was_not_judged_leaves_its_cell(platform, data, column):
    after, told = filled(platform, data, standing("mkim", NOT_JUDGED))
    assert after == data
    assert told.sentences[0].startswith('The grade of "mkim" is left as it was: grad_cam.capture was not judged')


@each_form
@pytest.mark.parametrize("asked", [None, "Lab 11: Grad-CAM"])
def test_the_column_is_known_by_heading_title_or_lesson(platform, data, column, asked):
    for name in (asked, column):
        assert changed(data, filled(platform, data, standing("mkim"), column=name)[0]) == [(1, "33")]


def test_blackboards_column_is_known_by_its_number_and_a_calculated_one_is_refused():
    data = FORMS["Blackboard"][1]
    assert changed(data, filled(blackboard, data, standing("mkim"), column="4711")[0]) == [(1, "33")]
    with pytest.raises(ValueError, match="is a column that Blackboard works out itself or uses to name students"):
        filled(blackboard, data, standing("mkim"), column="Grad-CAM, all [Total Pts: up to 41 Score] |4712")


@each_form
def test_a_column_of_other_points_is_refused_or_converted(platform, data, column):
    other = data.replace("33".encode("utf-16-le"), "66".encode("utf-16-le")).replace(b"s: 33", b"s: 66")
    other = other.replace(b"MaxPoints:33", b"MaxPoints:66")
    with pytest.raises(ValueError, match="has 66 points and the lessons have 33; give the assignment 33 points, or"):
        filled(platform, other, standing("mkim"))
    assert changed(other, filled(platform, other, standing("mkim"), scale=True)[0]) == [(1, "66")]


@pytest.mark.parametrize("platform", ["blackboard", "brightspace"])
def test_another_file_is_refused_in_one_sentence(platform, graded, tmp_path):
    results, book = graded(work("mkim", FAILED)), tmp_path / "book.csv"
    book.write_text("who,what\na,b\n")
    said = refused(run(platform, results, "--gradebook", book, "--out", tmp_path / "new.csv"))
    assert said.startswith("cnnviz: gradebook: its first row has no column Username")


def test_the_command_writes_the_file_and_says_who_is_not_in_it(graded, tmp_path):
    results, book = graded(work("mkim", FAILED), work("ghost", FAILED)), tmp_path / "gc.xls"
    data = FORMS["Blackboard's .xls"][1]
    book.write_bytes(data)
    done = run("blackboard", results, "--gradebook", book, "--out", tmp_path / "new.xls")
    assert done.exit_code == 1
    assert 'No grade for "ghost", who is in no row.' in done.stdout
    assert changed(data, (tmp_path / "new.xls").read_bytes()) == [(1, "0")]
