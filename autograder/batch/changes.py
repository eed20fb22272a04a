"""The same code under today's checks: who changes, and why. Nothing is lost: what is replaced goes to the history."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import Any

from autograder.batch.chain import differing, refuse_differing
from autograder.batch.grade_class import Summary, current, grade_all, unchanged
from autograder.batch.results import Store
from autograder.batch.stages import Handed, Result
from autograder.batch.summaries import write_tables
from autograder.core.verdict import NOT_JUDGED
from autograder.core.version import checks_version, libraries
from autograder.course import registry
from autograder.report.sentences import said, sentence

STAGE = ".regrade"
"""Where new results wait: a run that was killed goes on there, and a dry run need not be repeated."""


@dataclass(frozen=True)
class Change:
    """An exercise or question whose points or verdict are others now."""

    before: Result | None
    """None where the exercise is new."""
    after: Result | None
    """None where there is no such exercise any more."""

    @property
    def owner(self) -> Result:
        """Either of the two: student, lesson and item are the same."""
        found = self.after or self.before
        assert found is not None
        return found

    @property
    def message(self) -> str:
        """What is said of it now."""
        rows = self.after.rows if self.after else ()
        return next(filter(None, map(said, rows)), "")


@dataclass(frozen=True)
class Regrade:
    """What came of it."""

    changes: tuple[Change, ...]
    submissions: int
    """Those that were graded anew."""
    reasons: tuple[str, ...]
    """What is different now: checks and libraries, before and after."""
    skipped: tuple[str, ...]
    """A sentence for everything that could not be graded anew and keeps its results."""


def regrade(
    store: Store,
    *,
    secret: str,
    device: str | None = None,
    dry: bool = False,
    accept: bool = False,
    begun: Callable[[list[Handed]], Callable[[Result], None]] | None = None,
    **options: Any,
) -> Regrade:
    """Grades anew, from the kept code, what was made with other checks or libraries.

    Args:
        store: the results.
        secret: the course secret.
        device: where student code runs; where the results were made, without it.
        dry: nothing of the results is changed.
        accept: as `grade_all` takes it.
        begun: is given what will be graded, and gives what is told of each result.
        options: as `grade_all` takes them: jobs, dask, seconds, rung.

    Raises:
        ValueError: the results were made on several devices and none is named; as `grade_all`.
    """
    with store.at_work():
        accepted = differing(store) if accept else []
        refuse_differing(store, accepted)
        device = device or _only_device(store)
        handed, skipped = outdated(store, device)
        stage = Store(store.folder / STAGE, secret)
        told = begun(handed) if begun else None
        summary = grade_all(
            handed, stage, secret=secret, device=device, told=told,
            keeps=lambda result, each: unchanged(result, each) and current(result, device), **options,
        )  # fmt: skip
        found = Regrade(
            tuple(_changes(handed, store, stage)), len(handed), tuple(_reasons(handed, store)),
            (*skipped, *_failed(summary, store)),
        )  # fmt: skip
        if not dry:
            _commit(handed, store, stage, accepted)
    return found


def outdated(store: Store, device: str) -> tuple[list[Handed], list[str]]:
    """Submissions with a result that today would be made otherwise; and sentences for those whose code is not there."""
    handed, skipped = [], []
    for (lesson, student), results in groupby(store.results(), key=lambda r: (r.lesson, r.student)):
        known = list(results)
        if lesson not in {found.id for found in registry.lessons()} or all(current(r, device) for r in known):
            continue
        try:
            handed.append(_handed(known, store))
        except ValueError as error:
            skipped.append(f"{student}, {lesson}, keeps its results: {error}")
    return handed, skipped


def _handed(known: list[Result], store: Store) -> Handed:
    digests = {result.submission for result in known}
    if len(digests) > 1:
        raise ValueError("they are of two versions of the code; run `cnnviz grade` to its end first.")
    first, told = known[0], _unread(known)
    submission = None if told else store.sources(first.submission)
    return Handed(first.student, first.lesson, submission, first.submission, problem=told)


def _unread(known: list[Result]) -> str:
    """Why the submission could not be read, where that was so."""
    found = (row.diagnosis for result in known for row in result.rows)
    return next((sentence(d.message) for d in found if d and (d.kind, d.name) == ("grader", "unreadable")), "")


def _changes(handed: list[Handed], store: Store, stage: Store) -> Iterator[Change]:
    for each in handed:
        items = [item.id for item in registry.lesson(each.lesson).items]
        for item in [*items, *_gone(each, store)]:
            before = store.get(each.student, each.lesson, item)
            after = stage.get(each.student, each.lesson, item) if item in items else None
            if _worth(before) != _worth(after) and (after is None or _better(after, store)):
                yield Change(before, after)


def _worth(result: Result | None) -> Any:
    return result and (result.points, result.verdict, [(row.check, row.verdict) for row in result.rows])


def _gone(handed: Handed, store: Store) -> list[str]:
    """Items with a result that the lesson has no more."""
    items = {item.id for item in registry.lesson(handed.lesson).items}
    folder = store.place(handed.student, handed.lesson, "any").parent
    found = (store.get(handed.student, handed.lesson, path.stem) for path in sorted(folder.glob("*.json")))
    return [result.item for result in found if result is not None and result.item not in items]


def _reasons(handed: list[Handed], store: Store) -> Iterator[str]:
    """What is different, once for each lesson and library."""
    told = {}
    for each in handed:
        for item in registry.lesson(each.lesson).items:
            if (result := store.get(each.student, each.lesson, item.id)) is not None:
                told.update(dict.fromkeys(_differences(result)))
    yield from sorted(told)


def _differences(result: Result) -> Iterator[str]:
    if (now := checks_version(result.lesson)) != result.checks:
        yield f"checks of {result.lesson}: {result.checks[:8]} -> {now[:8]}"
    for name, version in libraries().items():
        if (before := result.libraries.get(name)) != version:
            yield f"{name}: {before} -> {version}"


def _commit(handed: list[Handed], store: Store, stage: Store, accepted: Collection[str]) -> None:
    """New results take the old ones' places; killed in between, the next run does the rest."""
    for each in handed:
        for item in registry.lesson(each.lesson).items:
            if (result := stage.get(each.student, each.lesson, item.id)) is not None and _better(result, store):
                store.put(result)
        for item_id in _gone(each, store):
            store.retire(store.place(each.student, each.lesson, item_id))
    write_tables(store, accepted)
    shutil.rmtree(stage.folder, ignore_errors=True)


def _failed(summary: Summary, store: Store) -> Iterator[str]:
    """What the grader itself failed on just now, and what has a verdict already."""
    for result in summary.unjudged:
        if not _better(result, store):
            told = next(filter(None, map(said, result.rows)))
            yield f"{result.student}, {result.item}, keeps its result: {told}"


def _better(result: Result, store: Store) -> bool:
    """The grader's own failure never takes the place of a verdict."""
    before = store.get(result.student, result.lesson, result.item)
    return before is None or result.verdict != NOT_JUDGED or before.verdict == NOT_JUDGED


def _only_device(store: Store) -> str:
    devices = sorted({result.device for result in store.results()})
    if len(devices) > 1:
        raise ValueError(f"device: the results were made on {' and '.join(devices)}; name one of them with --device.")
    return devices[0] if devices else "cpu"
