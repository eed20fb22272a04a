"""The same calls through a real scheduler and two real workers, on loopback: the same bytes."""

import os
import subprocess
import sys
import time

import pytest

from autograder.batch import cluster
from autograder.batch.collect import collect
from autograder.batch.grade_class import grade_all
from autograder.batch.results import Store
from autograder.batch.stages import Handed
from autograder.reading.submission import Submission

from .classroom import LESSON, ROOT, SECRET, contents, start

distributed = pytest.importorskip("distributed")


class Deadly(Submission):
    """Kills whoever unpickles it."""

    def __reduce__(self):
        return os._exit, (9,)


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory):
    """Its address; two workers are with it."""
    folder = tmp_path_factory.mktemp("dask")
    file = folder / "scheduler.json"
    common = ["--scheduler-file", str(file), "--no-dashboard", "--host", "127.0.0.1"]
    dask = [sys.executable, "-m", "dask"]
    started = [_started([*dask, "scheduler", *common, "--port", "0"], folder / "scheduler.log")]
    worker = [*dask, "worker", *common, "--nthreads", "1", "--local-directory", str(folder)]
    started += [_started(worker, folder / f"worker{n}.log") for n in range(2)]
    try:
        yield _address(file)
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def _started(command, log) -> subprocess.Popen:
    with open(log, "wb") as out:
        environment = {**os.environ, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0"}
        return subprocess.Popen(command, stdout=out, stderr=subprocess.STDOUT, cwd=ROOT, env=environment)


def _address(file, patience=60) -> str:
    deadline = time.monotonic() + patience
    while not file.exists() and time.monotonic() < deadline:
        time.sleep(0.1)
    with distributed.Client(scheduler_file=str(file), timeout=patience) as client:
        client.wait_for_workers(2, timeout=patience)
        return client.scheduler.address


def test_a_real_scheduler_and_two_workers_give_the_bytes_of_one_job(scheduler, submitted, tmp_path, graded):
    command = start("grade", submitted, "--out", tmp_path / "results", "--dask", scheduler)
    said = command.communicate(timeout=200)
    assert command.returncode == 1, said
    assert contents(tmp_path / "results") == contents(graded)


def test_a_submission_that_kills_its_workers_is_told_and_stops_nobody(scheduler, submitted, tmp_path, graded):
    handed = [each for each in collect(submitted) if each.student in ("ann", "dora")]
    deadly = Handed("killer", LESSON, Deadly(handed[0].submission.sources), "no digest")
    store = Store(tmp_path / "results", SECRET)
    summary = grade_all([handed[0], deadly, handed[1]], store, secret=SECRET, dask=scheduler)
    assert {(r.student, r.rows[0].diagnosis.name) for r in summary.unjudged} == {("killer", "worker_died")}
    theirs = contents(graded / "results")
    for student in ("ann", "dora"):
        ours = contents(store.folder / "results" / student)
        assert ours == {name: theirs[f"{student}/{name}"] for name in ours}


def test_an_address_where_nobody_answers_is_one_sentence(submitted, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "PATIENCE", 1.0)
    told = r"dask: no scheduler answers at tcp://127\.0\.0\.1:1; start one with `dask scheduler`\."
    with pytest.raises(ValueError, match=told):
        grade_all(collect(submitted), Store(tmp_path / "r", SECRET), secret=SECRET, dask="tcp://127.0.0.1:1")
