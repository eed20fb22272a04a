"""Keeps of the values behind a verdict the part of a visible case where the student departs most, capped.

Nothing of a hidden case comes here: `judge.Evidence` has visible ones only.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from autograder.core.verdict import FAILED

if TYPE_CHECKING:  # results are read without importing torch
    from autograder.core.judge import Evidence, Graded

LARGEST = 64
"""Values along one side of what is kept."""
MOST_AXES = 8
_TOP = float(np.finfo(np.float32).max)


@dataclass(frozen=True)
class Values:
    """An array as bytes, so that it can be compared, hashed and signed."""

    shape: tuple[int, ...]
    """No, one or two sides, none over `LARGEST`."""
    data: bytes
    """float32, little endian."""

    @classmethod
    def of(cls, array: np.ndarray) -> Values:
        """The array in single precision; what is larger than that can hold becomes its largest number."""
        return cls(array.shape, np.clip(array, -_TOP, _TOP).astype("<f4").tobytes())

    @property
    def array(self) -> np.ndarray:
        """float64, in its shape."""
        return np.frombuffer(self.data, "<f4").astype(np.float64).reshape(self.shape)


@dataclass(frozen=True)
class Exhibit:
    """The student's values beside the formula's."""

    check: str
    symbol: str
    place: tuple[int, ...]
    """Indices of what is shown along the first axes: (2, 0) is the first channel of the third image."""
    shapes: tuple[tuple[int, ...], tuple[int, ...]]
    """Shapes of the whole arrays: the student's, the formula's."""
    step: int
    """Every how many-th value of each axis is shown; 1 for all."""
    whole: bool
    """Whether the formula gives whole numbers."""
    yours: Values
    expected: Values

    @property
    def same(self) -> bool:
        """Whether nothing is to be seen between the two."""
        if self.shapes[0] != self.shapes[1]:
            return False
        want, have = self.expected.array, self.yours.array
        return bool(np.allclose(have, want, rtol=0, atol=1e-4 * (np.abs(want).max() or 1.0), equal_nan=True))

    def as_json(self) -> dict[str, Any]:
        """As it is kept with a result."""
        return {
            "check": self.check, "symbol": self.symbol, "place": list(self.place), "step": self.step,
            "whole": self.whole, "shapes": [list(shape) for shape in self.shapes],
            "yours": _kept(self.yours), "expected": _kept(self.expected),
        }  # fmt: skip

    @classmethod
    def from_json(cls, kept: Mapping[str, Any]) -> Exhibit:
        """The reverse of `as_json`.

        Raises:
            ValueError: it is not what `as_json` gives.
        """
        try:
            yours, expected = (_values(kept[name]) for name in ("yours", "expected"))
            first, second = (tuple(map(int, shape)) for shape in kept["shapes"])
            place = tuple(map(int, kept["place"]))
            return cls(str(kept["check"]), str(kept["symbol"]), place, (first, second),
                       int(kept["step"]), bool(kept["whole"]), yours, expected)  # fmt: skip
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"an exhibit has other fields than it should ({error})") from error


def exhibit(evidence: Evidence) -> Exhibit | None:
    """The last two axes of both arrays where they depart most; None where there is nothing to show."""
    want, have = evidence.expected, evidence.got
    if any(a.size == 0 or a.ndim > MOST_AXES or a.dtype.kind not in "fiub" for a in (want, have)):
        return None
    whole = want.dtype.kind in "iub"
    want, have = want.astype(np.float64), have.astype(np.float64)
    place = _worst(want, have) if want.shape == have.shape else ()
    planes = [_plane(array, place) for array in (have, want)]
    step = max(-(-side // LARGEST) for plane in planes for side in (1, *plane.shape))
    cut = tuple(slice(None, None, step) for _ in range(2))
    yours, expected = (Values.of(plane[cut[: plane.ndim]]) for plane in planes)
    return Exhibit(evidence.check, evidence.symbol, place, (have.shape, want.shape), step, whole, yours, expected)


def exhibits_of(graded: Graded) -> tuple[Exhibit, ...]:
    """What is kept with a result: an exhibit for each visible case that failed and shows a difference."""
    failed = {row.check for row in graded.rows if row.verdict == FAILED}
    try:
        made = [exhibit(evidence) for evidence in graded.evidence if evidence.check in failed]
    except Exception:  # no array of a student's, however strange, costs anybody a verdict
        return ()
    return tuple(each for each in made if each is not None and not each.same)


def _worst(want: np.ndarray, have: np.ndarray) -> tuple[int, ...]:
    """Indices, along all axes but the last two, of the largest difference."""
    with np.errstate(all="ignore"):
        error = np.nan_to_num(np.abs(have - want), nan=np.inf, posinf=np.inf)
    error = np.where((want == have) | (np.isnan(want) & np.isnan(have)), 0, error)
    at = np.unravel_index(int(error.argmax()), error.shape)
    return tuple(int(i) for i in at[:-2])


def _plane(array: np.ndarray, place: tuple[int, ...]) -> np.ndarray:
    while array.ndim > 2:
        array, place = array[place[0] if place else 0], place[1:]
    return array


def _kept(values: Values) -> dict[str, Any]:
    return {"shape": list(values.shape), "float32": base64.b64encode(values.data).decode()}


def _values(kept: Mapping[str, Any]) -> Values:
    shape, data = tuple(map(int, kept["shape"])), base64.b64decode(kept["float32"])
    if len(shape) > 2 or any(not 0 < side <= LARGEST for side in shape) or len(data) != 4 * int(np.prod(shape)):
        raise ValueError(f"an exhibit's values are not of its shape {list(shape)}")
    return Values(shape, data)
