"""Which row of a platform's file is which student's: never by guess, never two students in one row."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from autograder.exports.roster import Person

STRONG = ("login", "user", "id", "email")
"""What names one person only; a name may be two people's and is looked at last."""
_NUMBERED = re.compile(r"(.*)_([0-9]{1,18})", re.DOTALL)


@dataclass(frozen=True)
class Candidate:
    """One row of the platform's file."""

    row: int
    keys: Mapping[str, Sequence[str]]
    """"login", "user", "id", "email", "name" -> what stands there; a name in each order that people write it."""
    shown: str
    """How a sentence names the row."""


@dataclass
class Matched:
    """Who was found where."""

    rows: dict[str, int] = field(default_factory=dict)
    """Student -> row."""
    problems: dict[str, str] = field(default_factory=dict)
    """Student -> why no row is theirs."""


def match(students: Iterable[str], candidates: Sequence[Candidate], roster: Mapping[str, Person]) -> Matched:
    """Finds each student's row.

    Raises:
        ValueError: two students have the same row.
    """
    index = _index(candidates)
    matched = Matched()
    taken: dict[int, str] = {}
    for student in students:
        found = _rows_of(student, index, roster.get(student))
        if len(found) == 1:
            other = taken.setdefault(found[0].row, student)
            if other != student:
                raise ValueError(_two(other, student, found[0]))
            matched.rows[student] = found[0].row
        else:
            matched.problems[student] = _why(student, found, index)
    return matched


Index = Mapping[tuple[str, str], Sequence[Candidate]]


def _index(candidates: Sequence[Candidate]) -> Index:
    index: dict[tuple[str, str], list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        for key, texts in candidate.keys.items():
            for text in {_plain(text) for text in texts} - {""}:
                index[key, text].append(candidate)
    return index


def _rows_of(student: str, index: Index, person: Person | None) -> list[Candidate]:
    """The rows that anything strong points to; else those of the name."""
    known = person.keys if person else {}
    asked = [(key, known[key]) for key in STRONG if key in known] or [(key, student) for key in STRONG]
    found = [hit for key, text in asked for hit in _hits(index, key, text)]
    if not known:
        found += _numbered(student, index)
    if not found:
        found = _hits(index, "name", known.get("name", "" if known else student))
    return list({hit.row: hit for hit in found}.values())


def _hits(index: Index, key: str, text: str) -> list[Candidate]:
    """By small letters; where that is two people's, by the very letters."""
    hits = list(index.get((key, _plain(text)), ())) if text.strip() else []
    exact = [hit for hit in hits if text in hit.keys[key]]
    return exact if len(hits) > 1 and exact else hits


def _numbered(student: str, index: Index) -> list[Candidate]:
    """`smithann_123`, `Ann Smith_123`: so platforms name what they hand out. The number counts if the name agrees."""
    parts = _NUMBERED.fullmatch(student)
    if parts is None:
        return []
    letters = _letters(parts[1])
    return [
        hit
        for hit in index.get(("id", parts[2]), ())
        if not letters or any(letters == _letters(name) for name in hit.keys.get("name", ()))
    ]


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).casefold().split())


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def _why(student: str, found: Sequence[Candidate], index: Index) -> str:
    if found:
        return f"fits {len(found)} rows ({', '.join(hit.shown for hit in found[:3])})"
    parts = _NUMBERED.fullmatch(student)
    if parts and (others := index.get(("id", parts[2]))):
        return f"has the number of {others[0].shown}, but not the name"
    return "is in no row"


def _two(first: str, second: str, row: Candidate) -> str:
    names = f'"{first}" and "{second}"'
    return (
        f"students: {names} both fit the row of {row.shown}; "
        "say in a --roster who is who, or remove one of the two from the results."
    )
