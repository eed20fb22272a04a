"""What each rung of the isolation ladder promises, asked of every rung that this machine offers."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from autograder.isolated import Runner, bubblewrap, rungs
from autograder.isolated.bubblewrap import Bubblewrap
from autograder.isolated.child import REFUSED

from .conftest import asking
from .test_confinement import is_refused, said

PROJECT = Path(__file__).parents[3]
LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="confinement is Linux's")
with_bubblewrap = pytest.mark.skipif("bubblewrap" not in rungs.offered(), reason=rungs.reasons()["bubblewrap"])
SHARED = ("/tmp", "/var/tmp", "/dev/shm", "/run", "/", os.path.expanduser("~"))
LAYERS = {
    "bubblewrap": "bubblewrap+landlock+seccomp+rlimits",
    "landlock": "landlock+seccomp+rlimits",
    "rlimits": "rlimits",
    "bubblewrap alone": "bubblewrap+rlimits",
}


def start(name):
    """A runner on a rung; "bubblewrap alone" has a child that does nothing to itself but its limits."""
    runner = Runner(rung=name.partition(" ")[0])
    if name == "bubblewrap alone":
        rung = Bubblewrap()
        rung.layers = ()
        runner._rung = runner._server._rung = rung
    return runner


def _names():
    found = rungs.offered()
    return [*found, *(["bubblewrap alone"] if "bubblewrap" in found else [])]


@pytest.fixture(scope="module")
def alone():
    with start("bubblewrap alone") as runner:
        yield runner


@pytest.fixture(params=_names())
def anywhere(request, on_rung):
    rung = request.param
    runner = request.getfixturevalue("alone") if rung == "bubblewrap alone" else on_rung(rung)
    runner.label = rung
    return runner


@pytest.fixture(params=[name for name in _names() if name != "rlimits"])
def confined(request, on_rung):
    return request.getfixturevalue("alone") if request.param == "bubblewrap alone" else on_rung(request.param)


def asked(runner, expression, **options):
    return said(lambda source, **more: runner.run(asking(source, **more)), expression, **options)


@LINUX
def test_the_rung_of_an_outcome_names_every_layer(anywhere):
    assert anywhere.run(asking("def f(x): return x")).rung == LAYERS[anywhere.label]


@pytest.mark.parametrize("name", ["cnnviz_ref", "autograder.course.registry"])
def test_the_answer_key_is_not_importable_on_any_rung(anywhere, name):
    assert "ModuleNotFoundError" in asked(anywhere, f"importlib.import_module('{name}')")


@LINUX
@pytest.mark.parametrize("folder", [*REFUSED, "solutions", "lessons", "tests"])
def test_no_file_of_the_project_is_readable(confined, folder):
    found = next((PROJECT / folder).rglob("*.py"))
    assert is_refused(asked(confined, f"open({str(found)!r}).read()"))


@LINUX
@pytest.mark.parametrize("folder", SHARED)
def test_nothing_can_be_written_where_another_call_could_find_it(confined, folder):
    path = os.path.join(folder, "cnnviz-left")
    assert is_refused(asked(confined, f"open({path!r}, 'w')"))
    assert is_refused(asked(confined, f"os.mkdir({path!r})"))


@LINUX
def test_what_a_call_writes_beside_its_folder_the_next_call_does_not_find(anywhere):
    asked(anywhere, "open('../left', 'w').write('x') and os.mkdir('../folder') and os.chmod('..', 0)")
    text = asked(anywhere, "len(os.listdir('..'))")
    assert text == "1" or is_refused(text)


@LINUX
def test_a_call_that_removes_the_runners_folder_costs_the_others_nothing(anywhere):
    asked(anywhere, "os.rename('..', '../../gone')")
    assert asked(anywhere, "1") == "1"


@LINUX
def test_libraries_and_kit_are_read_only_and_its_own_folder_is_not(confined):
    assert is_refused(asked(confined, "open(torch.__file__, 'a')", setup="import torch"))
    assert is_refused(asked(confined, "open(cnnviz.__file__, 'a')", setup="import cnnviz"))
    assert asked(confined, "open('mine', 'w').write('abc')") == "3"
    assert asked(confined, "os.listdir('.')") == "[]"


@LINUX
def test_no_other_process_can_be_read_or_ended(confined):
    assert is_refused(asked(confined, f"open('/proc/{os.getpid()}/environ', 'rb')"))
    assert is_refused(asked(confined, f"os.kill({os.getpid()}, 9)"))
    assert is_refused(asked(confined, "open(f'/proc/{os.getppid()}/mem', 'rb')"))


@LINUX
def test_there_is_no_way_to_a_server_on_this_machine(confined):
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        text = asked(confined, f"socket.create_connection(('127.0.0.1', {port}), 1)", setup="import socket")
    assert text.startswith(("PermissionError", "ConnectionRefusedError", "OSError: [Errno 101]"))


@LINUX
def test_the_call_has_no_privileges_on_any_rung(anywhere):
    assert asked(anywhere, "'CapEff:\\t0000000000000000' in open('/proc/self/status').read()") == "True"


DAEMON = """
import os, signal, time
def f(x):
    for n in range(1, 65):
        try: signal.signal(n, signal.SIG_IGN)
        except (OSError, ValueError): pass
    try:
        if os.fork():
            return x
    except PermissionError:
        return x
    for _ in range(3):
        os.setsid()
        if os.fork(): os._exit(0)
    for fd in range(300):
        try: os.close(fd)
        except OSError: pass
    while True: time.sleep(0.01)
