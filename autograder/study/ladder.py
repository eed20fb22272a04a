"""Which hints a student has seen: known to the student's own cache folder, and told nowhere else."""

from __future__ import annotations

from autograder.course.outlines import EXERCISE, Item
from autograder.study.cache import Cache

KIND = "hints"
RUNGS = ("a question", "a pointer", "the steps, almost in code")


def next_rung(item: Item, cache: Cache) -> int:
    """The first rung that was not seen, counted from 1; the last one again where all were."""
    read = cache.get(KIND, item.id) or {}
    seen = read.get("seen")
    return min(seen + 1, len(item.hints)) if isinstance(seen, int) and seen > 0 else 1


def climb(item: Item, cache: Cache, rung: int | None = None) -> int:
    """Notes that a rung is seen, the next one where none is named, and says which.

    Raises:
        ValueError: there is no such rung, or there are no hints.
    """
    if item.kind != EXERCISE or not item.hints:
        raise ValueError(f"hint: {item.id} is a prediction, which has no hints; guess, then run the cells below it.")
    if rung is not None and not 1 <= rung <= len(item.hints):
        raise ValueError(f"--rung: got {rung}, allowed are 1 to {len(item.hints)}; leave it out for the next one.")
    shown = rung or next_rung(item, cache)
    seen = max(shown, next_rung(item, cache) - 1)
    cache.put(KIND, item.id, {"seen": seen})
    return shown


def rung_title(item: Item, rung: int) -> str:
    """ "Hint 1 of 3, a question"."""
    return f"Hint {rung} of {len(item.hints)}, {RUNGS[min(rung, len(RUNGS)) - 1]}"
