"""An exhibit made ready to be shown: maps in colours, small ones with their numbers; lists as a table with bars."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autograder.core.evidence import Exhibit
from autograder.feedback.colours import Scale, hexadecimal, ink_on, scale_of
from autograder.feedback.rounding import aligned, number

YOURS, EXPECTED, DIFFERENCE = "yours", "the formula's", "difference"


@dataclass(frozen=True)
class Legend:
    """The colours of a scale and the values at its ends."""

    name: str
    low: str
    middle: str
    high: str
    gradient: str


@dataclass(frozen=True)
class View:
    """Maps side by side, or lines of numbers."""

    caption: str
    maps: Sequence[Map] = ()
    legends: Sequence[Legend] = ()
    lines: Sequence[Line] = ()
    symbol: str = ""


@lru_cache(maxsize=4096)
def view(exhibit: Exhibit) -> View:
    """What is shown of an exhibit; the same values are drawn once for a whole class."""
    yours, expected = exhibit.yours.array, exhibit.expected.array
    alike = exhibit.shapes[0] == exhibit.shapes[1]
    if alike and yours.ndim < 2:
        return View(_caption(exhibit), lines=lines(exhibit), symbol=exhibit.symbol)
    both = scale_of(yours, expected)
    sides = {YOURS: (yours, both), EXPECTED: (expected, both)}
    if alike:
        with np.errstate(invalid="ignore"):
            difference = yours - expected
        sides[DIFFERENCE] = (difference, scale_of(difference, symmetric=True))
    if exhibit.same:
        sides = {"yours, as the formula's": (yours, both)}
    maps = [drawn_map(name, array, scale, whole=exhibit.whole) for name, (array, scale) in sides.items()]
    return View(_caption(exhibit), maps=maps, legends=_legends(both, sides), symbol=exhibit.symbol)


def _legends(both: Scale, sides: dict[str, tuple[np.ndarray, Scale]]) -> list[Legend]:
    shared = [name for name in sides if name != DIFFERENCE]
    found = [_legend(" and ".join(shared), both)]
    return [*found, _legend(DIFFERENCE, sides[DIFFERENCE][1])] if DIFFERENCE in sides else found


def _legend(name: str, scale: Scale) -> Legend:
    if scale.low == scale.high:
        return Legend(name, f"every value is {number(scale.low)}", "", "", "")
    middle = "0" if scale.signed else ""
    return Legend(name, number(scale.low), middle, number(scale.high), scale.gradient)


def _caption(exhibit: Exhibit) -> str:
    """What is shown, in the notation of the diagnosis."""
    first, second = exhibit.shapes
    where = f"{exhibit.symbol} on {exhibit.check.removeprefix('values: ')}"
    if first != second:
        beginning = " Of each, the beginning is shown." if max(len(first), len(second)) > 2 else ""
        return f"{where}. Yours has the shape {list(first)}, the formula's {list(second)}.{beginning}"
    if exhibit.place:
        rest = ", :" * min(2, len(first) - len(exhibit.place))
        where += f". Shown is {exhibit.symbol}[{', '.join(map(str, exhibit.place))}{rest}]"
    if exhibit.step > 1:
        where += f", every {exhibit.step}. value"
    return f"{where}."


MOST = 16
"""Lines of a table: of a longer list those that differ most."""


@dataclass(frozen=True)
class Bar:
    """A number, and where its bar begins and how long it is, in percent of the room for it."""

    text: str
    start: float
    length: float


@dataclass(frozen=True)
class Line:
    """One value: the student's, the formula's, the difference."""

    name: str
    bars: Sequence[Bar]


def lines(exhibit: Exhibit) -> list[Line]:
    """The lines of an exhibit whose arrays have the same shape and at most one axis."""
    yours, expected = (np.atleast_1d(values.array) for values in (exhibit.yours, exhibit.expected))
    with np.errstate(invalid="ignore"):
        difference = yours - expected
    ends = _ends(yours, expected), _ends(yours, expected), _ends(difference)
    size = np.nan_to_num(np.abs(difference), nan=np.inf)
    chosen = np.sort(np.argsort(-size, kind="stable")[:MOST])
    one = not exhibit.yours.shape
    return [
        Line(exhibit.symbol if one else f"{exhibit.symbol}[{k * exhibit.step}]",
             [_bar(float(a[k]), *end, exhibit.whole)
              for a, end in zip((yours, expected, difference), ends, strict=True)])
        for k in map(int, chosen)
    ]  # fmt: skip


def _ends(*arrays: np.ndarray) -> tuple[float, float]:
    """The least and the largest value, and zero."""
    finite = np.concatenate([[0.0], *(array[np.isfinite(array)] for array in arrays)])
    return float(finite.min()), float(finite.max())


def _bar(value: float, low: float, high: float, whole: bool) -> Bar:
    if not np.isfinite(value) or low == high:
        return Bar(number(value, whole=whole), 0, 0)
    zero, at = (round(100 * (v - low) / (high - low), 1) for v in (0.0, value))
    return Bar(number(value, whole=whole), min(zero, at), round(abs(at - zero), 1))


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
