"""One map: a table of coloured numbers where it is small, else a picture with its numbers in words."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from autograder.feedback.colours import Scale, hexadecimal, ink_on
from autograder.feedback.rounding import aligned, number

MOST_CELLS, MOST_COLUMNS = 64, 8
"""What still is a table."""
WIDE = 230
"""Pixels of the longer side of a picture, about."""


@dataclass(frozen=True)
class Cell:
    """A number on its colour."""

    text: str
    ground: str
    ink: str


@dataclass(frozen=True)
class Map:
    """A map with its name, as a table or as a picture."""

    name: str
    words: str
    """Size, range and place of the largest value."""
    rows: Sequence[Sequence[Cell]] = ()
    url: str = ""
    width: int = 0
    height: int = 0


def drawn_map(name: str, array: np.ndarray, scale: Scale, *, whole: bool) -> Map:
    """An array of up to two axes in the colours of a scale."""
    plane = np.atleast_2d(array)
    words = f"{name}: {_words(plane, whole)}"
    if plane.size <= MOST_CELLS and plane.shape[1] <= MOST_COLUMNS:
        return Map(name, words, rows=_cells(plane, scale, whole))
    factor = max(1, WIDE // max(plane.shape))
    picture = np.kron(scale.numbers(plane), np.ones((factor, factor), np.uint8))
    return Map(name, words, url=_png(picture, scale), width=picture.shape[1], height=picture.shape[0])


def _cells(plane: np.ndarray, scale: Scale, whole: bool) -> list[list[Cell]]:
    colours = scale.palette[scale.numbers(plane)]
    texts = aligned(plane, whole=whole)
    return [[Cell(text, hexadecimal(colour), ink_on(colour)) for text, colour in zip(*row, strict=True)]
            for row in zip(texts, colours, strict=True)]  # fmt: skip


def _words(plane: np.ndarray, whole: bool) -> str:
    size = f"{plane.shape[0]} by {plane.shape[1]} values"
    finite = np.isfinite(plane)
    if not finite.any():
        return f"{size}, none of them finite."
    low, high = (number(float(v), whole=whole) for v in (plane[finite].min(), plane[finite].max()))
    far = np.unravel_index(int(np.abs(np.where(finite, plane, 0)).argmax()), plane.shape)
    lost = f", {int((~finite).sum())} not finite (grey)" if not finite.all() else ""
    most = number(float(plane[far]), whole=whole)
    return f"{size} from {low} to {high}, farthest from 0 in row {far[0]}, column {far[1]}: {most}{lost}."


def _png(picture: np.ndarray, scale: Scale) -> str:
    from PIL import Image

    image = Image.fromarray(picture)
    image.putpalette(scale.palette.tobytes())
    buffer = io.BytesIO()
    image.save(buffer, format="png", optimize=True)
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
