"""Fires attacks at one of the grader's real commands, in one batch, and gathers what it came to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from autograder.text.words import printable
from tests.hostile.range.attacks import Attack
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.course import LOST, Course, planted
from tests.hostile.range.judges import achieved, full_points
from tests.hostile.range.outcome import Outcome, Student
from tests.hostile.range.traces import changes, clear, marked, state
from tests.hostile.range.watching import Ending

START, EACH = 300, 25
"""Seconds that a batch may take, and that each attack in it may add."""

_PASSED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG")


@dataclass(frozen=True)
class Salvo:
    """All attacks in one batch."""

    each: Mapping[str, Mapping[str, str]]
    """Attack's name -> kind of success -> what was seen of it, beside what befell the whole batch."""
    whole: Mapping[str, str]
    """What was seen in the same words for every attack: it cannot be laid at one student's door."""


@dataclass(frozen=True)
class Ran:
    """What a command came to, before its results are read."""

    ending: Ending
    terminal: str
    left: tuple[str, ...]
    """Files that were not there before, or are no more as they were."""


def known_class(*left: str) -> Outcome:
    """A class without any attacker, as its points are known: for fronts where finding it out takes minutes.

    Args:
        left: what the command itself leaves behind.
    """
    full = full_points()
    students = {
        name: Student({item: 0 if item in lost else points for item, points in full.items()})
        for name, lost in LOST.items()
    }
    return Outcome(Ending(0, 0.0), students, True, left=left)


def points_alone(students: dict[str, Student]) -> dict[str, Student]:
    """Of the innocent only what `known_class` knows."""
    return {name: Student(one.points) if name in LOST else one for name, one in students.items()}


@dataclass(frozen=True)
class Front:
    """One command to shoot at; its kinds say how it is called and how its results are read."""

    rung: str
    canaries: Canaries = field(default_factory=Canaries.fresh)
    place: Path | None = None
    """Where courses are planted; the system's folder for temporary files without it."""

    def command(self, course: Course) -> list[str]:
        """What is run in the course's folder."""
        raise NotImplementedError

    def prepare(self, course: Course) -> None:
        """What the command needs in the course besides what was handed in."""

    def outcome(self, course: Course, ran: Ran) -> Outcome:
        """Reads the results as an instructor would."""
        raise NotImplementedError

    def judged(self, attack: Attack) -> Attack:
        """The attack with what it deserves on this front."""
        return attack

    @cached_property
    def clean(self) -> Outcome:
        """A class without any attacker.

        Raises:
            ChildProcessError: it cannot even be graded; what the command said.
        """
        after = self.fire([])
        if not after.finished:
            told = printable(after.terminal.strip()[-500:]) or "nothing"
            told = "; ".join((told, *after.complaints))
            raise ChildProcessError(f"a class without any attack was not graded on the rung {self.rung}: {told}")
        return after

    def fire(self, attacks: Sequence[Attack]) -> Outcome:
        """One batch with these attackers and two innocent students."""
        with planted(attacks, self.canaries, place=self.place) as course:
            self.prepare(course)
            watched = {folder.name: folder for folder in (course.home, course.folder, course.temporary)}
            before = {name: state(folder) for name, folder in watched.items()}
            ending = self._watched(course)
            lines = [f"{n}, {line}" for n, folder in watched.items() for line in changes(before[n], state(folder))]
            left = marked()
            clear(left)
            terminal = (course.root / "terminal").read_text(encoding="utf-8", errors="replace")
            return self.outcome(course, Ran(ending, terminal, (*lines, *(f"new: {path}" for path in left))))

    def salvo(self, attacks: Sequence[Attack]) -> Salvo:
        """What became of each attack, all in one batch."""
        after = self.fire(attacks)
        seen = {attack.name: achieved(self.judged(attack), after, self.clean, self.canaries) for attack in attacks}
        whole = of_all(list(seen.values()))
        return Salvo({name: {k: w for k, w in mine.items() if k not in whole} for name, mine in seen.items()}, whole)

    def _watched(self, course: Course) -> Ending:
        """Runs the command under a process that adopts its orphans."""
        report, limit = course.root / "ending.json", START + EACH * len(course.attacks)
        watch = [sys.executable, "-m", "tests.hostile.range.watching", str(limit), str(report)]
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment |= {"HOME": str(course.home), "TMPDIR": str(course.temporary), "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", **self.canaries.environment()}
        with (course.root / "terminal").open("wb") as terminal:
            watching = subprocess.run(
                [*watch, str(course.folder), *self.command(course)], cwd=REPOSITORY, env=environment,
                stdin=subprocess.DEVNULL, stdout=terminal, stderr=terminal, timeout=limit + 60, check=False,
            )  # fmt: skip
        if not report.exists():
            return Ending(watching.returncode or 1, 0.0)
        told = json.loads(report.read_text(encoding="utf-8"))
        return Ending(**{**told, "left": tuple(told["left"])})


REPOSITORY = Path(__file__).parents[3]


def of_all(seen: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What was seen in the same words for every attack of a batch."""
    first = seen[0] if seen else {}
    return {kind: what for kind, what in first.items() if all(one.get(kind) == what for one in seen)}
