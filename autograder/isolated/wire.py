"""Frames between the child and the parent: a JSON manifest and `.npy` blobs behind a token that one call owns.

The parent decodes bytes that student code may have written: sizes are refused before anything is allocated,
and whatever is not exactly as promised is a `BadAnswer`.
"""

from __future__ import annotations

import io
import json
import math
import struct
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.lib import format as npy

from .requests import (
    EFFECTS,
    KINDS,
    MAX_FRAME,
    MAX_FRAMES,
    MAX_OUTPUTS,
    MAX_TEXT,
    STATUSES,
    TYPES,
    Error,
    Observation,
    slug_of,
)

TOKEN_BYTES = 16
MAX_MANIFEST = 2**20
_HEADER = struct.Struct(f">{TOKEN_BYTES}sIQ")
_DTYPES = {np.dtype(name) for name in ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?")}
_ERROR = {"type", "message", "line", "source_line", "frames"}
_FIELDS = {"type_name", "kind", "types", "dtypes", "devices", "effects", "error", "seconds", "arrays", "again"}


class BadAnswer(ValueError):
    """The channel carried something that the child's own program never writes."""


def frame(token: bytes, manifest: dict[str, Any], arrays: Sequence[np.ndarray] = ()) -> bytes:
    """One frame: token, sizes, manifest with the length of each blob, blobs."""
    blobs = [_blob(array) for array in arrays]
    text = json.dumps({**manifest, "blobs": [len(blob) for blob in blobs]}, allow_nan=False).encode()
    return b"".join((_HEADER.pack(token, len(text), sum(map(len, blobs))), text, *blobs))


def observation_frame(token: bytes, observation: Observation) -> bytes:
    """The frame of one observation; texts travel in the manifest, numbers as blobs."""
    again = observation.again
    manifest = {
        "frame": "observation",
        **{name: getattr(observation, name) for name in _FIELDS - {"arrays", "again"}},
        "arrays": [_place(array) for array in observation.arrays],
        "again": None if again is None else [_place(array) for array in again],
    }
    numbers = [array for array in (*observation.arrays, *(again or ())) if array.dtype.kind != "U"]
    return frame(token, manifest, numbers)


def _place(array: np.ndarray) -> str | None:
    return str(array) if array.dtype.kind == "U" else None


def _blob(array: np.ndarray) -> bytes:
    file = io.BytesIO()
    npy.write_array(file, np.ascontiguousarray(array).reshape(array.shape), version=(1, 0), allow_pickle=False)
    return file.getvalue()


class Decoder:
    """Bytes in, checked frames out: Observations, and dicts for the other frames."""

    def __init__(self, token: bytes, *, calls: int, result_bytes: int) -> None:
        self._token = token
        self._calls_left = calls
        self._bytes_left = result_bytes
        self._buffer = bytearray()

    def feed(self, data: bytes) -> Iterator[Observation | dict[str, Any]]:
        """Frames that are complete now, one by one: however the bytes were cut, what is right before a fault counts.

        Raises:
            BadAnswer: at the first byte that cannot be the child's, when all before it have been taken.
        """
        self._buffer += data
        return iter(self._next, None)

    def _next(self) -> Observation | dict[str, Any] | None:
        head = bytes(self._buffer[:TOKEN_BYTES])
        if head != self._token[: len(head)]:
            raise BadAnswer("bytes that no call was allowed to write")
        if len(self._buffer) < _HEADER.size:
            return None
        _, text_size, blob_size = _HEADER.unpack_from(self._buffer)
        if text_size > MAX_MANIFEST or blob_size > self._bytes_left:
            raise BadAnswer("a frame larger than allowed")
        end = _HEADER.size + text_size + blob_size
        if len(self._buffer) < end:
            return None
        body = bytes(self._buffer[_HEADER.size : end])
        del self._buffer[:end]
        self._bytes_left -= blob_size
        return self._decoded(body[:text_size], body[text_size:])

    def _decoded(self, text: bytes, blobs: bytes) -> Observation | dict[str, Any]:
        manifest = _manifest(text)
        arrays = _arrays(manifest.pop("blobs", None), blobs)
        kind = manifest.pop("frame", None)
        if kind == "observation":
            self._calls_left -= 1
            _demand(self._calls_left >= 0, "more observations than calls")
            return _observation(manifest, arrays)
        _demand(not arrays, "arrays outside an observation")
        if kind == "started":
            _demand(manifest.keys() == {"rung"}, "unknown fields")
            return {"frame": kind, "rung": _text(manifest["rung"], 100)}
        _demand(kind == "done", "an unknown frame")
        return {"frame": "done", **_done(manifest)}


def _demand(condition: bool, what: str) -> None:
    if not condition:
        raise BadAnswer(what)


def _manifest(text: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(text.decode(), parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise BadAnswer("a manifest that is not JSON") from error
    _demand(type(manifest) is dict, "a manifest that is not an object")
    return manifest


def _no_constant(name: str) -> None:
    raise BadAnswer(f"{name} in a manifest")


def _arrays(sizes: Any, blobs: bytes) -> list[np.ndarray]:
    _demand(type(sizes) is list and len(sizes) <= 2 * MAX_OUTPUTS, "a bad list of sizes")
    _demand(all(type(size) is int and size >= 0 for size in sizes), "a bad size")
    _demand(sum(sizes) == len(blobs), "sizes that do not add up")
    arrays, start = [], 0
    for size in sizes:
        arrays.append(_array(blobs[start : start + size]))
        start += size
    return arrays


def _array(blob: bytes) -> np.ndarray:
    """One `.npy`, version 1.0, plain numbers, exactly as long as its shape says."""
    file = io.BytesIO(blob)
    try:
        _demand(npy.read_magic(file) == (1, 0), "an unknown version of .npy")
        shape, fortran, dtype = npy.read_array_header_1_0(file, max_header_size=1000)
    except BadAnswer:
        raise
    except Exception as error:  # numpy parses the header with the Python parser, whose exceptions are many
        raise BadAnswer("a header that is not .npy") from error
    _demand(dtype in _DTYPES and not dtype.hasobject and dtype.fields is None, "a dtype that is not a plain number")
    _demand(not fortran and len(shape) <= 32 and all(type(n) is int and n >= 0 for n in shape), "a bad shape")
    start = file.tell()
    _demand(math.prod(shape) * dtype.itemsize == len(blob) - start, "a shape that is not the blob's")
    try:
        return np.frombuffer(blob, dtype, offset=start).reshape(shape).copy()
    except ValueError as error:  # an empty array may claim sides that no array can have
        raise BadAnswer("a bad shape") from error


def _observation(manifest: dict[str, Any], arrays: list[np.ndarray]) -> Observation:
    _demand(manifest.keys() == _FIELDS, "unknown fields")
    _demand(manifest["kind"] in KINDS, "an unknown kind")
    left = iter(arrays)
    first = _placed(manifest["arrays"], left)
    again = None if manifest["again"] is None else _placed(manifest["again"], left)
    _demand(next(left, None) is None, "an array too many")
    types, dtypes, devices = (_texts(manifest[name]) for name in ("types", "dtypes", "devices"))
    _demand(len(first) == len(types) == len(dtypes) == len(devices), "lists of different lengths")
    _demand(bool(first) == (manifest["kind"] == "value"), "a value without arrays")
    _demand(set(types) <= set(TYPES), "an unknown type")
    said = [array.dtype.kind == "U" for array in first]
    _demand(said == [kind == "str" for kind in types], "a text that is not called one")
    _demand((manifest["error"] is None) == (manifest["kind"] in ("value", "unsupported")), "an error that is not one")
    effects = _texts(manifest["effects"])
    _demand({*map(slug_of, effects)} <= set(EFFECTS) and len(set(effects)) == len(effects), "an unknown effect")
    return Observation(
        kind=manifest["kind"],
        arrays=first,
        types=types,
        dtypes=dtypes,
        devices=devices,
        type_name=_text(manifest["type_name"], 100),
        again=again,
        effects=tuple(dict.fromkeys(map(_named, effects))),
        error=_error(manifest["error"]),
        seconds=_seconds(manifest["seconds"]),
    )


def _named(effect: str) -> str:
    """Without a name that is none of torch's own: the submission may have chosen it."""
    from .namespaces import is_name

    slug, _, name = effect.partition(" ")
    return effect if name and is_name(name) else slug


def _placed(places: Any, arrays: Iterator[np.ndarray]) -> tuple[np.ndarray, ...]:
    _demand(type(places) is list and len(places) <= MAX_OUTPUTS, "a bad list of outputs")
    try:
        return tuple([next(arrays) if place is None else np.array(_text(place, MAX_TEXT)) for place in places])
    except StopIteration:
        raise BadAnswer("an array too few") from None


def _done(manifest: dict[str, Any]) -> dict[str, Any]:
    _demand(manifest.keys() == {"status", "error", "variable", "observer"}, "unknown fields")
    _demand(type(manifest["observer"]) is bool, "a bad word on the observer")
    _demand(manifest["status"] in STATUSES, "an unknown status")
    variable = manifest["variable"]
    return {
        "status": manifest["status"],
        "observer": manifest["observer"],
        "error": _error(manifest["error"]),
        "variable": None if variable is None else _text(variable, 100),
    }


def _error(error: Any) -> Error | None:
    if error is None:
        return None
    _demand(type(error) is dict and error.keys() == _ERROR, "a bad error")
    line, source, frames = error["line"], error["source_line"], error["frames"]
    _demand(line is None or (type(line) is int and 0 <= line < 10**7), "a bad line")
    _demand(type(frames) is list and len(frames) <= MAX_FRAMES, "bad frames")
    return {
        "type": _text(error["type"], 100),
        "message": _text(error["message"], 500),
        "line": line,
        "source_line": None if source is None else _text(source, 300),
        "frames": [_text(frame, MAX_FRAME) for frame in frames],
    }


def _seconds(value: Any) -> float:
    _demand(type(value) in (int, float) and 0 <= value < 10**6, "bad seconds")
    return float(value)


def _texts(values: Any) -> tuple[str, ...]:
    _demand(type(values) is list and len(values) <= MAX_OUTPUTS, "a bad list of texts")
    return tuple(_text(value, 100) for value in values)


def _text(value: Any, limit: int) -> str:
    """A text that can be written as UTF-8: half a surrogate pair would break the report later."""
    _demand(type(value) is str and len(value) <= limit, "a bad text")
    return value.encode("utf-8", "replace").decode()
