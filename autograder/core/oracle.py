"""What is right and what each known mistake gives, for a case: computed, or recorded where the code is not here."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from typing import Any, Protocol, runtime_checkable

import torch

from autograder.core.compare import MARGIN, TOLERANCE, distance
from autograder.course.records import Call, Case, Exercise, Law
from autograder.isolated import Observation, PlannedCall, observe_once

TRIES = 100
"""Draws of a case before the engine gives up."""
APART = 2 * TOLERANCE["float32"]
"""Least distance of two known mistakes, either way."""


@dataclass(frozen=True)
class Setting:
    """For whom and where a submission is checked."""

    secret: str = ""
    """The course secret; empty in practice."""
    student: str = ""
    """Seeds what is drawn for this student alone; empty where no one in particular is judged."""
    device: str = "cpu"
    seconds: float | None = None
    """No exercise gets more wall-clock time than this; None leaves each its own limit."""

    def seconds_for(self, exercise: Exercise) -> float:
        """Wall clock for loading the submission and for all calls of one exercise."""
        return exercise.seconds if self.seconds is None else min(self.seconds, exercise.seconds)


def seed_of(exercise: Exercise, part: Case | Law, setting: Setting, *, own: bool = False) -> int:
    """Seed of a case or law: of what is hidden the course's, the same for all its students, or a student's `own`."""
    unknown = (setting.secret, setting.student if own else "") if getattr(part, "hidden", True) else ()
    key = "\0".join([exercise.id, part.name, *unknown])
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:7], "big")


def planned(exercise: Exercise, call: Call) -> PlannedCall:
    """The call with its inputs bound to the reference's signature: keyword-only arguments by keyword."""
    parameters = inspect.signature(exercise.reference).parameters
    if unknown := set(call.inputs) - set(parameters):
        raise ValueError(f"{exercise.id}: a case gives {sorted(unknown)}, which the reference does not take.")
    by_keyword = {n: v for n, v in call.inputs.items() if parameters[n].kind is inspect.Parameter.KEYWORD_ONLY}
    args = tuple(call.inputs[n] for n in parameters if n in call.inputs and n not in by_keyword)
    return PlannedCall(args, by_keyword, call.then)


@runtime_checkable
class Recording(Protocol):
    """A function of the answer key that is not installed here: what it gave for each part is."""

    def recorded(self, part: str) -> tuple[Observation, ...]:
        """Its results on the calls of the case with this name."""


