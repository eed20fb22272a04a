"""The student's clock stands still while the call waits for a processor that others use."""

import os
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager

import pytest

from autograder.isolated import Runner, rungs
from autograder.isolated.queueing import others_fault
from autograder.isolated.runner import _Watch
from autograder.isolated.wire import Decoder

from .conftest import asking

pytestmark = pytest.mark.skipif(not os.path.exists("/proc/self/schedstat"), reason="this kernel does not keep it")

_HOG = [sys.executable, "-S", "-c", "while True: pass"]
BUSY = """
    import time
    def f(x):  # it is called twice
        end = time.process_time() + {cpu}
        while time.process_time() < end: pass
        return x
"""


@contextmanager
def crowd():
    """Two programs that never rest, in sessions of their own: each gets as much of the processor as the call."""
    with ExitStack() as stack:
        for _ in range(2):
            hog = stack.enter_context(subprocess.Popen(_HOG, start_new_session=True))
            stack.callback(hog.kill)
        yield


@pytest.fixture(scope="module")
def one_processor():
    """For all that is started here, so that tests beside these keep the others."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(before)})
    yield
    os.sched_setaffinity(0, before)


@pytest.fixture(scope="module", params=rungs.offered())
def warm(request, one_processor):
    with Runner(mode="fork", rung=request.param) as runner:
        assert runner.run(asking("def f(x): return x")).status == "ran"
        yield runner


def test_what_fits_on_a_quiet_machine_fits_on_a_busy_one(warm):
    with crowd():
        outcome = warm.run(asking(BUSY.format(cpu=0.25), seconds=0.8))
    assert outcome.status == "ran"
    assert outcome.seconds > 0.8, "the machine was not busy"


def test_what_takes_too_long_is_ended_on_a_busy_machine_too(warm):
    with crowd():
        assert warm.run(asking(BUSY.format(cpu=1000), seconds=0.3)).status == "time"


def test_who_sleeps_does_not_queue(warm):
    with crowd():
        outcome = warm.run(asking("import time\ndef f(x): time.sleep(30)", seconds=1.0))
    assert outcome.status == "time"
    assert outcome.seconds < 2.5


@pytest.mark.parametrize(("queued", "granted"), [(2.0, 0.0), (7.0, 5.0), (1e6, 30.0)])
def test_three_times_the_limit_is_all_that_a_queue_can_add(queued, granted):
    watch = _Watch(asking("", seconds=10.0), Decoder(b"", calls=1, result_bytes=1), "", queued=2.0)
    watch.started = time.monotonic()
    watch.deadline = watch.started + 10.0
    assert watch._waits_longer(lambda: queued)
    assert watch.deadline - watch.started == pytest.approx(10.0 + granted)


@pytest.mark.parametrize(
    ("queued", "ticks", "children", "pardoned"),
    [(5, 100, "", 5.0), (5, 300, "", 3.0), (5, 900, "", 0.0), (5, 100, "17 ", 0.0)],
    ids=["alone", "one busy thread", "busy threads", "a process of its own"],
)
def test_what_the_calls_own_threads_and_processes_explain_is_not_pardoned(tmp_path, queued, ticks, children, pardoned):
    ticks *= os.sysconf("SC_CLK_TCK") // 100
    (tmp_path / "schedstat").write_text(f"{10**9} {queued * 10**9} 7\n")
    (tmp_path / "stat").write_text(f"9 (a ) b) R {' 0' * 10} {ticks} 0 0 0\n")
    for thread in ("9", "12"):
        (tmp_path / "task" / thread).mkdir(parents=True)
        (tmp_path / "task" / thread / "children").write_text(children)
    folder = os.open(tmp_path, os.O_RDONLY)
    assert others_fault(folder) == pytest.approx(pardoned)
    os.close(folder)
