"""What a lesson's author wrote besides: right answers in other words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from autograder.course import authored
from autograder.course.locations import written


def variants(lesson: str) -> ModuleType:
    """The module of right variants of a lesson "grad_cam"."""
    (folder,) = (folder for folder in written() if folder.name.partition("_")[2] == lesson)
    return authored.module(folder / "variants.py")


def variants_of(exercise: Any) -> Sequence[Callable[..., Any]]:
    """Right answers to one exercise."""
    known: Mapping[str, Sequence[Callable[..., Any]]] = variants(exercise.module).VARIANTS
    return known.get(exercise.id, ())
