"""RESULTS in somebody else's hands: what was taken away or put there is named, and never signed over in silence."""

import contextlib
import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.batch import chain, grade_class
from autograder.batch.changes import regrade
from autograder.batch.grade_class import grade_all
from autograder.batch.results import Store
from autograder.batch.stages import Handed, Result, digest_of
from autograder.batch.summaries import write_tables
from autograder.batch.verifying import problems
from autograder.core.verdict import FAILED, PASSED, Row
from autograder.reading.submission import Source, Submission

SECRET, LESSON, ITEM = "the secret of these tests", "11_grad_cam", "grad_cam.capture"
WORK = Submission((Source("grad_cam.py", "x = 1\n"),))


def result(student="ann", verdict=PASSED, item=ITEM):
    row = Row(item, "promises", verdict, 3)
    return Result(
        student, LESSON, item, digest_of(WORK), "checks", "seeds", "landlock", (row,), libraries={"torch": "2"}
    )


def a_run(store, *results):
    with store.at_work():
        for each in results:
            store.keep(Handed(each.student, LESSON, WORK, digest_of(WORK)))
            store.put(each)
        write_tables(store)


@pytest.fixture
def store(tmp_path):
    """RESULTS after three runs: ann failed first, eve's first file was no result."""
    store = Store(tmp_path / "results", SECRET)
    a_run(store, result(verdict=FAILED), result("bob"), result("eve"))
    shutil.copytree(store.folder, tmp_path / "after one")
    store.place("eve", LESSON, ITEM).write_text("no result")
    a_run_accepting(store, result("eve"))
    a_run(store, result())
    assert problems(store) == []
    return store


def a_run_accepting(store, *results):
    accepted = chain.differing(store)
    for each in results:
        store.put(each)
    write_tables(store, accepted)


def ann(store, item=ITEM):
    return store.place("ann", LESSON, item)


def older_put_back(store):
    """ann's first result in the place of her second, which now lies in the history as one that was replaced."""
    (first,) = store.files("history")
    second = ann(store).read_bytes()
    ann(store).write_bytes(first.read_bytes())
    first.with_name("0002.json").write_bytes(second)


def history_deleted(store):
    shutil.rmtree(store.folder / "history")


def student_removed(store):
    shutil.rmtree(ann(store).parents[1])


def every_trace_of_a_student_removed(store):
    student_removed(store)
    history_deleted(store)


def code_removed(store):
    store.files("submissions")[0].unlink()


def evidence_removed(store):
    shutil.rmtree(store.folder / "rejected")


def altered(store):
    ann(store).write_text(ann(store).read_text().replace(PASSED, FAILED))


def of_another_course_year(store):
    other = Store(store.folder.parent / "another", SECRET)
    a_run(other, result("mallory"))
    shutil.copytree(other.folder / "results/mallory", store.folder / "results/mallory")


def manifest_removed(store):
    (store.folder / "manifest.json").unlink()


def all_manifests_removed(store):
    manifest_removed(store)
    shutil.rmtree(store.folder / "manifests")


def older_manifest_put_back(store):
    shutil.copy(store.folder / "manifests/0001.json", store.folder / "manifest.json")


def one_manifest_removed(store):
    (store.folder / "manifests/0002.json").unlink()


def one_manifest_exchanged(store):
    shutil.copy(store.folder / "manifests/0001.json", store.folder / "manifests/0002.json")


def manifest_altered(store):
    path = store.folder / "manifest.json"
    path.write_text(path.read_text().replace('"number": 3', '"number": 4'))


def moved(store):
    ann(store, "grad_cam.grad_cam").write_bytes(ann(store).read_bytes())


def put_back_with_an_old_journal(store):
    """The journal of an earlier run, which somebody kept, shall excuse the older result."""
    kept = Store(store.folder.parent / "after one", SECRET)
    kept._note(ann(kept), ann(kept).read_bytes())
    shutil.copy(kept.folder / chain.JOURNAL, store.folder / chain.JOURNAL)
    (first,) = store.files("history")
    ann(store).write_bytes(first.read_bytes())


def put_back_with_a_journal_of_ones_own(store):
    older_put_back(store)
    place = ann(store).relative_to(store.folder).as_posix()
    line = {"journal": [store.hash_of_manifest(), place, chain.files(store)[place]], "signature": "0" * 64}
    (store.folder / chain.JOURNAL).write_text(json.dumps(line) + "\n")


MANIPULATIONS = [
    older_put_back, history_deleted, student_removed, every_trace_of_a_student_removed, code_removed, evidence_removed,
    altered, of_another_course_year, manifest_removed, all_manifests_removed, older_manifest_put_back, moved,
    one_manifest_removed, one_manifest_exchanged, manifest_altered, put_back_with_an_old_journal,
    put_back_with_a_journal_of_ones_own,
]  # fmt: skip


def run(*arguments):
    return CliRunner().invoke(cli.app, [*map(str, arguments)], env={"CNNVIZ_SECRET": SECRET, "COLUMNS": "500"})


def export(store):
    done = run("export", "csv", store.folder, "--out", store.folder.parent / "grades.csv")
    if done.exit_code:
        raise ValueError(done.output)


