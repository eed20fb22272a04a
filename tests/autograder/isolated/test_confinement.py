"""What student code cannot import, read, reach or leave behind."""

import os
import sys
import threading
import time
from pathlib import Path

import pytest
import torch

from autograder.isolated import Runner, landlock, layout
from autograder.isolated.child import REFUSED

from .conftest import asking, fork, planned

PROJECT = Path(__file__).parents[3]
pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="confinement is Linux's")
with_landlock = pytest.mark.skipif(not landlock.version(), reason="this kernel has no Landlock")


def said(run, expression, *, setup="", **options):
    """The text of an expression, evaluated by a submission."""
    source = f"import os, sys, importlib\n{setup}\ndef f(x):\n    return str({expression})"
    outcome = run(source, **options)
    assert outcome.status == "ran", outcome
    (seen,) = outcome.observations
    return str(seen.arrays[0]) if seen.kind == "value" else f"{seen.error['type']}: {seen.error['message']}"


def is_refused(text):
    """Not allowed, not there, or on a file system that takes no writing."""
    return text.startswith(("PermissionError", "FileNotFoundError", "ProcessLookupError")) or "Read-only" in text


@pytest.mark.parametrize(
    "name", ["cnnviz_ref", "cnnviz_ref.grad_cam", "autograder.course.registry", "autograder.isolated.wire"]
)
def test_the_answer_key_and_the_grader_are_not_importable(run, name):
    assert "ModuleNotFoundError" in said(run, f"importlib.import_module('{name}')")


def test_removing_the_refusal_opens_nothing(run):
    setup = "sys.meta_path.pop(0); del sys.modules['cnnviz_ref'], sys.modules['autograder']"
    for name in REFUSED:
        assert "ModuleNotFoundError" in said(run, f"importlib.import_module('{name}')", setup=setup)


@with_landlock
@pytest.mark.parametrize("folder", [*REFUSED, "solutions", "lessons", "tests"])
def test_the_project_tree_is_not_readable(run, folder):
    assert is_refused(said(run, f"os.listdir({str(PROJECT / folder)!r})"))
    found = next((path for path in (PROJECT / folder).rglob("*.py")), None)
    if found:
        assert is_refused(said(run, f"open({str(found)!r}).read()"))
        by_path = f"sys.path.insert(0, {str(PROJECT)!r}) or importlib.import_module({folder!r})"
        assert "Error" in said(run, by_path, setup="sys.meta_path.pop(0); sys.modules.pop('autograder')")


@with_landlock
def test_only_its_own_folder_is_writable(run, tmp_path):
    assert is_refused(said(run, f"open({str(tmp_path / 'a')!r}, 'w')"))
    assert is_refused(said(run, "open('/tmp/left-by-a-student', 'w')"))
    assert is_refused(said(run, "os.mkdir(os.path.join('..', 'next-call'))"))
    assert is_refused(said(run, "open(torch.__file__, 'a')", setup="import torch"))
    assert said(run, "open('mine', 'w').write('abc')") == "3"
    assert said(run, "tempfile.mkdtemp().startswith(os.getcwd())", setup="import tempfile") == "True"


@with_landlock
def test_other_processes_cannot_be_read(run):
    for file in ("environ", "mem", "cmdline", "maps"):
        assert is_refused(said(run, f"open(f'/proc/{os.getpid()}/{file}', 'rb')"))
        assert is_refused(said(run, f"open(f'/proc/{{os.getppid()}}/{file}', 'rb')"))


def test_no_signal_reaches_the_warm_process_or_the_grader(run, runner):
    assert is_refused(said(run, "os.kill(os.getppid(), 9)"))
    assert is_refused(said(run, f"os.kill({os.getpid()}, 9)"))
    assert said(run, "1") == "1"


def test_there_is_no_network(run):
    setup = "import socket"
    assert "PermissionError" in said(run, "socket.create_connection(('127.0.0.1', 9), 1)", setup=setup)
    assert "PermissionError" in said(run, "socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", setup=setup)


def test_the_graders_environment_is_not_visible_and_nothing_is_left_when_it_closes(monkeypatch):
    monkeypatch.setenv("COURSE_SECRET", "hidden-value")
    with Runner() as fresh:
        outcome = fresh.run(
            asking("import os\ndef f(x): return repr(dict(os.environ)) + open('/proc/self/environ').read()")
        )
        root = fresh._server._root
    assert not root.exists()
    text = str(outcome.observations[0].arrays[0])
    assert "hidden-value" not in text
    assert str(PROJECT) not in text


def test_no_shared_memory_outlives_a_call_and_no_limit_of_others_can_be_set(run):
    calls = "import ctypes\nlibc = ctypes.CDLL(None)"
    assert [said(run, f"libc.{call}", setup=calls) for call in ("shmget(0, 64, 0o666)", "msgget(77, 0o1666)")] == [
        "-1"
    ] * 2
    assert "PermissionError" in said(run, "resource.prlimit(os.getppid(), 0, (1, 1))", setup="import resource")


