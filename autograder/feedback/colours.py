"""Values as colours that colour-blind eyes tell apart, the kit's own: low to high, or both sides of zero."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np

from autograder.isolated.current_folder import load
from cnnviz.figures import DIVERGING, SEQUENTIAL

_STEPS = 255
"""Colours of a scale; one more stands for what is not finite."""
_GREY = 153


@dataclass(frozen=True)
class Scale:
    """One range of colours."""

    low: float
    high: float
    signed: bool
    """Whether zero is the middle colour."""

    def numbers(self, values: np.ndarray) -> np.ndarray:
        """Number of each value's colour, uint8; the last one where it is not finite."""
        spread = self.high - self.low or 1.0
        part = np.nan_to_num((values - self.low) / spread, nan=0, posinf=0, neginf=0)
        middle = 0.5 * _STEPS if self.high == self.low else part * _STEPS
        return np.where(np.isfinite(values), np.clip(middle, 0, _STEPS - 1), _STEPS).astype(np.uint8)

    @property
    def palette(self) -> np.ndarray:
        """`[256 3]`, uint8."""
        return _palette(DIVERGING if self.signed else SEQUENTIAL)

    @property
    def gradient(self) -> str:
        """The scale from left to right, as a style sheet has it."""
        picked = self.palette[np.linspace(0, _STEPS - 1, 9).astype(int)]
        return f"linear-gradient(to right, {', '.join(map(hexadecimal, picked))})"


def scale_of(*arrays: np.ndarray, symmetric: bool = False) -> Scale:
    """One scale for all of these values, centred at zero where they have both signs or it is asked for."""
    values = np.concatenate([array[np.isfinite(array)].ravel() for array in arrays])
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, 0.0)
    if symmetric or low < 0 < high:
        most = max(-low, high)
        return Scale(-most, most, True)
    return Scale(low, high, False)


def hexadecimal(colour: np.ndarray) -> str:
    """`#rrggbb`."""
    return "#" + "".join(f"{part:02x}" for part in colour)


def ink_on(colour: np.ndarray) -> str:
    """Black or white, whichever is told from this colour more easily: at least 4.5 to 1."""
    part = colour / 255
    linear = np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)
    return "#000" if linear @ (0.2126, 0.7152, 0.0722) > 0.179 else "#fff"


@cache
def _palette(name: str) -> np.ndarray:
    colours = load("matplotlib").colormaps[name](np.linspace(0, 1, _STEPS), bytes=True)[:, :3]
    return np.concatenate([colours, np.full((1, 3), _GREY, np.uint8)])
