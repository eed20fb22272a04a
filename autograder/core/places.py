"""Where an array departs from the right one: which calls, which step, which values.

Nothing here imports anything but numpy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from autograder.core.message import Message, Value, message

FEW = 4
"""So many places are listed one by one."""
SHORT = 24
"""Characters of an argument that are shown."""

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


def in_calls(wrong: Wrong, inputs: Sequence[Mapping[str, Any]], departure: Message) -> Message:
    """What departs, after the calls that are wrong where others are right."""
    bad = [n for n, each in enumerate(wrong) if each.any()]
    if len(bad) == len(wrong):
        return departure
    arguments = differences(inputs) if len(inputs) == len(wrong) else [""] * len(wrong)
    named = [arguments[n] for n in bad if arguments[n]]
    if 0 < len(named) == len(bad) <= FEW:
        calls: dict[str, Value] = {"count": len(bad), "calls": len(wrong), "arguments": "; ".join(named)}
        return message("values.in_calls_with", rest=departure, **calls)
    return message("values.in_calls", count=len(bad), calls=len(wrong), rest=departure)


def differences(inputs: Sequence[Mapping[str, Any]]) -> list[str]:
    """For each call the arguments in which the calls differ: numbers, texts, and shapes of tensors."""
    calls = [{name: text for name, value in call.items() if (text := _argument(name, value))} for call in inputs]
    names = [name for name in (calls[0] if calls else ()) if len({call.get(name) for call in calls}) > 1]
    return [", ".join(call[name] for name in names[:3] if name in call) for call in calls]


def _argument(name: str, value: Any) -> str:
    """An argument as it is typed, in short; empty where it has no short text."""
    if isinstance(value, (bool, int, float, str)) or value is None:
        text = f"{name}={value:g}" if type(value) in (int, float) else f"{name}={value!r}"
    elif getattr(value, "ndim", 0):
        text = f"{name} {list(value.shape)}"
    elif isinstance(value, (tuple, list)) and all(isinstance(each, (int, float)) for each in value):
        text = f"{name}={value}"
    else:
        return ""
    return text if len(text) <= len(name) + SHORT else ""


def departing_values(symbol: str, want: np.ndarray, have: np.ndarray, error: np.ndarray, wrong: np.ndarray) -> Message:
    """Which values of one call depart, and the one that departs most beside the right one.

    Args:
        symbol: of the output.
        want: the expected array.
        have: the student's.
        error: how far they are apart.
        wrong: where that is too far.
    """
    if not wrong.ndim:
        return message("values.number", symbol=quoted(symbol), got=f"{float(have):.6g}", right=f"{float(want):.6g}")
    seen, step = error.copy(), first_wrong_step(wrong)
    seen[step + 1 if step else len(seen) :] = -1.0
    at = np.unravel_index(int(seen.argmax()), error.shape)
    values = {"got": f"{float(have[at]):.6g}", "right": f"{float(want[at]):.6g}"}
    return message("values.departs", extent=_extent(symbol, want, wrong, step), place=_place(symbol, at), **values)


def _extent(symbol: str, want: np.ndarray, wrong: np.ndarray, step: int) -> Message:
    """How many values depart, and which."""
    values: dict[str, Value] = {"symbol": quoted(symbol), "count": int(wrong.sum()), "size": wrong.size}
    if wrong.all():
        return message("extent.everywhere", symbol=quoted(symbol))
    if step:
        return _until(symbol, step)
    for value in (0, 1):
        if (want[wrong] == value).all():
            return message("extent.one_value", right=value, **values)
    bad = _samples(wrong).nonzero()[0]
    if wrong.ndim > 1 and len(bad) <= min(FEW, len(wrong) // 2) and wrong.sum() > FEW:
        return message("extent.samples", places=tuple(_place(symbol, (n,)) for n in bad), **values)
    if 1 < wrong.sum() <= FEW:
        return message("extent.few", places=tuple(_place(symbol, at) for at in np.argwhere(wrong)), **values)
    return message("extent", **values)


def _until(symbol: str, step: int) -> Message:
    """Which steps are right, and the first that departs."""
    first, last, wrong = (_place(symbol, (n,)) for n in (0, step - 1, step))
    if step == 1:
        return message("extent.after_one", first=first, wrong=wrong)
    return message("extent.after_two" if step == 2 else "extent.after", first=first, last=last, wrong=wrong)


def in_place_of_nan(want: np.ndarray, have: np.ndarray) -> tuple[Message, ...]:
    """What the formula gives where the student's values are not finite, if that is 0 or 1 throughout."""
    there = want[~np.isfinite(have) & np.isfinite(want)]
    return tuple(message("finite.right", right=value) for value in (0, 1) if there.size and (there == value).all())


def _place(symbol: str, at: Iterable[Any]) -> str:
    place = f"[{', '.join(str(int(i)) for i in at)}]"
    return quoted(symbol, place)


def _samples(wrong: np.ndarray) -> np.ndarray:
    """For each entry along the first axis, whether anything of it departs."""
    whole = np.atleast_1d(wrong)
    return np.asarray(np.any(whole, axis=tuple(range(1, whole.ndim))))


def quoted(symbol: str, place: str = "") -> str:
    """A symbol in a sentence; a word is marked as a name, and may be a plural: "`boxes` is right"."""
    return f"`{symbol}{place}`" if len(symbol) > 2 and symbol.isascii() and symbol.isalpha() else symbol + place
