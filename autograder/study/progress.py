"""How far a student is: from the files alone, or from what is kept of earlier checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from autograder.core.verdict import LATER, NOT_ATTEMPTED, NOT_JUDGED, PASSED, VERDICTS, Points
from autograder.core.version import checks_version, libraries
from autograder.course.outlines import EXERCISE, Item
from autograder.report.sentences import CATALOGUE
from autograder.study.cache import Cache, digest
from autograder.study.folder import Work

KIND = "lessons"
BRIEFLY = 600.0
"""Seconds for which a verdict is believed that a busy machine may have caused."""


class Interrupted(Exception):
    """A check was ended before it was done, because its file was saved again."""


@dataclass(frozen=True)
class State:
    """How one item stands."""

    item: Item
    verdict: str = NOT_ATTEMPTED
    points: int = 0
    told: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Sentences, each with the checks that it explains."""
    key: str = ""
    """Names the code that was judged; empty where nothing was."""
    output: str = ""
    """What the student's code printed, where it was run just now."""
    brief: bool = False
    """Whether a busy machine may have caused it."""
    incomplete: str = ""
    """Where and why the code cannot be read as Python yet; empty where it can."""
    tells_a_line: bool = False
    """Whether a sentence names a line of the file, which moves while others are written above it."""

    @property
    def passed(self) -> bool:
        """Whether there is nothing left to do."""
        return self.verdict in (PASSED, LATER)

    @property
    def score(self) -> str:
        """Points earned and possible; in a student's copy those of hidden checks are still to come."""
        if self.verdict == NOT_JUDGED:
            return str(self.worth)
        rest = ", the rest when you hand in" if self.passed and self.points < self.item.points else ""
        return f"{self.points} of {self.item.points} points{rest}"

    @property
    def worth(self) -> Points:
        """Points earned, of those that were judged."""
        return Points(open=self.item.points) if self.verdict == NOT_JUDGED else Points(self.points, self.item.points)


@dataclass(frozen=True)
class Standing:
    """How one lesson stands."""

    work: Work
    states: tuple[State, ...]
    problem: str = ""
    """Why nothing could be checked, in one sentence; empty where all is well."""
    file: str = ""
    """Name of the file that counts; empty where nothing is begun."""

    @property
    def done(self) -> int:
        """Items that are passed."""
        return sum(state.passed for state in self.states)

    @property
    def points(self) -> Points:
        """Points earned, of those that were judged."""
        return sum((state.worth for state in self.states), Points())

    @property
    def minutes(self) -> int:
        """What the exercises that are left take, as their authors expect."""
        return sum(state.item.minutes for state in self.states if not state.passed)

    @property
    def finished(self) -> bool:
        """Whether everything is passed."""
        return self.done == len(self.states)

    @property
    def begun(self) -> bool:
        """Whether anything was attempted, be it unreadable."""
        return bool(self.problem) or any(state.verdict != NOT_ATTEMPTED for state in self.states)

    @property
    def next(self) -> State | None:
        """The first exercise that is left, else the first question."""
        left = sorted((s for s in self.states if not s.passed), key=lambda s: s.item.kind != EXERCISE)
        return left[0] if left else None


def known(work: Work, cache: Cache) -> Standing | None:
    """The standing, if it can be told without running anything."""
    contents = work.contents()
    if work.untouched(contents):
        return Standing(work, tuple(State(item) for item in work.outline.items))
    read = cache.get(KIND, _key(work, contents))
    return _standing(work, read) if read is not None else None


def keep(standing: Standing, contents: Sequence[bytes | None], cache: Cache) -> None:
    """Keeps a standing for these contents of the two files, unless the grader itself failed."""
    if any(state.verdict == NOT_JUDGED for state in standing.states):
        return
    fields = ("verdict", "points", "told", "key", "incomplete")
    states = [{name: getattr(state, name) for name in fields} for state in standing.states]
    body = {"problem": standing.problem, "file": standing.file, "states": states}
    lasts = BRIEFLY if any(state.brief for state in standing.states) else None
    cache.put(KIND, _key(standing.work, contents), body, lasts=lasts)


def _key(work: Work, contents: Sequence[bytes | None]) -> str:
    made_with = checks_version(work.outline.id), repr(libraries())
    return digest(repr(work.outline), *made_with, CATALOGUE.read_bytes(), *contents, *work.beside())


def _standing(work: Work, read: Mapping[str, Any]) -> Standing | None:
    try:
        pairs = zip(work.outline.items, read["states"], strict=True)
        return Standing(work, tuple(_state(*pair) for pair in pairs), str(read["problem"]), str(read["file"]))
    except (KeyError, TypeError, ValueError):
        return None


def _state(item: Item, read: Mapping[str, Any]) -> State:
    verdict, points = read["verdict"], read["points"]
    if verdict not in (*VERDICTS, LATER) or not 0 <= points <= item.points:
        raise ValueError
    told = tuple((str(sentence), tuple(map(str, checks))) for sentence, checks in read["told"])
    return State(item, verdict, points, told, str(read["key"]), incomplete=str(read["incomplete"]))
