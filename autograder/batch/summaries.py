"""`results.csv` and `manifest.json`: both made from the results, never a second truth."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from itertools import groupby
from typing import Any

from autograder.batch.chain import sign
from autograder.batch.results import Store
from autograder.batch.stages import Result
from autograder.core.verdict import NOT_JUDGED, summary
from autograder.course import registry
from autograder.text.words import csv_text

INCOMPLETE = "incomplete"
"""Status of a lesson whose grading was interrupted."""


def write_tables(store: Store, accepted: Collection[str] = ()) -> None:
    """Both files, each in one step.

    Raises:
        ValueError: something differs that no run wrote, and is not among what was accepted.
    """
    store.write(store.folder / "results.csv", table(store.results()))
    sign(store, accepted)


def table(results: Iterable[Result]) -> bytes:
    """One row per student and lesson, as CSV; what was not judged has no points, for it is no zero."""
    rows = {key: {r.item: r for r in part} for key, part in groupby(results, key=lambda r: (r.lesson, r.student))}
    of: dict[str, set[str]] = {}
    for (lesson, _), known in rows.items():
        of.setdefault(lesson, set()).update(known)
    items = [item for lesson in sorted(of) for item in _items(lesson, of[lesson])]
    headings = [heading for item in items for heading in (f"{item} points", f"{item} verdict")]
    made: list[list[Any]] = [["student", "lesson", "points", "possible", "status", *headings]]
    made += [
        [student, lesson, *_total(lesson, known), *_each(items, known)] for (lesson, student), known in rows.items()
    ]
    return csv_text(made).encode()


def status(lesson: str, known: Mapping[str, Result]) -> str:
    """The one verdict of a lesson, or that it is incomplete."""
    items = _items(lesson, known)
    if any(item not in known for item in items):
        return INCOMPLETE
    return summary(row for item in items for row in known[item].rows)


def _items(lesson: str, known: Collection[str]) -> list[str]:
    """Ids of the exercises and questions of a lesson; where the course has it no more, of those that are known."""
    try:
        return [item.id for item in registry.lesson(lesson).items]
    except ValueError:
        return sorted(known)


def _total(lesson: str, known: Mapping[str, Result]) -> list[Any]:
    told = status(lesson, known)
    pairs = [known[item].points for item in _items(lesson, known) if item in known]  # of the day of grading
    earned, possible = (sum(of) for of in zip(*pairs, strict=True)) if pairs else (0, 0)
    return ["" if told in (NOT_JUDGED, INCOMPLETE) else earned, possible, told]


def _each(items: list[str], known: Mapping[str, Result]) -> list[Any]:
    pairs = [(known[item].points[0], known[item].verdict) if item in known else ("", "") for item in items]
    return [cell for points, verdict in pairs for cell in ("" if verdict == NOT_JUDGED else points, verdict)]
