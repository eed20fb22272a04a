"""One call leaves a note in the kernel, the next one, another student's, looks for it: on the rungs that confine.

The same code run without any sandbox finds most of its notes, so the ways are real.
"""

from __future__ import annotations

import subprocess
import sys

import pytest

from autograder.isolated import Cell, PlannedCall, Request, Runner

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="system calls of Linux")

TOOLS = """
import ctypes, os, socket, struct
libc = ctypes.CDLL(None, use_errno=True)
KEY, NOTE = 0x636E6E, b"cnnviz-red"

def call(number, *arguments):
    got = libc.syscall(number, *arguments)
    if got < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return got
"""

WAYS = {
    "a keyring": (
        "call(248, b'user', b'cnnviz-red', NOTE, 10, ctypes.c_long(-4))",
        "call(249, b'user', b'cnnviz-red', None, ctypes.c_long(-4)) > 0",
    ),
    "System V's shared memory": ("call(29, KEY, 4096, 0o1666)", "call(29, KEY, 4096, 0) >= 0"),
    "System V's semaphores": ("call(64, KEY, 1, 0o1666)", "call(64, KEY, 1, 0) >= 0"),
    "System V's messages": ("call(68, KEY, 0o1666)", "call(68, KEY, 0) >= 0"),
    "a queue of messages with a name": (
        "call(240, b'cnnviz-red', 0o102, 0o666, None)",
        "call(240, b'cnnviz-red', 0, 0, None) >= 0",
    ),
    "shared memory with a name": (
        "os.close(os.open('/dev/shm/cnnviz-red-name', os.O_CREAT | os.O_RDWR))",
        "os.path.exists('/dev/shm/cnnviz-red-name')",
    ),
    "a file in the folder for temporary files": (
        "open('/tmp/cnnviz-red-note', 'w').close()",
        "os.path.exists('/tmp/cnnviz-red-note')",
    ),
    "a file where it stands": ("open('cnnviz-red-here', 'w').close()", "os.path.exists('cnnviz-red-here')"),
    "a folder above": (
        "os.mkdir('../cnnviz-red-above')",
        "os.path.exists('../cnnviz-red-above')",
    ),
    "the terminal's size": (
        "import fcntl; [fcntl.ioctl(n, 0x5414, struct.pack('4H', 7, 7, 7, 7)) for n in range(3) if os.isatty(n)][0]",
        "[struct.unpack('4H', __import__('fcntl').ioctl(n, 0x5413, bytes(8))) for n in range(3)][0][0] == 7",
    ),
    "its parent's priority": (
        "os.setpriority(os.PRIO_PROCESS, os.getppid(), os.getpriority(os.PRIO_PROCESS, os.getppid()) + 3)",
        "os.getpriority(os.PRIO_PROCESS, os.getppid()) >= 3",
    ),
    "its parent's processors": (
        "os.sched_setaffinity(os.getppid(), {min(os.sched_getaffinity(0))})",
        "len(os.sched_getaffinity(os.getppid())) == 1",
    ),
    "its parent's limits": (
        "import resource; resource.prlimit(os.getppid(), resource.RLIMIT_CORE, (777, 777))",
        "__import__('resource').prlimit(os.getppid(), __import__('resource').RLIMIT_CORE)[0] == 777",
    ),
    "its parent's death": ("os.kill(os.getppid(), 9)", "False"),
    "the inherited current folder": ("os.fchdir(0)", "False"),
    "an offset of an inherited file": (
        "[os.lseek(n, 7, 0) for n in range(3, 64)]",
        "any(os.lseek(n, 0, 1) == 7 for n in range(3, 64) if os.path.exists(f'/proc/self/fd/{n}'))",
    ),
    "who is told of input": (
        "import fcntl; [fcntl.fcntl(n, fcntl.F_SETOWN, os.getppid()) for n in (0, 1, 2)]",
        "__import__('fcntl').fcntl(0, __import__('fcntl').F_GETOWN) == os.getppid()",
    ),
}

UNREAL = {
    "its parent's death",
    "the inherited current folder",
    "who is told of input",
    "an offset of an inherited file",
    "the terminal's size",
    "a keyring",
}
"""Ways whose success shows elsewhere, or that the machine of the tests may not have."""


def source(statement: str, question: str) -> str:
    return f"""{TOOLS}
def leave():
    try:
        {statement}
    except Exception as error:
        return repr(error)
    return "left"

def look():
    try:
        return "found" if {question} else "nothing"
    except Exception:
        return "nothing"
"""


@pytest.fixture(params=["landlock", "bubblewrap"])
def runner(request, on_rung):
    return on_rung(request.param)


def answer(runner: Runner, text: str, function: str) -> str:
    asked = Request(cells=(Cell("notes.py", text),), function=function, calls=(PlannedCall(),), seconds=30)
    outcome = runner.run(asked)
    return str(outcome.observations[0].arrays[0]) if outcome.observations else outcome.status


@pytest.mark.parametrize("way", WAYS)
def test_a_note_of_one_call_is_not_found_by_the_next(runner, way):
    text = source(*WAYS[way])
    answer(runner, text, "leave")
    assert answer(runner, text, "look") == "nothing"


@pytest.mark.parametrize("way", sorted({*WAYS} - UNREAL))
def test_without_a_sandbox_the_note_is_found(way, tmp_path):
    text = source(*WAYS[way])
    leave, look = (f"{text}\nprint({name}())" for name in ("leave", "look"))
    script = (
        "import subprocess, sys\n"
        f"for text in ({leave!r}, {look!r}):\n    subprocess.run([sys.executable, '-c', text], check=False)\n"
        "import glob, os\n"
        "for path in [p for f in ('/tmp', '/dev/shm', '..') for p in glob.glob(f'{f}/cnnviz-red-*')]:\n"
        "    os.rmdir(path) if os.path.isdir(path) else os.unlink(path)\n"
    )
    (tmp_path / "inner").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", f"{script}\n{CLEAR}"], cwd=tmp_path / "inner", capture_output=True, text=True, timeout=60
    )
    assert done.stdout.splitlines()[-1] == "found", done.stdout + done.stderr


CLEAR = """
import ctypes
libc = ctypes.CDLL(None)
for get, remove, command in ((29, 31, 0), (64, 66, 0), (68, 71, 0)):
    found = libc.syscall(get, 0x636E6E, *((4096, 0) if get == 29 else (1, 0) if get == 64 else (0,)))
    if found >= 0:
        libc.syscall(remove, found, *((0, command) if get == 64 else (command, None)))
libc.syscall(241, b"cnnviz-red")
"""
