"""An exhibit made ready to be shown: maps in colours, small ones with their numbers; lists as a table with bars."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from autograder.core.evidence import Exhibit
from autograder.feedback.colours import Scale, scale_of
from autograder.feedback.lists import Line, lines
from autograder.feedback.maps import Map, drawn_map
from autograder.feedback.rounding import number

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
