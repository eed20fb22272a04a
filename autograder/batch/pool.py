"""Tasks to worker processes and results back, whatever becomes of the workers. joblib does the scheduling."""

from __future__ import annotations

import contextlib
import pickle
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from types import TracebackType

import joblib

from autograder.batch.cluster import on_cluster
from autograder.batch.results import Store
from autograder.batch.stages import Result
from autograder.batch.work import DIED, Finished, Task, perform, perform_for, unjudged
from autograder.course import registry
from autograder.isolated.current_folder import elsewhere


def finished(
    tasks: Iterable[Task], *, jobs: int = 1, dask: str | None = None, done: Callable[[Result], None] | None = None
) -> Iterator[Finished]:
    """Each task with its results, in the order in which they end.

    `done` is told of every exercise as soon as this process knows it. A task whose worker died is tried once more,
    alone in a fresh one; then it is "not judged".
    """
    if dask is None and jobs == 1:
        yield from ((task, perform(task, done)) for task in tasks)
        return
    told = done or (lambda _: None)
    if dask is not None:
        for task, results in on_cluster(dask, iter(tasks)):
            for result in results:
                told(result)
            yield task, results
        return
    with elsewhere(), _backend(), Watch(told) as watch:
        yield from _in_workers(enumerate(tasks), jobs, watch)


def _in_workers(tasks: Iterator[tuple[int, Task]], workers: int, watch: Watch) -> Iterator[Finished]:
    while True:
        underway: dict[int, Task] = {}
        try:
            for number, results in _parallel(_begun(tasks, underway, watch), workers):
                watch.end(number, results)
                yield underway.pop(number), results
            return
        except Exception as error:
            if not _died(error):
                raise
        for number, task in underway.items():
            results = _alone(number, task, workers, watch)
            watch.end(number, results)
            yield task, results


def _alone(number: int, task: Task, workers: int, watch: Watch) -> list[Result]:
    try:
        ((_, results),) = _parallel(_begun(iter([(number, task)]), {}, watch), workers)
    except Exception as error:
        if not _died(error):
            raise
        return unjudged(task, DIED)
    return results


def _begun(tasks: Iterator[tuple[int, Task]], underway: dict[int, Task], watch: Watch) -> Iterator[tuple[int, bytes]]:
    """Tasks, noted when they are taken: those without an answer are the ones that a worker's death may concern."""
    for number, task in tasks:
        underway[number] = task
        watch.begin(number, task)
        yield number, pickle.dumps(task)


def _parallel(numbered: Iterator[tuple[int, bytes]], workers: int) -> Iterator[tuple[int, list[Result]]]:
    run = joblib.Parallel(
        n_jobs=workers, return_as="generator_unordered", batch_size=1, pre_dispatch="n_jobs", max_nbytes=None
    )
    yield from run(joblib.delayed(_numbered)(*each) for each in numbered)


def _numbered(number: int, task: bytes) -> tuple[int, list[Result]]:
    return number, perform_for(pickle.loads(task))


@contextlib.contextmanager
def _backend() -> Iterator[None]:
    with warnings.catch_warnings():
        # a worker that grew is replaced by a fresh one; nothing is lost by it
        warnings.filterwarnings("ignore", "A worker stopped while some jobs", UserWarning)
        with joblib.parallel_config(backend="loky", inner_max_num_threads=1):
            yield


def _died(error: BaseException) -> bool:
    """Whether a worker's end is what went wrong."""
    return type(error).__name__ in ("TerminatedWorkerError", "BrokenProcessPool")


EVERY = 0.3
"""Seconds between two looks."""


class Watch:
    """Looks for the results of the tasks that are under way; a context manager.

    Args:
        told: is called in one thread at a time, once for each result.
    """

    def __init__(self, told: Callable[[Result], None]) -> None:
        self._told, self._turn, self._over = told, threading.Lock(), threading.Event()
        self._expected: dict[int, tuple[Task, Store, set[str]]] = {}
        self._heard: dict[int, set[str]] = {}
        self._thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._over.set()
        self._thread.join()

    def begin(self, number: int, task: Task) -> None:
        """A task goes to a worker; what lies in its results' places already is not news."""
        if task.folder is None:
            return
        store, handed = Store(task.folder, task.secret), task.handed
        items = {item.id for item in registry.lesson(handed.lesson).items} - task.known.keys()
        fresh = {item for item in items if not store.place(handed.student, handed.lesson, item).exists()}
        with self._turn:
            self._expected[number] = task, store, fresh

    def end(self, number: int, results: list[Result]) -> None:
        """All that a task gave: what was not heard of yet is told."""
        with self._turn:
            self._expected.pop(number, None)
            heard = self._heard.pop(number, set())
            for result in results:
                if result.item not in heard:
                    self._told(result)

    def _look(self) -> None:
        while not self._over.wait(EVERY):
            for number in list(self._expected):
                with self._turn:
                    self._look_for(number)

    def _look_for(self, number: int) -> None:
        if number not in self._expected:
            return
        task, store, waiting = self._expected[number]
        for item in sorted(waiting):
            if (result := store.get(task.handed.student, task.handed.lesson, item)) is not None:
                waiting.discard(item)
                self._heard.setdefault(number, set()).add(item)
                self._told(result)
