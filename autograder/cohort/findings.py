"""What stands out in a class: what to reteach first, where students stop, which checks separate nobody."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograder.cohort.order import Item
from autograder.cohort.tally import Tally, of_many

MOST = 7
"""Topics on the list."""
SHARE, FEWEST = 0.1, 2
"""A mistake counts from this share of those who attempted the exercise, and from this many students."""
UNEXPLAINED_SHARE, UNEXPLAINED_FEWEST = 0.25, 3
"""The same for failures that no known mistake explains."""


@dataclass(frozen=True)
class Topic:
    """One thing to reteach."""

    item: Item
    sentence: str
    count: int
    weight: int
    """Students, times one more than the exercises that are built on it: what the list is ranked by."""


def topics(tally: Tally, most: int = MOST) -> list[Topic]:
    """The heaviest first; of equals the one that comes first in the course."""
    return sorted(_candidates(tally), key=lambda topic: -topic.weight)[:most]


def _candidates(tally: Tally) -> Iterator[Topic]:
    for i, item in enumerate(tally.items):
        attempted = int(tally.attempted[:, i].sum())
        for name, students in sorted(tally.mistakes[i].items(), key=lambda found: -len(found[1])):
            if len(students) >= max(FEWEST, SHARE * attempted):
                sentence = of_many(len(students), attempted, item.sentences.get(name, name.replace("_", " ") + "."))
                yield _topic(item, sentence, len(students))
        if sum(map(len, tally.reasons[i].values())) >= max(UNEXPLAINED_FEWEST, UNEXPLAINED_SHARE * attempted):
            yield _unexplained(item, {reason: len(who) for reason, who in tally.reasons[i].items()}, attempted)


def _unexplained(item: Item, counts: dict[str, int], attempted: int) -> Topic:
    reason = max(counts, key=counts.__getitem__)
    count = sum(counts.values())
    told = f"{count} of {attempted} failed with no mistake that has a name; most often ({counts[reason]}): {reason}."
    return _topic(item, told, count)


def _topic(item: Item, sentence: str, count: int) -> Topic:
    return Topic(item, sentence, count, count * (1 + len(item.needed_by)))


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


FEWEST_JUDGED, FEWEST_EACH = 10, 3
"""A correlation is worked out from this many students on, with this many who pass and as many who do not."""
FEWEST_ALIKE = 5
"""That all pass or all fail is said from this many students on."""


@dataclass(frozen=True)
class Finding:
    """Checks of one exercise with the same outcome for every student."""

    item: Item
    checks: tuple[str, ...]
    attempted: int
    passed: int
    correlation: float | None = None
    """Point-biserial, with the points of all other exercises, over students all of whose work was judged; None where
    nobody differs or too few do."""
    clear: bool = False
    """Whether it is below zero by more than chance: the upper end of the one-sided 95 % interval (Fisher's z) is."""


def findings(tally: Tally) -> tuple[list[Finding], list[Finding], list[Finding]]:
    """Checks that all pass, checks that nobody passes, and checks with a negative correlation, the lowest first."""
    found = [_finding(tally, i, names, outcome) for i, names, outcome in _alike(tally)]
    enough = [each for each in found if each.attempted >= FEWEST_ALIKE]
    against = [each for each in found if each.correlation is not None and each.correlation < 0]
    return (
        [each for each in enough if each.passed == each.attempted],
        [each for each in enough if not each.passed],
        sorted(against, key=lambda each: each.correlation or 0),
    )


def _alike(tally: Tally) -> Iterator[tuple[int, list[str], np.ndarray]]:
    """Checks of an exercise that tell the same of everybody, together."""
    for i in range(len(tally.items)):
        together = defaultdict(list)
        for name, outcome in tally.checks[i].items():
            together[outcome.tobytes()].append(name)
        yield from ((i, names, tally.checks[i][names[0]]) for names in together.values())


def _finding(tally: Tally, i: int, names: list[str], outcome: np.ndarray) -> Finding:
    known = outcome >= 0
    attempted, passed = int(known.sum()), int(outcome[known].sum())
    whole = known & (tally.open == 0)
    rest, outcome = (tally.earned.sum(1) - tally.earned[:, i])[whole], outcome[whole]
    passes = int(outcome.sum())
    enough = len(rest) >= FEWEST_JUDGED and min(passes, len(rest) - passes) >= FEWEST_EACH and rest.min() < rest.max()
    if not enough:
        return Finding(tally.items[i], tuple(names), attempted, passed)
    correlation = float(np.corrcoef(outcome, rest)[0, 1])
    above = np.arctanh(np.clip(correlation, -0.999999, 0.999999)) + 1.645 / np.sqrt(len(rest) - 3)
    return Finding(tally.items[i], tuple(names), attempted, passed, correlation, bool(above < 0))
