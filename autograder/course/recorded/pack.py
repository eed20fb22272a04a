"""One exercise as a file of arrays: the calls of its cases and laws, what is right, what each known mistake gives."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from autograder.course.recorded.calls import packed, unpacked
from autograder.course.records import Call
from autograder.isolated import Observation

REFERENCE = "="
"""The name under which the results of the reference are kept; a misconception's are kept under its own."""
SHOWCASE = "showcase"
NOTE = "note"
"""One text beside the arrays: of several, safetensors would write now one first and now the other."""

Results = Sequence[Observation]


def written(
    calls: Mapping[str, Sequence[Call]],
    results: Mapping[str, Mapping[str, Results]],
    showcase: tuple[Call, np.ndarray] | None,
):
    """The bytes of a pack.

    Args:
        calls: name of a case or a law -> its calls.
        results: the same name -> whose they are (`REFERENCE` or a misconception's name) -> the results.
        showcase: the call that is drawn, and the map that is right.
    """
    arrays: dict[str, np.ndarray] = {}
    about: dict[str, dict[str, list[Any]]] = {}
    for n, (part, own) in enumerate(calls.items()):
        arrays[f"{n} calls"] = np.frombuffer(packed(own), np.uint8)
        about[part] = {who: [_about(result) for result in gave] for who, gave in results[part].items()}
        arrays |= {key: array for who, gave in results[part].items() for key, array in _arrays(f"{n} {who}", gave)}
    if showcase is not None:
        call, right = showcase
        drawn = Observation("value", (right.astype(np.float32),), ("tensor",), ("float32",), ("cpu",))
        about[SHOWCASE] = {REFERENCE: [_about(drawn)]}
        arrays[SHOWCASE] = np.frombuffer(packed([call], by_name=True), np.uint8)
        arrays |= _arrays(f"{len(calls)} {REFERENCE}", [drawn])
    note = {"results": about, "torch": _torch()}
    return save(arrays, {NOTE: json.dumps(note, ensure_ascii=False)})


def _about(result: Observation) -> list[Any]:
    texts = [str(array) if array.dtype.kind == "U" else None for array in result.arrays]
    return [result.kind, list(result.types), list(result.dtypes), texts]


def _arrays(prefix: str, results: Results):
    for call, result in enumerate(results):
        for k, array in enumerate(result.arrays):
            if array.dtype.kind != "U":
                yield f"{prefix} {call} {k}", array.copy(order="C")


@dataclass(frozen=True, eq=False)
class Pack:
    """A pack, read when something of it is asked for."""

    path: Path

    def calls(self, part: str) -> tuple[Call, ...]:
        """The calls of a case or a law."""
        return self._unpacked(f"{self._place(part)} calls")

    def showcase(self) -> Call:
        """The call that is drawn."""
        return self._unpacked(SHOWCASE)[0]

    def results(self, part: str, who: str = REFERENCE) -> tuple[Observation, ...]:
        """What the reference, or the misconception of this name, gave.

        Raises:
            ValueError: the pack belongs to another version of the course.
        """
        prefix = f"{self._place(part)} {who}"
        if who not in self._about[part]:
            raise ValueError(f'pack: {self.path} holds nothing of "{who}" for "{part}"; {AGAIN}')
        return tuple(self._result(f"{prefix} {n}", *about) for n, about in enumerate(self._about[part][who]))

    def _result(self, prefix: str, kind: str, types: list[str], dtypes: list[str], texts: list[str | None]):
        arrays = [self._content[0][f"{prefix} {k}"] if t is None else np.array(t) for k, t in enumerate(texts)]
        return Observation(kind, tuple(arrays), tuple(types), tuple(dtypes), tuple("cpu" for _ in arrays))

    def _place(self, part: str) -> int:
        if part not in self._about:
            raise ValueError(f'pack: {self.path} holds nothing for "{part}"; {AGAIN}')
        return list(self._about).index(part)

    @cached_property
    def _content(self) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """The arrays of the file and its note."""
        try:
            with safe_open(self.path, framework="np") as file:
                return {key: file.get_tensor(key) for key in file.keys()}, json.loads(file.metadata()[NOTE])  # noqa: SIM118
        except (OSError, SafetensorError) as error:
            raise ValueError(f"pack: {self.path} cannot be read ({error}); {AGAIN}") from error

    @cached_property
    def _about(self) -> dict[str, dict[str, list[Any]]]:
        return self._content[1]["results"]

    def _unpacked(self, key: str) -> tuple[Call, ...]:
        try:
            return unpacked(self._content[0][key].tobytes())
        except Exception as error:  # whatever another version of a library makes of it
            made, here = self._content[1]["torch"], _torch()
            raise ValueError(
                f"pack: {self.path} cannot be read with {here}, it was made with {made} "
                f"({type(error).__name__}: {error}); install that version, or {AGAIN}"
            ) from error


AGAIN = "install the wheel again that your instructor handed out."


def _torch() -> str:
    import torch

    return f"torch {torch.__version__}"
