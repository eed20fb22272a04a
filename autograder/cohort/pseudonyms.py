"""What stands for a student where no name is shown: a short id that only the secret can work out."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable

from autograder.batch.names import seed_name
from autograder.batch.secret import naming_key

LETTERS = "0123456789abcdefghjkmnpqrstvwxyz"
"""Without i, l, o and u, which are read as something else."""
SHORTEST = 6


def pseudonyms(students: Iterable[str], secret: str) -> dict[str, str]:
    """Student -> id: six letters of a keyed hash, for all of a class the same in every lesson; more where two agree."""
    key = naming_key(secret)
    whole = {
        student: _letters(hmac.new(key, seed_name(student).encode(), hashlib.sha256).digest()) for student in students
    }
    return {student: _told_apart(hashed, list(whole.values())) for student, hashed in whole.items()}


def _letters(digest: bytes) -> str:
    number = int.from_bytes(digest, "big")
    return "".join(LETTERS[number >> shift & 31] for shift in range(250, -1, -5))


def _told_apart(hashed: str, everybody: list[str]) -> str:
    """The shortest beginning that nobody else has."""
    length = SHORTEST
    while length < len(hashed) and sum(other.startswith(hashed[:length]) for other in everybody) > 1:
        length += 1
    return hashed[:length]
