"""A fresh start keeps what the student wrote, always."""

import json
from datetime import datetime

import pytest

from autograder.course import outlines
from autograder.study.resetting import reset

from .conftest import handed_out, write

NOW = datetime(2026, 3, 1, 14, 5, 9)
ITEM = outlines.item("grad_cam.neuron_importance")
MINE = "return gradients.mean(dim=(2, 3))"


def test_a_whole_lesson_goes_back_and_the_students_own_lies_beside_it(work):
    write(work, MINE)
    mine = work.module.read_bytes()
    (done,) = reset(work, now=NOW)
    assert work.module.read_text(encoding="utf-8") == handed_out("grad_cam.py")
    assert done.backup.name == "grad_cam_backup_2026-03-01_14-05-09.py"
    assert done.backup.read_bytes() == mine


def test_no_backup_ever_takes_the_place_of_another(work):
    kept = []
    for body in ("return 1", "return 2", "return 3"):
        write(work, body)
        kept += [done.backup for done in reset(work, now=NOW)]
    assert len(set(kept)) == 3
    assert [body in path.read_text(encoding="utf-8") for body, path in zip(("1", "2", "3"), kept, strict=True)]
    assert "return 1" in kept[0].read_text(encoding="utf-8")


def test_an_untouched_lesson_is_left_alone(work):
    assert reset(work) == []
    assert len(list(work.folder.iterdir())) == 7


def test_one_exercise_goes_back_and_the_others_stay(work):
    write(work, MINE)
    text = work.module.read_text(encoding="utf-8").replace("sum_or_mean = None", 'sum_or_mean = "b"')
    work.module.write_text("# mine\n" + text, encoding="utf-8")
    reset(work, ITEM, now=NOW)
    after = work.module.read_text(encoding="utf-8")
    assert MINE not in after
    untouched = "# mine\n" + handed_out("grad_cam.py")
    assert after == untouched.replace("sum_or_mean = None", 'sum_or_mean = "b"')
    reset(work, outlines.item("grad_cam.sum_or_mean"), now=NOW)
    assert work.module.read_text(encoding="utf-8") == untouched


def test_a_function_that_was_deleted_comes_back_at_the_end(work):
    text = handed_out("grad_cam.py")
    start, stop = text.index("def neuron_importance"), text.index("def grad_cam_map")
    work.module.write_text(text[:start] + text[stop:], encoding="utf-8")
    reset(work, ITEM, now=NOW)
    assert work.module.read_text(encoding="utf-8").rstrip().endswith('neuron_importance is not written yet")')


def test_windows_line_ends_are_kept(work):
    write(work, MINE)
    work.module.write_bytes(work.module.read_bytes().replace(b"\n", b"\r\n"))
    reset(work, ITEM, now=NOW)
    assert work.module.read_bytes() == handed_out("grad_cam.py").replace("\n", "\r\n").encode()


def test_one_cell_of_the_notebook_goes_back_without_its_output(work):
    notebook = json.loads(work.notebook.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["id"] in ("neuron_importance", "capture"):
            cell.update(source=["mine"], outputs=[{"output_type": "stream", "name": "stdout", "text": "x"}])
    work.notebook.write_text(json.dumps(notebook), encoding="utf-8")
    (done,) = reset(work, ITEM, now=NOW)
    assert done.file == work.notebook
    after = {cell["id"]: cell for cell in json.loads(work.notebook.read_text(encoding="utf-8"))["cells"]}
    assert "".join(after["neuron_importance"]["source"]).startswith("def neuron_importance")
    assert after["neuron_importance"]["outputs"] == []
    assert after["capture"]["source"] == ["mine"]


def test_a_missing_file_is_brought(work):
    work.notebook.unlink()
    (done,) = reset(work, now=NOW)
    assert (done.file, done.backup) == (work.notebook, None)
    assert work.notebook.read_text(encoding="utf-8") == handed_out("grad_cam.ipynb")


@pytest.mark.parametrize(
    ("file", "content", "words"),
    [
        ("grad_cam.py", "def f(:\n", r"cannot be read as Python \(line 1\), so neuron_importance .* the whole lesson"),
        ("grad_cam.ipynb", "{", "is not a notebook that can be read; reset the whole lesson"),
        ("grad_cam.ipynb", '{"cells": []}', "has no cell for grad_cam.neuron_importance any more; reset the whole"),
    ],
)
def test_what_cannot_be_found_is_said_and_nothing_is_touched(work, file, content, words):
    (work.folder / file).write_text(content)
    with pytest.raises(ValueError, match=words):
        reset(work, ITEM, now=NOW)
    assert (work.folder / file).read_text() == content
