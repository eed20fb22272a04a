"""Where an array departs from the right one, in words: which calls, which step, which values.

Nothing here imports anything but numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

FEW = 4
"""So many places are listed one by one."""
SHORT = 24
"""Characters of an argument that are told."""

Wrong = Sequence[np.ndarray]
"""For each call, which values of an output depart."""


def only_first(wrong: Wrong) -> bool:
    """Whether each call's first sample is right, and of the others, of which there are several, every one is wrong."""
    samples = [_samples(each) for each in wrong]
    return sum(len(each) - 1 for each in samples) > 1 and all(not each[0] and each[1:].all() for each in samples)


def only_alone(wrong: Wrong) -> bool:
    """Whether calls with one sample are right, and of several every sample and half of all values are wrong."""
    alone, several = ([each for each in wrong if (_samples(each).size > 1) is many] for many in (False, True))
    mixed = all(_samples(each).all() and each.mean() >= 0.5 for each in several)
    return bool(alone and several) and mixed and not any(each.any() for each in alone)


def first_wrong_step(wrong: np.ndarray) -> int:
    """The entry along the first axis from which on all depart, of which there are several; 0 where there is none."""
    samples = _samples(wrong)
    step = int(samples.argmax())
    return step if step and len(samples) > step + 1 and samples[step:].all() else 0


def calls_told(wrong: Wrong, inputs: Sequence[Mapping[str, Any]]) -> str:
    """Which calls are wrong, where others are right; empty where all are wrong."""
    bad = [n for n, each in enumerate(wrong) if each.any()]
    if len(bad) == len(wrong):
        return ""
    told = differences(inputs) if len(inputs) == len(wrong) else [""] * len(wrong)
    calls = f"{len(bad)} of {len(wrong)} calls"
    named = [told[n] for n in bad if told[n]]
    return f"in {calls}" + (f", with {'; '.join(named)}" if 0 < len(named) == len(bad) <= FEW else "")


def differences(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each call the arguments in which the calls differ: numbers, texts, and shapes of tensors."""
    told = [{name: words for name, value in call.items() if (words := _words(name, value))} for call in inputs]
    names = [name for name in (told[0] if told else ()) if len({call.get(name) for call in told}) > 1]
    return [", ".join(call[name] for name in names[:3] if name in call) for call in told]


def _words(name: str, value: Any) -> str:
    if isinstance(value, (bool, int, float, str)) or value is None:
        text = f"{name}={value:g}" if type(value) in (int, float) else f"{name}={value!r}"
    elif getattr(value, "ndim", 0):
        text = f"{name} {list(value.shape)}"
    elif isinstance(value, (tuple, list)) and all(isinstance(each, (int, float)) for each in value):
        text = f"{name}={value}"
    else:
        return ""
    return text if len(text) <= len(name) + SHORT else ""


def values_told(symbol: str, want: np.ndarray, have: np.ndarray, error: np.ndarray, wrong: np.ndarray) -> str:
    """Which values of one call depart, and the one that departs most beside the right one.

    Args:
        symbol: of the output.
        want: the expected array.
        have: the student's.
        error: how far they are apart.
        wrong: where that is too far.
    """
    if not wrong.ndim:
        return f"{quoted(symbol)} is {float(have):.6g} where the formula gives {float(want):.6g}."
    seen, step = error.copy(), first_wrong_step(wrong)
    seen[step + 1 if step else len(seen) :] = -1.0
    at = np.unravel_index(int(seen.argmax()), error.shape)
    values = f"got {float(have[at]):.6g}, the formula gives {float(want[at]):.6g}."
    return f"{_extent(symbol, want, wrong, step)}: at {_place(symbol, at)} {values}"


def _extent(symbol: str, want: np.ndarray, wrong: np.ndarray, step: int) -> str:
    """How many values depart, and which."""
    count = f"{int(wrong.sum())} of {wrong.size} values"
    if wrong.all():
        return f"{quoted(symbol)} departs everywhere"
    if step:
        first, last = _place(symbol, (0,)), _place(symbol, (step - 1,))
        right = f"{first} is right" if step == 1 else f"{first} {'and' if step == 2 else 'to'} {last} are right"
        return f"{right}, {_place(symbol, (step,))} is the first that departs"
    for value in (0, 1):
        if (want[wrong] == value).all():
            return f"{quoted(symbol)} departs only where the formula gives {value} ({count})"
    bad = _samples(wrong).nonzero()[0]
    if wrong.ndim > 1 and len(bad) <= min(FEW, len(wrong) // 2) and wrong.sum() > FEW:
        return f"{quoted(symbol)} departs in {count}, all in {listed([_place(symbol, (n,)) for n in bad])}"
    if 1 < wrong.sum() <= FEW:
        return f"{quoted(symbol)} departs in {count} ({listed([_place(symbol, each) for each in np.argwhere(wrong)])})"
    return f"{quoted(symbol)} departs in {count}"


def nan_told(want: np.ndarray, have: np.ndarray) -> str:
    """What the formula gives where the student's values are not finite, if that is 0 or 1 throughout."""
    there = want[~np.isfinite(have) & np.isfinite(want)]
    return next((f" The formula gives {value} there." for value in (0, 1) if (there == value).all()), "")


def listed(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    return " and ".join(filter(None, (", ".join(parts[:-1]), *parts[-1:])))


def _place(symbol: str, at: Iterable[Any]) -> str:
    place = f"[{', '.join(str(int(i)) for i in at)}]"
    return quoted(symbol, place)


def _samples(wrong: np.ndarray) -> np.ndarray:
    """For each entry along the first axis, whether anything of it departs."""
    whole = np.atleast_1d(wrong)
    return np.any(whole, axis=tuple(range(1, whole.ndim)))


def quoted(symbol: str, place: str = "") -> str:
    """A symbol in a sentence; a word is marked as a name, and may be a plural: "`boxes` is right"."""
    return f"`{symbol}{place}`" if len(symbol) > 2 and symbol.isascii() and symbol.isalpha() else symbol + place
