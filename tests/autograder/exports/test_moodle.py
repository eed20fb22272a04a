"""Grades and feedback into worksheets of the shape that Moodle makes, in whatever language."""

import csv
import io

import pytest

from autograder.core.verdict import FAILED, NOT_JUDGED
from autograder.exports.csv_file import parsed
from autograder.exports.moodle import comment, merged

from .conftest import DATA, refused, run, standing, work

ENGLISH = (DATA / "moodle_english.csv").read_bytes()


def filled(*standings, data=ENGLISH, **options):
    sheet = parsed(data)
    told = merged(sheet, standings, **options)
    return parsed(bytes(sheet)), told


def columns(sheet, *headings):
    return [tuple(sheet.value(row, sheet.header.index(h)) for h in headings) for row in range(1, len(sheet))]


def test_students_are_found_by_email_name_and_moodles_own_folder_names():
    sheet, told = filled(
        standing("mkim"), standing("김민수_2002"), standing("عمر الخطيب"), standing("Participant 2004")
    )
    assert [grade for (grade,) in columns(sheet, "Grade")] == ["33", "33", "33", "12.00", ""]
    assert told.unmatched == 0
    assert told.sentences[0].endswith('(add --replace to change them): "Participant 2004: 12.00 there, 33 here".')


def test_all_but_grade_and_feedback_stays_byte_for_byte():
    sheet, _ = filled(standing("mkim"), standing("minsu", FAILED))
    old, new = ENGLISH.decode().splitlines(keepends=True), bytes(sheet).decode().splitlines(keepends=True)
    assert [a == b for a, b in zip(old, new, strict=True)] == [True, False, False, True, True, True]
    assert new[1].startswith(old[1].split(",,")[0] + ',33,33.00,Yes,"Monday, 2 November 2026, 11:58 PM",-,')


def test_feedback_is_the_verdicts_as_markup_that_holds_none_of_the_students():
    text = comment(standing("mkim", FAILED))
    assert text.startswith("11_grad_cam: 0 of 33 points<br>- grad_cam.capture: failed (0/7): =HYPERLINK")
    assert "divide by Z &lt;b&gt;" in text
    unread = comment(standing("x", NOT_JUDGED))
    assert unread.startswith("11_grad_cam: not judged<br>- grad_cam.capture: not judged: submission: ")
    assert unread.count("save it again") == 1


def test_a_locked_grade_and_somebodys_feedback_stay():
    sheet, told = filled(standing("ana"), standing("bo"))
    assert columns(sheet, "Grade", "Feedback comments")[3:] == [("12.00", "<p>Come to my office.</p>"), ("", "")]
    assert 'The grade of "ana" is left as it was: Moodle says that this grade cannot be changed.' in told.sentences
    assert any('another text stands there (add --replace to change it): "bo".' in said for said in told.sentences)
    sheet, _ = filled(standing("bo"), replace=True)
    assert columns(sheet, "Grade", "Feedback comments")[3] == ("33", comment(standing("bo")))


def test_a_german_worksheet_has_decimal_commas():
    sheet, told = filled(
        standing("mkim", first=FAILED), standing("joerg"), data=(DATA / "moodle_german.csv").read_bytes(), scale=True
    )
    assert [grade for (grade,) in columns(sheet, "Bewertung")] == ["7,88", ""]
    assert any("cannot be changed" in said for said in told.sentences)


def test_headings_that_nobody_knows_are_found_by_what_stands_below():
    sheet, told = filled(standing("김민수"), standing("seoyeon"), data=(DATA / "moodle_korean.csv").read_bytes())
    assert columns(sheet, "성적", "피드백 의견") == [("33", comment(standing("김민수"))), ("", "")]
    assert 'The grade of "seoyeon" is left as it was: Moodle says that this grade cannot be changed.' in told.sentences


def test_columns_can_be_named():
    data = ENGLISH.replace(b'"Maximum Grade"', b"Scale").replace(b"33.00", b'"Poor, Good"')
    with pytest.raises(ValueError, match=r'grade column: .* name it with --grade-column: "Identifier", "Full name", '):
        filled(standing("mkim"), data=data)
    sheet, _ = filled(standing("mkim"), data=data, grade_column="Grade", feedback_column="Status")
    assert columns(sheet, "Grade", "Status")[0] == ("33", "Submitted for grading - 2 hours 5 mins late")
    with pytest.raises(
        ValueError, match='feedback column: got "Comment", which is not in the worksheet; choose one of'
    ):
        filled(standing("mkim"), data=data, grade_column="Grade", feedback_column="Comment")


def test_a_blind_assignments_worksheet_has_numbers_only():
    data = b"Identifier,Status,Grade,Maximum Grade,Grade can be changed,Last modified (grade),Feedback comments\n"
    data += b"Participant 7,Submitted for grading,,33.00,Yes,-,\nParticipant 8,No submission,,33.00,Yes,-,\n"
    sheet, told = filled(standing("Participant_7"), data=data)
    assert [grade for (grade,) in columns(sheet, "Grade")] == ["33", ""]
    assert told.unmatched == 0


def test_any_other_csv_is_refused():
    with pytest.raises(ValueError, match='worksheet: its first column has no identifiers such as "Participant 123"'):
        filled(standing("mkim"), data=b"Name,Grade,Maximum Grade\nKim,,33\n")


def test_the_command_merges_or_makes_a_grade_import(graded, tmp_path):
    results = graded(work("mkim", FAILED), work("ghost", FAILED), work("=bo", NOT_JUDGED))
    out, worksheet = tmp_path / "out.csv", tmp_path / "worksheet.csv"
    worksheet.write_bytes(ENGLISH)
    done = run("moodle", results, "--worksheet", worksheet, "--out", out)
    assert done.exit_code == 1
    assert 'No grade for "ghost", who is in no row.' in done.stdout
    assert '1 grade in the column "Grade".' in done.stdout
    assert run("moodle", results, "--out", out).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_text(encoding="utf-8"), newline="")))
    assert [(r["Username"], r["11_grad_cam"], r["Total"]) for r in rows] == [
        ("'=bo", "", ""),
        ("ghost", "0", "0"),
        ("mkim", "0", "0"),
    ]
    assert "is the file that is read" in refused(run("moodle", results, "--worksheet", worksheet, "--out", worksheet))
