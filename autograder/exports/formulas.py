"""Text that no spreadsheet takes for a formula, and the way back."""

from __future__ import annotations

import re
import unicodedata

STARTS = "=+-@\t\r＝＋－＠﹢﹣﹦﹫"
"""What a formula, or a command to another program, can begin with; the full-width and small forms too."""
_LOST = re.compile("[\0\ud800-\udfff]")


def neutral(text: str) -> str:
    """The text with an apostrophe before it wherever it could run; everything else of it is kept as it is.

    Text that has an apostrophe in that place already gets another, so that `original` finds the way back. Two things
    that no CSV file can hold, NUL and half a character, become a replacement character.
    """
    text = _LOST.sub("�", text)
    return f"'{text}" if _runs(text) else text


def original(cell: str) -> str:
    """What `neutral` was given."""
    return cell[1:] if cell.startswith("'") and _runs(cell[1:]) else cell


def _runs(text: str) -> bool:
    """Whether what is left after white space, invisible marks and apostrophes begins as a formula does."""
    for character in text:
        if character in STARTS:
            return True
        if character != "'" and not character.isspace() and unicodedata.category(character) not in ("Cf", "Cc"):
            return False
    return False
