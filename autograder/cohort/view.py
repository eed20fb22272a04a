"""The numbers of the page, ready to be written down: for the tables, and in short for the map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import numpy as np
from markupsafe import Markup

from autograder.cohort.order import Item
from autograder.cohort.tally import NOTHING, Tally, of_many
from autograder.core.verdict import NOT_ATTEMPTED, NOT_JUDGED
from autograder.text.words import json_text, printable

BINS = 10


@dataclass(frozen=True)
class Line:
    """One exercise or prediction in numbers."""

    item: Item
    attempted: int
    passed: int
    failed: int
    blank: int
    """Handed in without an attempt."""
    nothing: int
    """Nothing handed in for its lesson."""
    unjudged: int
    mistakes: tuple[tuple[int, str], ...]
    """(students, sentence), the most frequent first."""
    reasons: tuple[tuple[int, str], ...]
    """The same for failures that no known mistake explains."""

    @property
    def share(self) -> float | None:
        """Passed of those who attempted it."""
        return self.passed / self.attempted if self.attempted else None


def lines(tally: Tally) -> list[Line]:
    """One an item, in the order of the course."""
    attempted, passed = tally.attempted.sum(0), tally.passed.sum(0)
    blank, nothing, unjudged = (tally.count(state) for state in (NOT_ATTEMPTED, NOTHING, NOT_JUDGED))
    return [
        Line(item, int(attempted[i]), int(passed[i]), int(attempted[i] - passed[i]), int(blank[i]), int(nothing[i]),
             int(unjudged[i]), _mistakes(tally, i, int(attempted[i])), _sorted(tally.reasons[i]))
        for i, item in enumerate(tally.items)
    ]  # fmt: skip


def _mistakes(tally: Tally, i: int, attempted: int) -> tuple[tuple[int, str], ...]:
    sentences = tally.items[i].sentences
    return tuple(
        (count, of_many(count, attempted, sentences.get(name, name.replace("_", " "))))
        for count, name in _sorted(tally.mistakes[i])
    )


def _sorted(found: dict[str, set[int]]) -> tuple[tuple[int, str], ...]:
    return tuple(sorted(((len(who), name) for name, who in found.items()), key=lambda pair: (-pair[0], pair[1])))


@dataclass(frozen=True)
class Points:
    """How the points are spread, over the students all of whose work was judged."""

    students: int
    """How many these are; the other numbers are 0 where there is none."""
    median: float
    quarter: float
    three_quarters: float
    lowest: int
    highest: int
    possible: int
    bins: tuple[int, ...]
    """Students in each tenth of the points."""


def points(tally: Tally) -> Points:
    """Points earned by each student, of all that is shown; whoever has something that was not judged has no total."""
    earned = tally.earned.sum(1)[tally.open == 0]
    if not len(earned):
        return Points(0, 0, 0, 0, 0, 0, tally.possible, (0,) * BINS)
    shares = earned / max(tally.possible, 1)
    counts = Counter(np.minimum((shares * BINS).astype(int), BINS - 1).tolist())
    quarter, median, three = (float(q) for q in np.percentile(earned, (25, 50, 75)))
    return Points(
        len(earned), median, quarter, three, int(earned.min()), int(earned.max()), tally.possible,
        tuple(counts[n] for n in range(BINS)),
    )  # fmt: skip


def for_the_map(tally: Tally) -> dict[str, Any]:
    """Students by exercises in short: one digit a cell, sentences once for all who share them."""
    sentences: dict[str, int] = {}
    said: list[list[int]] = [[] for _ in tally.students]
    for (s, i), text in sorted(tally.said.items()):
        said[s] += [i, sentences.setdefault(text, len(sentences))]
    groups = [(lesson, len(list(of))) for lesson, of in groupby(tally.items, key=lambda item: item.lesson)]
    return {
        "items": [[item.place, printable(item.title), item.mark, item.points] for item in tally.items],
        "lessons": [[lesson.split("_", 1)[0], count] for lesson, count in groups],
        "students": list(map(printable, tally.students)),
        "points": tally.earned.sum(1).tolist(),
        "open": tally.open.tolist(),
        "cells": ["".join(map(str, row)) for row in tally.state.tolist()],
        "earned": tally.earned.tolist(),
        "said": said,
        "sentences": list(sentences),
    }


def dead_json(value: Any) -> Markup:
    """JSON that a script element can hold whatever is in it: nothing ends the element, nothing ends a line."""
    text = json_text(value)
    return Markup(text.replace("&", "\\u0026").replace("<", "\\u003c").replace(">", "\\u003e"))


def by_lesson(found: Sequence[Line]) -> list[tuple[Item, list[Line]]]:
    """Lines in groups, each with its first item, which names the lesson."""
    groups = [list(of) for _, of in groupby(found, key=lambda line: line.item.lesson)]
    return [(group[0].item, group) for group in groups]
