"""The CSV: names intact in every reader, statuses that a zero never hides."""

import csv
import io
import shutil
import subprocess
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED
from autograder.course import registry
from autograder.exports.roster import Person
from autograder.exports.spreadsheet import table
from autograder.text.words import printable

from ..test_words import original
from .conftest import LESSON, OTHER, refused, run, standing, work

NAMES = [
    "Kim, Minsu", "김민수", "عمر الخطيب", "👩‍🔬 Zoe", 'Bo "B" O\'Neil', "two lines", "=SUM(A1)", "＝１＋１", " @x",
    "-2+3", "+1", "'=1",
]  # fmt: skip
name = st.text(st.characters().filter(lambda c: printable(c) == c and c not in ";|,"), min_size=1) | st.sampled_from(
    NAMES
)


def rows_of(data):
    return list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))


@settings(deadline=None)
@given(st.lists(name, min_size=1, max_size=4, unique=True), st.booleans())
def test_every_name_comes_back_from_pythons_csv(names, bom):
    rows = rows_of(table([standing(n) for n in names], bom=bom))
    assert sorted(original(row["student"]) for row in rows) == sorted(names)


def test_every_name_comes_back_from_pandas():
    pandas = pytest.importorskip("pandas", reason="pandas is not installed")
    frame = pandas.read_csv(io.BytesIO(table(list(map(standing, NAMES)), bom=True)), keep_default_na=False)
    assert sorted(map(original, frame["student"])) == sorted(NAMES)
    assert set(frame["points"]) == {registry.lesson(LESSON).points}


def test_every_name_comes_back_from_libreoffice(tmp_path):
    office = shutil.which("soffice") or shutil.which("libreoffice")
    if office is None:
        pytest.skip("LibreOffice is not installed")
    (tmp_path / "grades.csv").write_bytes(table(list(map(standing, NAMES)), bom=True))
    home, filters = (
        f"-env:UserInstallation=file://{tmp_path}/home",
        "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true",
    )
    subprocess.run(
        [office, home, "--headless", "--infilter=Text - txt - csv (StarCalc):44,34,76,1,,0,false,true",
         "--convert-to", filters, "--outdir", str(tmp_path / "out"), str(tmp_path / "grades.csv")],
        check=True, capture_output=True, timeout=120,
    )  # fmt: skip
    rows = rows_of((tmp_path / "out" / "grades.csv").read_bytes())
    assert sorted(original(row["student"]) for row in rows) == sorted(NAMES)


def test_a_row_has_points_and_status_of_everything():
    (row,) = rows_of(table([standing("ann", PASSED, first=FAILED)]))
    lesson = registry.lesson(LESSON)
    assert (row["points"], row["possible"], row["status"]) == (
        str(lesson.points - lesson.items[0].points),
        "33",
        "failed",
    )
    assert (row["grad_cam.capture points"], row["grad_cam.capture status"]) == ("0", "failed")
    assert (row["grad_cam.grad_cam_map points"], row["grad_cam.grad_cam_map status"]) == ("4", "passed")
    assert (row[f"{LESSON} status"], row["grad_cam.sum_or_mean status"]) == ("failed", "passed")


def test_what_was_not_judged_or_not_attempted_is_said_and_only_the_latter_is_a_zero():
    rows = rows_of(table([standing("a", NOT_JUDGED), standing("b", NOT_ATTEMPTED), standing("c", first=NOT_JUDGED)]))
    assert [(r["points"], r["status"]) for r in rows] == [
        ("", "not judged"),
        ("0", "not attempted"),
        ("", "not judged"),
    ]
    assert rows[2]["grad_cam.capture points"] == ""
    assert rows[2]["grad_cam.neuron_importance points"] == "5"


def test_missing_and_late_are_columns_of_their_own():
    roster = {"ann": Person("ann", {"email": "ann@x.edu"}), "bo": Person("bo", {"email": "@bo"})}
    rows = rows_of(table([replace(standing("ann"), days={LESSON: 2})], roster=roster, late=True))
    assert [(r["student"], r["email"], r["points"], r["status"], r["late"]) for r in rows] == [
        ("ann", "ann@x.edu", "33", "passed", f"{LESSON} 2 days"),
        ("bo", "'@bo", "", "missing", ""),
    ]


def test_the_command_writes_a_subset_of_lessons_and_names_who_was_not_judged(graded, tmp_path):
    results = graded(work("ann", PASSED), work("ann", FAILED, lesson=OTHER), work("bo", NOT_JUDGED))
    (tmp_path / "handed").mkdir()
    (tmp_path / "handed" / "ann_LATE_12_34_grad_cam.py").write_text("")
    done = run("csv", results, "--out", tmp_path / "all.csv", "--bom", "--submitted", tmp_path / "handed")
    assert done.exit_code == 0
    assert 'No points for "bo": grad_cam.capture was not judged: submission: grad_cam.ipynb is not' in done.stdout
    data = (tmp_path / "all.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    ann, bo = rows_of(data)
    assert (ann["points"], ann["status"], ann[f"{OTHER} status"], ann["late"]) == ("33", "failed", "failed", "")
    assert (bo["status"], bo[f"{OTHER} status"]) == ("not judged", "missing")
    run("csv", results, "--out", tmp_path / "one.csv", "--lessons", "11")
    assert not [heading for heading in rows_of((tmp_path / "one.csv").read_bytes())[0] if "cam." in heading[:4]]


def test_the_command_refuses_what_it_cannot_do_in_one_sentence(graded, tmp_path):
    results = graded(work("ann", PASSED))
    out = tmp_path / "x.csv"
    assert refused(run("csv", results, "--out", out, "--lessons", "10")) == (
        "cnnviz: results: there is no result of 10_cam; grade it first, or choose other --lessons."
    )
    assert "holds no results; name the folder that" in refused(run("csv", tmp_path / "no", "--out", out))
    assert "the folder of" in refused(run("csv", results, "--out", tmp_path / "no" / "x.csv"))
    assert "submitted: " in refused(run("csv", results, "--out", out, "--submitted", tmp_path / "no"))
