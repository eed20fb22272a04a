"""Runs attacks against the weakened grader, inside a sandbox of its own: what they damage is thrown away.

    bwrap ... python -m tests.hostile.contained OUT --canary=...

OUT/attacks.json lists the attack folders and OUT/canaries.json the canaries; one OUT/<class>__<name>.json comes out of
each as soon as it is known, and OUT/clean.json of a class without any attacker.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path

import torch

from tests.hostile import weak
from tests.hostile.range.attacks import read_attack
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.course import Course, planted
from tests.hostile.range.outcome import Outcome, Student
from tests.hostile.range.traces import changes, clear, marked, state
from tests.hostile.range.watching import Ending, adopt_orphans, follow

SECONDS, HANGS, MEMORY, PRINTED = 20.0, 2.5, 3 * 2**30, 2**20


def main(to: Path) -> None:
    """All attacks that are listed, one after another."""
    adopt_orphans()
    torch.set_num_threads(1)
    canaries = Canaries(json.loads((to / "canaries.json").read_text(encoding="utf-8")))
    for item in weak.LESSON.exercises:
        for part in weak.cases(item, ""):
            part.calls  # noqa: B018  # drawn here, once, and not in the fork of every attack
    names = json.loads((to / "attacks.json").read_text(encoding="utf-8"))
    for name in names:
        attacks = [read_attack(Path(name))] if name else []
        with planted(attacks, canaries) as course:
            after = fire(course)
        label = attacks[0].name.replace("/", "__") if attacks else "clean"
        part = to / f"{label}.part"
        part.write_text(json.dumps(asdict(after)), encoding="utf-8")
        part.rename(to / f"{label}.json")


def fire(course: Course) -> Outcome:
    """One weakened grader in one course; the fork has everything imported already."""
    before = {place: state(place) for place in (course.home, course.folder)}
    child = os.fork()
    if not child:
        _grade(course)
    seconds = HANGS if [attack.success for attack in course.attacks] == ["hang"] else SECONDS
    ending = follow(child, seconds=seconds, memory=MEMORY, grace=0.3)
    lines = [f"{place.name}, {line}" for place, was in before.items() for line in changes(was, state(place))]
    left = marked()
    clear(left)
    return _outcome(course, ending, (*lines, *(f"new: {path}" for path in left)))


def _grade(course: Course) -> None:
    os.setsid()
    os.chdir(course.folder)
    os.environ.update(course.canaries.environment(), HOME=str(course.home))
    with (course.root / "terminal").open("w") as terminal:
        os.dup2(terminal.fileno(), 1)
        os.dup2(terminal.fileno(), 2)
    status = 1
    try:
        weak.main()
        status = 0
    finally:
        os._exit(status)


def _outcome(course: Course, ending: Ending, left: tuple[str, ...]) -> Outcome:
    book = _book(course.folder / "results.json")
    seen = {
        student: Student(_numbers(mine["points"]), told="\n".join(mine["said"])[:PRINTED])
        for student, mine in book["students"].items()
    }
    finished = {path.name for path in course.submitted.iterdir()} <= {*book["finished"]}
    tables, pages, terminal = (_text(p) for p in (course.folder / "results.csv", course.folder / "report.html",
                                                  course.root / "terminal"))  # fmt: skip
    return Outcome(ending, seen, finished, (tables,), (pages,), terminal, left)


def _book(path: Path) -> dict:
    """The gradebook, whatever has become of it."""
    empty: dict = {"students": {}, "finished": []}
    try:
        book = json.loads(path.read_text(encoding="utf-8", errors="replace"))
        return book if {*empty} <= {*book} else empty
    except (OSError, ValueError, TypeError):
        return empty


def _numbers(points: dict) -> dict[str, float]:
    return {item: count if isinstance(count, int | float) else 0 for item, count in points.items()}


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(PRINTED)
    except OSError:
        return ""


if __name__ == "__main__":
    main(Path(sys.argv[1]))
