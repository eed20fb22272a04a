"""Checks change: who changes with them is shown, nothing is lost, nothing else is touched."""

import shutil
from dataclasses import replace

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.batch import changes, grade_class, naming, work
from autograder.batch.changes import regrade
from autograder.batch.results import Store
from autograder.batch.verifying import problems
from autograder.core.verdict import NOT_JUDGED
from autograder.course import registry

from .classroom import LESSON, SECRET, contents

ITEM = "grad_cam.neuron_importance"


@pytest.fixture
def another_version(monkeypatch):
    """The promises of one exercise are worth three points more, and one question is gone."""
    old = registry.lesson(LESSON)
    worth_more = tuple(replace(e, promise_points=e.promise_points + 3) if e.id == ITEM else e for e in old.exercises)
    new = replace(old, exercises=worth_more, questions=old.questions[:-1])
    monkeypatch.setattr(registry, "lessons", lambda: (new,))
    for names in (naming._ids, naming._names):
        monkeypatch.setattr(naming, names.__name__, names.__wrapped__)
    version = lambda lesson: "another version"  # noqa: E731
    for module in (work, grade_class, changes):
        monkeypatch.setattr(module, "checks_version", version)


def graded_again(*arguments, **options):
    pytest.fail("graded again")


def run(*arguments):
    environment = {"CNNVIZ_SECRET": SECRET, "COLUMNS": "200"}
    return CliRunner().invoke(cli.app, [str(a) for a in arguments], env=environment, catch_exceptions=False)


def test_with_the_same_checks_nobody_is_graded_anew(store, monkeypatch):
    monkeypatch.setattr(work, "grade_item", graded_again)
    before = contents(store.folder)
    found = regrade(store, secret=SECRET)
    assert (found.changes, found.submissions, found.reasons) == ((), 0, ())
    assert contents(store.folder) == before


def test_a_dry_run_shows_who_would_change_and_writes_nothing_of_the_results(store, another_version, monkeypatch):
    before = contents(store.folder)
    first = run("regrade", store.folder, "--dry-run", "--jobs", 1)
    assert first.exit_code == 0
    rows = [line for line in first.stdout.splitlines() if ITEM in line]
    assert [[word in row for word in ("5/5 passed", "8/8 passed")] for row in rows if "ann" in row] == [[True, True]]
    assert any("Ann" in row and "0/5 failed" in row and "0/8 failed" in row and "divide by Z" in row for row in rows)
    assert f"checks of {LESSON}: " in first.stdout
    assert "-> another" in first.stdout
    assert "6 submissions were graded anew; 6 would change; nothing was written." in first.stdout
    after = contents(store.folder)
    assert {name: data for name, data in after.items() if not name.startswith(changes.STAGE)} == before
    monkeypatch.setattr(work, "grade_item", graded_again)
    assert run("regrade", store.folder, "--dry-run", "--jobs", 1).stdout == first.stdout


def test_new_results_are_written_and_the_old_ones_stay_signed_in_the_history(store, another_version):
    before = {(r.student, r.item): r for r in store.results()}
    found = regrade(store, secret=SECRET)
    assert problems(store) == []
    assert store.get("ann", LESSON, ITEM).points == (8, 8)
    assert {(r.student, r.item): r for r in map(store.read, store.files("history"))} == before
    gone = registry.lesson(LESSON).items[-1]
    assert store.get("ann", LESSON, gone.id) is not None
    assert {c.owner.item for c in found.changes if c.after is None} == {"grad_cam.absent_class"}
    assert store.get("ann", LESSON, "grad_cam.absent_class") is None
    assert not (store.folder / changes.STAGE).exists()
    assert regrade(store, secret=SECRET).submissions == 0


def test_killed_while_it_writes_it_goes_on_and_loses_nothing(results, another_version, monkeypatch, tmp_path):
    whole = shutil.copytree(results, tmp_path / "whole")
    regrade(Store(whole, SECRET), secret=SECRET)

    class Killed(BaseException):
        pass

    puts = []

    def put(self, result):
        puts.append(self.folder)
        if puts.count(results) == 20:  # all are staged, some are written
            raise Killed
        real(self, result)

    real = Store.put
    monkeypatch.setattr(Store, "put", put)
    with pytest.raises(Killed):
        regrade(Store(results, SECRET), secret=SECRET)
    monkeypatch.setattr(Store, "put", real)
    monkeypatch.setattr(work, "grade_item", graded_again)
    regrade(Store(results, SECRET), secret=SECRET)
    assert contents(results) == contents(whole)


def test_the_grades_of_code_that_is_not_there_any_more_stay(store, another_version):
    before = store.get("ann", LESSON, ITEM)
    (store.folder / "submissions" / f"{before.submission}.json").unlink()
    found = regrade(store, secret=SECRET, accept=True)
    assert [told.split(" keeps its results: ")[0] for told in found.skipped] == [f"ann, {LESSON},"]
    assert store.get("ann", LESSON, ITEM) == before


def test_a_failure_of_the_grader_never_replaces_a_verdict(store, another_version, monkeypatch):
    before = store.get("ann", LESSON, ITEM)

    def broken(*arguments, **options):
        return work.everywhere(arguments[1], NOT_JUDGED, work.fault(OSError("no room")))

    monkeypatch.setattr(work, "grade_item", broken)
    found = regrade(store, secret=SECRET)
    kept = f"ann, {ITEM}, keeps its result: the grader itself failed (OSError: no room)"
    assert [sentence for sentence in found.skipped if sentence.startswith(kept)]
    assert {c.owner.student for c in found.changes if c.after} == {"bob"}
    assert store.get("ann", LESSON, ITEM) == before


def test_grade_keeps_results_of_other_checks_and_says_how_to_regrade(submitted, store, another_version, monkeypatch):
    monkeypatch.setattr(work, "grade_item", graded_again)
    result = run("grade", submitted, "--out", store.folder, "--jobs", 1)
    told = "42 results were made with other checks or libraries; `cnnviz regrade"
    assert told in result.stdout
    assert "--dry-run` shows who would change." in result.stdout
