"""A class counted: students by exercises, each mistake once per student and exercise, and why the others failed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from autograder.batch.stages import Result
from autograder.cohort.order import Item
from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, Row
from autograder.report.sentences import catalogue, sentence
from autograder.text.words import printable, shown

NOTHING = "nothing handed in"
STATES = (NOTHING, PASSED, FAILED, NOT_ATTEMPTED, NOT_JUDGED)
"""What stands in `Tally.state`, by number."""
_NUMBER = {state: number for number, state in enumerate(STATES)}


@dataclass
class Tally:
    """Everything that is counted; students and items by their numbers."""

    students: list[str]
    items: list[Item]
    state: np.ndarray
    """[S I] numbers of `STATES`."""
    earned: np.ndarray
    """[S I] points."""
    mistakes: list[dict[str, set[int]]]
    """For each item: name of a mistake -> students."""
    reasons: list[dict[str, set[int]]]
    """For each item: why it failed, in words -> students, of those that no known mistake explains."""
    checks: list[dict[str, np.ndarray]]
    """For each item: check -> [S]: 1 passed, 0 failed, -1 neither."""
    said: dict[tuple[int, int], str] = field(default_factory=dict)
    """(student, item) -> the first thing that is said of a failure."""

    def count(self, state: str) -> np.ndarray:
        """[I] students of whom this is so."""
        return (self.state == _NUMBER[state]).sum(0)

    @property
    def attempted(self) -> np.ndarray:
        """[S I] whether it has a verdict: passed or failed."""
        return (self.state == _NUMBER[PASSED]) | (self.state == _NUMBER[FAILED])

    @property
    def passed(self) -> np.ndarray:
        """[S I]."""
        return self.state == _NUMBER[PASSED]

    @property
    def open(self) -> np.ndarray:
        """[S] points of what was not judged."""
        return (self.state == _NUMBER[NOT_JUDGED]) @ np.array([item.points for item in self.items], np.int64)

    @property
    def possible(self) -> int:
        """Points of all items."""
        return sum(item.points for item in self.items)


def tally(results: Sequence[Result], items: Sequence[Item], names: Sequence[str], *, told: bool = True) -> Tally:
    """Counts a class.

    Args:
        results: one per student and item.
        items: all that a result may be of, in the order of the course.
        names: the students, in order.
        told: whether what the students' own code said may be kept.
    """
    row, column = ({name: n for n, name in enumerate(of)} for of in (names, [item.id for item in items]))
    shape = (len(names), len(items))
    made = Tally(
        list(names), list(items), np.zeros(shape, np.int8), np.zeros(shape, np.int32),
        [defaultdict(set) for _ in items], [defaultdict(set) for _ in items],
        [defaultdict(lambda: np.full(len(names), -1, np.int8)) for _ in items],
    )  # fmt: skip
    for result in results:
        _enter(made, result, row[result.student], column[result.item], told)
    return made


def _enter(made: Tally, result: Result, s: int, i: int, told: bool) -> None:
    verdict = result.verdict
    made.state[s, i] = _NUMBER[verdict]
    made.earned[s, i] = result.points[0]
    for check in result.rows:
        if check.verdict in (PASSED, FAILED):
            made.checks[i][check.check][s] = check.verdict == PASSED
    if verdict != FAILED:
        if verdict not in (PASSED, NOT_ATTEMPTED) and told:
            made.said[s, i] = said_of(result.rows, made.items[i].sentences, told)
        return
    known = mistakes_of(result.rows)
    for name in known:
        made.mistakes[i][name].add(s)
    if not known:
        made.reasons[i][reason_of(result.rows)].add(s)
    made.said[s, i] = said_of(result.rows, made.items[i].sentences, told)


LONGEST = 240
"""Characters of a message that are shown."""


def mistakes_of(rows: Iterable[Row]) -> set[str]:
    """Names of the known mistakes, each once; the wrong option of a prediction is one."""
    return {told.name for told in _diagnoses(rows) if _known(told)}


def reason_of(rows: Iterable[Row]) -> str:
    """The first thing that was wrong, in words of ours alone."""
    first = next((each for each in _diagnoses(rows) if each.kind != "depends"), None)
    kind, name = (first.kind.replace(" ", "_"), first.name) if first is not None else ("", "")
    if f"reason.{kind}" not in catalogue():
        return sentence(message("reason.other"))
    reason = message(f"reason.{kind}")
    if f"reason.{kind}.{name}" not in catalogue():
        return sentence(reason)
    return sentence(message("reason.in_detail", reason=reason, detail=message(f"reason.{kind}.{name}")))


def said_of(rows: Sequence[Row], sentences: Mapping[str, str], told: bool) -> str:
    """What is said of the failure first; without `told` no word that the student's own code chose."""
    found = sorted(_diagnoses(rows), key=lambda diagnosis: (not _known(diagnosis), diagnosis.kind == "depends"))
    if not found:
        return ""
    if _known(found[0]) and found[0].name in sentences:
        return sentences[found[0].name]
    text = printable(shown(sentence(found[0].message))) if told else reason_of(rows)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _diagnoses(rows: Iterable[Row]) -> Iterator[Diagnosis]:
    for row in rows:
        if row.diagnosis is not None and row.verdict in (FAILED, NOT_JUDGED):
            yield row.diagnosis


def _known(told: Diagnosis) -> bool:
    return told.kind == "misconception" or (told.kind == "question" and told.name.startswith("option_"))


def of_many(count: int, whole: int, text: str) -> str:
    """How many were told something, which is quoted as they read it."""
    return sentence(message("told_to", count=count, whole=whole, text=text))
