"""What to reteach first: the few mistakes that many share and that other exercises are built on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from autograder.cohort.order import Item
from autograder.cohort.reasons import of_many
from autograder.cohort.tally import Tally

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
