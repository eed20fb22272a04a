"""Compares what a student's function returned with what the reference returned: raw values, relative to max|expected|.

A *result* is what one call gave: an object with `kind`, `arrays`, `types`, `type_name`, `dtypes`, `devices` and `error`
(`autograder.isolated.Observation`). Nothing here imports anything but numpy.
"""

from __future__ import annotations

import builtins
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

TOLERANCE = {"float64": 1e-6, "float32": 1e-4}
"""By the precision of what was asked for, relative to max|expected|. Wider than the spread over right implementations
and devices; a test holds every misconception at more than 100 times the wider of the two."""

MARGIN = 100 * TOLERANCE["float32"]
"""The distance that every misconception keeps from the right answer, in every case."""

_NUMBERS = ("float", "int", "bool")


@dataclass(frozen=True)
class Finding:
    """The first thing that is not as asked, in the order in which a student can repair it."""

    kind: str
    """"not attempted", "raised", "type", "shape", "dtype", "device", "finite" or "values"."""
    call: int
    output: int
    message: str


def compare(expected: Sequence[Any], got: Sequence[Any], symbols: Sequence[str]) -> Finding | None:
    """The first departure of `got` from `expected`, stage by stage over all calls; None where they agree."""
    for stage in (_attempted, _raised, _type, _shape, _dtype, _device, _finite):
        for call, (want, have) in enumerate(zip(expected, got, strict=True)):
            if (found := stage(want, have, symbols)) is not None:
                return Finding(stage.__name__.strip("_").replace("attempted", "not attempted"), call, *found)
    return _values(expected, got, symbols)


def distance(expected: Sequence[Any], got: Sequence[Any]) -> float:
    """Largest difference over all calls and outputs, relative to max|expected| per output; inf where shapes differ."""
    if any(
        have.kind != "value" or len(want.arrays) != len(have.arrays) for want, have in zip(expected, got, strict=True)
    ):
        return float("inf")
    return max((_output_distance(expected, got, k) for k in range(len(expected[0].arrays))), default=0.0)


def tolerance(results: Sequence[Any]) -> float:
    """The tolerance that the precision of these results allows: of the expected ones, where a verdict depends on it."""
    coarse = any(dtype == "float32" for result in results for dtype in result.dtypes)
    return TOLERANCE["float32" if coarse else "float64"]


def scales(expected: Sequence[Any], output: int) -> float:
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


def error_maps(expected: Sequence[Any], got: Sequence[Any], output: int) -> list[np.ndarray]:
    """|got - expected| / max|expected| for each call; NaN equals NaN, and counts as infinitely far from a number."""
    scale = scales(expected, output)
    return [_error(_numeric(want.arrays[output]), _numeric(have.arrays[output]), scale)
            for want, have in zip(expected, got, strict=True)]  # fmt: skip


_INPUT = "Nobody can answer `input()` here: write the value into the code."
_TUPLE = "A tuple stands where a tensor is asked for: does a function that you call return several values?"
ADVICE = {
    "EOFError": _INPUT,
    "StdinNotImplementedError": _INPUT,
    "BdbQuit": "Nobody can answer a debugger here: `cnnviz debug` makes the call where `breakpoint()` works.",
    "must be Tensor, not tuple": _TUPLE,
    "'tuple' object has no attribute": _TUPLE,
}
"""Words of an exception's type or message -> what a student can do."""


def raised(error: Mapping[str, Any]) -> str:
    """What a student's function raised and where."""
    line = (error.get("source_line") or "").strip()
    return f"your function raised {error['type']}" + (f" (line {error['line']}: `{line}`)" if error.get("line") else "")


def advice(error: Mapping[str, Any]) -> str:
    """What can be done about an exception, as the end of the sentence that tells it; empty where that is not known."""
    text = f"{error.get('type')}: {error.get('message')}"
    return next((f". {sentence}" for words, sentence in ADVICE.items() if words in text), "")


def _error(want: np.ndarray, have: np.ndarray, scale: float) -> np.ndarray:
    with np.errstate(invalid="ignore", over="ignore"):
        error = np.abs(have - want) / scale
    same = (want == have) | (np.isnan(want) & np.isnan(have))
    return np.where(same, 0.0, np.nan_to_num(error, nan=np.inf, posinf=np.inf))


def _output_distance(expected, got, output: int) -> float:
    if any(want.arrays[output].shape != have.arrays[output].shape for want, have in zip(expected, got, strict=True)):
        return float("inf")
    return max(float(error.max(initial=0.0)) for error in error_maps(expected, got, output))


