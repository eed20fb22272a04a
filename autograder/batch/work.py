"""One student's work on one lesson, graded: what a worker process does, with the one warm runner that it keeps."""

from __future__ import annotations

import atexit
import os
import re
import signal
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from autograder.batch.names import seed_name
from autograder.batch.results import Store
from autograder.batch.stages import Handed, Result
from autograder.core import unseen
from autograder.core.allowance import Allowance, Runs
from autograder.core.diagnose import Diagnosis
from autograder.core.evidence import exhibits_of
from autograder.core.grade import fault, grade_item
from autograder.core.judge import Graded, everywhere
from autograder.core.message import Message, message
from autograder.core.oracle import Setting
from autograder.core.verdict import NOT_JUDGED, Row
from autograder.core.version import checks_version, libraries
from autograder.course import registry
from autograder.course.records import Exercise, Question
from autograder.isolated import Runner
from autograder.text.words import changed_in


@dataclass(frozen=True)
class Task:
    """All that a worker needs to know."""

    handed: Handed
    secret: str
    seeds: str
    known: Mapping[str, Result] = field(default_factory=dict)
    """Item -> the result that stays."""
    device: str = "cpu"
    seconds: float | None = None
    rung: str | None = None
    folder: Path | None = None
    """RESULTS, where the worker sees it and writes there itself."""
    boss: int | None = None
    """The process without which this worker must not go on; None where it is on another machine."""


def perform(task: Task, done: Callable[[Result], None] | None = None) -> list[Result]:
    """Grades what is not known yet; each result is written, and `done` told of it, as soon as it is there."""
    store = Store(task.folder, task.secret) if task.folder else None
    items = registry.lesson(task.handed.lesson).items
    submission = task.handed.submission
    # What is known of an exercise is the better of two files; what is built on it asks for both.
    anew = submission is not None and len(submission.files) > 1 and len(task.known) < len(items)
    all_known = {} if anew else task.known
    graded: list[Graded] = []
    fresh: list[Result] = []
    runs = Allowance(_runner(task.rung), registry.lesson(task.handed.lesson), _setting(task))
    for item in items:
        if (known := all_known.get(item.id)) is not None:
            graded.append(Graded(item, known.rows))
            continue
        graded.append(_graded(task, item, graded, runs))
        fresh.append(as_result(task, graded[-1]))
        if store is not None:
            store.put(fresh[-1])
        if done is not None:
            done(fresh[-1])
    return fresh


def perform_for(task: Task) -> list[Result]:
    """`perform` in a worker process: one submission at a time, and no longer than the grader lives."""
    if task.boss is not None:
        _only_while(task.boss)
    with _TURN:
        return perform(task)


def unjudged(task: Task, why: Diagnosis) -> list[Result]:
    """Every item that is not known as "not judged": visible, and never a silent zero."""
    items = registry.lesson(task.handed.lesson).items
    return [as_result(task, everywhere(i, NOT_JUDGED, why)) for i in items if i.id not in task.known]


def unread(handed: Handed) -> Diagnosis:
    """The diagnosis of work that could not be read."""
    return Diagnosis("grader", "unreadable", message("grader.unread", why=steady(handed.problem)))


def as_result(task: Task, graded: Graded) -> Result:
    """The rows with all that they depend on, and nothing that another run would have otherwise."""
    return Result(
        student=task.handed.student,
        lesson=task.handed.lesson,
        item=graded.item.id,
        submission=task.handed.digest,
        checks=checks_version(task.handed.lesson),
        seeds=task.seeds,
        rung=graded.rung,
        rows=tuple(steady_row(unseen.restricted(row, graded.item)) for row in graded.rows),
        device=task.device,
        libraries=libraries(),
        evidence=exhibits_of(graded),
    )


Finished = tuple[Task, list[Result]]

DIED = Diagnosis("grader", "worker_died", message("grader.worker_died"))

_TURN = threading.Lock()
"""A Dask worker may have several threads; a runner makes one call at a time."""


def _graded(task: Task, item: Exercise | Question, earlier: list[Graded], runs: Runs) -> Graded:
    if task.handed.submission is None:
        return everywhere(item, NOT_JUDGED, unread(task.handed))
    try:
        return grade_item(task.handed.submission, item, _setting(task), runs, earlier=earlier)
    except Exception as error:  # one broken submission never stops the rest
        return everywhere(item, NOT_JUDGED, fault(error))


def _setting(task: Task) -> Setting:
    return Setting(task.secret, seed_name(task.handed.student), task.device, task.seconds)


@cache
def _runner(rung: str | None) -> Runner:
    """The warm runner of this process, for every student of the batch."""
    chosen: dict[str, Any] = {} if rung is None else {"rung": rung}
    warm = Runner(**chosen)
    atexit.register(warm.close)
    return warm


@cache
def _only_while(boss: int) -> None:
    """A worker ends with the grader: what runs on unseen would grade twice. The terminal's Ctrl-C is the grader's."""

    def watch() -> None:
        while os.getppid() == boss:
            time.sleep(0.1)
        os._exit(1)

    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=watch, daemon=True).start()


_CHANGING = (
    (re.compile(r"[^\s'\"(]*cnnviz-run-\w+(?:/calls)?(?:/call-\w+)?"), "."),
    (re.compile(r"0x[0-9a-fA-F]{5,}"), "0x..."),
    (re.compile(r"\btmp[a-z0-9_]{8}\b"), "tmp..."),
    (re.compile(r"/proc/\d+"), "/proc/..."),
    (re.compile(r"(?i)\b(pid|process)([ =:]+)\d+"), r"\1\2..."),
    (re.compile(r"(?<![\w.])\d{14,}(?![\w.])"), "..."),
)
"""Folder of the call, addresses, temporary names, process numbers, `id(...)`: pattern -> what stands there instead."""


def steady(text: str) -> str:
    """The text without addresses, process numbers and temporary paths."""
    for pattern, instead in _CHANGING:
        text = pattern.sub(instead, text)
    return text


def steady_row(row: Row) -> Row:
    """The row as it is kept: no seconds, a steady message."""
    diagnosis = row.diagnosis
    if diagnosis is not None:
        message = Message.from_json(changed_in(diagnosis.message.as_json(), steady))
        diagnosis = replace(diagnosis, name=steady(diagnosis.name), message=message)
    return replace(row, diagnosis=diagnosis, seconds=0.0)
