"""What was handed in and cannot be graded, by its suffix, in words that say what to hand in instead."""

from __future__ import annotations

from autograder.batch.naming import suffix
from autograder.course.records import Lesson

UNREAD_ARCHIVES = {
    ".rar": "a RAR archive",
    ".7z": "a 7-Zip archive",
    ".tar.bz2": "a tar archive packed by bzip2",
    ".tar.xz": "a tar archive packed by xz",
    ".gz": "a file packed by gzip",
    ".bz2": "a file packed by bzip2",
    ".xz": "a file packed by xz",
}
"""They may hold any work, and are not looked into."""
_KINDS = {
    **UNREAD_ARCHIVES,
    ".pdf": "a PDF document",
    ".html": "a web page",
    ".htm": "a web page",
    ".doc": "a Word document",
    ".docx": "a Word document",
    ".odt": "an OpenDocument text",
    ".rtf": "a document",
    ".txt": "a text file",
    ".json": "a JSON file",
    ".png": "a picture",
    ".jpg": "a picture",
    ".jpeg": "a picture",
    ".heic": "a picture",
}


def kind_of(name: str) -> str:
    """What a file is: "a PDF document", "a file that ends in .xyz"."""
    found = suffix(name).lower()
    return _KINDS.get(found) or (f"a file that ends in {found}" if found else "a file whose name has no ending")


def wanted(lesson: Lesson | None) -> str:
    """What is to be handed in."""
    return f"{lesson.name}.py or {lesson.name}.ipynb" if lesson else "the .py or the .ipynb"


def unread(place: str, lesson: Lesson | None) -> str:
    """The sentence on an archive that is not looked into."""
    return f"submission: {place} is {kind_of(place)}, which is not read; hand in {wanted(lesson)}, alone or in a .zip."
