"""A section for a method that has no recipe yet: drawn by the shape of its result, described by its docstring."""

from __future__ import annotations

import inspect
import re

from torch import Tensor

from autograder.gallery.drawing import Panel, alone, grey, maps
from autograder.gallery.recipes.record import Caption, Recipe
from autograder.gallery.subject import Subject
from cnnviz_ref import Method


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
