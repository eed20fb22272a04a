"""What `course.toml` says of points, weights, lateness and weakest lessons, in the numbers that leave the course."""

from __future__ import annotations

import os
import zipfile
from dataclasses import replace

import pytest

from autograder.batch import naming
from autograder.batch.results import Store
from autograder.batch.summaries import table, write_tables
from autograder.batch.verifying import problems
from autograder.core.verdict import FAILED, PASSED
from autograder.course import choices, locations, registry
from autograder.exports.late import late
from autograder.exports.standing import standings, verdicts
from autograder.isolated import layout

from ..conftest import forget
from .conftest import LESSON, OTHER, SECRET, run, work


def only(results, *lessons, **options):
    return standings(results, [registry.lesson(name) for name in lessons], **options)[0]


def test_points_of_today_count_and_what_was_signed_still_holds(chosen, graded, tmp_path):
    folder = graded(work("ann", PASSED, first=FAILED))
    store = Store(folder, SECRET)
    with store.at_work():
        write_tables(store)
    before = problems(store)
    chosen('[points]\n"grad_cam.capture" = 20\n"grad_cam.sum_or_mean" = 4\n')
    assert problems(store) == before
    one = standings(store.results())[0]
    assert (one.possible, one.points) == (33 - 7 + 20 + 4 - 1, 33 - 7 + 4 - 1)
    done = run("csv", folder, "--out", tmp_path / "now.csv")
    assert f'"{one.points}","{one.possible}"' in (tmp_path / "now.csv").read_text(encoding="utf-8"), done.output


def test_points_are_shared_out_over_the_checks_and_none_is_worth_nothing(chosen):
    for points in (6, 7, 17, 100):
        chosen(f'[points]\n"grad_cam.capture" = {points}\n')
        exercise = registry.exercise("grad_cam.capture")
        assert exercise.points == points
        assert min([exercise.promise_points, *(part.points for part in exercise.parts)]) >= 1


REFUSED = {
    '[points]\n"grad_cam.capture" = 2\n': "points: grad_cam.capture has 6 checks, each worth 1 or more: got 2; choose",
    '[points]\n"grad_cam.captur" = 9\n': 'course.toml, points: got "grad_cam.captur", which does not exist; did you',
    "lessons = ['11', 'grad_cam']\n": "course.toml, lessons: one lesson stands there twice; name each once.",
    "lessons = ['99']\n": 'course.toml, lessons: got "99", which does not exist; choose of 01_filters, ',
    "lesson = ['11']\n": "course.toml: got the key lesson, which does not exist; did you mean lessons?",
    "[late]\nper_day = 101\n": "course.toml, late.per_day: got 101; write percent: a number from 0 to 100.",
    "[late]\nperday = 1\n": "course.toml, late: got the key perday, which does not exist; did you mean per_day?",
    "late = 3\n": "course.toml, late: got 3; write lines such as per_day = 10 under [late].",
    "drop_lowest = -1\n": "course.toml, drop_lowest: got -1; write a whole number, 0 or more.",
    "drop_lowest = true\n": "course.toml, drop_lowest: got True; write a whole number, 0 or more.",
    "[deadlines]\n11 = 'soon'\n": "course.toml, deadlines.11: got 'soon'; write a time such as 2026-11-30T23:59:00",
    "[weights]\n11 = 0\n": "course.toml, weights.11: got 0; write a number above 0.",
    "points = 3\n": "course.toml, points: got 3; write [points] and below it lines `name = ...`.",
    "lessons = ['11'\n": "course.toml is not TOML: ",
}


@pytest.mark.parametrize(("text", "sentence"), REFUSED.items(), ids=REFUSED)
def test_what_cannot_be_is_one_sentence(chosen, text, sentence):
    chosen(text)
    with pytest.raises(ValueError, match=r"course\.toml|points") as raised:
        registry.lessons()
    assert sentence in str(raised.value)


def test_a_lesson_that_is_not_there_has_no_weight(chosen):
    chosen("[weights]\n99 = 3\n")
    with pytest.raises(ValueError, match=r'^course.toml, weights, lesson: got "99", which does not exist'):
        assert only(work("ann", PASSED), LESSON).points


def test_a_lesson_under_two_names_is_refused(chosen):
    chosen("[weights]\n11 = 3\n11_grad_cam = 4\n")
    with pytest.raises(ValueError, match=r"^course.toml, weights: 11_grad_cam stands there under two names; name each"):
        assert only(work("ann", PASSED), LESSON).points


