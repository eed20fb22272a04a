"""`cnnviz debug`: one visible call of an exercise in the student's own process, where `breakpoint()` and pdb work."""

from __future__ import annotations

import copy
import inspect
import pdb
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import nn

from autograder.core.compare import allowed, compare, error_maps
from autograder.core.diagnose import diagnose, side_effect
from autograder.core.oracle import Part, Setting, parts_of
from autograder.core.places import quoted
from autograder.course import registry
from autograder.course.records import Case, Exercise
from autograder.isolated import Cell, Observation, Request, Runner
from autograder.isolated.failures import own_traceback, safe_text, type_name
from autograder.isolated.loading import load
from autograder.isolated.observing import answer
from autograder.isolated.outputs import outputs_of
from autograder.report.sentences import sentence
from autograder.study.folder import Work
from autograder.study.judging import handed_in, unfinished
from autograder.text.words import counted

_UNSTOPPED = Cell(
    "without breakpoints",
    "import pdb, sys\nsys.breakpointhook = pdb.set_trace = lambda *given, **named: None\ndel pdb, sys\n",
)
"""Loaded first where nobody is there to answer a debugger."""
_SKIPPED = ["autograder.*", "typer.*", "click.*", "contextlib"]


@dataclass(frozen=True)
class Debugged:
    """One call of a visible case, and what the isolated run of all visible cases said of it."""

    part: Part
    call: int
    cells: tuple[Cell, ...]
    file: str
    seen: tuple[Observation, ...]
    """What the case's calls gave; fewer than its calls where the run ended in one of them."""
    wrong: bool
    """Whether the call is the first that fails; else nothing visible fails, and it is the first of all."""

    @property
    def exercise(self) -> Exercise:
        """The exercise."""
        return self.part.exercise


def find(work: Work, exercise: Exercise, runner: Runner) -> Debugged:
    """The first call of a visible case that fails; where none does, the first of all.

    Raises:
        ValueError: the function is not written yet, or its module is not complete.
    """
    submission = handed_in(work, registry.lesson(work.outline.id), work.contents())
    if (problem := unfinished(submission)) is not None:
        raise ValueError(f"debug: {problem}")
    written = submission.trying(exercise.function)
    if not written:
        raise ValueError(f"debug: {exercise.id} is not written yet; write {exercise.function} first.")
    file = max(written, key=lambda one: (work.folder / one.file).stat().st_mtime)
    cells, parts = file.cells(exercise.function), _visible(exercise)
    calls = [call for part in parts for call in part.planned]
    ran = runner.run(
        Request((_UNSTOPPED, *cells), exercise.function, calls=calls, seconds=Setting().seconds_for(exercise))
    )
    part, call, seen, wrong = _first(parts, ran.observations)
    return Debugged(part, call, _at_their_place(cells, work), file.file, seen, wrong)


def _visible(exercise: Exercise) -> list[Part]:
    parts = parts_of(exercise, Setting())
    return [part for part in parts if isinstance(part.part, Case) and not part.unseen and not part.part.later]


def _at_their_place(cells: Sequence[Cell], work: Work) -> tuple[Cell, ...]:
    """With whole paths, under which pdb finds their lines and takes breakpoints."""
    return tuple(replace(cell, label=str(work.folder.resolve() / cell.label)) for cell in cells)


def _first(
    parts: Sequence[Part], observations: Sequence[Observation]
) -> tuple[Part, int, tuple[Observation, ...], bool]:
    """The case, the call in it, what was seen of the case, and whether it fails."""
    left, seen = list(observations), {}
    for part in parts:
        seen[part], left = tuple(left[: len(part.planned)]), left[len(part.planned) :]
    for part, have in seen.items():
        if len(have) < len(part.planned):
            return part, len(have), have, True
        if (found := compare(part.expected, have, part.exercise.outputs)) is not None:
            return part, found.call, have, True
    for part, have in seen.items():
        if changing := [n for n, one in enumerate(have) if one.effects]:
            return part, changing[0], have, True
    return parts[0], 0, seen[parts[0]], False


# What is shown before the call


def typed(debugged: Debugged) -> str:
    """The call as one would type it where the inputs have these names."""
    call, parameters = debugged.part.calls[debugged.call], _parameters(debugged)
    written = {name: repr(value) if _is_short(value) else name for name, value in call.inputs.items()}
    keyword = inspect.Parameter.KEYWORD_ONLY
    given = [f"{n}={written[n]}" if parameters[n].kind is keyword else written[n] for n in parameters if n in written]
    then = "" if call.then is None else f"({', '.join(f'x{n}' for n in range(len(call.then)))})"
    return f"{debugged.exercise.function}({', '.join(given)}){then}"


def inputs(debugged: Debugged) -> list[tuple[str, str]]:
    """Name and description of each input, in the order of the signature."""
    call = debugged.part.calls[debugged.call]
    named = [(name, call.inputs[name]) for name in _parameters(debugged) if name in call.inputs]
    named += [(f"x{n}", value) for n, value in enumerate(call.then or ())]
    return [(name, described(value)) for name, value in named]


def _parameters(debugged: Debugged) -> Any:
    return inspect.signature(debugged.exercise.reference).parameters


def _is_short(value: object) -> bool:
    return value is None or (isinstance(value, (bool, int, float, str)) and len(repr(value)) <= 30)


