"""What is right and what each known mistake gives, for a case: computed live, or read from a recorded pack."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from autograder.isolated import Observation, PlannedCall, observe_once
from autograder.records import Call, Case, Exercise, Law


@dataclass(frozen=True)
class Setting:
    """For whom and where a submission is checked."""

    secret: str = ""
    """The course secret; empty in practice."""
    student: str = ""
    """Seeds this student's hidden cases."""
    device: str = "cpu"
    seconds: float | None = None
    """No exercise gets more wall-clock time than this; None leaves each its own limit."""

    def seconds_for(self, exercise: Exercise) -> float:
        """Wall clock for loading the submission and for all calls of one exercise."""
        return exercise.seconds if self.seconds is None else min(self.seconds, exercise.seconds)


def seed_of(exercise: Exercise, part: Case | Law, setting: Setting) -> int:
    """Seed of a case: the same for everybody where the case is visible, this student's own where it is hidden."""
    own = (setting.secret, setting.student) if getattr(part, "hidden", True) else ()
    key = "\0".join([exercise.id, part.name, *own])
    return int.from_bytes(hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()[:7], "big")


def planned(exercise: Exercise, call: Call) -> PlannedCall:
    """The call with its inputs bound to the reference's signature: keyword-only arguments by keyword."""
    parameters = inspect.signature(exercise.reference).parameters
    if unknown := set(call.inputs) - set(parameters):
        raise ValueError(f"{exercise.id}: a case gives {sorted(unknown)}, which the reference does not take.")
    by_keyword = {n: v for n, v in call.inputs.items() if parameters[n].kind is inspect.Parameter.KEYWORD_ONLY}
    args = tuple(call.inputs[n] for n in parameters if n in call.inputs and n not in by_keyword)
    return PlannedCall(args, by_keyword, call.then)


@dataclass(frozen=True)
class Part:
    """A case or a law of one exercise, with the inputs that its seed gives."""

    exercise: Exercise
    part: Case | Law
    seed: int
    device: str = "cpu"

    @cached_property
    def calls(self) -> Sequence[Call]:
        """The calls, built from the part's seed."""
        with _one_thread():
            return tuple(self.part.build(torch.Generator().manual_seed(self.seed)))

    @cached_property
    def planned(self) -> tuple[PlannedCall, ...]:
        """The calls as the runner takes them."""
        return tuple(planned(self.exercise, call) for call in self.calls)

    @cached_property
    def expected(self) -> tuple[Observation, ...]:
        """The reference's results, one a call, computed on the CPU."""
        results = self.results(self.exercise.reference, changes_nothing=True)
        broken = next((r for r in results if r.kind != "value"), None)
        if broken is not None:
            raise RuntimeError(
                f"{self.exercise.id}, {self.part.name}: the reference itself {broken.kind}: {broken.error}"
            )
        return results

    @cached_property
    def mistakes(self) -> Mapping[str, tuple[str, Sequence[Observation]]]:
        """Misconception's name -> (sentence, its results)."""
        return {m.name: (m.sentence, self.results(m.wrong)) for m in self.exercise.misconceptions}

    def mistakes_named(self, names: Collection[str]) -> Mapping[str, tuple[str, Sequence[Observation]]]:
        """Some of `mistakes`; the others are not computed."""
        return {m.name: (m.sentence, self.results(m.wrong)) for m in self.exercise.misconceptions if m.name in names}

    def results(self, function: Callable[..., Any], *, changes_nothing: bool = False) -> tuple[Observation, ...]:
        """What a trusted function gives, with the device that the setting asks of the student's."""
        with _one_thread():
            results = observe_once(function, self.planned, changes_nothing=changes_nothing)
        return tuple(replace(r, devices=tuple(self.device for _ in r.devices)) for r in results)


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
    """The exercise's cases, then its laws. What is visible is the same for everybody, and computed once."""
    return [_part(exercise, part, seed_of(exercise, part, setting), setting.device) for part in exercise.parts]


@lru_cache(maxsize=256)
def _part(exercise: Exercise, part: Case | Law, seed: int, device: str) -> Part:
    return Part(exercise, part, seed, device)


def record(parts: Sequence[Part], path: Path) -> None:
    """Writes what is expected and what each mistake gives to an `.npz`: arrays and sentences, no code of an answer."""
    entries: dict[str, np.ndarray] = {}
    for part in parts:
        known = {"": ("", part.expected), **part.mistakes}
        for mistake, (sentence, results) in known.items():
            prefix = f"{part.exercise.id}/{part.part.name}/{mistake}"
            entries[f"{prefix}/sentence"] = np.array(sentence)
            for n, result in enumerate(results):
                entries[f"{prefix}/{n}/about"] = np.array([result.kind, *result.types, *result.dtypes])
                for k, array in enumerate(result.arrays):
                    entries[f"{prefix}/{n}/{k}"] = array
    np.savez_compressed(path, **entries)  # type: ignore[arg-type]


@dataclass(frozen=True)
class RecordedPart(Part):
    """A part whose answers come from a pack that `record` wrote: works where the answer key is not installed."""

    pack: Path = Path()

    @cached_property
    def expected(self) -> tuple[Observation, ...]:
        """The recorded results of the reference."""
        return self._recorded("")[1]

    @cached_property
    def mistakes(self) -> Mapping[str, tuple[str, Sequence[Observation]]]:
        """The recorded results of every misconception."""
        return self.mistakes_named(self._names)

    def mistakes_named(self, names: Collection[str]) -> Mapping[str, tuple[str, Sequence[Observation]]]:
        """The recorded results of some misconceptions."""
        return {name: self._recorded(name) for name in self._names if name in names}

    @cached_property
    def _names(self) -> tuple[str, ...]:
        prefix = f"{self.exercise.id}/{self.part.name}/"
        names = dict.fromkeys(k.removeprefix(prefix).split("/")[0] for k in self._entries if k.startswith(prefix))
        return tuple(filter(None, names))

    @cached_property
    def _entries(self) -> Mapping[str, np.ndarray]:
        with np.load(self.pack, allow_pickle=False) as pack:
            return dict(pack)

    def _recorded(self, mistake: str) -> tuple[str, tuple[Observation, ...]]:
        prefix = f"{self.exercise.id}/{self.part.name}/{mistake}"
        if f"{prefix}/sentence" not in self._entries:
            raise ValueError(
                f'pack: {self.pack} holds nothing for "{prefix}"; record it again with this course version.'
            )
        results = tuple(self._observation(f"{prefix}/{n}") for n in range(len(self.calls)))
        return str(self._entries[f"{prefix}/sentence"]), results

    def _observation(self, prefix: str) -> Observation:
        kind, *about = (str(word) for word in self._entries[f"{prefix}/about"])
        outputs = len(about) // 2
        arrays = tuple(self._entries[f"{prefix}/{k}"] for k in range(outputs))
        devices = tuple(self.device for _ in range(outputs))
        return Observation(
            kind=kind, arrays=arrays, types=tuple(about[:outputs]), dtypes=tuple(about[outputs:]), devices=devices
        )
