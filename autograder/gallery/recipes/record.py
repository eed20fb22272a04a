"""What a method's section of the gallery is made of, and the captions, which are written in `captions.md`."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from autograder.gallery.drawing import Panel
from autograder.gallery.subject import Subject

Draw: TypeAlias = Callable[[Subject], Sequence[Panel]]
"""A method's panels for one picture."""


@dataclass(frozen=True)
class Caption:
    """What a student can learn from the panels."""

    shows: str
    """What is shown."""
    formula: str
    """In plain symbols; lines are kept."""
    colours: str
    """How to read the colours."""
    notice: str
    """What to notice."""
    misleads: str
    """Where it misleads."""


@dataclass(frozen=True)
class Recipe:
    """One method's panels and their caption."""

    draw: Draw
    caption: Caption


@cache
def captions() -> dict[str, Caption]:
    """Method -> caption, from `captions.md`: `# method`, then `## part` and its text."""
    text = (files("autograder.gallery") / "captions.md").read_text(encoding="utf-8")
    return {name: Caption(**_parts(body)) for name, body in _headed(text, "# ")}


def _parts(body: str) -> dict[str, str]:
    found = dict(_headed(body, "## "))
    return {part: text if part == "formula" else " ".join(text.split()) for part, text in found.items()}


def _headed(text: str, mark: str) -> list[tuple[str, str]]:
    """Headings of one level with what stands below each."""
    pieces = re.split(rf"^{mark}(\w+)\n", text, flags=re.MULTILINE)[1:]
    return [(name, body.strip("\n")) for name, body in zip(pieces[::2], pieces[1::2], strict=True)]