def test_workers_in_other_folders_find_the_file_that_the_variable_names(chosen, tmp_path, monkeypatch):
    chosen("lessons = ['1']\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv(choices.VARIABLE, "course.toml")
    forget()
    assert [lesson.id for lesson in registry.lessons()] == ["01_filters"]
    assert os.environ[choices.VARIABLE] == str(tmp_path / "course.toml")


def test_an_exercise_that_the_lesson_has_no_more_counts_nothing():
    results = work("ann", PASSED)
    gone = replace(results[0], item="grad_cam.gone")
    assert only([*results, gone], LESSON).points == 33
    assert [row.split(b",")[:5] for row in table([*results, gone]).splitlines()[1:]] == [
        [b'"ann"', b'"11_grad_cam"', b'"33"', b'"33"', b'"passed"']
    ]


def test_a_check_that_the_exercise_has_no_more_counts_nothing():
    first, *others = work("ann", PASSED)
    first = replace(first, rows=(*first.rows, replace(first.rows[0], check="values: others")))
    assert only([first, *others], LESSON).points == 33


def test_results_of_a_lesson_that_is_not_there_any_more_are_still_kept_in_the_table_and_verified(graded):
    gone = [replace(each, lesson="77_gone", item=f"gone.{n}") for n, each in enumerate(work("ann", PASSED)[:2])]
    store = Store(graded(work("ann", PASSED), gone), SECRET)
    with store.at_work():
        write_tables(store)
    rows = (store.folder / "results.csv").read_text(encoding="utf-8").splitlines()
    assert [row.split(",")[1:5] for row in rows[1:]][1] == ['"77_gone"', '"12"', '"12"', '"passed"']
    assert not [told for told in problems(store) if "results.csv" in told]


def test_weights_count_whole_lessons(chosen):
    chosen("[weights]\n11_grad_cam = 40\n10 = 10\n")
    one = only([*work("ann", PASSED), *work("ann", FAILED, lesson=OTHER)], LESSON, OTHER)
    assert (one.points, one.possible) == (40, 50)


def test_the_weakest_lessons_do_not_count_and_the_maximum_stays(chosen):
    results = [*work("ann", PASSED), *work("ann", FAILED, lesson=OTHER)]
    total = registry.lesson(LESSON).points + registry.lesson(OTHER).points
    assert only(results, LESSON, OTHER).points == registry.lesson(LESSON).points
    chosen("drop_lowest = 1\n")
    one = only(results, LESSON, OTHER)
    assert (one.points, one.possible, one.dropped) == (total, total, [OTHER])
    chosen("drop_lowest = 9\n")
    assert only(work("ann", FAILED), LESSON).points == 0


def test_each_day_begun_costs_its_percent_and_no_more_than_the_most(chosen):
    chosen("[late]\nper_day = 10\nat_most = 25\n")
    points = [only(work("ann", PASSED), LESSON, late={"ann": {LESSON: days}}).points for days in (0, 1, 2, 3, 9)]
    assert points == [33, 29.7, 26.4, 24.75, 24.75]
    first = verdicts(only(work("ann", PASSED), LESSON, late={"ann": {LESSON: 2}}))[0]
    assert first == "11_grad_cam: 26.4 of 33 points, 2 days late"


def test_lateness_is_read_from_what_platforms_write(chosen, tmp_path):
    chosen("[deadlines]\n11_grad_cam = 2026-11-30T23:59:00+01:00\n")
    top = tmp_path / "handed"
    for place in (
        "Grad-CAM_bea_attempt_2026-11-30-23-59-00_grad_cam.py",  # Blackboard, by its own clock
        "Grad-CAM_cy_attempt_2026-12-01-23-59-01_grad_cam.py",
        "12-34 - Dan Doe - Dec 1, 2026 1201 AM/grad_cam.py",  # Brightspace
        "doe_LATE_12_34_grad_cam.py",  # Canvas
        "eve/11_grad_cam/grad_cam.py",
        "fay/11_grad_cam/Grad-CAM_x_attempt_2020-01-01-00-00-00_grad_cam.py",  # a student's own name
    ):
        (top / place).parent.mkdir(parents=True, exist_ok=True)
        (top / place).write_text("")
    (top / "eve/11_grad_cam/timestamp.txt").write_text("2026-11-30 22:59:01.000000 UTC\n")
    found = late(top)
    assert found.days == {"cy": {LESSON: 2}, "Dan Doe_12": {LESSON: 1}, "doe_12": {LESSON: 1}, "eve": {LESSON: 1}}
    assert found.timed == {(name, LESSON) for name in ("bea", "cy", "Dan Doe_12", "eve", "doe_12")}
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as packed:
        packed.write(top / "doe_LATE_12_34_grad_cam.py", "doe_LATE_12_34_grad_cam.py")
    assert late(tmp_path / "all.zip").days == {"doe_12": {LESSON: 1}}


@pytest.fixture
def handed(chosen, tmp_path):
    """Empty files at these places, and who came late of them."""
    chosen("[deadlines]\n11_grad_cam = 2026-11-30T23:59:00+01:00\n")

    def write(*places, **options):
        for place in places:
            (tmp_path / "in" / place).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "in" / place).write_text("")
        return late(tmp_path / "in", **options)

    return write


