"""Text for people; and text that others wrote, made safe to show: in a terminal, on a page, in a file."""

from __future__ import annotations

import unicodedata

LONGEST = 2000
"""Characters of one message that are shown."""

_JOINERS = "\u200c\u200d"
"""Part of Persian and Hindi names and of emoji; nothing else changes its place or its look by them."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 point", "3 points"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> str:
    """Text in its lines, without the characters that a terminal or a browser would obey instead of showing."""
    return "".join(c if c in "\n\t" or _shows(c) else "\ufffd" for c in text)


def shown(text: str) -> str:
    """`visible`, cut where it is too long."""
    return visible(text[:LONGEST]) + (" …" if len(text) > LONGEST else "")


def printable(text: str) -> str:
    """On one line, without control characters, half characters and marks that turn the reading direction."""
    return "".join(" " if c.isspace() else c if _shows(c) else "\ufffd" for c in text)


def named(text: str) -> str:
    """A person's name on one line of a page."""
    return printable(text[:LONGEST])


def _shows(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"
