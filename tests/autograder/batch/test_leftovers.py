"""What a killed grader left in the temporary folder is removed, and nothing else."""

import json
import os
import subprocess
import sys
import tempfile

import pytest

from autograder.batch.leftovers import IDLE, clear_leftovers


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    made = tmp_path / "cnnviz-run-abc"
    (made / "calls" / "call-1").mkdir(parents=True)
    ended = subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, check=True)
    (made / "config.json").write_text(json.dumps({"parent": int(ended.stdout)}))
    return made


def grow_old(folder):
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (0, os.stat(path).st_mtime - IDLE - 1))


def test_a_killed_graders_folder_is_removed(folder):
    grow_old(folder)
    clear_leftovers()
    assert not folder.exists()


def test_a_folder_in_use_stays(folder):
    clear_leftovers()
    (folder / "config.json").write_text(json.dumps({"parent": os.getpid()}))
    grow_old(folder)
    clear_leftovers()
    assert (folder / "config.json").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"parent": "x"}', None])
def test_a_folder_that_does_not_say_whose_it_is_stays(folder, content):
    (folder / "config.json").unlink() if content is None else (folder / "config.json").write_text(content)
    grow_old(folder)
    clear_leftovers()
    assert folder.exists()


def test_a_link_is_not_followed(folder, tmp_path):
    folder.rename(tmp_path / "precious")
    folder.symlink_to(tmp_path / "precious")
    grow_old(tmp_path / "precious")
    clear_leftovers()
    assert (tmp_path / "precious" / "config.json").exists()