def _numeric(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def _attempted(want, have, symbols):
    return (0, "not attempted yet.") if have.kind == "not attempted" else None


def _raised(want, have, symbols):
    if have.kind != "raised":
        return None
    return 0, f"{raised(have.error)}: {have.error['message']}{advice(have.error)}"


def _type(want, have, symbols):
    if have.kind == "unsupported" or len(want.arrays) != len(have.arrays):
        return 0, f"returned {_returned(have)}; asked for {_described(want, symbols)}{_instead(want, have)}"
    for k, (asked, got) in enumerate(zip(want.types, have.types, strict=True)):
        scalar = want.arrays[k].ndim == 0 and {asked, got} <= {*_NUMBERS, "tensor"}
        if asked != got and not scalar:
            return k, f"{symbols[k]}: got {_A[got]}, asked for {_A[asked]}."
    return None


_A = {"array": "a numpy array", "tensor": "a torch.Tensor", "str": "a text", "float": "a number", "int": "a number",
      "bool": "True or False"}  # fmt: skip
_UNSUPPORTED = {
    "NoneType": "None",
    "tuple": "a tuple of other things than tensors and numbers",
    "list": "a list of other things than tensors and numbers",
    "Tensor": "a tensor that cannot be compared (complex or sparse)",
}


def _returned(have) -> str:
    """What came back, in words."""
    if have.kind == "unsupported":
        own = "an object of another kind"  # its name, which student code chose, could spell the inputs
        return _UNSUPPORTED.get(have.type_name, have.type_name if hasattr(builtins, have.type_name) else own)
    if have.type_name in ("tuple", "list"):
        return f"a {have.type_name} of {len(have.arrays)} value{'s' * (len(have.arrays) != 1)}"
    return _A[have.types[0]]


def _instead(want, have) -> str:
    """The end of that sentence: what to write."""
    if have.type_name == "NoneType":
        return "; is a `return` missing?"
    if [*want.types] != ["tensor"] or have.type_name not in ("tuple", "list"):
        return "."
    if have.kind != "value":
        return ": torch.tensor makes one of nested lists of numbers."
    tensors = any(array.ndim for array in have.arrays)
    return ": torch.stack makes one of several tensors." if tensors else ": torch.tensor makes one of several numbers."


def _shape(want, have, symbols):
    for k, (asked, got) in enumerate(zip(want.arrays, have.arrays, strict=True)):
        if asked.shape != got.shape:
            return k, f"{symbols[k]}: got shape {list(got.shape)}, asked for {list(asked.shape)}."
    return None


def _dtype(want, have, symbols):
    for k, (asked, got) in enumerate(zip(want.arrays, have.arrays, strict=True)):
        real = asked.dtype.kind == "f"
        if real and have.types[k] == "tensor" and have.dtypes[k] not in TOLERANCE:
            return k, f"{symbols[k]}: got dtype {have.dtypes[k]}, asked for the dtype of the input ({want.dtypes[k]})."
        if asked.dtype.kind != got.dtype.kind and got.dtype.kind in ("b" if real else "fb"):
            return k, f"{symbols[k]}: got dtype {have.dtypes[k]}, asked for {want.dtypes[k]}."
    return None


def _device(want, have, symbols):
    """A tensor lies where the input's tensors lie; without any among the inputs, anywhere. A number lies nowhere."""
    for k, (asked, got) in enumerate(zip(want.devices, have.devices, strict=True)):
        if asked and have.types[k] == "tensor" and asked.split(":")[0] != got.split(":")[0]:
            return k, f"{symbols[k]}: got device {got}, asked for the device of the input ({asked})."
    return None


def _finite(want, have, symbols):
    for k, (asked, got) in enumerate(zip(want.arrays, have.arrays, strict=True)):
        bad = ~np.isfinite(_numeric(got)) & np.isfinite(_numeric(asked))
        if bad.any():
            return k, f"{symbols[k]}: {int(bad.sum())} of {bad.size} values are NaN or infinite."
    return None


def _values(expected, got, symbols) -> Finding | None:
    for k, symbol in enumerate(symbols[: len(expected[0].arrays)]):
        errors = [float(error.max(initial=0.0)) for error in error_maps(expected, got, k)]
        if max(errors) > allowed(expected, k):
            call = int(np.argmax(errors))
            asked, have = expected[call].dtypes[k], got[call].dtypes[k]
            if TOLERANCE.get(asked, 1.0) < max(errors) <= TOLERANCE.get(have, 0.0):
                return Finding("dtype", call, k, _coarse(symbol, asked, have))
            return Finding("values", call, k, f"{symbol}: the values differ from the formula's.")
    return None


def allowed(expected: Sequence[Any], output: int) -> float:
    """How far one output may be from the expected one, relative to `scales`: whole numbers not at all."""
    return 0.0 if expected[0].arrays[output].dtype.kind in "iub" else tolerance(expected)


def _coarse(symbol: str, asked: str, have: str) -> str:
    return (
        f"{symbol}: got dtype {have}, asked for the dtype of the input ({asked}), and the values are right to "
        f"{TOLERANCE[have]:g} only, where {asked} gives {TOLERANCE[asked]:g}."
    )


def _described(want, symbols) -> str:
    pairs = zip(symbols, want.arrays, strict=False)
    parts = [f"{symbol} {list(array.shape)}" if array.ndim else symbol for symbol, array in pairs]
    if len(parts) > 1:
        return f"({', '.join(parts)})"
    return f"one tensor {parts[0]}" if want.types[0] == "tensor" else f"{symbols[0]}, {_A[want.types[0]]}"
