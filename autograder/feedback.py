"""What a student gets back: one self-contained page, everything on it escaped, with no value of a hidden case."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from autograder.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED

MARKS = {PASSED: "✓", FAILED: "✗", NOT_ATTEMPTED: "○", NOT_JUDGED: "?"}
"""Verdict -> sign, so that no verdict is told by colour alone."""

LONGEST = 2000
"""Characters of one message that are shown."""


@dataclass(frozen=True)
class Section:
    """One exercise or question on the page."""

    title: str
    score: float
    max_score: float
    checks: Sequence[Mapping[str, Any]]
    """Rows as in the JSON report."""
    code: str = ""
    comment: str = ""
    """What a person wrote about it."""

    @property
    def verdict(self) -> str:
        """The one verdict for all rows; without rows nothing was judged."""
        verdicts = {check["verdict"] for check in self.checks} or {NOT_JUDGED}
        return next((v for v in (NOT_JUDGED, FAILED, NOT_ATTEMPTED) if v in verdicts), PASSED)

    @property
    def note(self) -> str:
        """What the score alone does not say."""
        earned, possible = (sum(check[key] for check in self.checks) for key in ("points", "max_points"))
        if not math.isclose(self.score, self.max_score * earned / (possible or 1), abs_tol=1e-9):
            return "The score was set by a person."
        if self.verdict == NOT_JUDGED:
            return "This could not be judged yet: it counts as nothing until a person has looked at it."
        return ""


@dataclass(frozen=True)
class Sheet:
    """The page of one student and one lesson."""

    title: str
    student: str
    score: float
    max_score: float
    sections: Sequence[Section]
    late_penalty: float = 0.0


def page(sheet: Sheet) -> str:
    """The sheet as one HTML page that loads nothing."""
    return _template().render(sheet=sheet, marks=MARKS)


def as_text(checks: Sequence[Mapping[str, Any]]) -> str:
    """Rows for a terminal or a plain-text cell, a line each, with the diagnosis below."""
    return "\n".join(line for check in checks for line in _lines(check)) or "nothing was judged"


def visible(text: str) -> str:
    """Text without the characters that a terminal or a browser would obey instead of showing."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "\ufffd" for c in text)


def shown(text: str) -> str:
    """`visible`, cut where it is too long."""
    return visible(text[:LONGEST]) + (" …" if len(text) > LONGEST else "")


def _lines(check: Mapping[str, Any]) -> list[str]:
    points = f"{check['points']} of {check['max_points']}"
    first = f"{MARKS[check['verdict']]} {check['verdict']}  {check['check']}  ({points})"
    told = check["diagnosis"]
    return [shown(first), f"    {shown(told['message'])}"] if told else [shown(first)]


def _number(value: float) -> str:
    return f"{value:.4g}"


@cache
def _template() -> Template:
    environment = Environment(
        loader=PackageLoader("autograder"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"number": _number, "shown": shown, "visible": visible}
    return environment.get_template("feedback.html.j2")
