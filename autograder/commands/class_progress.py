"""What is told while a class is graded, and at the end."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType

from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from rich.progress import Task as BarTask

from autograder.batch.grade_class import Summary
from autograder.batch.stages import Handed, Result
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, summary
from autograder.course import registry
from autograder.report.sentences import said
from autograder.text.screen import Screen, Text
from autograder.text.words import Line, counted, printable

MOST = 20
"""Submissions that are named at the end."""
NAMED = 2
"""Students under way who are named in the bar, those who take longest first."""


class Progress:
    """A bar with the time that is left; where nobody watches a terminal, a line for each submission."""

    def __init__(self, handed: Sequence[Handed], console: Screen) -> None:
        self._items = {lesson: len(registry.lesson(lesson).items) for lesson in {h.lesson for h in handed}}
        self._total = sum(self._items[h.lesson] for h in handed)
        self._submissions = len(handed)
        self._done: Counter[tuple[str, str]] = Counter()
        self._verdicts: Counter[str] = Counter()
        self._worst: dict[tuple[str, str], list[str]] = {}
        self._finished = 0
        self._begun: dict[tuple[str, str], float] = {}
        self._console = console
        left, now = TimeRemainingColumn(), TextColumn("{task.description}", markup=False)
        columns = (TextColumn("grading"), BarColumn(), MofNCompleteColumn(), left, now, _Now(self.under_way))
        self._bar = Bar(*columns, console=console, transient=True, disable=not console.is_terminal)
        self._task = self._bar.add_task("", total=self._total)

    def __enter__(self) -> Progress:
        self._bar.start()
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._bar.stop()

    def begun(self, handed: Handed) -> None:
        """A submission goes to a worker."""
        self._begun[handed.student, handed.lesson] = time.monotonic()

    def under_way(self) -> Line:
        """Who is graded now, and for how long."""
        longest = sorted(self._begun.items(), key=lambda each: each[1])[:NAMED]
        now = time.monotonic()
        return printable(
            ", ".join(f"{student[:30]} for {now - start:.0f} s" for (student, _), start in longest[:NAMED])
        )

    def told(self, result: Result) -> None:
        """One exercise or question more."""
        key = result.student, result.lesson
        self._done[key] += 1
        self._verdicts[result.verdict] += 1
        self._worst.setdefault(key, []).append(result.verdict)
        counts = ", ".join(f"{self._verdicts[v]} {v}" for v in (PASSED, FAILED, NOT_JUDGED) if self._verdicts[v])
        self._bar.update(self._task, advance=1, description=counts)
        if self._done[key] == self._items[result.lesson]:
            self._finished += 1
            self._begun.pop(key, None)
            self._line(result)

    def _line(self, result: Result) -> None:
        if self._console.is_terminal:
            return
        verdicts = Counter(self._worst.pop((result.student, result.lesson)))
        counts = ", ".join(f"{verdicts[v]} {v}" for v in (PASSED, FAILED, NOT_ATTEMPTED, NOT_JUDGED) if verdicts[v])
        where = f"{self._finished}/{self._submissions} {result.student} {result.lesson}"
        self._console.say(printable(f"{where}: {counts}"))


class _Now(ProgressColumn):
    """What is true at the moment of drawing."""

    def __init__(self, words: Callable[[], Line]) -> None:
        super().__init__()
        self._words = words

    def render(self, task: BarTask) -> Text:
        return Text(self._words())


def told_of(found: Summary, results: Path) -> Iterator[tuple[Line, str]]:
    """The last lines and their style: what became of the class, who was not judged and why, what to do next."""
    counts = ", ".join(f"{found.verdicts[v]} {v}" for v in (PASSED, FAILED, NOT_ATTEMPTED, NOT_JUDGED))
    yield printable(f"{counted(found.submissions, 'submission')}: {counts}."), ""
    made = f"{found.graded} results were made now, {found.kept} were there."
    yield printable(f"{made} The table is {results}/results.csv."), ""
    reasons = {(r.student, r.lesson): _reason(r) for r in found.unjudged}
    for (student, lesson), reason in list(reasons.items())[:MOST]:
        yield printable(f"NOT JUDGED {student}, {lesson}: {reason}"), "yellow"
    if len(reasons) > MOST:
        yield printable(f"NOT JUDGED {len(reasons) - MOST} more, see results.csv."), "yellow"
    if found.older:
        told = f"{found.older} results were made with other checks or libraries"
        yield printable(f"{told}; `cnnviz regrade {results} --dry-run` shows who would change."), ""


def _reason(result: Result) -> str:
    return next(filter(None, map(said, result.rows)), summary(result.rows))
