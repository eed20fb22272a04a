"""Grades into a gradebook of the shape that Canvas exports, and into no other place of it."""

import csv
import io

import pytest

from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED
from autograder.exports.canvas import merged
from autograder.exports.csv_file import parsed
from autograder.exports.roster import Person
from autograder.exports.standing import standings

from .conftest import DATA, OTHER, refused, run, standing, work

GRADEBOOK = (DATA / "canvas_gradebook.csv").read_bytes()
COLUMN = "Lab 11: Grad-CAM (901234)"


def filled(*standings, data=GRADEBOOK, **options):
    sheet = parsed(data)
    told = merged(sheet, standings, **{"column": COLUMN, **options})
    return bytes(sheet), told


def grades(data, column=COLUMN):
    return {row["ID"]: row[column] for row in csv.DictReader(io.StringIO(data.decode(), newline="")) if row["ID"]}


def changed(data):
    """(row, column, value) of every cell that is not as it was, after all else was seen to be the same bytes."""
    old, new = parsed(GRADEBOOK), parsed(data)
    cells = [
        (r, c, new.value(r, c))
        for r in range(len(old))
        for c in range(len(old.row(r)))
        if old.value(r, c) != new.value(r, c)
    ]
    for r, c, value in cells:
        old.set(r, c, value)
    assert bytes(old) == data
    return cells


def test_only_the_grades_change():
    data, told = filled(standing("mkim"), standing("김민수", FAILED), standing("عمر الخطيب", NOT_ATTEMPTED))
    assert changed(data) == [(3, 7, "33"), (4, 7, "0"), (5, 7, "0")]
    assert told.written == 3
    assert told.unmatched == 0


@pytest.mark.parametrize("column", [COLUMN, "Lab 11: Grad-CAM", "901234", None])
def test_the_column_is_known_by_heading_title_number_or_lesson(column):
    assert grades(filled(standing("mkim"), column=column)[0])["4001"] == "33"


@pytest.mark.parametrize("title", ["Guided Grad-CAM", "CAM", "Camp", "Gradcampus"])
def test_a_column_that_is_named_after_another_lesson_or_none_is_not_taken(title):
    other = GRADEBOOK.replace(b"Lab 11: Grad-CAM", title.encode())
    with pytest.raises(ValueError, match=r"^column: say which column is meant with --column; choose one of"):
        filled(standing("mkim"), data=other, column=None)


@pytest.mark.parametrize("title", ["11_grad_cam", "GradCAM", "Week 3: Grad Cam (homework)"])
def test_a_lessons_name_is_known_however_it_is_spelt(title):
    column = f"{title} (901234)"
    data = filled(standing("mkim"), data=GRADEBOOK.replace(COLUMN.encode(), column.encode()), column=None)[0]
    assert grades(data, column)["4001"] == "33"


@pytest.mark.parametrize(
    ("column", "sentence"),
    [
        ("Lab 11: Grad-CAMM (901234)", 'which is not in the gradebook; did you mean "Lab 11: Grad-CAM (901234)"?'),
        ("Section", '"Section" is a column that Canvas works out itself or uses to name students'),
        (
            "Final Score",
            'nothing may be written there; choose one of "Lab 1 (901230)", "Lab 11: Grad-CAM (901234)", "Essay',
        ),
        ("Notes", "nothing may be written there"),
        ("Override Score", "nothing may be written there"),
    ],
)
def test_a_column_that_is_not_there_or_not_an_assignments_is_refused(column, sentence):
    with pytest.raises(ValueError, match=r"column: ") as raised:
        filled(standing("mkim"), column=column)
    assert sentence in str(raised.value)


def test_a_column_that_canvas_calls_read_only_is_refused():
    data = GRADEBOOK.replace(b"33.00,20.00", b"(read only),20.00")
    with pytest.raises(ValueError, match="nothing may be written there"):
        filled(standing("mkim"), data=data)


def test_students_without_a_row_are_named():
    data, told = filled(standing("mkim"), standing("ghost"), standing("Ana Garcia"), standing("Student, Test"))
    assert changed(data) == [(3, 7, "33")]
    assert told.unmatched == 3
    assert told.sentences[:3] == [
        'No grade for "ghost", who is in no row.',
        'No grade for "Ana Garcia", who fits 2 rows (Garcia, Ana, Garcia, Ana).',
        'No grade for "Student, Test", who is in no row.',
    ]
    assert told.sentences[3].startswith(
        'No work of 7 in the file, whose grades are untouched: "김, 민수"; "الخطيب, عمر"; '
    )


