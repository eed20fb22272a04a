"""What is asked of an isolated run and what comes back. Standard library and numpy only: the child imports this too."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

EFFECTS = (
    "training_flag",
    "parameters",
    "buffers",
    "grad",
    "requires_grad",
    "hooks",
    "covered",
    "replaced",
    "state",
    "inputs",
    "attached",
    "observer",
    "unseen",
)
KINDS = ("value", "not attempted", "raised", "unsupported")
TYPES = ("tensor", "float", "int", "bool", "array", "str")
STATUSES = ("ran", "no function", "load error", "time", "memory", "crashed", "output", "bad answer")
MAX_OUTPUTS = 1000
MAX_TEXT = 10_000
MAX_FRAMES, MAX_FRAME = 5, 300

Error = dict[str, Any]
"""Keys type, message, line, source_line, frames; line and source_line are None where no line of the student's is
involved. Frames are texts, the last of the student's own that it went through."""


@dataclass(frozen=True)
class Cell:
    """One piece of a submission: a module's text or one cell of a notebook."""

    label: str
    """File name in tracebacks: "grad_cam.py", "grad_cam.ipynb cell 7"."""
    source: str
    own: bool = True
    """Whether it is loaded whole, as a module is; else each statement alone, and one that fails stops no other."""
    module: str = ""
    """For a module that was handed in beside the work the name under which it is imported."""


@dataclass(frozen=True)
class PlannedCall:
    """One call of the student's function: tensors, modules of torch or cnnviz, numbers, strings, containers."""

    args: tuple[Any, ...] = ()
    kwargs: dict[str, Any] | None = None
    then: tuple[Any, ...] | None = None
    """Arguments with which the returned function or module is called in turn."""


@dataclass(frozen=True)
class Request:
    """One submission, one function, all its calls."""

    cells: tuple[Cell, ...]
    function: str | None = None
    variable: str | None = None
    """A variable whose text is wanted: the answer of a prediction question."""
    calls: Sequence[PlannedCall] = ()
    device: str = "cpu"
    seconds: float = 10.0
    """Wall clock for loading the submission and for all calls."""
    memory_mb: int = 4096
    """Beyond what the warm process has."""
    output_bytes: int = 65536
    """What is kept of the student's prints; the rest is read and thrown away."""
    result_bytes: int = 64 * 2**20
    """All returned arrays together; more is status "output"."""


@dataclass(frozen=True)
class Observation:
    """What one call gave."""

    kind: str
    """One of KINDS."""
    arrays: tuple[np.ndarray, ...] = ()
    """One array an output; texts are zero-dimensional arrays of characters, bfloat16 comes as float32."""
    types: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    """As the student returned them: "float64", "bfloat16"."""
    devices: tuple[str, ...] = ()
    """ "cpu" for whatever is not a tensor."""
    type_name: str = ""
    again: tuple[np.ndarray, ...] | None = None
    """The second call's arrays; None where it raised or returned what cannot be compared."""
    effects: tuple[str, ...] = ()
    """Slugs out of EFFECTS, some with the name of what was changed behind a space: what the call left changed.

    "observer" where what looks for changes was tampered with, "unseen" where the process ended before its last word.
    """
    error: Error | None = None
    seconds: float = 0.0
    """The first of the two runs."""


@dataclass(frozen=True)
class Outcome:
    """What became of a request."""

    status: str
    """One of STATUSES."""
    observations: tuple[Observation, ...] = ()
    """Those that arrived before the end, in the order of the calls."""
    variable: str | None = None
    error: Error | None = None
    output: str = ""
    seconds: float = 0.0
    rung: str = ""
    """How far the child was confined; empty where it never began."""


def error_record(
    kind: str, message: str, *, line: int | None = None, source_line: str | None = None, frames: Sequence[str] = ()
) -> Error:
    """The one shape of an error, with every text cut to its limit."""
    return {
        "type": kind[:100],
        "message": message[:500],
        "line": line,
        "source_line": source_line[:300] if source_line is not None else None,
        "frames": [frame[:MAX_FRAME] for frame in frames[-MAX_FRAMES:]],
    }


def in_order(effects: Collection[str]) -> tuple[str, ...]:
    """Those that are effects, as EFFECTS lists them."""
    found = [effect for effect in effects if slug_of(effect) in EFFECTS]
    return tuple(sorted(found, key=lambda effect: (EFFECTS.index(slug_of(effect)), effect)))


def slug_of(effect: str) -> str:
    """Its kind, without the name of what was changed."""
    return effect.partition(" ")[0]
