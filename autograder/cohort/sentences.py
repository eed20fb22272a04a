"""What a mistake's sentence says of many: "23 of 40 summed the gradients ...", from what each of them was told."""

from __future__ import annotations

import re

_THEY = {"you": "they", "your": "their", "yours": "theirs", "yourself": "themselves"}


def of_many(count: int, whole: int, sentence: str) -> str:
    """The sentence with its students: one that begins with "You" goes on from their number, any other is quoted.

    >>> of_many(23, 40, "You summed ∂y^c/∂A over i, j; α_k is their mean.")
    '23 of 40 summed ∂y^c/∂A over i, j; α_k is their mean.'
    >>> of_many(2, 9, "Your boxes are one row too large.")
    '2 of 9 were told: “Your boxes are one row too large.”'
    """
    if not sentence.startswith("You "):
        return f"{count} of {whole} were told: “{sentence}”"
    return f"{count} of {whole} {re.sub(r'[Yy]ou(r|rs|rself)?(?=[^a-z]|$)', _third, sentence[4:])}"


def _third(found: re.Match[str]) -> str:
    they = _THEY[found[0].lower()]
    return they.capitalize() if found[0][0].isupper() else they
