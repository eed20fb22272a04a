"""Compares what a student's function returned with what the reference returned: raw values, relative to max|expected|.

Nothing here imports anything but numpy.
"""

from __future__ import annotations

import builtins
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from autograder.core.message import Message, Value, message

TOLERANCE = {"float64": 1e-6, "float32": 1e-4}
"""By the precision of what was asked for, relative to max|expected|. Wider than the spread over right implementations
and devices; a test holds every misconception at more than 100 times the wider of the two."""

MARGIN = 100 * TOLERANCE["float32"]
"""The distance that every misconception keeps from the right answer, in every case."""

_NUMBERS = ("float", "int", "bool")


class _Result(Protocol):
    """What one call gave; `autograder.isolated.Observation` says what each field holds."""

    @property
    def kind(self) -> str: ...

    @property
    def arrays(self) -> tuple[np.ndarray, ...]: ...

    @property
    def types(self) -> Sequence[str]: ...

    @property
    def dtypes(self) -> Sequence[str]: ...

    @property
    def devices(self) -> Sequence[str]: ...

    @property
    def type_name(self) -> str: ...

    @property
    def again(self) -> Sequence[np.ndarray] | None: ...

    @property
    def error(self) -> Mapping[str, Any] | None: ...


Results = Sequence[_Result]
"""One a call."""
Place = tuple[int, Message]
"""The output that departs, and what is said of it."""


@dataclass(frozen=True)
class Finding:
    """The first thing that is not as asked, in the order in which a student can repair it."""

    kind: str
    """"not attempted", "raised", "type", "shape", "dtype", "device", "finite" or "values"."""
    call: int
    output: int
    message: Message


def compare(expected: Results, got: Results, symbols: Sequence[str]) -> Finding | None:
    """The first departure of `got` from `expected`, stage by stage over all calls; None where they agree."""
    for stage in (_attempted, _raised, _type, _shape, _dtype, _device, _finite):
        for call, (want, have) in enumerate(zip(expected, got, strict=True)):
            if (found := stage(want, have, symbols)) is not None:
                return Finding(stage.__name__.strip("_").replace("attempted", "not attempted"), call, *found)
    return _values(expected, got, symbols)


def distance(expected: Results, got: Results) -> float:
    """Largest difference over all calls and outputs, relative to max|expected| per output; inf where shapes differ."""
    if any(
        have.kind != "value" or len(want.arrays) != len(have.arrays) for want, have in zip(expected, got, strict=True)
    ):
        return float("inf")
    return max((_output_distance(expected, got, k) for k in range(len(expected[0].arrays))), default=0.0)


def tolerance(results: Results) -> float:
    """The tolerance that the precision of these results allows: of the expected ones, where a verdict depends on it."""
    coarse = any(dtype == "float32" for result in results for dtype in result.dtypes)
    return TOLERANCE["float32" if coarse else "float64"]


def scales(expected: Results, output: int) -> float:
    """max|expected| over what is finite in all calls of one output; 1 where that is 0, so that it can be compared."""
    return max((largest(_numeric(want.arrays[output])) for want in expected), default=0.0) or 1.0


def largest(array: np.ndarray) -> float:
    """The largest finite size in an array, 0 where there is none."""
    return float(np.abs(array).max(initial=0.0, where=np.isfinite(array)))


def distinct(values: np.ndarray) -> int:
    """How many different numbers other than 0 there are among finite ones, apart from rounding."""
    values = values[np.isfinite(values)].astype(np.float64)
    size = np.abs(values).max(initial=0.0) or 1.0
    return len(np.setdiff1d(np.round(values / size, 6), [0.0]))


def error_maps(expected: Results, got: Results, output: int) -> list[np.ndarray]:
    """|got - expected| / max|expected| for each call; NaN equals NaN, and counts as infinitely far from a number."""
    scale = scales(expected, output)
    return [_error(_numeric(want.arrays[output]), _numeric(have.arrays[output]), scale)
            for want, have in zip(expected, got, strict=True)]  # fmt: skip


ADVICE = {
    "EOFError": "input",
    "StdinNotImplementedError": "input",
    "BdbQuit": "debugger",
    "must be Tensor, not tuple": "tuple",
    "'tuple' object has no attribute": "tuple",
    r"No module named '(?P<module>[\w.]{1,60})'": "module",
}
"""Pattern in an exception's type and message -> name of the advice on what a student can do; groups are its values."""


def advice(error: Mapping[str, Any], otherwise: str) -> Message:
    """What can be done about an exception, as the end of the sentence on it; `otherwise` names another end."""
    text = f"{error.get('type')}: {error.get('message')}"
    known = ((name, re.search(pattern, text)) for pattern, name in ADVICE.items())
    name, values = next(((name, found.groupdict()) for name, found in known if found), (otherwise, {}))
    return message(f"advice.{name}", **values)


def _error(want: np.ndarray, have: np.ndarray, scale: float) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(have - want) / scale
    same = (want == have) | (np.isnan(want) & np.isnan(have))
    return np.where(same, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf))


def _output_distance(expected: Results, got: Results, output: int) -> float:
    if any(want.arrays[output].shape != have.arrays[output].shape for want, have in zip(expected, got, strict=True)):
        return float("inf")
    return max(float(error.max(initial=0.0)) for error in error_maps(expected, got, output))