def test_times_of_nbgraders_inbound_folder_are_in_utc(handed):
    name = "+11_grad_cam+2026-11-30 {} UTC"
    found = handed(
        f"ann{name.format('22:59:00.999999')}+Qx1_-/grad_cam.py",
        f"bo{name.format('22:59:01.000000')}/grad_cam.py",
        f"dora{name.format('22:59:01.5')}+Qx1_-/grad_cam.py",
        f"cy{name.format('22:59:01')}+Qx1_-/grad_cam.py",
        "Grad-CAM_di_attempt_2026-11-30-23-00-00_mine+x+2026-11-30 23:00:00 UTC.py",  # a student's own name
    )
    assert found.days == {name: {LESSON: 1} for name in ("bo", "cy", "dora")}
    assert {student for student, _ in found.timed} == {"ann", "bo", "cy", "di", "dora"}


def test_the_folder_that_holds_everything_is_no_student(handed, tmp_path):
    handed("submitted/ann/11_grad_cam/grad_cam.py", "submitted/ann/11_grad_cam/timestamp.txt")
    place = tmp_path / "in/submitted/ann/11_grad_cam/timestamp.txt"
    place.write_text("2026-12-02 10:00:00.000000 UTC")
    assert handed().days == {"ann": {LESSON: 2}}
    with zipfile.ZipFile(tmp_path / "fall.zip", "w") as packed:
        packed.write(place, "fall/ann/11_grad_cam/timestamp.txt")
    assert late(tmp_path / "fall.zip").days == {"ann": {LESSON: 2}}


@pytest.mark.parametrize(
    "time", ["2026-02-30 10:00:00 UTC", "0001-01-01 00:00:00 UTC", "９９９９-01-01 00:00:00 UTC", "soon"]
)
def test_a_time_that_cannot_be_is_none_and_stops_nobody(handed, tmp_path, time):
    handed("ann/11_grad_cam/timestamp.txt", "Grad-CAM_bo_attempt_0001-01-01-00-00-00_grad_cam.py")
    (tmp_path / "in/ann/11_grad_cam/timestamp.txt").write_text(time, encoding="utf-8")
    found = handed("Grad-CAM_cy_attempt_2026-12-01-00-00-00_grad_cam.py")
    assert (found.days, found.timed) == ({"cy": {LESSON: 1}}, {("cy", LESSON)})


def test_what_cannot_be_graded_makes_nobody_late(handed):
    found = handed(
        "Grad-CAM_ann_attempt_2026-11-30-10-00-00_grad_cam.py",
        "Grad-CAM_ann_attempt_2026-12-03-10-00-00_grad_cam.docx",
    )
    assert (found.days, found.timed) == ({}, {("ann", LESSON)})


def test_work_that_names_no_lesson_is_for_the_only_one_that_counts(handed):
    places = "12-34 - Dan Doe - Dec 1, 2026 1201 AM/work.zip", "doe_LATE_12_34_work.zip", "roe_13_35_work.zip"
    assert handed(*places).days == {"doe_12": {"late": 1}}
    found = handed(only=LESSON)
    assert found.days == {"doe_12": {LESSON: 1}, "Dan Doe_12": {LESSON: 1}}
    assert ("roe_13", LESSON) in found.timed
    assert handed("doe_12_36_grad_cam.py", only=LESSON).days["doe_12"] == {"late": 1}


def test_the_command_says_whose_time_is_not_known(chosen, graded, tmp_path):
    results = graded(work("ann", PASSED), work("bo", PASSED))
    chosen("[deadlines]\n11_grad_cam = 2026-11-30T23:59:00Z\n[late]\nper_day = 50\n")
    (tmp_path / "in" / "ann" / LESSON).mkdir(parents=True)
    (tmp_path / "in" / "ann" / LESSON / "timestamp.txt").write_text("2026-12-01 10:00:00 UTC")
    done = run("csv", results, "--out", tmp_path / "x.csv", "--submitted", tmp_path / "in")
    assert 'Of 1 student the time of a hand-in is not known, so that it counts as in time: "bo".' in done.stdout
    assert '"ann","16.5","33","passed","11_grad_cam 1 day"' in (tmp_path / "x.csv").read_text(encoding="utf-8")
    assert "without --submitted nobody counts as late" in run("csv", results, "--out", tmp_path / "y.csv").stdout


def test_student_code_is_kept_from_the_packages_that_lessons_are_looked_for_in():
    assert layout.LESSONS == locations.GROUP


def test_nothing_of_what_was_chosen_is_kept(chosen, monkeypatch):
    chosen("lessons = ['11']\n")
    place = ("ann", "10_cam", "cam.py")
    assert naming.named(place).lesson is None
    monkeypatch.delenv(choices.VARIABLE)
    forget()
    assert naming.named(place).lesson is registry.lesson("10")
