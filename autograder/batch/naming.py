"""What a place says: whose work lies there and which lesson it belongs to. Pure functions of names."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from autograder import registry
from autograder.records import Lesson

SUFFIXES = (".py", ".ipynb", ".zip")
"""What can be handed in."""
_CANVAS = re.compile(r"([^_]+)_(?:LATE_)?([0-9]{1,18})_([0-9]{1,18})_(.+)", re.DOTALL)
_MOODLE = re.compile(r"(.+?_[0-9]{1,18})_assignsubmission_[a-z]+_?(.*)", re.DOTALL)
_AGAIN = re.compile(r"(.+?)(?:-([0-9]{1,4})| ?\(([0-9]{1,4})\))", re.DOTALL)
_PLAIN = str.maketrans("- ABCDEFGHIJKLMNOPQRSTUVWXYZ", "__abcdefghijklmnopqrstuvwxyz")


@dataclass(frozen=True)
class Named:
    """Whose a file is and what it is for, by its place."""

    student: str
    """Empty where the place does not say."""
    lesson: Lesson | None = None
    """The lesson that the file itself is named after."""
    folder: Lesson | None = None
    """The lesson that a folder above it is named after."""
    version: tuple[int, int] = (0, 0)
    """From an LMS: number of the resubmission, number of the file; the larger is the later."""
    number: int = 0
    """What a browser or a file manager added: 1 in "grad_cam (1).py"."""
    depth: int = 0
    """Folders between the student's own and the file."""
    sure: bool = True
    """False where the student is only guessed from the whole name of a file."""

    @property
    def rank(self) -> tuple[object, ...]:
        """Of two files for one lesson the one with the larger rank counts."""
        return self.version, self.number == 0, self.folder is not None, -self.depth, self.number


def named(parts: Sequence[str]) -> Named:
    """What a place says, name by name below what is collected.

    `11_grad_cam/...` at the top is the class's folder of that lesson; else the first folder is a student's, and a file
    without a folder has its student in its name.
    """
    above = _ids().get(parts[0]) if len(parts) > 1 else None
    inner = parts[1:] if above else parts
    if len(inner) == 1:
        return _flat(inner[0], above)
    folder = next((found for part in inner[1:-1] if (found := folder_lesson(part))), above)
    lesson, number = lesson_of_file(inner[-1])
    return Named(student_of_folder(inner[0]), lesson, folder, number=number, depth=len(inner) - 2)


def student_of_folder(name: str) -> str:
    """The student whom a folder is named after, without what Moodle adds."""
    from_moodle = _MOODLE.fullmatch(name)
    return from_moodle[1] if from_moodle else name


def folder_lesson(name: str) -> Lesson | None:
    """The lesson of a folder `11_grad_cam` or `grad_cam`."""
    return _names().get(name.translate(_PLAIN))


def lesson_of_file(name: str) -> tuple[Lesson | None, int]:
    """The lesson of `grad_cam.py`, `11_grad_cam.ipynb`, `Grad-CAM (2).ipynb`, `grad_cam-1.py`, and the number."""
    base, number = _without_number(stem(name))
    return _names().get(base.translate(_PLAIN)), number


def stem(name: str) -> str:
    """A file's name without the suffix."""
    return name[: -len(suffix(name))] if suffix(name) else name


def suffix(name: str) -> str:
    """The suffix as the file has it: ".ipynb", ".IPYNB" or "" where there is none."""
    head, dot, tail = name.rpartition(".")
    return dot + tail if head and dot else ""


def _flat(name: str, folder: Lesson | None) -> Named:
    text = stem(name)
    if found := _CANVAS.fullmatch(text):
        student, user, file, rest = found.groups()
        lesson, number = lesson_of_file(f"{rest}.py")
        return Named(f"{student}_{user}", lesson, folder, (number, int(file)))
    if found := _MOODLE.fullmatch(text):
        lesson, number = lesson_of_file(f"{found[2]}.py")
        return Named(found[1], lesson, folder, (number, 0))
    base, number = _without_number(text)
    plain = base.translate(_PLAIN)
    endings = [ending for ending in _names() if plain == ending or plain.endswith(f"_{ending}")]
    if not endings:
        return Named(text, None, folder, sure=False)
    ending = max(endings, key=len)
    return Named(base[: -len(ending) - 1], _names()[ending], folder, (number, 0))


def _without_number(text: str) -> tuple[str, int]:
    found = _AGAIN.fullmatch(text)
    return (found[1], int(found[2] or found[3])) if found else (text, 0)


@cache
def _ids() -> Mapping[str, Lesson]:
    return {lesson.id: lesson for lesson in registry.lessons()}


@cache
def _names() -> Mapping[str, Lesson]:
    return {name: lesson for lesson in registry.lessons() for name in (lesson.id, lesson.name)}
