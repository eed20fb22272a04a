"""Signed results: what is kept comes back, what was touched is told and never believed."""

import json
import os
import shutil
from dataclasses import replace

import pytest

from autograder.batch.names import LONGEST, file_name
from autograder.batch.results import Store
from autograder.batch.signed import Untrusted
from autograder.batch.stages import Handed, Result, digest_of
from autograder.batch.summaries import write_tables
from autograder.batch.verifying import problems
from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_JUDGED, PASSED, Row
from autograder.reading.submission import Source, Submission

from .classroom import LESSON, SECRET

ITEM = "grad_cam.capture"
ROW = Row(ITEM, "promises", PASSED, 3)
WORK = Submission((Source("grad_cam.py", "x = '\ud800'\n", None),))


def result(student="ann", item=ITEM, rows=(ROW,)):
    return Result(student, LESSON, item, digest_of(WORK), "checks", "seeds", "landlock", rows, libraries={"torch": "2"})


@pytest.fixture
def empty(tmp_path):
    return Store(tmp_path / "new", SECRET)


@pytest.fixture
def one(empty):
    """A whole RESULTS with two results."""
    with empty.at_work():
        empty.keep(Handed("ann", LESSON, WORK, digest_of(WORK)))
        empty.put(result())
        empty.put(result(item="grad_cam.grad_cam"))
        write_tables(empty)
    assert problems(empty) == []
    return empty


def test_a_result_comes_back_as_it_was(empty):
    told = replace(
        ROW,
        verdict=FAILED,
        diagnosis=Diagnosis("raised", "raised", message("sentence", text="half a pair \ud83d, \x1b[2J")),
    )
    empty.put(result(rows=(ROW, told)))
    assert empty.get("ann", LESSON, ITEM) == result(rows=(ROW, told))
    assert list(empty.results()) == [result(rows=(ROW, told))]
    assert empty.get("ann", LESSON, "grad_cam.grad_cam") is None


NAMES = [
    "ann", "Ann", "ANN", "", ".", "..", "../../ann", "/etc/passwd", "a" * 300, "a" * 301, "con", "NUL.txt", "com1",
    "김민수", "민수", "\u202egpj.exe", "nul\0byte", "a/b", "a\\b", "a:b", "ann ", "ann.", "~", "ann~1", "\udcff", "-rf",
    "İ", "ı", "ﬁ", "fi", "e\u0301", "<script>", "x\ny",
]  # fmt: skip


def test_hostile_names_get_harmless_file_names_of_their_own():
    names = [file_name(name) for name in NAMES]
    assert len({name.casefold() for name in names}) == len(NAMES)
    assert all(len(name) <= LONGEST + 21 and name.isascii() and name == name.lower() for name in names)
    assert not any(set(name) & set('/\\:*?"<>|\0 \n') or name.strip(".") == "" or name[0] == "-" for name in names)
    assert file_name("student-07") == "student-07"


def test_results_of_hostile_names_stay_apart_and_inside_the_folder(empty):
    for name in NAMES:
        empty.put(result(student=name))
    assert sorted(r.student for r in empty.results()) == sorted(NAMES)
    assert all(empty.get(name, LESSON, ITEM).student == name for name in NAMES)
    assert [path.name for path in empty.folder.parent.iterdir()] == ["new"]


def test_code_is_kept_once_and_comes_back_as_it_was(empty):
    for student in ("ann", "bob"):
        empty.keep(Handed(student, LESSON, WORK, digest_of(WORK)))
    assert len(empty.files("submissions")) == 1
    assert empty.sources(digest_of(WORK)) == WORK


def test_code_that_was_altered_is_not_given_out(one):
    one.files("submissions")[0].write_text('[["grad_cam.py", "y = 1", null]]')
    with pytest.raises(ValueError, match=r"submissions/\w+\.json is not the code that was judged: its hash is \w+\."):
        one.sources(digest_of(WORK))
    assert "is not the code that was judged" in problems(one)[0]


def raised_points(path):
    path.write_text(path.read_text().replace('"max_points": 3', '"max_points": 9'))


def unsigned(path):
    content = json.loads(path.read_text())
    del content["signature"]
    path.write_text(json.dumps(content))


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-30])


def emptied(path):
    path.write_bytes(b"")


def added_beside(path):
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "note": "seen by the dean"}))


def not_text(path):
    path.write_bytes(b"\xff\xfe" + b"[" * 100_000)


def linked(path):
    shutil.copy(path, path.parent.parent / "elsewhere")
    path.unlink()
    path.symlink_to(path.parent.parent / "elsewhere")


TOUCHED = {
    raised_points: "is not as it was signed: it was altered, or signed with another secret",
    unsigned: "cannot be read as a signed file: it is cut off, or something else",
    cut_off: "cannot be read as a signed file",
    emptied: "cannot be read as a signed file",
    added_beside: "holds more than what was signed",
    not_text: "cannot be read as a signed file",
    linked: "is not a plain file",
}


