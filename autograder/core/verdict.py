"""One row per check: what the JSON, the terminal, the notebook and the gradebook all show."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from autograder.core.diagnose import Diagnosis
from autograder.core.message import Message

PASSED, FAILED, NOT_ATTEMPTED, NOT_JUDGED = "passed", "failed", "not attempted", "not judged"
VERDICTS = (PASSED, FAILED, NOT_ATTEMPTED, NOT_JUDGED)
LATER = "judged when you hand in"
"""The verdict on a hidden check or a prediction in a student's copy, which holds no answer to it; never a grade's."""


@dataclass(frozen=True)
class Row:
    """The verdict of one check."""

    exercise: str
    """Id of the exercise or question."""
    check: str
    """"values: ...", "hidden values: ...", "law: ...", "promises" or "answer"."""
    verdict: str
    """One of `VERDICTS`, or `LATER`; "not judged" is the grader's own fault and never a silent zero."""
    max_points: int
    diagnosis: Diagnosis | None = None
    seconds: float = 0.0
    note: Message | None = None
    """What is said beside the verdict: which of two files counts."""

    @property
    def points(self) -> int:
        """Points earned."""
        return self.max_points if self.verdict == PASSED else 0

    def as_json(self) -> dict[str, Any]:
        """The row as it is kept, without a sentence."""
        return {
            "exercise": self.exercise,
            "check": self.check,
            "verdict": self.verdict,
            "points": self.points,
            "max_points": self.max_points,
            "diagnosis": {**vars(self.diagnosis), "message": self.diagnosis.message.as_json()}
            if self.diagnosis
            else None,
            "seconds": round(self.seconds, 4),
            **({"note": self.note.as_json()} if self.note else {}),
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Row:
        """The reverse of `as_json`.

        Raises:
            TypeError: an unknown verdict or diagnosis.
            KeyError: a field is missing.
        """
        if kept["verdict"] not in (*VERDICTS, LATER):
            raise TypeError(f"unknown verdict {kept['verdict']!r}")
        why = kept["diagnosis"]
        diagnosis = Diagnosis(**{**why, "message": Message.from_json(why["message"])}) if why else None
        note = Message.from_json(kept["note"]) if kept.get("note") else None
        return cls(kept["exercise"], kept["check"], kept["verdict"], kept["max_points"], diagnosis, note=note)


@dataclass(frozen=True)
class Points:
    """What was earned of what was judged; what was not judged is neither earned nor lost."""

    earned: float = 0
    judged: float = 0
    """Points of what has a verdict."""
    open: float = 0
    """Points of what was not judged."""

    def __add__(self, other: Points) -> Points:
        return Points(self.earned + other.earned, self.judged + other.judged, self.open + other.open)

    def __str__(self) -> str:
        """ "7 of 12 points", "7 of 12 points, 5 not judged" or "– not judged"."""
        if self.open and not self.judged:
            return f"– {NOT_JUDGED}"
        return f"{self.earned:.4g} of {self.judged:.4g} points{f', {self.open:.4g} {NOT_JUDGED}' if self.open else ''}"

    @property
    def brief(self) -> str:
        """The same for a narrow column that has the word beside it: "7/12", "–"."""
        return f"{self.earned:.4g}/{self.judged:.4g}" if self.judged or not self.open else "–"

    @classmethod
    def of(cls, *items: Iterable[Row]) -> Points:
        """Of exercises and questions; one with a check that was not judged is not judged."""
        return sum((cls._of_one(list(rows)) for rows in items), cls())

    @classmethod
    def _of_one(cls, rows: list[Row]) -> Points:
        earned, possible = total(rows)
        return cls(open=possible) if summary(rows) == NOT_JUDGED else cls(earned, possible)


def total(rows: Iterable[Row]) -> tuple[int, int]:
    """Points earned and points possible."""
    rows = list(rows)
    return sum(row.points for row in rows), sum(row.max_points for row in rows)


def summary(rows: Iterable[Row]) -> str:
    """The one verdict for several rows: the first of "not judged", "failed", "not attempted", "passed" among them.

    What is judged later counts where there is nothing else: those who see it have passed all that they can.
    """
    return overall(row.verdict for row in rows)


def overall(verdicts: Iterable[str]) -> str:
    """The same from the verdicts alone."""
    given = set(verdicts)
    return next((v for v in (NOT_JUDGED, FAILED, NOT_ATTEMPTED) if v in given), LATER if given == {LATER} else PASSED)