@dataclass(frozen=True)
class Part:
    """A case or a law of one exercise, with the inputs that its seed gives."""

    exercise: Exercise
    part: Case | Law
    seed: int
    device: str = "cpu"
    own: bool = False
    """Whether it was drawn for one student alone: it shows answers learned by heart, and decides nothing else."""
    redrawn: bool = False
    """Whether it is drawn again until the known mistakes can be told apart: where nobody could look at it before."""

    @property
    def unseen(self) -> bool:
        """Whether its inputs are drawn by the course secret, so that student code may not tell of them."""
        return getattr(self.part, "hidden", True)

    @cached_property
    def calls(self) -> Sequence[Call]:
        """The calls, built from the part's seed, or from the first one after it that tells the mistakes apart."""
        if self.redrawn:
            return self._apart.calls
        with _one_thread():
            return tuple(self.part.build(torch.Generator().manual_seed(self.seed)))

    @cached_property
    def planned(self) -> tuple[PlannedCall, ...]:
        """The calls as the runner takes them."""
        return tuple(planned(self.exercise, call) for call in self.calls)

    @cached_property
    def expected(self) -> tuple[Observation, ...]:
        """The reference's results, one per call, computed on the CPU."""
        if self.redrawn:
            return self._apart.expected
        results = self.results(self.exercise.reference, changes_nothing=True)
        broken = next((r for r in results if r.kind != "value"), None)
        if broken is not None:
            raise RuntimeError(
                f"{self.exercise.id}, {self.part.name}: the reference itself {broken.kind}: {broken.error}"
            )
        return results

    @cached_property
    def mistakes(self) -> Mapping[str, Sequence[Observation]]:
        """Misconception's name -> its results."""
        if self.redrawn:
            return self._apart.mistakes
        return {m.name: self.results(m.wrong) for m in self.exercise.misconceptions}

    @cached_property
    def clash(self) -> str:
        """Why these inputs do not tell the known mistakes apart; empty where they do."""
        if self.redrawn:
            return self._apart.clash
        seen: dict[str, Sequence[Observation]] = {}
        for name, results in self.mistakes.items():
            if name in self.missed:
                continue
            if broken := next((result for result in results if result.kind != "value"), None):
                return f"{self._at(name)} gives no value: {(broken.error or {}).get('message', broken.kind)}"
            if distance(self.expected, results) <= MARGIN:
                return f"{self._at(name)} does not show"
            for other, earlier in seen.items():
                if min(distance(earlier, results), distance(results, earlier)) <= APART:
                    return f"{self._at(name)} and {self._at(other)} look alike"
            seen[name] = results
        return ""

    @property
    def missed(self) -> frozenset[str]:
        """Mistakes that this case need not see: about another case's special input, or not about its own."""
        case = self.part
        if not isinstance(case, Case):
            return frozenset()
        elsewhere = {name for other in self.exercise.cases if other is not case for name in other.only_here}
        names = {mistake.name for mistake in self.exercise.misconceptions} if case.only_here else set()
        return frozenset(elsewhere | (names - set(case.only_here)))

    def _at(self, name: str) -> str:
        return next(m for m in self.exercise.misconceptions if m.name == name).place

    @cached_property
    def _apart(self) -> Part:
        """The first draw that tells the mistakes apart, with what that took; where none does, the first."""
        draws = [replace(self, seed=self.seed + more, redrawn=False) for more in range(TRIES)]
        return next((draw for draw in draws if not draw.clash), draws[0])

    def mistakes_named(self, names: Collection[str]) -> Mapping[str, Sequence[Observation]]:
        """Some of `mistakes`; the others are not computed, unless the draw needed them."""
        if self.redrawn:
            return {name: results for name, results in self.mistakes.items() if name in names}
        return {m.name: self.results(m.wrong) for m in self.exercise.misconceptions if m.name in names}

    def results(self, function: Callable[..., Any], *, changes_nothing: bool = False) -> tuple[Observation, ...]:
        """What a trusted function gives, with the device that the setting asks of the student's."""
        results = self._values(function, changes_nothing)
        places = ((self.device if holds_tensor(call) else "") for call in self.planned)
        return tuple(replace(r, devices=(place,) * len(r.devices)) for r, place in zip(results, places, strict=True))

    def _values(self, function: Callable[..., Any], changes_nothing: bool) -> Sequence[Observation]:
        if isinstance(function, Recording):
            return function.recorded(self.part.name) if self.calls else ()  # what is judged later has no calls
        with _one_thread():
            return observe_once(function, self.planned, changes_nothing=changes_nothing)


def holds_tensor(value: Any) -> bool:
    """Whether a tensor or a network is among the inputs of a call, which then say the device of the results."""
    if isinstance(value, PlannedCall):
        return holds_tensor([value.args, value.kwargs, value.then])
    if isinstance(value, dict | list | tuple):
        return any(map(holds_tensor, value.values() if isinstance(value, dict) else value))
    return isinstance(value, torch.Tensor | torch.nn.Module)


@contextmanager
def _one_thread() -> Iterator[None]:
    """The inputs are tiny: threads that wait for each other cost seconds where several checks share the cores."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def parts_of(exercise: Exercise, setting: Setting) -> list[Part]:
    """The exercise's cases, then its laws, then a second draw of each hidden case, for this student alone.

    All but the last are the same for all students of a course, and computed once.
    """
    parts = [_part(exercise, part, seed_of(exercise, part, setting), setting) for part in exercise.parts]
    hidden = [case for case in exercise.cases if case.hidden and setting.student]
    return parts + [
        Part(exercise, case, seed_of(exercise, case, setting, own=True), setting.device, own=True) for case in hidden
    ]


def _part(exercise: Exercise, part: Case | Law, seed: int, setting: Setting) -> Part:
    """A course draws its hidden cases again where it has to; of what everybody may see the author has chosen a draw."""
    drawn = isinstance(part, Case) and bool(setting.secret) and part.hidden
    return _kept(exercise, part, seed + getattr(part, "draw", 0) * (not drawn), setting.device, drawn)


@lru_cache(maxsize=512)
def _kept(exercise: Exercise, part: Case | Law, seed: int, device: str, redrawn: bool) -> Part:
    return Part(exercise, part, seed, device, redrawn=redrawn)
