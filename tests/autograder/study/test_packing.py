"""What is packed is what counts, and what a grader reads from it is what was packed."""

import zipfile

import pytest
from typer.testing import CliRunner

from autograder import cli
from autograder.batch.collect import collect

from .conftest import write

MINE = "return gradients.mean(dim=(2, 3))"


def pack(*arguments):
    return CliRunner().invoke(cli.app, ["pack", *map(str, arguments)], catch_exceptions=False)


def test_what_counts_is_packed_checked_and_read_by_the_grader_as_it_is(student, work, tmp_path):
    write(work, MINE)
    work.module.write_text("import helping\n" + work.module.read_text(encoding="utf-8"), encoding="utf-8")
    for name in ("helping.py", "scratch.py", "test_mine.py"):
        (work.folder / name).write_text("x = 1\n", encoding="utf-8")
    handed = tmp_path / "submitted" / "ann" / "mine.zip"
    handed.parent.mkdir(parents=True)
    done = pack("11", "--out", handed)
    assert done.exit_code == 1, done.stderr
    assert "grad_cam.neuron_importance" in done.stdout
    assert "holds grad_cam.py, grad_cam.ipynb, helping.py and was checked as it is" in " ".join(done.stdout.split())
    with zipfile.ZipFile(handed) as packed:
        assert packed.namelist() == [f"11_grad_cam/{name}" for name in ("grad_cam.py", "grad_cam.ipynb", "helping.py")]
        assert packed.read("11_grad_cam/grad_cam.py") == work.module.read_bytes()
    (read,) = collect(tmp_path / "submitted", told=pytest.fail)
    assert (read.student, read.lesson, read.problem) == ("ann", "11_grad_cam", "")
    assert any(MINE in str(source.fields) for source in read.submission.sources)


def test_of_an_untouched_lesson_there_is_nothing_to_pack(student, work, tmp_path):
    done = pack("11", "--out", tmp_path / "mine.zip")
    assert done.exit_code == 2
    assert "pack: nothing is written yet in 11_grad_cam; `cnnviz open 11_grad_cam` begins." in done.stderr
    assert not (tmp_path / "mine.zip").exists()
