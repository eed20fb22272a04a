"""Times, memory, agreement and leftovers of a race; each function here is called in a new process."""

from __future__ import annotations

import gc
import statistics
import time
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from racing.races import RACES
from racing.task import Call, Contestant, clock, synchronise

TURN = 0.05
"""Seconds that a contestant's turn takes at least, by repeating short calls."""


@dataclass(frozen=True)
class Setup:
    """One race on one network."""

    race: str
    peer: str | None
    network: str
    images: int
    device: str
    threads: int

    def contestants(self) -> dict[str, Contestant]:
        """Ours, the peer and the limit, where there are such."""
        race = RACES[self.race]
        others = {"peer": race.peers.get(self.peer or ""), "limit": race.limit}
        return {"ours": race.ours, **{name: other for name, other in others.items() if other}}

    def task(self, **options: Any) -> Any:
        """The shared objects; sets the number of threads."""
        torch.set_num_threads(self.threads)
        return RACES[self.race].make(self.network, **{"images": self.images, "device": self.device, **options})


@dataclass(frozen=True)
class Found:
    """What one process found out about a pair."""

    same: str
    """Whether the peer computes the same."""
    seconds: dict[str, list[float]]
    """Everyone's, one turn each a round."""
    left: list[str]
    """What ours leaves behind after a call."""


def pair(setup: Setup, rounds: int, budget: float) -> Found:
    """Compares, then times in turn, then looks for leftovers."""
    contestants = setup.contestants()
    same = agreement(setup) if setup.peer else ""
    if same.startswith("fails"):
        del contestants["peer"]
    t = setup.task()
    calls = {name: contestant(t) for name, contestant in contestants.items()}
    return Found(same, times(calls, rounds, budget), leftovers(calls["ours"]))


def times(calls: dict[str, Call], rounds: int, budget: float) -> dict[str, list[float]]:
    """Seconds of each call; fewer rounds than asked, but 3, where they exceed the budget."""
    repeats = {name: _repeats(call) for name, call in calls.items()}
    found: dict[str, list[float]] = {name: [] for name in calls}
    start = time.perf_counter()
    for done in range(rounds):
        if done >= 3 and time.perf_counter() - start > budget * done / (done + 1):
            break
        for name, call in calls.items():
            found[name].append(_seconds(call, repeats[name]))
    return found


def _repeats(call: Call) -> int:
    call()
    return max(1, int(TURN / max(_seconds(call, 1), 1e-7)))


def _seconds(call: Call, repeats: int) -> float:
    synchronise()
    start = clock()
    for _ in range(repeats):
        call()
    synchronise()
    return (clock() - start) / repeats


def agreement(setup: Setup) -> str:
    """ "equal", "differs" and by how much, or "fails" and how."""
    try:
        found = difference(setup)
    except Exception as error:  # whatever a library raises on a network that it does not understand
        return f"fails: {type(error).__name__}"
    return f"{'equal' if found <= RACES[setup.race].tolerance else 'differs'} {found:.0e}"


def difference(setup: Setup) -> float:
    """Largest difference of ours from the peer's in float64 on two images, relative to the largest value."""
    t = setup.task(images=min(2, setup.images), dtype=torch.float64)
    contestants = setup.contestants()
    ours, theirs = (torch.as_tensor(contestants[name](t)()).cpu().double() for name in ("ours", "peer"))
    if ours.shape != theirs.shape:
        raise ValueError(f"shapes {list(ours.shape)} and {list(theirs.shape)}")
    return float((ours - theirs).abs().max() / theirs.abs().max())


def peak(setup: Setup, contestant: str) -> float:
    """MiB by which one call raises the memory of a fresh process, or of the accelerator."""
    t = setup.task()
    with torch.no_grad():
        t.model(t.images[:1])  # loads kernels
    call = setup.contestants()[contestant](t)
    gc.collect()
    if setup.device == "cuda":
        synchronise()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        call()
        synchronise()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak starts again from what is in use now
    before = _resident("VmRSS")
    call()
    return (_resident("VmHWM") - before) / 2**10


def _resident(name: str) -> int:
    """KiB."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(name))


def leftovers(call: Call) -> list[str]:
    """What a call leaves behind besides its result, in words; nothing is right."""
    gc.collect()
    before, alive = _tensors(), weakref.WeakSet()
    with torch.autograd.graph.saved_tensors_hooks(*_watching(alive)):
        result = call()
    gc.collect()
    given = [value for value in _values(result) if isinstance(value, Tensor)]
    more = _tensors() - before - len(given)
    held = sum(r.untyped_storage().nbytes() - r.numel() * r.element_size() for r in given)
    found = {f"{more} tensors": more, f"{len(alive)} of a graph": len(alive), f"{held} bytes behind the result": held}
    return [words for words, count in found.items() if count]


class _Saved:
    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def _watching(alive: weakref.WeakSet[_Saved]) -> tuple[Callable[[Tensor], _Saved], Callable[[_Saved], Tensor]]:
    """Hooks that keep account of the tensors that graphs hold."""

    def pack(tensor: Tensor) -> _Saved:
        saved = _Saved(tensor)
        alive.add(saved)
        return saved

    return pack, lambda saved: saved.tensor


def _tensors() -> int:
    return sum(issubclass(type(thing), Tensor) for thing in gc.get_objects())


def _values(result: Any) -> list[Any]:
    return [result] if isinstance(result, Tensor) else list(vars(result).values())


def ratio(ours: list[float], theirs: list[float]) -> float:
    """Median over rounds of the ratio within a round, which a slow moment of the machine hits on both sides."""
    return statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
