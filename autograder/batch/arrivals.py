"""Hears of every exercise as soon as a worker has written it, and tells of each once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from types import TracebackType

from autograder.batch.results import Store
from autograder.batch.stages import Result
from autograder.batch.work import Task
from autograder.course import registry

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