COMMANDS = {
    "grade": lambda store: grade_all([], store, secret=SECRET),
    "regrade": lambda store: regrade(store, secret=SECRET),
    "export": export,
}


def contents(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("manipulation", MANIPULATIONS)
def test_no_command_goes_on_with_results_that_somebody_changed(store, manipulation, command):
    manipulation(store)
    before = {name: data for name, data in contents(store.folder).items() if name != ".lock"}
    with pytest.raises(ValueError, match=r"is not as it was signed: .*add|with --accept-differences"):
        COMMANDS[command](store)
    assert {name: data for name, data in contents(store.folder).items() if name != ".lock"} == before


@pytest.mark.parametrize("manipulation", MANIPULATIONS)
def test_verify_names_what_differs(store, manipulation):
    manipulation(store)
    assert problems(store)


@pytest.mark.parametrize("manipulation", MANIPULATIONS)
def test_whoever_goes_on_all_the_same_says_so_for_ever(store, manipulation):
    manipulation(store)
    told = chain.differing(store)
    grade_all([], store, secret=SECRET, accept=True)
    a_run(store, result("late"))
    assert [sentence for sentence in chain.accepted(store) if any(one in sentence for one in told)]


@pytest.mark.parametrize(
    "manipulation", [older_put_back, history_deleted, student_removed, every_trace_of_a_student_removed]
)
def test_without_a_look_before_signing_all_is_clean_afterwards(store, monkeypatch, manipulation):
    """What the chain is for: signing whatever lies there, as was done once, hides each of these."""
    manipulation(store)
    for module in (chain, grade_class):
        monkeypatch.setattr(module, "refuse_differing", lambda *_: None)
    grade_all([], store, secret=SECRET)
    monkeypatch.undo()
    assert problems(store) == []


def test_what_changes_while_grading_is_under_way_is_not_signed_either(store):
    with store.at_work():
        store.put(result("zoe"))
        older_put_back(store)
        with pytest.raises(ValueError, match="an older or newer file lies there"):
            write_tables(store)


def test_every_manifest_is_kept_and_names_the_one_before(store):
    kept = [json.loads(path.read_bytes())["manifest"] for path in store.files("manifests")]
    now = json.loads((store.folder / "manifest.json").read_bytes())["manifest"]
    assert [one["number"] for one in (*kept, now)] == [1, 2, 3]
    assert [one["previous"][:4] for one in (*kept, now)] == [
        "",
        *(chain.hash_of(p.read_bytes())[:4] for p in store.files("manifests")),
    ]
    assert kept[1]["accepted"] == [
        f"results/eve/{LESSON}/{ITEM}.json is not the one that the manifest lists: an older or newer file lies there."
    ]


def test_a_run_that_changes_nothing_signs_nothing(store):
    before = contents(store.folder)
    grade_all([], store, secret=SECRET)
    assert contents(store.folder) == before


def test_the_same_older_folder_put_back_whole_shows_in_the_manifests_name_alone(store):
    noted = chain.named(store)
    shutil.rmtree(store.folder)
    shutil.copytree(store.folder.parent / "after one", store.folder)
    assert problems(store) == []
    assert (noted.split(",")[0], chain.named(store).split(",")[0]) == ("manifest 3", "manifest 1")


class Killed(BaseException):
    """As a SIGKILL: nothing is tidied up."""


@pytest.mark.parametrize("moment", range(12))
def test_a_run_that_was_killed_at_any_moment_is_no_manipulation(store, monkeypatch, moment):
    left = [moment]

    def dying(function):
        def step(*arguments, **options):
            if not left[0]:
                raise Killed
            left[0] -= 1
            return function(*arguments, **options)

        return step

    for name in ("write", "_make_room"):
        monkeypatch.setattr(Store, name, dying(getattr(Store, name)))
    monkeypatch.setattr(Path, "unlink", dying(Path.unlink))
    with contextlib.suppress(Killed):
        for verdict in (FAILED, PASSED, FAILED):
            store.keep(Handed("ann", LESSON, Submission((Source("grad_cam.py", f"x = '{verdict}'\n"),)), "d"))
            store.put(result(verdict=verdict))
            store.put(result("new", verdict=verdict))
            if store.get("bob", LESSON, ITEM) is not None:
                store.retire(store.place("bob", LESSON, ITEM))
        write_tables(store)
    monkeypatch.undo()
    assert chain.differing(store) == []
    a_run(store, result(), result("new"))
    assert problems(store) == []
    assert list(chain.accepted(store)) == [f"Accepted in manifest 2: {told}" for told in ACCEPTED]


ACCEPTED = [
    f"results/eve/{LESSON}/{ITEM}.json is not the one that the manifest lists: an older or newer file lies there."
]


def test_results_of_an_older_version_without_numbers_go_on(store):
    for part in ("manifests", "history", "rejected"):
        shutil.rmtree(store.folder / part)
    value = {"files": chain.files(store), "seeds": store.seeds}
    (store.folder / "manifest.json").write_bytes(chain.sealed("manifest", value, store.key))
    assert chain.differing(store) == []
    a_run(store, replace(result("new")))
    assert problems(store) == []
    assert [path.name for path in store.files("manifests")] == ["0000.json"]