def test_two_students_in_one_row_are_refused():
    with pytest.raises(ValueError, match='"mkim" and "kimminsu_4001" both fit the row of Kim, Minsu'):
        filled(standing("mkim"), standing("kimminsu_4001"))


def test_what_was_not_judged_leaves_the_cell_as_it_was_and_is_named():
    data, told = filled(standing("mkim", NOT_JUDGED))
    assert data == GRADEBOOK
    assert told.sentences[0] == (
        'The grade of "mkim" is left as it was: grad_cam.capture was not judged: '
        "submission: grad_cam.ipynb is not a notebook; save it again."
    )


def test_excused_unassigned_and_other_grades_stay_and_are_named():
    data, told = filled(standing("agarcia"), standing("zlee"), standing("boneil"))
    assert data == GRADEBOOK
    assert 'The grade of "agarcia" is left as it was: Canvas has it as excused (EX).' in told.sentences
    assert (
        'The grade of "zlee" is left as it was: the assignment is not assigned to this student (N/A).' in told.sentences
    )
    assert any('(add --replace to change them): "boneil: 12.00 there, 33 here"' in said for said in told.sentences)
    assert changed(filled(standing("boneil"), replace=True)[0]) == [(6, 7, "33")]


def test_a_column_of_other_points_is_refused_or_converted():
    with pytest.raises(
        ValueError, match=r'"Essay \(901235\)" has 20 points and the lessons have 33; give the .* --scale'
    ):
        filled(standing("mkim"), column="Essay")
    assert (
        grades(filled(standing("mkim", first=FAILED), column="Essay", scale=True)[0], "Essay (901235)")["4001"]
        == "15.76"
    )


def test_semicolons_decimal_commas_and_names_apart_are_canvases_too():
    gradebook = (DATA / "canvas_semicolons.csv").read_bytes()
    data, told = filled(
        standing("Jörg Müller", first=FAILED), standing("mkim"), data=gradebook, column="77", scale=True
    )
    assert told.unmatched == 0
    assert data == gradebook.replace(b"Gruppe 1;;95", b"Gruppe 1;7,88;95").replace(b"Gruppe 1;;;", b"Gruppe 1;10;;")


def test_the_formula_that_canvas_makes_of_a_name_is_seen_through():
    assert grades(filled(standing("=SUM(A1)"))[0])["4008"] == "33"


def test_lessons_without_work_count_as_zero_and_are_named():
    both = standings([*work("mkim", PASSED), *work("omar", PASSED), *work("omar", PASSED, lesson=OTHER)])
    possible = b"%d.00" % both[0].possible
    data, told = filled(*both, data=GRADEBOOK.replace(b"33.00", possible))
    assert (grades(data)["4001"], grades(data)["4003"]) == ("33", str(both[0].possible))
    assert told.sentences[0] == f'No work on {OTHER}, which counts as 0: "mkim".'


def test_a_class_list_leads_to_the_row():
    roster = {"team 7": Person("team 7", {"login": "minsu.kim@example.edu"})}
    assert grades(filled(standing("team 7"), roster=roster)[0])["4002"] == "33"


def test_the_command_writes_the_file_and_says_who_is_not_in_it(graded, tmp_path):
    results, gradebook = graded(work("mkim", FAILED), work("ghost", FAILED)), tmp_path / "exported.csv"
    gradebook.write_bytes(GRADEBOOK)
    done = run("canvas", results, "--gradebook", gradebook, "--out", tmp_path / "new.csv")
    assert done.exit_code == 1
    assert 'No grade for "ghost", who is in no row.' in done.stdout
    assert '1 grade in the column "Lab 11: Grad-CAM (901234)".' in done.stdout
    assert changed((tmp_path / "new.csv").read_bytes()) == [(3, 7, "0")]
    assert "is the file that is read" in refused(run("canvas", results, "--gradebook", gradebook, "--out", gradebook))
    gradebook.write_text("who,what\na,b\n")
    said = refused(run("canvas", results, "--gradebook", gradebook, "--out", tmp_path / "new.csv"))
    assert "gradebook: its first row has no columns Student and ID, so Canvas did not export it; in Canvas open" in said
