"""Which known mistake gives what a student's function returned: exactly, for the most part, or up to a factor.

A *sample* is one entry along the first axis of an output. Nothing here imports anything but numpy and `compare`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from autograder.core.compare import Results, distance, distinct, scales, tolerance

ENOUGH = 4
"""Different values, or samples, that have to speak for a mistake that does not explain the whole result."""

MOST, NAN, FACTOR = "most", "nan", "factor"
BESIDE: tuple[tuple[str, ...], ...] = ((), (MOST,), (NAN,), (MOST, NAN), (FACTOR,))
"""All that may be said after the sentence of a mistake, by name."""

Mistakes = Mapping[str, Results]
"""Misconception's name -> what it gives."""


@dataclass(frozen=True)
class Match:
    """A known mistake that gives these results."""

    name: str
    """The misconception's."""
    beside: tuple[str, ...] = ()
    """Names of what is said after its sentence, where it does not explain everything."""


def exact_match(mistakes: Mistakes, got: Results) -> Match | None:
    """The mistake that gives these very results, with not-a-number in the same places."""
    far = {name: distance(results, got) for name, results in _comparable(mistakes, got)}
    name = min(far, key=far.__getitem__, default=None)
    return Match(name) if name is not None and far[name] <= tolerance(got) else None


@np.errstate(invalid="ignore", over="ignore")
def near_match(mistakes: Mistakes, expected: Results, got: Results) -> Match | None:
    """The mistake that most samples show, or most values; else the only one that gives all up to a factor a call."""
    for one_by_one in (False, True):
        explained = {n: _explained(expected, results, got, one_by_one) for n, results in _comparable(mistakes, got)}
        best = max((share for share, _ in explained.values()), default=0.0)
        names = [name for name, (share, _) in explained.items() if share == best > 0]
        if len(names) == 1:
            return Match(names[0], explained[names[0]][1])
    scaled = [name for name, results in _comparable(mistakes, got) if _up_to_a_factor(expected, results, got)]
    return Match(scaled[0], (FACTOR,)) if len(scaled) == 1 else None


def _comparable(mistakes: Mistakes, got: Results) -> Iterator[tuple[str, Results]]:
    for name, results in mistakes.items():
        pairs = zip(results, got, strict=True)
        if all(a.kind == b.kind == "value" and len(a.arrays) == len(b.arrays) for a, b in pairs):
            yield name, results


@dataclass(frozen=True)
class _Samples:
    """One output of one call, sample by sample, where the mistake's values and the student's are finite."""

    wrong: np.ndarray
    """Whether the student's values or the mistake's depart from the right ones."""
    alike: np.ndarray
    """Whether the student's and the mistake's agree."""
    values: np.ndarray
    """The wrong values on which they agree."""
    more_nan: bool
    """Whether the student has NaN or infinity where the mistake has none."""


def _explained(expected: Results, mistake: Results, got: Results, one_by_one: bool) -> tuple[float, tuple[str, ...]]:
    """The share of the wrong samples, or values, that a mistake explains, 0 where too few are; and what it does not.

    Values are more often alike by chance than samples are, so more of them have to be.
    """
    samples = list(_samples(expected, mistake, got, one_by_one))
    wrong, alike = (np.concatenate([getattr(s, name) for s in samples]) for name in ("wrong", "alike"))
    explained, rest = int((wrong & alike).sum()), int((wrong & ~alike).sum())
    different = distinct(np.concatenate([s.values for s in samples]))
    speaking = different / 2 if one_by_one else max(explained, different)
    if explained < max(1, (4 if one_by_one else 2) * rest) or speaking < ENOUGH:
        return 0.0, ()
    beside = ((MOST,) if rest else ()) + ((NAN,) if any(s.more_nan for s in samples) else ())
    return explained / (explained + rest), beside


def _samples(expected: Results, mistake: Results, got: Results, one_by_one: bool) -> Iterator[_Samples]:
    coarse = max(tolerance(expected), tolerance(got))
    for k in range(len(got[0].arrays)):
        allowed = 0.0 if got[0].arrays[k].dtype.kind in "iub" else coarse
        theirs, ours = allowed * min(scales(mistake, k), scales(got, k)), allowed * scales(expected, k)
        for three in zip(expected, mistake, got, strict=True):
            want, wrong, have = (np.atleast_1d(result.arrays[k]).astype(np.float64) for result in three)
            if wrong.shape != have.shape:
                yield _Samples(np.ones(len(have), bool), np.zeros(len(have), bool), np.empty(0), more_nan=False)
                continue
            if one_by_one:
                want, wrong, have = want.ravel() if want.shape == have.shape else want, wrong.ravel(), have.ravel()
            finite = np.isfinite(have) & np.isfinite(wrong)
            alike = _whole(_near(wrong, have, theirs) | ~finite)
            right = (_near(want, wrong, ours) & _near(want, have, ours)) | ~finite
            agree = finite & ~right & alike.reshape(-1, *[1] * (have.ndim - 1))
            yield _Samples(~_whole(right), alike, have[agree], bool((np.isfinite(wrong) & ~finite).any()))


def _near(one: np.ndarray, have: np.ndarray, atol: float) -> np.ndarray:
    return np.abs(have - one) <= atol if one.shape == have.shape else np.zeros(have.shape, bool)


def _whole(places: np.ndarray) -> np.ndarray:
    """For each sample, whether it is true in all places."""
    return np.asarray(np.all(places, axis=tuple(range(1, places.ndim))))


def _up_to_a_factor(expected: Results, mistake: Results, got: Results) -> bool:
    """Whether each output of each call is a multiple of the mistake's, and the mistake's is none of the right one."""
    speaking = 0
    for want, wrong, have in zip(expected, mistake, got, strict=True):
        for right, one, other in zip(want.arrays, wrong.arrays, have.arrays, strict=True):
            if not is_multiple(one, other, tolerance(got)):
                return False
            if not is_multiple(right, one, tolerance(expected)):
                speaking += distinct(one) - 1
    return speaking >= ENOUGH


def is_multiple(one: np.ndarray, other: np.ndarray, allowed: float) -> bool:
    """Whether `other` is a number, not 0, times `one`; whole numbers and truth values have to be equal."""
    if one.shape != other.shape or not (np.isfinite(one) == np.isfinite(other)).all():
        return False
    if other.dtype.kind in "iub":
        return bool((one == other).all())
    finite = np.isfinite(one)
    a, b = one[finite].astype(np.float64), other[finite].astype(np.float64)
    factor = float(a @ b / (a @ a)) if a.any() else 1.0
    return factor != 0 and bool(np.abs(factor * a - b).max(initial=0.0) <= allowed * np.abs(b).max(initial=0.0))
