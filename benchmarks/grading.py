"""How many submissions a minute: stock nbgrader, with its own Execute, against `cnnviz grade` on the same submissions.

    python benchmarks/grading.py [--lesson 11_grad_cam] [--n 12] [--rounds 2] [--variant small,shipped]
                                 [--grow 10 100 1000] [--json FILE]

Everybody grades the same generated class, in turn, round after round, one thread each, pinned to one core or two. Stock
nbgrader runs each notebook in a kernel; its check cells run our checks there and end in the points, so that both judge
by the same. "shipped" is the lesson as students have it, with its demonstrations; "small" has the functions, the
answers and the check cells only, which is all that ours ever runs. Every score is compared with what the class must
get. Rates: of the whole command, start included; and once started, from a second command on a single submission, whose
time stands under "start".
"""

from __future__ import annotations

import argparse
import itertools
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from grading_parts.courses import make_course, make_our_course, scores
from grading_parts.measured import Cost, measure
from grading_parts.scores import Scores, kept, unlike
from grading_parts.students import Student, innocents
from grading_parts.writing import write_class
from rich.console import Console
from rich.table import Table

from autograder.course import registry
from autograder.course.records import Lesson

NBGRADER = (sys.executable, "-m", "nbgrader", "autograde")
OURS = (sys.executable, "-m", "autograder.cli", "grade", "submitted", "--out", "results")


@dataclass(frozen=True)
class Contestant:
    """One way to grade a class."""

    name: str
    variant: str
    command: tuple[str, ...]
    cores: tuple[int, ...]
    scores: Callable[[Path, Lesson], Scores]
    lends: bool = True


@dataclass
class Turns:
    """What a contestant took, round by round."""

    one: list[Cost] = field(default_factory=list)
    """On a single submission."""
    whole: list[Cost] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def rate(self, n: int) -> float:
        """Submissions a minute, start included."""
        return 60 * n / statistics.median(cost.seconds for cost in self.whole)

    def started(self, n: int) -> float:
        """Submissions a minute, once started."""
        pairs = zip(self.one, self.whole, strict=True)
        return 60 * (n - 1) / statistics.median(whole.seconds - one.seconds for one, whole in pairs)

    def cpu(self, n: int) -> float:
        """CPU seconds of a submission, once started: what other work on the machine changes least."""
        pairs = zip(self.one, self.whole, strict=True)
        return statistics.median(whole.cpu - one.cpu for one, whole in pairs) / (n - 1)


def main() -> None:
    options = _options()
    lesson, console = registry.lesson(options.lesson), Console(width=130)
    with tempfile.TemporaryDirectory() as folder:
        if options.n:
            found = race(lesson, options, Path(folder), console)
            console.print(comparison(found, options.n))
            _complain(found, console)
            if options.json:
                options.json.write_text(json.dumps({c.name: asdict(t) for c, t in found.items()}, indent=1))
        if options.grow:
            console.print(growth(lesson, options.grow, Path(folder)))


def contestants(lesson: Lesson, variants: Sequence[str]) -> list[Contestant]:
    """All of them, those who share a variant beside each other."""
    found = []
    for variant in variants:
        ours = (*OURS, "--lessons", lesson.id)
        found += [
            Contestant("stock nbgrader", variant, (*NBGRADER, lesson.id), (0,), scores, lends=False),
            Contestant("cnnviz grade, one core", variant, (*ours, "--jobs", "1"), (0,), _ours),
            Contestant("cnnviz grade, two cores", variant, (*ours, "--jobs", "2"), (0, 1), _ours),
        ]
    engine = Contestant("nbgrader with our engine", "shipped", (*NBGRADER, lesson.id), (0,), scores)
    return [*found, engine] if "shipped" in variants else found


def _ours(folder: Path, lesson: Lesson) -> Scores:
    return kept(folder / "results", lesson)


def race(lesson: Lesson, options, folder: Path, console: Console) -> dict[Contestant, Turns]:
    """Every contestant's turns on the same class."""
    students = innocents(lesson, options.n, seed=options.seed, notebooks=1.0)
    runners = contestants(lesson, options.variant.split(","))
    made = {c: _course(c, lesson, students, folder / f"course{k}") for k, c in enumerate(runners)}
    found = {contestant: Turns() for contestant in runners}
    for number in range(options.rounds):
        for contestant, turns in found.items():
            turns.one.append(_turn(contestant, lesson, students[:1], made[contestant], turns))
            turns.whole.append(_turn(contestant, lesson, students, made[contestant], turns))
            seconds = turns.whole[-1].seconds
            console.print(f"round {number + 1}: {contestant.name}, {contestant.variant}: {seconds:.1f} s")
    return found


