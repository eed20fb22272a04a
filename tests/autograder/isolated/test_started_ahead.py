"""Where nothing can be forked: a process waits for each call, makes that one, and leaves nothing to the next."""

import os
import signal
import subprocess
import sys
import time

import pytest

from autograder.isolated import Runner, temporary
from autograder.isolated.servers import AHEAD

from .conftest import asking

UNIX = pytest.mark.skipif(os.name == "nt", reason="signals of a Unix")
PID = "import os\ndef f(x): return os.getpid()"


@pytest.fixture(scope="module")
def spawning():
    """On the last rung, where a process has the number that its parent knows."""
    with Runner("spawn", "rlimits") as runner:
        yield runner


def waiting(runner):
    return [process.pid for process in runner._server._ahead]


def number(outcome):
    return int(outcome.observations[0].arrays[0])


def test_each_call_is_made_by_a_process_that_waited_and_whose_place_is_taken_at_once(spawning):
    spawning.warm()
    first = waiting(spawning)
    used = [number(spawning.run(asking(PID))) for _ in first]
    assert used == first
    assert len(waiting(spawning)) == AHEAD
    assert not {*used} & {*waiting(spawning)}


def test_a_call_finds_nothing_of_the_one_before(spawning):
    leaves = "import builtins, os, torch\nopen('left', 'w').close()\nbuiltins.left = torch.left = 1\n"
    asks = "import builtins, os, sys, torch\nleft = [*os.listdir(), *(['left'] if hasattr(torch, 'left') else [])]\n"
    assert spawning.run(asking(f"{leaves}def f(x): return len(os.listdir())")).observations[0].arrays[0] == 1
    assert spawning.run(asking(f"{asks}def f(x): return len(left)")).observations[0].arrays[0] == 0


@UNIX
def test_what_is_killed_while_it_waits_is_replaced(spawning):
    spawning.warm()
    for process in spawning._server._ahead:
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    assert spawning.run(asking("def f(x): return x")).status == "ran"


@UNIX
def test_a_call_that_removes_the_runners_folder_costs_the_next_nothing(spawning):
    spawning.run(asking("import os\ndef f(x): os.rename('../..', '../../../cnnviz-run-gone')"))
    try:
        assert spawning.run(asking("def f(x): return x")).status == "ran"
    finally:
        temporary.remove(os.path.join(os.path.realpath(temporary.tempfile.gettempdir()), "cnnviz-run-gone"))


@UNIX
def test_they_end_with_the_runner_and_with_a_parent_that_is_killed():
    program = """
from autograder.isolated import Runner
runner = Runner("spawn", "rlimits")
runner.warm()
print(*(process.pid for process in runner._server._ahead), flush=True)
input()
"""
    parent = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    pids = [int(pid) for pid in parent.stdout.readline().split()]
    parent.kill()
    parent.communicate()
    until = time.monotonic() + 60
    while any(map(lives, pids)) and time.monotonic() < until:
        time.sleep(0.1)
    assert len(pids) == AHEAD
    assert not any(map(lives, pids))


def lives(pid):
    """Whether a process runs; one that nobody waits for has ended."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return sys.platform != "linux"
    except ProcessLookupError:
        return False


def test_a_closed_runner_has_no_process_and_no_folder():
    runner = Runner("spawn")
    runner.warm()
    processes, root = [*runner._server._ahead], runner._server._root
    runner.close()
    assert all(process.returncode is not None for process in processes)
    assert not root.exists()
