"""Every student finds the right row or none, and is named where it is none."""

import unicodedata

import pytest

from autograder.exports.matching import Candidate, match
from autograder.exports.roster import Person, read_roster

ROWS = [
    Candidate(
        1, {"login": ["mkim"], "user": ["300"], "id": ["4001"], "name": ["Kim, Minsu", "Minsu Kim"]}, "Kim, Minsu"
    ),
    Candidate(
        2, {"login": ["Ann"], "user": ["301"], "id": ["4002"], "name": ["Garcia, Ana", "Ana Garcia"]}, "Garcia, Ana"
    ),
    Candidate(
        3, {"login": ["ann"], "user": ["302"], "id": ["4003"], "name": ["Garcia, Ana", "Ana Garcia"]}, "Garcia, Ana"
    ),
    Candidate(4, {"login": ["4001"], "user": ["303"], "id": ["4004"], "name": ["김, 민수", "민수 김"]}, "김, 민수"),
]


def found(*students, roster=()):
    return match(students, ROWS, {person.student: person for person in roster})


@pytest.mark.parametrize(
    ("student", "row"),
    [
        ("mkim", 1), ("MKIM", 1), ("300", 1), ("Kim, Minsu", 1), ("Minsu  Kim", 1), ("kimminsu_4001", 1),
        ("Minsu Kim_4001", 1), ("ann", 3), ("Ann", 2), ("4002", 2), ("김, 민수", 4), ("민수 김_4004", 4),
        (unicodedata.normalize("NFD", "김, 민수"), 4),
    ],
)  # fmt: skip
def test_a_student_is_found_by_login_number_or_name(student, row):
    assert found(student).rows == {student: row}


@pytest.mark.parametrize(
    ("student", "why"),
    [
        ("nobody", "is in no row"),
        ("Ana Garcia", "fits 2 rows (Garcia, Ana, Garcia, Ana)"),
        ("ANN", "fits 2 rows (Garcia, Ana, Garcia, Ana)"),
        ("4001", "fits 2 rows (김, 민수, Kim, Minsu)"),
        ("team_4001", "has the number of Kim, Minsu, but not the name"),
    ],
)
def test_who_cannot_be_told_gets_no_row_and_a_reason(student, why):
    matched = found(student)
    assert (matched.rows, matched.problems) == ({}, {student: why})


def test_two_students_in_one_row_are_refused():
    with pytest.raises(
        ValueError, match='students: "mkim" and "Kim, Minsu" both fit the row of Kim, Minsu; say in a --roster'
    ):
        found("mkim", "Kim, Minsu")


def test_a_class_list_says_who_is_who():
    people = (Person("team-7", {"login": "mkim"}), Person("Ana Garcia", {"id": "4003"}))
    assert found("team-7", "Ana Garcia", roster=people).rows == {"team-7": 1, "Ana Garcia": 3}


def test_a_class_list_is_read_by_its_headings(tmp_path):
    path = tmp_path / "class.csv"
    path.write_text('\ufeffStudent;SIS Login ID;Email\n"Kim; M.";mkim;m@x.edu\n;;\n', encoding="utf-8")
    assert read_roster(path) == {"Kim; M.": Person("Kim; M.", {"login": "mkim", "email": "m@x.edu"})}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "who,what\na,b\n",
            r"roster: .* has the columns who, what; it needs student \(the name in the results\) and one",
        ),
        ("student,login\na,b\na,c\n", 'roster: .* has the student "a" twice; keep one line for each.'),
    ],
)
def test_a_class_list_that_does_not_say_it_is_refused(tmp_path, text, sentence):
    path = tmp_path / "class.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        read_roster(path)
