"""Where they stop: who attempted and passed along the order of the course, exercises only."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from autograder.cohort.order import Item
from autograder.cohort.tally import Tally


@dataclass(frozen=True)
class Step:
    """One exercise on the way through the course."""

    item: Item
    attempted: int
    passed: int
    last: int
    """Students who attempted this one and none after it."""


def steps(tally: Tally) -> list[Step]:
    """The exercises in the order of the course."""
    columns = [i for i, item in enumerate(tally.items) if not item.question]
    attempted = tally.attempted[:, columns]
    if not columns:
        return []
    last = np.where(attempted.any(1), len(columns) - 1 - np.argmax(attempted[:, ::-1], axis=1), -1)
    return [
        Step(tally.items[i], int(attempted[:, n].sum()), int(tally.passed[:, i].sum()), int((last == n).sum()))
        for n, i in enumerate(columns)
    ]


def largest_stops(found: list[Step], most: int = 3) -> list[Step]:
    """Where most students stopped, before the end; the earliest first among equals."""
    return sorted((step for step in found[:-1] if step.last), key=lambda step: -step.last)[:most]