"""


@LINUX
def test_a_daemon_that_ignores_signals_is_gone_before_the_next_call(anywhere):
    assert anywhere.run(asking(DAEMON)).status in ("ran", "crashed", "bad answer")
    assert [*_deaf(str(anywhere._server._root))] == []


def _deaf(root):
    """Processes of a runner that ignore what only the daemon does; forks of the warm process share its command line."""
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            ignored = (folder / "status").read_text().partition("SigIgn:")[2].split()[0]
            if int(ignored, 16) >> signal.SIGUSR1 - 1 & 1 and root in (folder / "cmdline").read_text():
                yield folder.name


@with_bubblewrap
def test_a_sandbox_started_by_root_can_not_mount_anything_writable_again():
    source = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def f(x):
        tried = [libc.mount(b"none", p, None, 32 | 4096, None) for p in (b"/", b"/usr/lib", b"/tmp")]
        tried += [libc.unshare(0x10000000), libc.umount2(b"/usr/lib", 2), libc.setuid(0)]
        return repr((tried, os.getuid()))
    """
    with start("bubblewrap alone") as runner:
        (seen,) = runner.run(asking(source)).observations
    assert str(seen.arrays[0]) == repr(([-1] * 6, 65534))


@LINUX
def test_a_runner_outlives_the_thread_that_first_used_it(confined):
    request = asking("def f(x): return x")
    with start("landlock" if confined.rung == "landlock" else "bubblewrap") as runner:
        first = threading.Thread(target=runner.run, args=(request,))
        first.start()
        first.join()
        assert runner.run(request).status == "ran"


@with_bubblewrap
def test_an_ordinary_user_gets_the_same_rungs():
    """Here: one without any privilege, in a user namespace that this test makes."""
    script = "import os; from autograder.isolated import rungs; print(os.getuid(), rungs.offered())"
    outer = ["bwrap", "--dev-bind", "/", "/", "--unshare-user", "--uid", "1000", "--gid", "1000", "--cap-drop", "ALL"]
    done = subprocess.run([*outer, "--", sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.stdout.split(maxsplit=1) == ["1000", f"{rungs.offered()}\n"], done.stderr


def test_an_unknown_rung_is_one_sentence():
    with pytest.raises(ValueError, match="rung is 'docker'; allowed are 'bubblewrap', 'landlock', 'rlimits'; leave it"):
        Runner(rung="docker")


def test_a_rung_that_does_not_work_here_says_why_and_what_does(monkeypatch):
    monkeypatch.setattr(bubblewrap, "_program", lambda: None)
    rungs._reason.cache_clear()
    try:
        with pytest.raises(
            ValueError, match=r"'bubblewrap', which does not work here .*not installed.* offers .*'rlimits'"
        ):
            Runner(rung="bubblewrap")
        assert rungs.best().name != "bubblewrap"
    finally:
        rungs._reason.cache_clear()


@LINUX
@pytest.mark.parametrize(
    ("script", "reason"),
    [
        ("echo 'bwrap: setting up uid map: Permission denied' >&2; exit 1", "setting up uid map: Permission denied"),
        ('while [ "$1" != -- ]; do shift; done; shift; exec "$@"', "did not confine"),
    ],
    ids=["refused", "a program that confines nothing"],
)
def test_bubblewrap_is_probed_by_what_it_does(monkeypatch, tmp_path, script, reason):
    (tmp_path / "bwrap").write_text(f"#!/bin/sh\n{script}\n")
    (tmp_path / "bwrap").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert reason in Bubblewrap().probe()