def _numeric(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def _attempted(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    return (0, message("not_attempted")) if have.kind == "not attempted" else None


def _raised(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    if have.kind != "raised":
        return None
    error = have.error or {}
    values: dict[str, Value] = {
        "type": str(error.get("type")),
        "text": str(error.get("message")),
        "advice": advice(error, "none"),
    }
    if not error.get("line"):
        return 0, message("raised", **values)
    source = (error.get("source_line") or "").strip()
    return 0, message("raised.at_line", line=int(error["line"]), source=source, **values)


def _type(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    if have.kind == "unsupported" or len(want.arrays) != len(have.arrays):
        return 0, message(f"returned.{_repair(want, have)}", returned=_returned(have), asked=_asked(want, symbols))
    for k, (asked, got) in enumerate(zip(want.types, have.types, strict=True)):
        scalar = want.arrays[k].ndim == 0 and {asked, got} <= {*_NUMBERS, "tensor"}
        if asked != got and not scalar:
            return k, message("type", symbol=symbols[k], got=message(f"a.{got}"), asked=message(f"a.{asked}"))
    return None


UNCOMPARED = ("NoneType", "tuple", "list", "Tensor")
"""Types of what came back and cannot be compared, of which the catalogue says more than the name."""


def _returned(have: _Result) -> Value:
    """What came back; of a class of the student's own not its name, which could spell the inputs."""
    if have.kind == "unsupported":
        if have.type_name in UNCOMPARED:
            return message(f"uncompared.{have.type_name}")
        return have.type_name if hasattr(builtins, have.type_name) else message("a.object")
    if have.type_name in ("tuple", "list"):
        return message("a.sequence", type=have.type_name, count=len(have.arrays))
    return message(f"a.{have.types[0]}")


def _repair(want: _Result, have: _Result) -> str:
    """Name of the advice on what to write instead."""
    if have.type_name == "NoneType":
        return "nothing"
    if [*want.types] != ["tensor"] or have.type_name not in ("tuple", "list"):
        return "other"
    if have.kind != "value":
        return "nested"
    return "tensors" if any(array.ndim for array in have.arrays) else "numbers"


def _shape(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    for k, (asked, got) in enumerate(zip(want.arrays, have.arrays, strict=True)):
        if asked.shape != got.shape:
            return k, message("shape", symbol=symbols[k], got=str(list(got.shape)), asked=str(list(asked.shape)))
    return None


def _dtype(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    for k, (asked, got) in enumerate(zip(want.arrays, have.arrays, strict=True)):
        dtypes = {"symbol": symbols[k], "got": have.dtypes[k], "asked": want.dtypes[k]}
        real = asked.dtype.kind == "f"
        if real and have.types[k] == "tensor" and have.dtypes[k] not in TOLERANCE:
            return k, message("dtype.input", **dtypes)
        if asked.dtype.kind != got.dtype.kind and got.dtype.kind in ("b" if real else "fb"):
            return k, message("dtype", **dtypes)
    return None


def _device(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    """A tensor lies where the input's tensors lie; without any among the inputs, anywhere. A number lies nowhere."""
    for k, (asked, got) in enumerate(zip(want.devices, have.devices, strict=True)):
        if asked and have.types[k] == "tensor" and asked.split(":")[0] != got.split(":")[0]:
            return k, message("device", symbol=symbols[k], got=got, asked=asked)
    return None


def _finite(want: _Result, have: _Result, symbols: Sequence[str]) -> Place | None:
    for k, (asked, got) in enumerate(zip(want.arrays, have.arrays, strict=True)):
        bad = ~np.isfinite(_numeric(got)) & np.isfinite(_numeric(asked))
        if bad.any():
            return k, message("finite", symbol=symbols[k], count=int(bad.sum()), size=bad.size)
    return None


def _values(expected: Results, got: Results, symbols: Sequence[str]) -> Finding | None:
    for k, symbol in enumerate(symbols[: len(expected[0].arrays)]):
        errors = [float(error.max(initial=0.0)) for error in error_maps(expected, got, k)]
        if max(errors) > allowed(expected, k):
            call = int(np.argmax(errors))
            asked, have = expected[call].dtypes[k], got[call].dtypes[k]
            if TOLERANCE.get(asked, 1.0) < max(errors) <= TOLERANCE.get(have, 0.0):
                to = {"right_to": TOLERANCE[have], "wanted": TOLERANCE[asked]}
                return Finding("dtype", call, k, message("dtype.coarse", symbol=symbol, got=have, asked=asked, **to))
            return Finding("values", call, k, message("values", symbol=symbol))
    return None


def allowed(expected: Results, output: int) -> float:
    """How far one output may be from the expected one, relative to `scales`: whole numbers not at all."""
    return 0.0 if expected[0].arrays[output].dtype.kind in "iub" else tolerance(expected)


def _asked(want: _Result, symbols: Sequence[str]) -> Value:
    """What was to come back, with shapes."""
    pairs = zip(symbols, want.arrays, strict=False)
    outputs = [f"{symbol} {list(array.shape)}" if array.ndim else symbol for symbol, array in pairs]
    if len(outputs) > 1:
        return f"({', '.join(outputs)})"
    if want.types[0] == "tensor":
        return message("asked.tensor", output=outputs[0])
    return message("asked.other", output=symbols[0], type=message(f"a.{want.types[0]}"))