@pytest.mark.parametrize("touch", TOUCHED, ids=lambda touch: touch.__name__)
def test_a_touched_result_is_told_not_believed_and_kept_as_evidence(one, touch):
    path = one.place("ann", LESSON, ITEM)
    touch(path)
    with pytest.raises(Untrusted, match=TOUCHED[touch]):
        one.read(path)
    assert one.get("ann", LESSON, ITEM) is None
    assert any(f"results/ann/{LESSON}/{ITEM}.json {TOUCHED[touch]}" in told for told in problems(one))
    touched = os.readlink(path) if path.is_symlink() else path.read_bytes()
    one.put(result())
    assert one.get("ann", LESSON, ITEM) == result()
    (evidence,) = (one.folder / "rejected").iterdir()
    assert touched == (os.readlink(evidence) if evidence.is_symlink() else evidence.read_bytes())


def test_swapped_results_are_found(one):
    mine, other = one.place("ann", LESSON, ITEM), one.place("ann", LESSON, "grad_cam.grad_cam")
    mine_bytes, other_bytes = mine.read_bytes(), other.read_bytes()
    mine.write_bytes(other_bytes)
    other.write_bytes(mine_bytes)
    assert one.get("ann", LESSON, ITEM) is None
    assert [told for told in problems(one) if told.endswith("it was moved or copied.")] == [
        f"results/ann/{LESSON}/{ITEM}.json is signed, but belongs to ann, grad_cam.grad_cam: it was moved or copied.",
        f"results/ann/{LESSON}/grad_cam.grad_cam.json is signed, but belongs to ann, {ITEM}: it was moved or copied.",
    ]


def test_a_signed_manifest_is_no_result(one):
    shutil.copy(one.folder / "manifest.json", one.place("ann", LESSON, ITEM))
    assert one.get("ann", LESSON, ITEM) is None


def test_a_removed_result_is_found(one):
    one.place("ann", LESSON, ITEM).unlink()
    assert f"results/ann/{LESSON}/{ITEM}.json is missing: the manifest lists it." in problems(one)


def test_an_added_result_is_found(one):
    one.put(result(student="eve"))
    (told, table) = problems(one)
    assert told.startswith(f"results/eve/{LESSON}/{ITEM}.json is not in the manifest: grading was interrupted, or")
    assert table.startswith("results.csv does not say what the signed results say")


def test_an_older_signed_result_in_a_newer_ones_place_is_found(one):
    path = one.place("ann", LESSON, ITEM)
    older = path.read_bytes()
    one.put(result(rows=(replace(ROW, verdict=FAILED),)))
    write_tables(one)
    assert problems(one) == []
    path.write_bytes(older)
    assert problems(one)[0].startswith(f"results/ann/{LESSON}/{ITEM}.json is not the one that the manifest lists")


def test_an_altered_table_is_found(one):
    path = one.folder / "results.csv"
    path.write_text(path.read_text().replace('"3"', '"9"'))
    assert problems(one) == [
        "results.csv does not say what the signed results say: it was altered; "
        "run the same `cnnviz grade` again to have it made anew."
    ]


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("manifest.json", "manifest.json is missing: grading was interrupted, or it was removed; run the same"),
        ("results.csv", "results.csv is missing; run the same"),
    ],
)
def test_a_removed_table_is_found(one, name, told):
    (one.folder / name).unlink()
    assert [sentence.startswith(told) for sentence in problems(one)] == [True]


def test_removed_code_is_found(one):
    one.files("submissions")[0].unlink()
    assert any(told.endswith(f"is missing: the code of ann in {LESSON}.") for told in problems(one))


def test_what_a_new_result_replaces_goes_to_the_history_and_is_signed_there(one):
    second, third = (result(rows=(replace(ROW, max_points=n),)) for n in (4, 5))
    for each in (second, second, third):
        one.put(each)
    before = one.files("history")
    assert [path.name for path in before] == ["0001.json", "0002.json"]
    assert [one.read(path) for path in before] == [result(), second]
    write_tables(one)
    assert problems(one) == []
    before[1].write_text(before[1].read_text().replace('"max_points": 4', '"max_points": 9'))
    before[0].unlink()
    altered, missing = problems(one)
    assert altered.startswith(f"history/ann/{LESSON}/{ITEM}/0002.json is not as it was signed")
    assert missing == f"history/ann/{LESSON}/{ITEM}/0001.json is missing: the manifest lists it."


def test_a_result_that_could_not_be_judged_has_no_points_in_the_table(one):
    one.put(result(rows=(replace(ROW, verdict=NOT_JUDGED),)))
    write_tables(one)
    head, row = (line.split(",") for line in (one.folder / "results.csv").read_text().splitlines())
    cells = dict(zip(head, row, strict=True))
    assert (cells[f'"{ITEM} points"'], cells[f'"{ITEM} verdict"']) == ('""', '"not judged"')
    assert (cells['"points"'], cells['"status"']) == ('""', '"incomplete"')


def test_results_of_another_secret_are_refused(one):
    with pytest.raises(
        ValueError, match=r"is signed with another secret \(named \w{16}, got \w{16}\); name the right one"
    ):
        Store(one.folder, "another")


def test_one_process_at_a_time_works_in_a_folder(one):
    with (
        one.at_work(),
        pytest.raises(ValueError, match="another process is at work in"),
        Store(one.folder, SECRET).at_work(),
    ):
        pass


def test_half_files_of_a_killed_process_are_cleared_away(one):
    half = one.folder / ".half" / "1234-abc"
    half.parent.mkdir()
    half.write_text('{"result": {"stu')
    assert problems(one) == []
    with one.at_work():
        assert not half.exists()
    assert not half.parent.exists()
