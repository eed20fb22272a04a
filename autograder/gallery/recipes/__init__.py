"""Method -> recipe. A method of `cnnviz_ref.METHODS` without a row here is drawn by its shape (`fallback`)."""

from __future__ import annotations

from autograder.gallery.recipes import classmaps, layers, neighbours, pixels
from autograder.gallery.recipes.record import Draw, Recipe, captions, fallback
from cnnviz_ref import Method

RECIPES: dict[str, Draw] = {**layers.RECIPES, **neighbours.RECIPES, **pixels.RECIPES, **classmaps.RECIPES}
"""Each has its caption in `captions.md`."""


def recipe(method: Method) -> Recipe:
    """The method's own recipe, or one that its shape and docstring give."""
    if method.name not in RECIPES:
        return fallback(method)
    return Recipe(RECIPES[method.name], captions()[method.name])