def described(value: Any) -> str:
    """Type, shape, dtype and range of an input or a result."""
    if isinstance(value, torch.Tensor):
        more = " requires grad" if value.requires_grad else ""
        dtype = str(value.dtype).removeprefix("torch.")
        return f"Tensor {list(value.shape)} {dtype}{_range(value.detach().cpu().numpy())}{more}"
    if isinstance(value, np.ndarray):
        return f"array {list(value.shape)} {value.dtype}{_range(value)}"
    if isinstance(value, nn.Module):
        count = counted(sum(p.numel() for p in value.parameters()), "parameter")
        layers = ", ".join(name for name, _ in value.named_children())
        mode = "train" if value.training else "eval"
        return f"{type(value).__name__} in {mode} mode, {count}; its layers: {layers or 'none'}"
    if isinstance(value, (list, tuple, dict)) and len(repr(value)) > 100:
        return f"{type(value).__name__} of {len(value)}"
    return f"{type(value).__name__} {value!r}"[:200]


def _range(array: np.ndarray) -> str:
    if not array.size or array.dtype.kind not in "fiub":
        return ""
    finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
    lost = f", {array.size - finite.size} NaN or infinite" if finite.size < array.size else ""
    return (f", {finite.min():.4g} to {finite.max():.4g}" if finite.size else "") + lost


# The call


@dataclass(frozen=True)
class Ran:
    """What the call did in this process."""

    result: Any = None
    error: BaseException | None = None
    function: Any = None

    @property
    def frames(self) -> traceback.StackSummary:
        """The student's own frames in which it raised."""
        return traceback.extract_tb(own_traceback(self.error, self.function) if self.error else None)


def run(debugged: Debugged) -> Ran:
    """Loads the student's code and makes the call, here and now; whatever it raises is kept."""
    function = None
    with _frames_of_theirs():
        try:
            module, failures = load(debugged.cells, 0)
            function = vars(module).get(debugged.exercise.function)
            if function is None and failures:
                return Ran(error=failures[0].error)
            planned = copy.deepcopy(debugged.part.planned[debugged.call])  # the case's own are kept for the next call
            torch.manual_seed(0)
            result = answer(function, planned.args, planned.kwargs or {})  # type: ignore[arg-type]
            return Ran(result if planned.then is None else result(*planned.then), function=function)
        except BaseException as error:  # also Ctrl-C in a loop that never ends, and an exit
            return Ran(error=error, function=function)


class _Pdb(pdb.Pdb):
    """Shows the student's frames and what they call, and steps through nothing that called them."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **{"skip": _SKIPPED, **named})

    def get_stack(self, f: Any, t: Any) -> Any:
        """The frames from the student's first one on."""
        stack, at = super().get_stack(f, t)
        first = next((n for n, (frame, _) in enumerate(stack) if frame.f_globals.get("__name__") == "student"), 0)
        return stack[first:], at - first


@contextmanager
def _frames_of_theirs() -> Iterator[None]:
    plain = pdb.Pdb
    pdb.Pdb = _Pdb  # type: ignore[misc]
    try:
        yield
    finally:
        sys.settrace(None)  # a step beyond the student's last line goes on to the verdict
        pdb.Pdb = plain  # type: ignore[misc]


def post_mortem(ran: Ran) -> None:
    """Opens pdb in the deepest of the student's own frames."""
    if ran.error is not None and (trace := own_traceback(ran.error, ran.function)) is not None:
        pdb.post_mortem(trace)


# What is said after it


def verdict(debugged: Debugged, result: Any) -> tuple[bool, list[str]]:
    """Whether the result is right, what check says of it, and where the largest difference lies."""
    part, call = debugged.part, debugged.call
    have, whole = _observation(result), len(debugged.seen) == len(part.planned)
    calls = range(len(part.planned)) if whole else [call]
    got = [have if n == call else debugged.seen[n] for n in calls]
    want = [part.expected[n] for n in calls]
    finding = compare(want, got, part.exercise.outputs)
    if finding is None:
        effects = debugged.seen[call].effects if whole else ()
        return not effects, [sentence(side_effect(effects).message)] if effects else ["This call is right."]
    mistakes = {} if finding.kind == "type" else part.mistakes
    diagnosis = diagnose(
        finding,
        want,
        got,
        symbols=part.exercise.outputs,
        mistakes={name: [gave[n] for n in calls] for name, gave in mistakes.items()},
        exercise=part.exercise.id,
        inputs=[part.calls[n].inputs for n in calls],
    )
    return False, [sentence(diagnosis.message), *_largest(part, call, have)]


def _observation(result: Any) -> Observation:
    found = outputs_of(result)
    if found is None:
        return Observation("unsupported", type_name=type_name(result))
    return Observation(
        "value", found.arrays, found.types, found.dtypes, found.devices, type_name(result), again=found.arrays
    )


def _largest(part: Part, call: int, have: Observation) -> Iterator[str]:
    """Of each output that departs, the place of the largest difference and the two values there."""
    want = part.expected[call]
    for k, (right, yours) in enumerate(zip(want.arrays, have.arrays, strict=False)):
        if right.shape != yours.shape or not right.size or right.dtype.kind not in "fiub":
            continue
        error = error_maps([want], [have], k)[0]
        if error.max() > allowed([want], k):
            at = tuple(map(int, np.unravel_index(int(error.argmax()), error.shape)))
            place = quoted(part.exercise.outputs[k], f"[{', '.join(map(str, at))}]" if at else "")
            values = f"yours is {float(yours[at]):.6g}, the formula gives {float(right[at]):.6g}"
            yield f"The largest difference is at {place}: {values}."


def said_of(error: BaseException) -> str:
    """An exception in one line."""
    return f"{type_name(error)}: {safe_text(error, 2000)}".rstrip(": ")
