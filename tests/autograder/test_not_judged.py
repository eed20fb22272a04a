"""What was not judged is shown as a dash and a word and counted nowhere: in tables, on pages, in files."""

import csv
import statistics
import subprocess
from dataclasses import replace
from io import StringIO
from types import SimpleNamespace

import pytest

from autograder.batch.summaries import table as results_csv
from autograder.cohort.findings import findings
from autograder.cohort.page import cohort_page
from autograder.cohort.view import for_the_map, points
from autograder.commands.regrading import worth
from autograder.core.diagnose import Diagnosis
from autograder.core.judge import Graded
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_JUDGED, PASSED, Points, Row
from autograder.course import registry
from autograder.exports.classroom import points_script, step_id
from autograder.exports.spreadsheet import table as plain_csv
from autograder.exports.standing import standings, verdicts
from autograder.feedback.class_pages import make_index, make_pages
from autograder.feedback.student_page import Sheet, page, section_of
from autograder.practice import Panel
from autograder.report.tables import as_text, lesson_table
from autograder.study.progress import Standing, State
from autograder.text.screen import Screen
from tests.autograder.cohort.classroom import SECRET, course, result
from tests.autograder.cohort.test_counting import counted
from tests.autograder.feedback.wrong import results

LESSON = registry.lesson("11_grad_cam")
OPEN = LESSON.exercises[1]
TOLD = Diagnosis("grader", "worker_died", message("sentence", text="the grader itself failed; your code may be right."))


def judged(verdict=PASSED):
    """Everything passed, but one exercise."""
    found = []
    for each in results():
        how = verdict if each.item == OPEN.id else PASSED
        rows = tuple(Row(r.exercise, r.check, how, r.max_points, TOLD if how != PASSED else None) for r in each.rows)
        found.append(replace(each, rows=rows, evidence=()))
    return found


def graded():
    return [Graded(registry.item(r.item), r.rows) for r in judged(NOT_JUDGED)]


REST = sum(r.points[1] for r in judged() if r.item != OPEN.id)
WHOLE = f"{REST} of {REST} points, {OPEN.points} not judged"


def test_points_add_up_what_was_judged_and_keep_the_rest_apart():
    rows = [
        [Row("a", "1", PASSED, 2), Row("a", "2", FAILED, 3)],
        [Row("b", "1", NOT_JUDGED, 4), Row("b", "2", PASSED, 1)],
    ]
    assert Points.of(*rows) == Points(2, 5, 5)
    assert [str(Points.of(*rows)), Points.of(*rows).brief] == ["2 of 5 points, 5 not judged", "2/5"]
    assert [str(Points.of(rows[1])), Points.of(rows[1]).brief] == ["– not judged", "–"]
    assert [str(Points.of(rows[0])), str(Points.of())] == ["2 of 5 points", "0 of 0 points"]


def test_a_students_page_has_a_dash_and_a_word_where_nothing_was_judged(tmp_path):
    (one,) = make_pages(judged(NOT_JUDGED), tmp_path)
    text = one.path.read_text("utf-8")
    assert f"<strong>{WHOLE}</strong>" in text
    assert text.count('<td class="number">– not judged</td>') == 1
    assert "0 of" not in text
    assert "counts as nothing" not in text
    assert f"{len(LESSON.items) - 1} of {len(LESSON.items)} are right, 1 not judged." in " ".join(text.split())
    index = make_index([one], tmp_path).read_text("utf-8")
    assert f'{WHOLE}</td><td class="number">0</td><td class="number">1</td>' in index


def test_a_page_of_nothing_that_was_judged_has_no_number_for_a_grade(tmp_path):
    found = [replace(r, rows=tuple(replace(row, verdict=NOT_JUDGED) for row in r.rows)) for r in judged()]
    (one,) = make_pages(found, tmp_path)
    assert "<strong>– not judged</strong>" in one.path.read_text("utf-8")
    assert "points</td>" not in make_index([one], tmp_path).read_text("utf-8")


def test_a_score_that_a_person_set_counts_though_the_checks_were_not_judged():
    rows = next(r.rows for r in judged(NOT_JUDGED) if r.item == OPEN.id)
    section = replace(section_of(OPEN, rows), score=2.5)
    text = page(Sheet("t", "s", 2.5, OPEN.points, [section]))
    assert f"<strong>2.5 of {OPEN.points} points</strong>" in text
    assert "The score was set by a person." in text
    assert "– not judged" not in text


def test_terminal_tables_have_a_dash_and_a_word():
    console = Screen(width=120, color_system=None)
    with console.capture() as text:
        console.print(lesson_table(LESSON, graded()))
    assert f"11_grad_cam  {WHOLE}" in text.get()
    (line,) = [line for line in text.get().splitlines() if OPEN.id in line]
    assert line.split("not judged")[1].split() == ["│", "–", "│", "–", "│"]
    rows = next(r.rows for r in judged(NOT_JUDGED) if r.item == OPEN.id)
    assert all("(–)" in line for line in as_text(rows).splitlines()[::2])
    assert repr(Panel(graded()[1], [])).splitlines()[0] == f"{OPEN.id}: – not judged"
    assert worth(judged(NOT_JUDGED)[1]) == "– not judged"


def test_the_map_of_the_course_counts_what_was_judged():
    items = [SimpleNamespace(points=4, minutes=1), SimpleNamespace(points=3, minutes=1)]
    one = Standing(None, (State(items[0], PASSED, 4), State(items[1], NOT_JUDGED)))
    assert str(one.points) == "4 of 4 points, 3 not judged"
    assert one.states[1].score == "– not judged"


