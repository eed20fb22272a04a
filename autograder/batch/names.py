"""Names that others chose, made harmless: as file names, as a seed."""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 60
"""Characters of a name that are kept in a file's name."""

_PLAIN = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_DEVICES = re.compile(r"(con|prn|aux|nul|clock\$|com\d|lpt\d)(\..*)?")


def file_name(name: str) -> str:
    """A file name of its own for every name, also where the file system ignores case.

    Short names of small letters and digits stay as they are; of all others a readable part and a hash remain.
    """
    if len(name) <= LONGEST and _PLAIN.fullmatch(name) and not name.endswith(".") and not _DEVICES.fullmatch(name):
        return name
    ascii_part = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    readable = re.sub(r"[^a-z0-9]+", "-", ascii_part).strip("-")[: LONGEST // 2]
    return f"{readable}~{hashlib.sha256(name.encode('utf-8', 'surrogatepass')).hexdigest()[:20]}"


def seed_name(student: str) -> str:
    """The student's name as it seeds hidden cases: always encodable, and itself wherever it was."""
    return student.encode("utf-8", "backslashreplace").decode("utf-8")
