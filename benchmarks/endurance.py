"""A large class, a third of it hostile or broken, graded by a grader that is killed again and again.

    python benchmarks/endurance.py [--n 1000] [--kills 25] [--jobs 2] [--seconds 3] [--seed 0] [--class forge,crash]
                                   [--keep FOLDER]

`cnnviz grade` runs once to its end; then into a second folder, its main process killed with SIGKILL at random moments
and the same command started again until it is done. Asked: has every innocent student the exact points that were known
beforehand; has no attacker a point that it did not earn; are both folders the same byte for byte (but for messages of
attackers that act by chance, which are counted); do both pass `cnnviz verify`; is nothing left running. Exit status 1
where the answer to any of these is no.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unicodedata import normalize

from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[1]))  # the attacks are among the tests
sys.path.insert(0, str(Path(__file__).parent))

from grading_parts.courses import SECRET
from grading_parts.hostile import Attacker, attackers, points_of, undeserved
from grading_parts.killing import Ordeal, endured
from grading_parts.scores import kept, unlike
from grading_parts.students import Student, innocents
from grading_parts.writing import write_class

from autograder.batch.names import file_name
from autograder.batch.results import Store
from autograder.batch.verifying import problems
from autograder.course import registry
from autograder.course.records import Lesson
from tests.hostile.range.attacks import LESSON

CNNVIZ = (sys.executable, "-m", "autograder.cli")


@dataclass
class Found:
    """What came out."""

    students: list[Student]
    hostile: list[Attacker]
    whole: Ordeal
    """The run that nobody disturbed."""
    killed: Ordeal
    problems: list[str] = field(default_factory=list)
    chance: list[str] = field(default_factory=list)
    """Attackers' results whose message, and nothing else, differs between the two."""
    points: float = 0.0


def endure(
    folder: Path, *, n: int, kills: int, jobs: int, seconds: float, seed: int = 0, kinds: Sequence[str] = ()
) -> Found:
    """Makes the class in `folder`, grades it twice, compares."""
    lesson = registry.lesson(LESSON)
    hostile = attackers(n // 3, seed=seed, kinds=kinds)
    students = innocents(lesson, n - len(hostile), seed=seed)
    write_class(students, lesson, folder / "submitted")
    for attacker in hostile:
        attacker.hand_in(folder / "submitted", lesson)
    runs = {}
    for name, number in (("whole", 0), ("killed", kills)):
        options = ("--jobs", str(jobs), "--seconds", f"{seconds:g}", "--lessons", lesson.id)
        command = (*CNNVIZ, "grade", "submitted", "--out", name, *options)
        expected = n * len(lesson.items)
        runs[name] = endured(command, folder, folder / name, kills=number, expected=expected, seed=seed)
    found = Found(students, hostile, runs["whole"], runs["killed"])
    found.problems = list(_problems(found, folder, lesson, kills))
    found.points = points_of(kept(folder / "whole", lesson))
    return found


def _problems(found: Found, folder: Path, lesson: Lesson, kills: int) -> Iterator[str]:
    """A sentence for everything that is not as promised."""
    for name, ordeal in (("whole", found.whole), ("killed", found.killed)):
        if ordeal.status not in (0, 1):  # 1 says that something was not judged, which is right for what is broken
            yield f"{name}: ended with status {ordeal.status}: {ordeal.said}"
            continue
        if ordeal.left:
            yield f"{name}: {ordeal.left} process(es) outlived a killed grader"
        scores = kept(folder / name, lesson)
        yield from (f"{name}: {told}" for told in unlike(found.students, scores, lesson=lesson))
        yield from (f"{name}: {told}" for told in undeserved(found.hostile, scores, lesson))
        yield from (f"{name}: verify says {told}" for told in problems(Store(folder / name, SECRET)))
    if found.killed.kills != kills:
        yield f"killed {found.killed.kills} times, asked for {kills}: the class is too small for that"
    found.chance, told = by_chance(folder / "whole", folder / "killed", [a.name for a in found.hostile])
    yield from told


def by_chance(one: Path, other: Path, hostile: Sequence[str]) -> tuple[list[str], list[str]]:
    """Attackers' results that tell something else with the same verdicts, and sentences for all other differences.

    Some attacks do something else in each run: they guess at a random channel, or return memory that nobody wrote. For
    them alone the message may differ, and with it that file's hash in the manifest.
    """
    places = {file_name(normalize("NFC", name)) for name in hostile}
    told = dict(differences(one, other))
    chance = [n for n in told if n.parts[:1] == ("results",) and n.parts[1] in places and _alike(one / n, other / n)]
    left = {name: sentence for name, sentence in told.items() if name not in chance}
    if chance and left.keys() == {Path("manifest.json")}:
        left = {}
    return [str(name) for name in chance], list(left.values())


def _alike(one: Path, other: Path) -> bool:
    """Whether two result files have the same verdicts and points, row by row."""
    rows = [json.loads(path.read_bytes())["result"]["rows"] if path.is_file() else None for path in (one, other)]
    verdicts = [[(row["check"], row["verdict"], row["points"]) for row in part or ()] for part in rows]
    return None not in rows and verdicts[0] == verdicts[1]


def differences(one: Path, other: Path) -> Iterator[tuple[Path, str]]:
    """Every file that is not the same in both folders, with a sentence."""
    names = sorted({path.relative_to(place) for place in (one, other) for path in place.rglob("*") if path.is_file()})
    for name in names:
        here, there = (place / name for place in (one, other))
        if not (here.is_file() and there.is_file()):
            yield name, f"{name} is only in {one.name if here.is_file() else other.name}"
        elif here.read_bytes() != there.read_bytes():
            yield name, f"{name} differs"


def table(found: Found, seconds: float) -> Table:
    """What came out, for people."""
    shown = Table("", "", title="a class under attack, and a grader that is killed", show_header=False)
    for name, value in {
        "students": f"{len(found.students)} innocent, {len(found.hostile)} hostile or broken",
        "uninterrupted": f"{found.whole.seconds:.0f} s, {found.points:g} points in all",
        "killed": f"{found.killed.kills} times, {found.killed.runs} runs, {found.killed.seconds:.0f} s",
        "told otherwise": f"{len(found.chance)} result(s) of attackers that act by chance; same verdicts and points",
        "problems": str(len(found.problems)),
        "altogether": f"{seconds:.0f} s",
    }.items():
        shown.add_row(name, value)
    return shown


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=25)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--class", dest="kinds", default="", help="only attacks of these classes, comma separated")
    parser.add_argument("--keep", type=Path, help="an empty folder to work in, kept at the end")
    options = parser.parse_args()
    start, console = time.monotonic(), Console(width=120)
    about = {name: getattr(options, name) for name in ("n", "kills", "jobs", "seconds", "seed")}
    with _place(options.keep) as folder:
        found = endure(folder, **about, kinds=[kind for kind in options.kinds.split(",") if kind])
    console.print(table(found, time.monotonic() - start))
    for problem in found.problems[:100]:
        console.print(problem, markup=False, highlight=False, soft_wrap=True)
    sys.exit(1 if found.problems else 0)


@contextmanager
def _place(keep: Path | None) -> Iterator[Path]:
    """The folder to work in."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="cnnviz-endurance-", ignore_cleanup_errors=True) as folder:
        yield Path(folder)


if __name__ == "__main__":
    main()
