"""What a lesson's author wrote besides: right answers in other words."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from types import ModuleType
from typing import Any

from autograder import authored


def variants(lesson: str) -> ModuleType:
    """The module of right variants of a lesson "grad_cam"."""
    for folder in authored.folders():
        if folder.name.partition("_")[2] == lesson:
            return authored.module(folder / "variants.py")
    return importlib.import_module(f"tests.exercises.variants_{lesson}")


def variants_of(exercise: Any) -> Sequence[Callable[..., Any]]:
    """Right answers to one exercise."""
    known: Mapping[str, Sequence[Callable[..., Any]]] = variants(exercise.module).VARIANTS
    return known[exercise.id]
