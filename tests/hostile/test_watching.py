"""The watch over a command, and the traces that it finds: with real processes and files."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from tests.hostile.range.canaries import Canaries
from tests.hostile.range.course import INNOCENT, planted
from tests.hostile.range.front import REPOSITORY
from tests.hostile.range.traces import changes, clear, marked, state

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="it reads /proc")

HIDDEN = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(300)  # cnnviz-red
    os._exit(0)
os.wait()
"""


def watched(tmp_path, code, seconds=20.0):
    """What the watch reports of a Python program."""
    report = tmp_path / "ending.json"
    argv = [sys.executable, "-m", "tests.hostile.range.watching", str(seconds), str(report), str(tmp_path)]
    subprocess.run([*argv, sys.executable, "-c", code], cwd=REPOSITORY, timeout=60, check=True)
    return json.loads(report.read_text(encoding="utf-8"))


def alive(mark):
    """Whether a process with this in its command line lives."""
    found = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    return mark in found


def test_a_command_that_leaves_nothing_is_reported_with_its_status(tmp_path):
    ending = watched(tmp_path, "raise SystemExit(3)")
    assert (ending["status"], ending["left"]) == (3, [])


def test_a_process_that_hides_in_a_session_of_its_own_is_found_and_ended(tmp_path):
    mark = f"hidden-{os.getpid()}-{time.monotonic_ns()}"
    ending = watched(tmp_path, f"{HIDDEN}\n# {mark}")
    assert ending["status"] == 0
    assert len(ending["left"]) == 1
    assert not alive(mark)


def test_a_command_that_never_ends_is_stopped_with_all_it_started(tmp_path):
    mark = f"endless-{os.getpid()}-{time.monotonic_ns()}"
    ending = watched(tmp_path, f"import os, time\nos.fork()\ntime.sleep(300) # {mark}", seconds=1.0)
    assert ending["status"] is None
    assert not alive(mark)


def test_new_changed_and_missing_files_are_told(tmp_path):
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("1")
    before = state(tmp_path)
    (tmp_path / "a").write_text("2")
    (tmp_path / "b").unlink()
    (tmp_path / "c").symlink_to("/etc/passwd")
    assert changes(before, state(tmp_path)) == ["changed: a", "gone: b", "new: c"]


def test_what_an_attack_leaves_in_a_shared_folder_is_found_and_cleared(tmp_path):
    (tmp_path / "cnnviz-red-note").write_text("x")
    (tmp_path / "cnnviz-red-folder" / "deep").mkdir(parents=True)
    (tmp_path / "innocent").write_text("x")
    assert [path.name for path in marked([tmp_path])] == ["cnnviz-red-folder", "cnnviz-red-note"]
    clear(marked([tmp_path]))
    assert [path.name for path in tmp_path.iterdir()] == ["innocent"]


def test_a_planted_course_holds_a_canary_in_every_place_and_is_gone_afterwards(tmp_path):
    canaries = Canaries.fresh()
    with planted([], canaries, place=tmp_path) as course:
        port = int((course.home / "canary_port").read_text())
        with socket.create_connection(("127.0.0.1", port), timeout=10) as visitor:
            assert visitor.recv(100).decode() == canaries.text["network"]
        everything = b"".join(p.read_bytes() for p in course.root.rglob("*") if p.is_file()).decode(errors="replace")
        for place in ("student", "gradebook", "solutions", "home"):
            assert canaries.text[place] in everything
        assert sorted(path.name for path in course.submitted.iterdir()) == sorted(INNOCENT)
    assert list(tmp_path.iterdir()) == []


def test_a_course_is_removed_with_what_was_made_unreadable_in_it(tmp_path):
    with planted([], Canaries.fresh(), place=tmp_path) as course:
        deep = course.home
        for _ in range(60):
            deep = deep / ("d" * 100)
            os.makedirs(deep) if len(str(deep)) < 3000 else None
        (course.home / "locked").mkdir(mode=0o000)
    assert list(tmp_path.iterdir()) == []
