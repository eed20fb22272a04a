"""The lessons and items of the course, read from the outlines that `cnnviz build` writes: at once, without torch."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from autograder.course.choices import choices, names_of, taught
from autograder.course.locations import outlined

EXERCISE, QUESTION = "exercise", "question"
EFFORT = {1: "easy", 2: "medium", 3: "hard"}


@dataclass(frozen=True)
class Item:
    """One exercise or prediction question."""

    id: str
    kind: str
    """EXERCISE or QUESTION."""
    title: str
    points: int
    minutes: int = 0
    difficulty: int = 0
    lines: int = 0
    formula: str = ""
    """In plain text; empty for a question."""
    hints: tuple[str, ...] = ()
    builds_on: tuple[str, ...] = ()
    options: tuple[tuple[str, str], ...] = ()
    """Words that answer a question, each with what it says."""
    within: float | None = None
    """How far a number may be from the right one, where a question asks for a number."""

    @property
    def name(self) -> str:
        """The function's or the variable's name."""
        return self.id.split(".")[1]


@dataclass(frozen=True)
class Outline:
    """One lesson."""

    id: str
    title: str
    items: tuple[Item, ...]
    digests: tuple[str, str] = ("", "")
    """Of both `files` as they are handed out."""

    @property
    def name(self) -> str:
        """The module's name: "grad_cam"."""
        return self.id.split("_", 1)[1]

    @property
    def number(self) -> str:
        """ "11", the shortest name on a command line."""
        return self.id.split("_", 1)[0]

    @property
    def points(self) -> int:
        """Of all items."""
        return sum(item.points for item in self.items)

    @property
    def files(self) -> tuple[str, str]:
        """Names of the module and of the notebook."""
        return f"{self.name}.py", f"{self.name}.ipynb"

    def untouched(self, file: str, content: bytes) -> bool:
        """Whether the module or the notebook is as it was handed out."""
        return digest(content) == self.digests[self.files.index(file)]


_LEXER = rb'"pygments_lexer": "ipython3"'
_VERSION = re.compile(_LEXER + rb',\s*"version": "[^"]*"')
"""Python's version in a notebook's metadata, which whatever starts a kernel writes there."""


def digest(content: bytes) -> str:
    """Names the content of a module or notebook; Windows line ends and Python's version make no difference."""
    return hashlib.sha256(_VERSION.sub(_LEXER, content.replace(b"\r\n", b"\n"))).hexdigest()


def in_this_python(notebook: bytes) -> bytes:
    """A notebook with the version of this Python, as JupyterLab writes it."""
    version = f',\n   "version": "{sys.version.split()[0]}"'.encode()
    return _VERSION.sub(_LEXER, notebook).replace(_LEXER, _LEXER + version)


@cache
def outlines() -> tuple[Outline, ...]:
    """The lessons that are taught, in the order of the course."""
    return taught([_outline(json.loads(path.read_text(encoding="utf-8"))) for path in outlined()])


def lesson(name: str) -> Outline:
    """The lesson with this folder name ("11_grad_cam"), module name ("grad_cam") or number ("11").

    Raises:
        ValueError: there is none.
    """
    asked = name.rstrip("/\\")
    for outline in outlines():
        if asked in names_of(outline.id):
            return outline
    raise ValueError(_unknown("lesson", name, [outline.id for outline in outlines()]))


def is_lesson(name: str) -> bool:
    """Whether this names a lesson, and no exercise: "grad_cam" is both, and the exercise."""
    exercises = {item.name for outline in outlines() for item in outline.items}
    try:
        return name not in exercises and lesson(name) is not None
    except ValueError:
        return False


def item(name: str, within: Sequence[Outline] | None = None) -> Item:
    """The exercise or question with this id, or with this function's name where only one has it.

    Raises:
        ValueError: there is none, or several.
    """
    known = [item for outline in (outlines() if within is None else within) for item in outline.items]
    found = [item for item in known if name in (item.id, item.name)]
    exact = [item for item in found if item.id == name]
    if len(exact or found) == 1:
        return (exact or found)[0]
    if found:
        ids = ", ".join(item.id for item in found)
        raise ValueError(f'exercise: got "{name}", which {len(found)} lessons have; say which one: {ids}.')
    near = [item.id for item in known if item.id.startswith(f"{name.partition('.')[0]}.")]
    raise ValueError(_unknown("exercise", name, near or [item.id for item in known]))


def lesson_of(item: Item) -> Outline:
    """The lesson that an item belongs to."""
    return lesson(item.id.split(".")[0])


def _outline(read: dict) -> Outline:
    listed = ("hints", "builds_on", "options")
    items = [Item(**(one | {name: tuple(map(_fixed, one.get(name, ()))) for name in listed})) for one in read["items"]]
    items = [replace(item, points=choices().points.get(item.id, item.points)) for item in items]
    return Outline(read["id"], read["title"], tuple(items), tuple(read["digests"]))


def _fixed(entry: Any) -> Any:
    return tuple(entry) if isinstance(entry, list) else entry


def _unknown(kind: str, name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f'did you mean "{near[0]}"?' if near else f"choose one of {', '.join(known) or '(none is installed)'}."
    return f'{kind}: got "{name}", which does not exist; {hint}'