def test_no_process_can_be_started_and_the_call_goes_on(run):
    assert "PermissionError" in said(run, "os.fork()")
    assert "PermissionError" in said(run, "subprocess.run(['true'])", setup="import subprocess")
    setup = "import threading\nt = threading.Thread(target=lambda: None); t.start(); t.join()"
    assert said(run, "1", setup=setup) == "1"


def test_what_a_call_leaves_running_ends_with_it(tmp_path):
    """Without the system-call filter, as on some machines: orphans in sessions of their own."""
    from autograder.isolated import zygote

    beat = tmp_path / "beat"
    child = fork()
    if not child:
        zygote.confine.become_reaper()
        first = fork()
        if not first:
            _escape(beat)
        while not beat.exists():
            time.sleep(0.01)
        zygote._sweep(first)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    before = beat.stat().st_size
    time.sleep(0.3)
    assert beat.stat().st_size == before


def _escape(beat):
    """Twice a fork and a new session: a daemon's way out."""
    for _ in range(2):
        os.setsid()
        if fork():
            os._exit(0)
    while True:
        with open(beat, "a") as file:
            file.write("x")
        time.sleep(0.02)


def test_the_call_has_neither_terminal_nor_input_nor_privileges(run):
    assert said(run, "sys.stdin.read()") == ""
    assert said(run, "'CapEff:\\t0000000000000000' in open('/proc/self/status').read()") == "True"


def test_the_device_that_was_asked_for_is_the_one_the_kit_names(run):
    assert said(run, "cnnviz.device()", setup="import cnnviz") == "cpu"


def test_named_packages_are_loaded_before_the_clock_starts(run):
    source = "import matplotlib.pyplot as plt\nfrom scipy import ndimage\ndef f(x): return x"
    assert run(source, seconds=1.0).status == "ran"


def test_threads_and_backward_passes_work_inside_the_limits(run):
    source = """
    import torch
    from torch import nn
    def f(x):
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Flatten(), nn.LazyLinear(2))
        x = x.clone().requires_grad_()
        return torch.autograd.grad(net(x).sum(), x)[0]
    """
    outcome = run(source, calls=[planned(torch.rand(2, 3, 32, 32))])
    assert outcome.observations[0].kind == "value", outcome


def test_the_runner_works_beside_other_threads(runner):
    stop = threading.Event()
    busy = threading.Thread(target=stop.wait)
    busy.start()
    try:
        assert runner.run(asking("def f(x): return x")).status == "ran"
    finally:
        stop.set()
        busy.join()


def test_an_answer_key_inside_a_readable_tree_is_left_out(tmp_path):
    for name in ("torch/a.py", "cnnviz_ref/b.py", "numpy/c.py"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text("")
    trees, folders = [], []
    layout._grant(tmp_path, [tmp_path / "cnnviz_ref"], trees, folders)
    assert sorted(trees) == [str(tmp_path / "numpy"), str(tmp_path / "torch")]
    assert folders == [str(tmp_path)]


@pytest.mark.parametrize("place", ["python3.9/dist-packages", "python3.12/site-packages", "."])
def test_another_pythons_copy_of_the_answer_key_is_found(tmp_path, place):
    copy = tmp_path / place / "cnnviz_ref"
    copy.mkdir(parents=True)
    assert layout._other_copies([str(tmp_path), str(tmp_path / "none")]) == [copy]


@with_landlock
@pytest.mark.parametrize(
    "change", ["os.chmod({0!r}, 0)", "os.utime({0!r}, (1, 1))", "os.setxattr({0!r}, 'user.note', b'loot')"]
)
def test_no_mark_is_left_on_a_file_outside(run, tmp_path, change):
    """The call is answered as if it were done, so that honest copies and touches of files go on."""
    file = tmp_path / "other.py"
    file.write_text("pass")
    before = os.stat(file)
    assert said(run, change.format(str(file))) == "None"
    after = os.stat(file)
    assert (after.st_mode, after.st_mtime_ns, os.listxattr(file)) == (before.st_mode, before.st_mtime_ns, [])


@with_landlock
def test_the_grader_is_not_slowed_down(run):
    assert "PermissionError" in said(run, f"os.setpriority(os.PRIO_PROCESS, {os.getpid()}, 19)")
    assert "PermissionError" in said(run, f"os.sched_setaffinity({os.getpid()}, [0])")


@with_landlock
def test_memory_that_no_limit_counts_and_notes_in_the_page_cache_are_refused(run):
    assert "PermissionError" in said(run, "os.memfd_create('a')")
    assert "PermissionError" in said(run, "socket.socketpair()", setup="import socket")
    setup = "import torch\nfile = os.open(torch.__file__, os.O_RDONLY)"
    assert "PermissionError" in said(run, "os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)", setup=setup)
    assert "PermissionError" in said(run, "os.preadv(file, [bytearray(1)], 0, os.RWF_NOWAIT)", setup=setup)
