"""Text that others wrote, made safe to show; and rows as plain text."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from autograder.tables import MARKS

LONGEST = 2000
"""Characters of one message that are shown."""

_JOINERS = "\u200c\u200d"
"""Part of Persian names and of emoji; nothing else changes its place or its look by them."""


def as_text(checks: Sequence[Mapping[str, Any]]) -> str:
    """Rows for a terminal or a plain-text cell, a line each, with the diagnosis below."""
    return "\n".join(line for check in checks for line in _lines(check)) or "nothing was judged"


def visible(text: str) -> str:
    """Text without the characters that a terminal or a browser would obey instead of showing."""
    return "".join(c if c in "\n\t" or unicodedata.category(c)[0] != "C" else "\ufffd" for c in text)


def shown(text: str) -> str:
    """`visible`, cut where it is too long."""
    return visible(text[:LONGEST]) + (" …" if len(text) > LONGEST else "")


def named(text: str) -> str:
    """A person's name on one line of a page, with the letters that join others."""
    return "".join(c if c in _JOINERS else visible(" " if c.isspace() else c) for c in text[:LONGEST])


def _lines(check: Mapping[str, Any]) -> list[str]:
    points = f"{check['points']} of {check['max_points']}"
    first = f"{MARKS[check['verdict']][0]} {check['verdict']}  {check['check']}  ({points})"
    told = check["diagnosis"]
    return [shown(first), f"    {shown(told['message'])}"] if told else [shown(first)]
