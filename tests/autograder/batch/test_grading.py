"""A class graded: everybody gets a verdict, and the same bytes, however it is graded and whatever is killed."""

import contextlib
import csv
import os
import pickle
import random
import signal
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from autograder.batch import work
from autograder.batch.collect import collect
from autograder.batch.grade_class import grade_all
from autograder.batch.names import file_name
from autograder.batch.pool import Watch
from autograder.batch.results import Store
from autograder.batch.stages import Handed, digest_of
from autograder.batch.verifying import problems
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED
from autograder.reading.submission import Source, Submission
from autograder.report.sentences import sentence

from .classroom import LESSON, SECRET, contents, rows_of, start

ITEMS = 10


def graded_again(*arguments, **options):
    pytest.fail("graded again")


def cells(folder: Path) -> dict[str, dict[str, str]]:
    with open(folder / "results.csv", encoding="utf-8", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_every_student_has_a_verdict_and_the_unreadable_one_a_visible_one(graded):
    table = cells(graded)
    assert {name: row["status"] for name, row in table.items()} == {
        "ann": PASSED, "Ann": FAILED, "'=1+1": FAILED, "김민수": NOT_ATTEMPTED, "dora": FAILED, "bob": NOT_JUDGED,
    }  # fmt: skip
    assert (table["ann"]["points"], table["bob"]["points"]) == ("33", "")
    assert {table["bob"][f"grad_cam.{name} verdict"] for name in ("capture", "sum_or_mean")} == {NOT_JUDGED}
    assert (
        "bob/11_grad_cam/grad_cam.ipynb" in rows_of(graded, "bob", "grad_cam.capture")[0]["diagnosis"]["message"]["why"]
    )
    assert problems(Store(graded, SECRET)) == []


def test_two_names_that_differ_in_case_stay_apart(graded):
    table = cells(graded)
    assert table["ann"]["grad_cam.neuron_importance points"] == "5"
    assert table["Ann"]["grad_cam.neuron_importance points"] == "0"


def test_no_result_says_when_where_or_in_which_process_it_was_made(graded):
    first, hidden = (
        str(row["diagnosis"]["message"]) for row in rows_of(graded, file_name("=1+1"), "grad_cam.neuron_importance")[:2]
    )
    assert "<object object at 0x...> in . of process ..., " in first
    assert str(os.getpid()) not in first + hidden
    assert not any(b'"seconds"' in data or b"cnnviz-run" in data for data in contents(graded).values())


def test_hidden_cases_are_each_students_own(submitted, monkeypatch):
    (ann,) = (each for each in collect(submitted) if each.student == "ann")
    seen = []

    def remembered(submission, item, setting, runner, *, earlier=()):
        seen.append((setting.secret, setting.student))
        raise KeyboardInterrupt

    monkeypatch.setattr(work, "grade_item", remembered)
    with pytest.raises(KeyboardInterrupt):
        work.perform(work.Task(ann, SECRET, "seeds"))
    assert seen == [(SECRET, "ann")]


def test_what_is_known_is_not_graded_again(submitted, store, monkeypatch):
    before = contents(store.folder)
    monkeypatch.setattr(work, "grade_item", graded_again)
    told = []
    summary = grade_all(collect(submitted), store, secret=SECRET, told=told.append)
    assert (summary.graded, summary.kept, len(told)) == (0, 6 * ITEMS, 6 * ITEMS)
    assert contents(store.folder) == before


def test_a_changed_submission_is_graded_anew_and_alone(submitted, store):
    handed = collect(submitted)
    (ann,) = (each for each in handed if each.student == "ann")
    (other,) = (each for each in handed if each.student == "Ann")
    changed = replace(ann, submission=other.submission, digest=other.digest)
    summary = grade_all([changed, other], store, secret=SECRET)
    assert (summary.graded, summary.kept) == (ITEMS, ITEMS)
    assert store.get("ann", LESSON, "grad_cam.neuron_importance").verdict == FAILED
    assert len(store.files("history")) == ITEMS
    assert problems(store) == []


def test_in_the_middle_of_a_lesson_the_parts_that_failed_before_still_count(submitted, store, graded):
    whole = store.place("Ann", LESSON, "grad_cam.grad_cam")
    whole.unlink()
    summary = grade_all(collect(submitted), store, secret=SECRET, accept=True)
    assert summary.graded == 1
    assert contents(store.folder / "results") == contents(graded / "results")
    assert b'"name": "lent"' in whole.read_bytes()


def test_a_touched_result_is_graded_anew(submitted, store, graded):
    path = store.place("dora", LESSON, "grad_cam.capture")
    path.write_text(path.read_text().replace("not attempted", "passed"))
    assert grade_all(collect(submitted), store, secret=SECRET, accept=True).graded == 1
    assert path.read_bytes() == contents(graded)[path.relative_to(store.folder).as_posix()]
    assert len(store.files("rejected")) == 1


def test_work_handed_in_twice_is_not_guessed_at(submitted, tmp_path):
    (ann,) = (each for each in collect(submitted) if each.student == "ann")
    store = Store(tmp_path / "twice", SECRET)
    summary = grade_all([ann, replace(ann, digest="other", place="later.zip")], store, secret=SECRET)
    assert summary.verdicts == {NOT_JUDGED: ITEMS}
    told = sentence(store.get("ann", LESSON, "grad_cam.capture").rows[0].diagnosis.message)
    assert told == f"handed in twice, as {ann.place} and as later.zip; leave one of them there."
    assert grade_all([replace(ann, digest="other")], store, secret=SECRET).verdicts == {PASSED: ITEMS}


def test_nobody_loses_a_point_when_the_warm_process_is_killed_between_two_exercises(submitted, tmp_path, graded):
    handed = [each for each in collect(submitted) if each.student == "ann"]
    store = Store(tmp_path / "results", SECRET)

    def kill(result):
        if result.item == "grad_cam.capture":
            process = work._runner(None)._server._process
            os.kill(process.pid, signal.SIGKILL)
            process.wait()

    grade_all(handed, store, secret=SECRET, told=kill)
    ours, theirs = contents(store.folder / "results"), contents(graded / "results")
    assert ours == {name: theirs[name] for name in ours}


def test_code_with_a_syntax_tree_too_deep_to_be_sent_travels_without_it():
    deep = Submission((Source("grad_cam.py", "x = " + "+".join(["1"] * 900) + "\n"),))
    assert not deep.attempted("neuron_importance")
    task = work.Task(Handed("ann", LESSON, deep, digest_of(deep)), SECRET, "seeds")
    assert pickle.loads(pickle.dumps(task)) == task


def test_an_accident_of_the_graders_own_costs_one_exercise_and_is_tried_again(submitted, tmp_path, monkeypatch):
    ann = [each for each in collect(submitted) if each.student == "ann"]
    store = Store(tmp_path / "results", SECRET)
    real = work.grade_item

    def unlucky(submission, item, *arguments, **options):
        if item.id == "grad_cam.sum_or_mean":
            raise RecursionError("too deep")
        return real(submission, item, *arguments, **options)

    monkeypatch.setattr(work, "grade_item", unlucky)
    summary = grade_all(ann, store, secret=SECRET)
    assert summary.verdicts == {PASSED: ITEMS - 1, NOT_JUDGED: 1}
    told = sentence(summary.unjudged[0].rows[0].diagnosis.message)
    assert told.startswith("the grader itself failed (RecursionError: too deep); please report this")
    monkeypatch.setattr(work, "grade_item", real)
    assert grade_all(ann, store, secret=SECRET).graded == 1
    assert store.get("ann", LESSON, "grad_cam.sum_or_mean").verdict == PASSED


def test_each_exercise_of_a_worker_is_told_once_and_before_the_submission_ends(submitted, tmp_path):
    ann = [each for each in collect(submitted) if each.student == "ann"]
    store, told = Store(tmp_path / "results", SECRET), []
    with Watch(lambda result: told.append(result.item)) as watch:
        task = work.Task(ann[0], SECRET, store.seeds, folder=store.folder)
        watch.begin(0, task)
        results = work.perform(task)
        deadline = time.monotonic() + 10
        while len(told) < ITEMS and time.monotonic() < deadline:
            time.sleep(0.05)
        assert sorted(told) == sorted(result.item for result in results)
        watch.end(0, results)
    assert len(told) == ITEMS


def test_no_submission_at_all_is_no_error(tmp_path):
    assert grade_all([], Store(tmp_path / "none", SECRET), secret=SECRET).submissions == 0


class Deadly(Submission):
    """Kills whoever unpickles it."""

    def __reduce__(self):
        return os._exit, (9,)


def test_a_submission_that_kills_its_worker_is_told_and_stops_nobody(submitted, tmp_path, graded):
    handed = [each for each in collect(submitted) if each.student in ("ann", "dora")]
    deadly = Handed("killer", LESSON, Deadly(handed[0].submission.sources), "no digest")
    store = Store(tmp_path / "results", SECRET)
    summary = grade_all([handed[0], deadly, handed[1]], store, secret=SECRET, jobs=2)
    assert summary.verdicts[NOT_JUDGED] == len(summary.unjudged) == ITEMS
    row = store.get("killer", LESSON, "grad_cam.capture").rows[0]
    assert row.diagnosis == work.DIED
    theirs = contents(graded / "results")
    for student in ("ann", "dora"):
        ours = contents(store.folder / "results" / student)
        assert ours == {name: theirs[f"{student}/{name}"] for name in ours}


@dataclass
class Interrupted:
    """The command, killed again and again; what was known at each kill."""

    submitted: Path
    results: Path

    def stamps(self) -> dict[str, int]:
        found = self.results.glob("results/*/*/*.json")
        return {str(path): path.stat().st_mtime_ns for path in found}

    def kill_when(self, known: int, victims, *, jobs: int) -> None:
        """Kills what `victims` gives for the command, once so many results are there; waits for its end."""
        process = start("grade", self.submitted, "--out", self.results, "--jobs", jobs)
        deadline = time.monotonic() + 120
        pids: list[int] = []
        while not pids and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
            pids = victims(process.pid) if len(self.stamps()) >= known else []
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        self.said = process.communicate(timeout=120)[0].splitlines()
        self.status = process.returncode


def a_worker_of(boss: int) -> list[int]:
    """One of the command's worker processes, where it has any by now."""
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
            if parent == boss and b"popen_loky" in (stat.parent / "cmdline").read_bytes():
                return [int(stat.parent.name)]
    return []


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")
def test_killed_five_times_and_a_worker_too_it_ends_with_the_same_bytes_and_grades_nothing_twice(
    submitted, tmp_path, graded
):
    run = Interrupted(submitted, tmp_path / "results")
    moments = sorted(random.Random().sample(range(3 * ITEMS), 5))
    before: dict[str, int] = {}
    for jobs, known in zip((1, 2, 1, 2, 1), moments, strict=True):
        run.kill_when(known, lambda boss: [boss], jobs=jobs)
        assert before.items() <= run.stamps().items(), moments
        before = run.stamps()
    run.kill_when(len(before) + 1, a_worker_of, jobs=2)
    assert (run.status, run.said[0]) == (1, "6 submissions: 20 passed, 4 failed, 26 not attempted, 10 not judged.")
    assert before.items() <= run.stamps().items(), moments
    assert contents(run.results) == contents(graded)
