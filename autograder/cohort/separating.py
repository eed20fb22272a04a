"""Checks that separate nobody, and checks that contradict the rest."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from autograder.cohort.order import Item
from autograder.cohort.tally import Tally

FEWEST, FEWEST_EACH = 10, 3
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
    enough = len(rest) >= FEWEST and min(passes, len(rest) - passes) >= FEWEST_EACH and rest.min() < rest.max()
    if not enough:
        return Finding(tally.items[i], tuple(names), attempted, passed)
    correlation = float(np.corrcoef(outcome, rest)[0, 1])
    above = np.arctanh(np.clip(correlation, -0.999999, 0.999999)) + 1.645 / np.sqrt(len(rest) - 3)
    return Finding(tally.items[i], tuple(names), attempted, passed, correlation, bool(above < 0))
