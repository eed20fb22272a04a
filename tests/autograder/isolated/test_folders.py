"""What a killed process left in the temporary folder is removed, and nothing else: the folder belongs to everybody."""

import os
import signal
import sys
import tempfile

import pytest

from autograder.isolated import layout, temporary

from .conftest import fork

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="locks are told from the process that was killed")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """The folder for temporary files."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    return tmp_path / "tmp"


@pytest.fixture
def left(place):
    """What a killed process left there, an hour ago."""
    child = fork()
    if not child:
        made = temporary.make()
        (made / "calls" / "call-1").mkdir(parents=True)
        (made / "calls" / "closed").mkdir(0o000)
        os.kill(os.getpid(), signal.SIGKILL)
    os.waitpid(child, 0)
    (made,) = place.iterdir()
    grow_old(made)
    return made


def grow_old(folder):
    os.utime(folder, (0, os.stat(folder).st_mtime - 3600))


def test_what_a_killed_process_left_is_removed(left):
    temporary.sweep()
    assert not left.exists()


def test_the_search_for_fonts_reads_nothing_of_the_current_folder(tmp_path, monkeypatch):
    (tmp_path / "matplotlibrc").write_text("font.size: of a student's\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    run, said = layout.subprocess.run, []
    monkeypatch.setattr(layout.subprocess, "run", lambda *given, **named: said.append(run(*given, **named)))
    (tmp_path / "root").mkdir()
    layout._lent_fonts(tmp_path / "root")
    assert b"matplotlibrc" not in said[0].stderr
    assert list((tmp_path / "root" / "fonts").glob("fontlist-*.json"))


def test_a_folder_in_use_stays_however_old_and_is_removed_when_released(place):
    mine = temporary.make()
    grow_old(mine)
    temporary.sweep()
    assert mine.exists()
    temporary.release(mine)
    assert [*place.iterdir()] == []


def test_a_folder_that_was_made_just_now_stays(left):
    os.utime(left)
    temporary.sweep()
    assert left.exists()


def test_a_folder_of_another_name_stays(left, place):
    left.rename(place / "cnnviz-results")
    temporary.sweep()
    assert (place / "cnnviz-results").exists()


@pytest.mark.parametrize("kind", ["nothing", "a folder", "a link", "a pipe"])
def test_a_folder_whose_lock_is_none_stays(left, kind, tmp_path):
    lock = left / "lock"
    lock.unlink()
    (tmp_path / "precious").write_text("precious")
    made = {
        "a folder": lock.mkdir,
        "a link": lambda: lock.symlink_to(tmp_path / "precious"),
        "a pipe": lambda: os.mkfifo(lock),
    }
    made.get(kind, lambda: None)()
    grow_old(left)
    if kind == "a pipe":  # it can be locked, and nobody waits for a writer
        temporary.sweep()
        return
    temporary.sweep()
    assert left.exists()
    assert (tmp_path / "precious").read_text() == "precious"


def test_a_link_in_a_folders_place_is_not_followed(left, tmp_path):
    left.rename(tmp_path / "precious")
    left.symlink_to(tmp_path / "precious")
    temporary.sweep()
    assert (tmp_path / "precious" / "calls").exists()


def test_links_in_a_folder_are_removed_and_not_followed(left, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").write_text("precious")
    (left / "link").symlink_to(tmp_path / "precious")
    grow_old(left)
    temporary.sweep()
    assert not left.exists()
    assert (tmp_path / "precious" / "file").read_text() == "precious"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root gives a folder away")
def test_the_folder_of_another_user_stays(left):
    os.chown(left, 65534, 65534)
    temporary.sweep()
    assert left.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="an older owner's number may be anybody's by now")
def test_a_process_that_forked_keeps_its_folder_until_it_is_gone_itself(place):
    mine = temporary.make()
    child = fork()
    if not child:
        os._exit(0)
    os.waitpid(child, 0)
    grow_old(mine)
    temporary.sweep()
    assert mine.exists()
    temporary.release(mine)