def a_class():
    """Four students by hand: 5, 10 and 11 points of 11, and one with an exercise that was not judged."""
    wanted = {"a": (PASSED, FAILED, FAILED), "b": (PASSED, PASSED, FAILED), "c": (PASSED, PASSED, PASSED)}
    wanted["d"] = (PASSED, NOT_JUDGED, FAILED)
    return [result(who, f"m1.{item}", verdict, TOLD if verdict != PASSED else None)
            for who, how in wanted.items() for item, verdict in zip(("f1", "f2", "q1"), how, strict=True)]  # fmt: skip


def test_the_median_of_a_class_leaves_out_whoever_has_something_that_was_not_judged():
    spread = points(counted(a_class()))
    assert (spread.students, spread.median, spread.lowest, spread.highest) == (3, statistics.median([5, 10, 11]), 5, 11)
    assert sum(spread.bins) == 3
    nobody = points(counted([one for one in a_class() if one.student == "d"]))
    assert (nobody.students, sum(nobody.bins)) == (0, 0)


def test_the_page_of_a_class_says_of_how_many_the_median_is():
    html = cohort_page(a_class(), course(1), secret=SECRET)
    assert "<b>10 of 11</b> points, median" in html
    assert "The 3 students all of whose work was judged" in html
    nobody = cohort_page([one for one in a_class() if one.student == "d"], course(1), secret=SECRET)
    assert "<b>–</b> points, median" in nobody
    assert for_the_map(counted(a_class()))["open"] == [0, 0, 0, 5]


def test_a_correlation_leaves_out_whoever_has_something_that_was_not_judged():
    found = [result(f"s{n:02d}", "m1.f1", PASSED if n < 6 else FAILED) for n in range(20)]
    found += [result(f"s{n:02d}", "m1.f2", PASSED if n > 3 else FAILED) for n in range(20)]
    found += [result(f"s{n:02d}", "m1.q1", PASSED if n % 2 else FAILED) for n in range(20)]
    wanted = next(each for each in findings(counted(found))[2] if each.item.id == "m1.f1").correlation
    lost = [result(f"t{n:02d}", f"m1.{item}", verdict) for n in range(9)
            for item, verdict in (("f1", PASSED), ("f2", NOT_JUDGED), ("q1", PASSED))]  # fmt: skip
    assert next(
        each for each in findings(counted(found + lost))[2] if each.item.id == "m1.f1"
    ).correlation == pytest.approx(wanted)


def test_files_for_spreadsheets_have_the_word_and_no_number():
    found = judged(NOT_JUDGED)
    for data, word in ((results_csv(found), "verdict"), (plain_csv(standings(found)), "status")):
        (row,) = csv.DictReader(StringIO(data.decode()))
        assert (row["points"], row["status"]) == ("", NOT_JUDGED)
        assert (row[f"{OPEN.id} points"], row[f"{OPEN.id} {word}"]) == ("", NOT_JUDGED)
    (one,) = standings(found)
    assert one.points is None
    assert verdicts(one)[0] == "11_grad_cam: not judged"
    assert not any("(0/" in line for line in verdicts(one))


def test_githubs_summary_counts_a_step_that_never_ran_as_not_judged(tmp_path):
    outcomes = {step_id(item): "success" for item in LESSON.items} | {step_id(OPEN): "skipped"}
    told = subprocess.run(["bash", "-c", points_script(LESSON)], env={**outcomes, "PATH": "/usr/bin:/bin",
                          "GITHUB_STEP_SUMMARY": str(tmp_path / "summary")}, capture_output=True,
                          text=True)  # fmt: skip
    assert told.stdout == f"Points {REST}/{REST}, {OPEN.points} not judged (practice only)\n"
    assert told.returncode
    assert f"| {OPEN.id} | skipped | – not judged |" in (tmp_path / "summary").read_text()


def test_nbgraders_table_has_no_score_where_nothing_was_judged(tmp_path):
    nbgrader = pytest.importorskip("nbgrader.api")
    from autograder.nbgrader.export import CsvExport

    submissions = {"ann": (9.0, 1.0, False), "bob": (0.0, None, True)}

    def find(assignment, student):
        if student not in submissions:
            raise nbgrader.MissingEntry(student)
        score, penalty, manual = submissions[student]
        grades = [
            SimpleNamespace(needs_manual_grade=manual, cell=SimpleNamespace(cell_type="code")),
            SimpleNamespace(needs_manual_grade=True, cell=SimpleNamespace(cell_type="markdown")),
        ]
        notebooks = [SimpleNamespace(grades=grades)]
        return SimpleNamespace(
            score=score, written_score=2.0, late_submission_penalty=penalty, notebooks=notebooks, timestamp="t"
        )

    students = [SimpleNamespace(id=n, last_name="=1+1, x", first_name=None, email="") for n in ("ann", "bob", "eve")]
    assignments = [SimpleNamespace(name=LESSON.id, duedate=None, max_score=36.0, max_written_score=3.0)]
    exporter = CsvExport(to=str(tmp_path / "grades.csv"))
    exporter.export(SimpleNamespace(assignments=assignments, students=students, find_submission=find))
    rows = list(csv.DictReader(StringIO((tmp_path / "grades.csv").read_text("utf-8"))))
    assert [(r["student_id"], r["raw_score"], r["score"], r["status"]) for r in rows] == [
        ("ann", "7.0", "6.0", "graded"), ("bob", "", "", "not judged"), ("eve", "0.0", "0.0", "missing")
    ]  # fmt: skip
    assert [(r["max_score"], r["in_words"], r["max_in_words"]) for r in rows] == [
        ("33.0", "", "3.0"), ("33.0", "", "3.0"), ("33.0", "0.0", "3.0")
    ]  # fmt: skip
    assert rows[0]["last_name"] == "'=1+1, x"
