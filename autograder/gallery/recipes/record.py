"""What a method's section of the gallery is made of, and the captions, which are written in `captions.md`."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TypeAlias

from torch import Tensor

from autograder.gallery.drawing import Panel, alone, grey, maps
from autograder.gallery.subject import Subject
from cnnviz_ref import Method

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


def fallback(method: Method) -> Recipe:
    """What can be shown without knowing the method."""

    def draw(subject: Subject) -> list[Panel]:
        result = method.call(subject.model, subject.image, subject.classes[:1], subject.look.layer)
        return by_shape(result, method)

    return Recipe(draw, from_docstring(method))


def by_shape(result: Tensor, method: Method) -> list[Panel]:
    """Maps `N h w`, signed pictures `N C H W` or `C H W`, channels `N K h w`; anything else is only described."""
    axes = method.shape.split()
    title, said = method.name, f"Shape {list(result.shape)}."
    if axes[:1] == ["N"]:
        result, axes = result[0], axes[1:]
    if axes in (["h", "w"], ["H", "W"]):
        return [alone(result.float(), title, said)]
    if axes == ["C", "H", "W"] and len(result) in (1, 3):
        return [grey(result.float(), title, said)]
    if len(axes) == 3 and min(result.shape) > 0:
        channels = list(result[:8].float())
        return [maps(channels, [str(k) for k in range(len(channels))], title, said)]
    return []


def from_docstring(method: Method) -> Caption:
    """The first sentence and the formula; the rest points to the lesson."""
    text = inspect.getdoc(method.function) or method.name
    formula = re.search(r"Formula:\n(.*?)\n\n", text, re.DOTALL)
    return Caption(
        shows=text.split("\n\n")[0],
        formula=inspect.cleandoc(formula.group(1)) if formula else "",
        colours="Dark blue is low, yellow high; where there are both signs, white (in pictures: grey) is zero.",
        notice="This method has no caption of its own yet.",
        misleads=f"See the lesson {method.lesson}.",
    )