def _course(contestant: Contestant, lesson: Lesson, students: Sequence[Student], folder: Path) -> Path:
    """A folder in which the contestant's command works; ours grades the very files that stock nbgrader grades."""
    folder.mkdir()
    if contestant.name == "nbgrader with our engine":
        make_our_course(folder, lesson)
        write_class(students, lesson, folder / "submitted")
    else:
        make_course(folder, lesson, students, small=contestant.variant == "small")
    return folder


def _turn(contestant: Contestant, lesson: Lesson, students: Sequence[Student], made: Path, turns: Turns) -> Cost:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "course"
        shutil.copytree(made, folder, ignore=shutil.ignore_patterns("submitted"))
        for student in students:
            shutil.copytree(made / "submitted" / student.name, folder / "submitted" / student.name)
        for path in folder.glob("nbgrader_config.py"):
            path.write_text(path.read_text().replace(str(made), str(folder)))
        cost = measure(contestant.command, folder, cores=contestant.cores)
        if cost.status:
            raise RuntimeError(f"{contestant.name} ended with status {cost.status}:\n{cost.said}")
        turns.wrong += unlike(students, contestant.scores(folder, lesson), lesson=lesson, lent=contestant.lends)
    return replace(cost, said="")


def comparison(found: dict[Contestant, Turns], n: int) -> Table:
    """The table of all contestants; ratios are to stock nbgrader on the same variant."""
    table = Table(title=f"{n} submissions, medians of {max(len(t.whole) for t in found.values())} rounds")
    numbers = ("a minute", "ratio", "started", "ratio", "CPU s each", "ratio", "start s", "private MB", "wrong")
    for column in ("notebook", "grader", *numbers):
        table.add_column(column, justify="left" if column in ("notebook", "grader") else "right")
    stock = {c.variant: turns for c, turns in found.items() if c.name == "stock nbgrader"}
    for contestant, turns in found.items():
        peer = stock[contestant.variant]
        table.add_row(
            contestant.variant, contestant.name,
            f"{turns.rate(n):.1f}", f"{turns.rate(n) / peer.rate(n):.1f}",
            f"{turns.started(n):.1f}", f"{turns.started(n) / peer.started(n):.1f}",
            f"{turns.cpu(n):.2f}", f"{peer.cpu(n) / turns.cpu(n):.1f}",
            f"{statistics.median(cost.seconds for cost in turns.one):.1f}",
            f"{max(cost.private_mb for cost in turns.whole):.0f}", str(len(turns.wrong)),
        )  # fmt: skip
    return table


def growth(lesson: Lesson, numbers: Sequence[int], folder: Path) -> Table:
    """Cost as the class grows, with one worker and with two; half the class hands in modules."""
    table = Table("jobs", "submissions", "s", "s each", "CPU s each", "private MB", "wrong", title="cnnviz grade")
    for jobs, n in itertools.product((1, 2), numbers):
        students, place = innocents(lesson, n), folder / f"grow{n}-{jobs}"
        write_class(students, lesson, place / "submitted")
        cost = measure((*OURS, "--jobs", str(jobs)), place, cores=range(jobs))
        wrong = unlike(students, kept(place / "results", lesson), lesson=lesson)
        each = (f"{cost.seconds / n:.3f}", f"{cost.cpu / n:.3f}")
        table.add_row(str(jobs), str(n), f"{cost.seconds:.1f}", *each, f"{cost.private_mb:.0f}", str(len(wrong)))
    return table


def _complain(found: dict[Contestant, Turns], console: Console) -> None:
    for contestant, turns in found.items():
        for sentence in turns.wrong:
            console.print(f"{contestant.name}, {contestant.variant}: {sentence}", style="red", markup=False)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lesson", default="11_grad_cam")
    parser.add_argument("--n", type=int, default=12, help="0 skips the comparison")
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--variant", default="small,shipped")
    parser.add_argument("--grow", type=int, nargs="*", default=())
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
