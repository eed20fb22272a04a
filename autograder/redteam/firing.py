"""Fires attacks at the real command, `cnnviz grade`, on one rung of isolation, and gathers what it came to."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from autograder.redteam.aftermath import Aftermath, Seen
from autograder.redteam.attacks import Attack
from autograder.redteam.canaries import Canaries
from autograder.redteam.course import Course, planted
from autograder.redteam.promises import achieved
from autograder.redteam.traces import changes, clear, marked, state
from autograder.redteam.watching import Ending
from autograder.words import printable

START, EACH = 90, 25
"""Seconds that a batch may take, and that each attack in it may add."""

_PASSED = ("PATH", "LD_LIBRARY_PATH", "PYTHONPATH", "LANG")


@dataclass(frozen=True)
class Shot:
    """One attack on one rung."""

    attack: Attack
    rung: str
    seen: Mapping[str, str] | None
    """Kind of success -> what was seen of it; None where the rung does not promise to hold."""

    @property
    def held(self) -> bool:
        """Whether the promise was kept, or was not given."""
        return not self.seen


@dataclass(frozen=True)
class Range:
    """One rung of isolation to shoot at."""

    rung: str
    jobs: int = 1
    seconds: float = 3.0
    """The longest that one exercise may take."""
    canaries: Canaries = field(default_factory=Canaries.fresh)
    place: Path | None = None
    """Where courses are planted; the system's folder for temporary files without it."""

    @cached_property
    def clean(self) -> Aftermath:
        """A class without any attacker.

        Raises:
            ChildProcessError: it cannot even be graded; what the command said.
        """
        after = replace(self, jobs=1).fire([])
        if not after.finished:
            told = printable(after.terminal.strip()[-500:]) or "nothing"
            raise ChildProcessError(
                f"redteam: a class without any attack was not graded on the rung {self.rung}; "
                f"run `cnnviz grade` on a submission and see to what it says. It said: {told}"
            )
        return after

    def fire(self, attacks: Sequence[Attack]) -> Aftermath:
        """One batch with these attackers and two innocent students."""
        with planted(attacks, self.canaries, place=self.place) as course:
            watched = {folder.name: folder for folder in (course.home, course.folder, course.temporary)}
            before = {name: state(folder) for name, folder in watched.items()}
            ending = self._graded(course)
            lines = [f"{n}, {line}" for n, folder in watched.items() for line in changes(before[n], state(folder))]
            left = marked()
            clear(left)
            return _aftermath(course, ending, (*lines, *(f"new: {path}" for path in left)))

    def shots(self, attacks: Sequence[Attack], *, whose: bool = True) -> list[Shot]:
        """What became of each attack, in the order given; those that this rung does not promise to stop are not made.

        Args:
            attacks: they share one batch.
            whose: where the whole batch suffered, smaller ones show by whose work.
        """
        promised = [attack for attack in attacks if attack.promised_on(self.rung)]
        made = {shot.attack.name: shot for shot in (self._together(promised, whose) if promised else ())}
        return [made.get(attack.name) or Shot(attack, self.rung, None) for attack in attacks]

    def _together(self, attacks: Sequence[Attack], whose: bool) -> list[Shot]:
        after = self.fire(attacks)
        shots = [Shot(a, self.rung, achieved(a, after, self.clean, self.canaries)) for a in attacks]
        if len(attacks) == 1 or not whose or not of_all(shots):
            return shots
        apart = [shot for part in _parts(attacks) for shot in self._together(part, whose)]
        return apart if any(not shot.held for shot in apart) else shots

    def _graded(self, course: Course) -> Ending:
        """Runs the command under a process that adopts its orphans."""
        report, limit = course.root / "ending.json", START + EACH * len(course.attacks)
        watch = [sys.executable, "-m", "autograder.redteam.watching", str(limit), str(report)]
        environment = {name: os.environ[name] for name in _PASSED if name in os.environ}
        environment |= {"HOME": str(course.home), "TMPDIR": str(course.temporary), "OMP_NUM_THREADS": "1"}
        environment |= {"PYTHONDONTWRITEBYTECODE": "1", **self.canaries.environment()}
        with (course.root / "terminal").open("wb") as terminal:
            watching = subprocess.run(
                [*watch, *self._command(course)], cwd=course.folder, env=environment, stdin=subprocess.DEVNULL,
                stdout=terminal, stderr=terminal, timeout=limit + 60, check=False,
            )  # fmt: skip
        if not report.exists():
            return Ending(watching.returncode or 1, 0.0)
        told = json.loads(report.read_text(encoding="utf-8"))
        return Ending(**{**told, "left": tuple(told["left"])})

    def _command(self, course: Course) -> list[str]:
        grade = [sys.executable, "-X", f"canary={self.canaries.text['argv']}", "-m", "autograder.cli", "grade"]
        grade += ["submitted", "--out", str(course.results), "--rung", self.rung]
        grade += ["--seconds", str(self.seconds), "--jobs", str(self.jobs)]
        return [*grade, "--allow-unsandboxed"] if self.rung == "rlimits" else grade


def of_all(shots: Sequence[Shot]) -> dict[str, str]:
    """What was seen in the same words for every attack of a batch: it cannot be laid at one student's door."""
    first = dict(shots[0].seen or {}) if shots else {}
    return {kind: what for kind, what in first.items() if all((shot.seen or {}).get(kind) == what for shot in shots)}


def _parts(attacks: Sequence[Attack]) -> list[list[Attack]]:
    """Class by class; one class in two halves."""
    kinds = dict.fromkeys(attack.kind for attack in attacks)
    if len(kinds) > 1:
        return [[attack for attack in attacks if attack.kind == kind] for kind in kinds]
    half = len(attacks) // 2
    return [[*attacks[:half]], [*attacks[half:]]]


def _aftermath(course: Course, ending: Ending, left: tuple[str, ...]) -> Aftermath:
    """Reads the results as an instructor would."""
    from autograder.batch.results import Store

    terminal = (course.root / "terminal").read_text(encoding="utf-8", errors="replace")
    try:
        store = Store(course.results, course.canaries.text["secret"])
        students, complaints = _students(store), tuple(store.verify())
    except Exception as error:  # results that cannot be read are a finding, not an end of the suite
        students, complaints = {}, (f"{type(error).__name__}: {error}",)
    tables = tuple(_text(path) for path in sorted(course.results.glob("**/*.csv")))
    pages = tuple(_text(path) for path in sorted(course.results.glob("**/*.html")))
    finished = ending.status in (0, 1) and bool(students)
    return Aftermath(ending, students, finished, tables, pages, terminal, left, complaints)


def _students(store: Any) -> dict[str, Seen]:
    from autograder.redteam.reading import seen

    by_student: dict[str, list[Any]] = {}
    for result in store.results():
        by_student.setdefault(result.student, []).append(result)
    return {student: seen(store, student, results) for student, results in by_student.items()}


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
