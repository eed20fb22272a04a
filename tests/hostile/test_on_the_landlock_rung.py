"""What a call on the rung landlock may do to the machine around it: each attack gets through on the rung rlimits."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest
import torch

from autograder.batch.results import Store
from autograder.isolated import Cell, PlannedCall, Request, rungs

pytestmark = [
    pytest.mark.skipif("landlock" not in rungs.offered(), reason=rungs.reasons()["landlock"]),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux"),
]


@pytest.fixture
def ask(on_rung):
    """Evaluates an expression in a call on a rung; the text of its value, or of its error."""

    def asked(rung, expression, setup=""):
        source = f"import ctypes, fcntl, os\nlibc = ctypes.CDLL(None, use_errno=True)\n{textwrap.dedent(setup)}\n"
        source += f"def f(x):\n    return str(({expression}))"
        request = Request(
            cells=(Cell("student.py", source),), function="f", calls=[PlannedCall((torch.zeros(1),))], seconds=10.0,
            variable=None,
        )  # fmt: skip
        outcome = on_rung(rung).run(request)
        assert outcome.status == "ran", outcome
        (seen,) = outcome.observations
        return str(seen.arrays[0]) if seen.kind == "value" else f"{seen.error['type']}: {seen.error['message']}"

    return asked


TRY = """
r, w = os.pipe()
def fails(call, *arguments):
    "The number of the error, 0 where the call was made."
    ctypes.set_errno(0)
    return ctypes.get_errno() if call(*arguments) == -1 else 0
def control(command, argument=0):
    return fails(libc.fcntl, r, command, ctypes.c_long(argument))
def device(command, fd=r):
    room = (ctypes.c_int * 64)()
    return fails(libc.ioctl, fd, ctypes.c_ulong(command), room)
def lease():
    fd = os.open("mine", os.O_CREAT | os.O_RDONLY)
    error = fails(libc.fcntl, fd, 1024, ctypes.c_long(1))
    os.close(fd)  # else the kernel asks for it back with a signal when the folder is cleared
    return error
"""

REFUSED = {
    "whom to signal": "control(8, os.getppid())",
    "whom to signal, by thread": "fails(libc.fcntl, r, 15, (ctypes.c_int * 2)(1, os.getppid()))",
    "with which signal": "control(10, 9)",
    "news of a folder": "fails(libc.fcntl, os.open('.', os.O_RDONLY), 1026, ctypes.c_long(4))",
    "a lease on a file": "lease()",
    "the size of a pipe": "control(1031, 2**17)",
    "whom to signal, by ioctl": "device(0x5452)",
    "the marks of a file": "device(0x40086602, os.open('mine', os.O_CREAT | os.O_RDWR))",
    "news of any folder": "fails(libc.inotify_init1, 0)",
}


@pytest.mark.parametrize("attack", REFUSED.values(), ids=REFUSED)
def test_what_reaches_others_through_a_descriptor_is_refused(ask, attack):
    assert ask("landlock", attack, TRY) == "1"  # EPERM
    assert ask("rlimits", attack, TRY) != "1"


def test_what_streams_and_terminals_are_asked_is_answered(ask):
    setup = TRY + "import shutil, tempfile, sys"
    assert ask("landlock", "control(1), control(3), control(1032)", setup) == "(0, 0, 0)"
    assert (
        ask("landlock", "os.set_blocking(r, False), sys.stdout.isatty(), shutil.get_terminal_size()[0]", setup)
        == "(None, False, 80)"
    )
    assert ask("landlock", "fcntl.lockf(tempfile.TemporaryFile(), fcntl.LOCK_EX)", setup) == "None"


def test_with_a_drivers_ioctls_allowed_those_that_reach_others_are_not():
    code = """
    import ctypes, os, sys
    from autograder.isolated import confine, seccomp
    confine.prctl(38, 1)
    assert seccomp.restrict(drivers=sys.argv[1] == "True")
    libc, (r, w) = ctypes.CDLL(None, use_errno=True), os.pipe()
    def error(command):
        return ctypes.get_errno() if libc.ioctl(r, ctypes.c_ulong(command), (ctypes.c_int * 64)()) == -1 else 0
    print(error(0xC020462A), error(0x8901), error(0x40086602), error(0x541B))
    """
    said = {
        drivers: subprocess.run(
            [sys.executable, "-c", textwrap.dedent(code), drivers], capture_output=True, text=True, check=True
        ).stdout
        for drivers in ("True", "False")
    }
    assert said == {"True": "25 1 1 0\n", "False": "1 1 1 0\n"}  # ENOTTY: the kernel was asked


def test_results_are_there_and_cannot_be_read(ask, tmp_path):
    store = Store(tmp_path / "results", "a secret")
    with store.at_work():
        file = store.place("ann", "11_grad_cam", "grad_cam.alpha")
        file.parent.mkdir(parents=True)
        file.write_text("what ann got")
    read = f"open({str(file)!r}).read()"
    assert ask("landlock", read).startswith("PermissionError")
    assert ask("landlock", f"os.listdir({str(file.parent)!r})").startswith("PermissionError")
    assert ask("rlimits", read) == "what ann got"


def test_what_linux_still_tells_of_a_path_is_said_and_bubblewrap_hides_it(ask, tmp_path):
    (tmp_path / "file").write_text("what ann got")
    os.utime(tmp_path / "file", (1234, 5678))
    said = f"(lambda found: (found.st_size, found.st_atime, found.st_mtime))(os.stat({str(tmp_path / 'file')!r}))"
    assert ask("landlock", said) == "(12, 1234.0, 5678.0)"
    if "bubblewrap" in rungs.offered():
        assert ask("bubblewrap", said).startswith("FileNotFoundError")
    text = " ".join((Path(__file__).parents[2] / "docs" / "grading.md").read_text(encoding="utf-8").split())
    assert "whether a path exists, how large it is, and when it was last read and written." in text


@pytest.mark.parametrize("rung", rungs.offered())
def test_where_memory_runs_out_the_call_dies_before_the_grader(rung, ask, on_rung):
    assert ask(rung, "open('/proc/self/oom_score_adj').read()").strip() == "1000"
    warm = on_rung(rung)._server._process.pid
    with open("/proc/self/oom_score_adj") as own, open(f"/proc/{warm}/oom_score_adj") as theirs:
        assert own.read() == theirs.read() != "1000\n"
