"""A class, graded: what is known stays, the rest goes to the workers, everything is written as soon as it is there."""

from __future__ import annotations

import difflib
import os
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from autograder.batch.chain import differing, refuse_differing
from autograder.batch.pool import finished
from autograder.batch.results import Store
from autograder.batch.stages import Handed, Result
from autograder.batch.summaries import write_tables
from autograder.batch.work import Task, unread
from autograder.core.verdict import NOT_JUDGED
from autograder.core.version import checks_version, libraries
from autograder.course import registry

SKIPPED = "skipped by the instructor; the same command without --skip grades it."


@dataclass
class Summary:
    """What became of a batch."""

    submissions: int = 0
    graded: int = 0
    """Exercises and questions that were graded now."""
    kept: int = 0
    """Those that were known already."""
    verdicts: Counter[str] = field(default_factory=Counter)
    """Verdict -> exercises and questions, of all that were handed in."""
    unjudged: list[Result] = field(default_factory=list)
    older: int = 0
    """Results that were made with other checks, libraries or on another device."""

    def add(self, result: Result, *, fresh: bool) -> None:
        """Counts one exercise or question."""
        self.graded += fresh
        self.kept += not fresh
        self.verdicts[result.verdict] += 1
        self.older += not current(result, result.device)
        if result.verdict == NOT_JUDGED:
            self.unjudged.append(result)


Keeps = Callable[[Result, Handed], bool]


def unchanged(result: Result, handed: Handed) -> bool:
    """Whether a result stays: it is of this very submission, and is not the grader's own failure."""
    failures = {row.diagnosis for row in result.rows if row.diagnosis and row.diagnosis.kind == "grader"}
    expected = [{unread(handed)}] if handed.problem else [set()]
    if handed.problem == SKIPPED:  # what is known of it stays
        expected.append(set())
    return result.submission == handed.digest and failures in expected


def skipping(handed: Sequence[Handed], names: Collection[str]) -> list[Handed]:
    """All that was handed in, of which no code of these students is run.

    Raises:
        ValueError: nobody of that name handed anything in.
    """
    students = {each.student for each in handed}
    if unknown := sorted({*names} - students):
        near = difflib.get_close_matches(unknown[0], students, 3, 0) or ["nobody"]
        raise ValueError(f'--skip: got "{unknown[0]}", who handed in nothing here; near it are {", ".join(near)}.')
    return [replace(h, submission=None, problem=SKIPPED) if h.student in names else h for h in handed]


def current(result: Result, device: str) -> bool:
    """Whether grading anew would be done with the same checks and libraries on the same device."""
    return (result.checks, result.libraries, result.device) == (checks_version(result.lesson), libraries(), device)


def grade_all(
    handed: Sequence[Handed],
    store: Store,
    *,
    secret: str,
    device: str = "cpu",
    seconds: float | None = None,
    jobs: int = 1,
    dask: str | None = None,
    rung: str | None = None,
    told: Callable[[Result], None] | None = None,
    begun: Callable[[Handed], None] | None = None,
    keeps: Keeps = unchanged,
    accept: bool = False,
) -> Summary:
    """Grades what is not known yet; may be killed at any moment and called again.

    Args:
        handed: what was handed in.
        store: where results are and go.
        secret: seeds the hidden cases.
        device: where student code runs.
        seconds: no exercise gets more wall-clock time than this.
        jobs: worker processes; 1 grades in this one.
        dask: a scheduler's address, in place of `jobs`.
        rung: how far student code is confined; the best that works where it is not given.
        told: is told of every exercise, known ones first, in this process.
        begun: is told of every submission that goes to a worker.
        keeps: whether a known result stays.
        accept: goes on where results are not as the last run left them, and says so in the next manifest.

    Raises:
        ValueError: another process is at work in the folder; it differs from its manifest; no scheduler answers.
    """
    summary = Summary(submissions=len(handed))
    told = told or (lambda _: None)

    def note(result: Result) -> None:
        summary.add(result, fresh=True)
        told(result)

    task = partial(Task, secret=secret, seeds=store.seeds, device=device, seconds=seconds, rung=rung)
    if not dask:
        task = partial(task, folder=store.folder, boss=os.getpid())
    with store.at_work():
        accepted = differing(store) if accept else []
        refuse_differing(store, accepted)
        try:
            todo = []
            for each in _once(handed):
                known = _known(each, store, keeps)
                for result in known.values():
                    summary.add(result, fresh=False)
                    told(result)
                if len(known) < len(registry.lesson(each.lesson).items):
                    todo.append(task(each, known=known))
            workers = min(jobs, max(2, len(todo)))
            for _, results in finished(_kept(todo, store, begun), jobs=workers, dask=dask, done=note) if todo else ():
                for result in results:
                    store.put(result)
        finally:
            write_tables(store, accepted)
    return summary


def _known(handed: Handed, store: Store, keeps: Keeps) -> dict[str, Result]:
    """The results of a submission that stay."""
    found = (store.get(handed.student, handed.lesson, item.id) for item in registry.lesson(handed.lesson).items)
    return {result.item: result for result in found if result is not None and keeps(result, handed)}


def _kept(tasks: Sequence[Task], store: Store, begun: Callable[[Handed], None] | None) -> Iterator[Task]:
    """The tasks, each one's code kept just before its turn."""
    for task in tasks:
        store.keep(task.handed)
        if begun is not None:
            begun(task.handed)
        yield task


def _once(handed: Sequence[Handed]) -> list[Handed]:
    """One work a student and lesson; where there are two, neither is guessed at."""
    found: dict[tuple[str, str], Handed] = {}
    for each in handed:
        key = each.student, each.lesson
        if (first := found.get(key)) is not None:
            told = (
                f"handed in twice, as {first.place or 'one'} and as {each.place or 'another'}; leave one of them there."
            )
            each = replace(each, submission=None, problem=told)
        found[key] = each
    return list(found.values())
