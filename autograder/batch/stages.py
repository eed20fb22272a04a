"""The two things that a batch hands from stage to stage: what a student handed in, and what became of one exercise."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

from autograder.core.evidence import Exhibit
from autograder.core.judge import points_of
from autograder.core.verdict import Row, summary, total
from autograder.course import registry
from autograder.reading.submission import Submission


@dataclass(frozen=True)
class Handed:
    """One student's work on one lesson."""

    student: str
    """As the folder, the file or the archive names them; any characters, NFC, never empty."""
    lesson: str
    """The lesson's id: "11_grad_cam"."""
    submission: Submission | None
    """None where nothing could be read."""
    digest: str
    """SHA-256 of the code (`digest_of`), or of the raw bytes where they could not be read."""
    problem: str = ""
    """The sentence that says why nothing could be read."""
    place: str = ""
    """Where it was found, relative to what was collected."""


def as_counted(result: Result) -> Result:
    """The result with the points that its checks have now, and without checks that the exercise has no more.

    The signed result keeps those that it was graded with.
    """
    points = _points(result.item)
    if not points or all(points.get(row.check) == row.max_points for row in result.rows):
        return result
    rows = (replace(row, max_points=points[row.check]) for row in result.rows if row.check in points)
    return replace(result, rows=tuple(rows))


@cache
def _points(item: str) -> dict[str, int]:
    """Check -> points; nothing where there is no such exercise any more."""
    try:
        return points_of(registry.item(item))
    except ValueError:
        return {}


def digest_of(submission: Submission) -> str:
    """SHA-256, in hexadecimal, of all code that may count: every source's label, text and grade id, in order."""
    return hashlib.sha256(canonical([source.fields for source in submission.sources])).hexdigest()


def canonical(value: Any) -> bytes:
    """The one spelling of a JSON value: sorted keys, no spaces, ASCII (half a character pair has no UTF-8)."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False).encode()


@dataclass(frozen=True)
class Result:
    """The rows of one exercise or question of one student, and all that they depend on."""

    student: str
    lesson: str
    item: str
    """Id of the exercise or question."""
    submission: str
    """The digest of what was handed in."""
    checks: str
    """The version of the checks: a hash of every file that a verdict of this item depends on."""
    seeds: str
    """Names the course secret that seeded the hidden cases, without telling it."""
    rung: str
    """How far the student's code was confined; empty where none ran."""
    rows: tuple[Row, ...]
    device: str = "cpu"
    libraries: Mapping[str, str] = field(default_factory=dict)
    """Versions that a value may depend on: python, torch, numpy, cnnviz."""
    evidence: tuple[Exhibit, ...] = ()
    """The student's values beside the formula's, of visible cases that failed; none in what older versions kept."""

    @property
    def points(self) -> tuple[int, int]:
        """Points earned and points possible."""
        return total(self.rows)

    @property
    def verdict(self) -> str:
        """The one verdict for all rows."""
        return summary(self.rows)

    def as_json(self) -> dict[str, Any]:
        """As it is signed and kept: no time, no place, nothing that differs between two runs."""
        fields = ("student", "lesson", "item", "submission", "checks", "seeds", "rung", "device")
        rows = [{name: value for name, value in row.as_json().items() if name != "seconds"} for row in self.rows]
        shown = {"evidence": [each.as_json() for each in self.evidence]} if self.evidence else {}
        return {**{n: getattr(self, n) for n in fields}, "libraries": dict(self.libraries), "rows": rows, **shown}

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Result:
        """The reverse of `as_json`.

        Raises:
            ValueError: it is not what `as_json` gives.
        """
        try:
            rows, evidence = map(Row.from_json, kept["rows"]), map(Exhibit.from_json, kept.get("evidence", ()))
            read = {"rows": tuple(rows), "libraries": dict(kept["libraries"]), "evidence": tuple(evidence)}
            return cls(**{**kept, **read})
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"a result has other fields than it should ({error})") from error
