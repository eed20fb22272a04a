"""Verdicts as text: one table a lesson, one paragraph a mistake. Used by the terminal, pytest and plain notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich.console import Group
from rich.padding import Padding
from rich.table import Table

from autograder.core.verdict import FAILED, LATER, NOT_ATTEMPTED, NOT_JUDGED, PASSED, Points, Row, summary, total
from autograder.report.sentences import said, sentence
from autograder.text.screen import Text
from autograder.text.words import Shown, counted, shown, visible

if TYPE_CHECKING:  # the map of the course shows verdicts without importing torch
    from autograder.core.judge import Graded
    from autograder.course.records import Lesson

MARKS = {
    PASSED: ("✓", "green"),
    FAILED: ("✗", "red"),
    NOT_ATTEMPTED: ("·", "dim"),
    NOT_JUDGED: ("?", "yellow"),
    LATER: ("…", "dim"),
}
"""Verdict -> sign and colour; the word stands beside them, so that neither is needed to read it."""


PRINTED, WIDEST = 10, 200
"""Lines of what a student's code printed that are shown, and characters of each."""


def lesson_table(lesson: Lesson, graded: Sequence[Graded]) -> Table:
    """One line per exercise: verdict, checks passed, points."""
    table = Table(
        title=f"{lesson.id}  {Points.of(*(g.rows for g in graded))}", title_justify="left", title_style="bold"
    )
    table.add_column("exercise")
    table.add_column("verdict")
    table.add_column("checks", justify="right")
    table.add_column("points", justify="right")
    for g in graded:
        verdict = summary(g.rows)
        passed = sum(row.verdict == PASSED for row in g.rows)
        checks = "–" if verdict == NOT_JUDGED else f"{passed}/{len(g.rows)}"
        table.add_row(g.item.id, marked(verdict), checks, Points.of(g.rows).brief)
    if later := [row for g in graded for row in g.rows if row.verdict == LATER]:
        table.caption = f"{counted(len(later), 'check')}, {counted(total(later)[1], 'point')}: {LATER}"
        table.caption_justify = "left"
    return table


def lesson_tables(graded: Iterable[tuple[Lesson, Sequence[Graded]]]) -> Iterator[tuple[Table | Text, Group]]:
    """Of each lesson its table and what is said of it; of several lessons one that is not begun is one line."""
    graded = list(graded)
    for lesson, part in graded:
        whole = len(graded) == 1 or is_begun(part)
        yield lesson_table(lesson, part) if whole else not_begun(lesson, part), diagnoses(part)


def is_begun(graded: Iterable[Graded]) -> bool:
    """Whether something of a lesson was attempted."""
    return any(summary(g.rows) != NOT_ATTEMPTED for g in graded)


def not_begun(lesson: Lesson, graded: Iterable[Graded]) -> Text:
    """The line of a lesson in which nothing was attempted."""
    points = Points.of(*(g.rows for g in graded))
    return Text.assemble((lesson.id, "bold"), f"  {points}  ", marked(NOT_ATTEMPTED))


def diagnoses(graded: Iterable[Graded]) -> Group:
    """What is said of every exercise that failed or could not be judged: each sentence once.

    Code that cannot be loaded is said once for all exercises that are in it.
    """
    graded = list(graded)
    unloaded: dict[str, list[str]] = {}
    for g in graded:
        unloaded.setdefault(load_problem(g.rows), []).append(g.item.id)
    named = {ids[0]: ", ".join(ids) for problem, ids in unloaded.items() if problem}
    named.update((name, name) for name in unloaded.get("", ()))
    return Group(*(part for g in graded if g.item.id in named for part in _paragraphs(g, named[g.item.id])))


def load_problem(rows: Iterable[Row]) -> str:
    """Why the code could not be loaded; empty where it was."""
    return next((said(row) for row in rows if row.diagnosis and row.diagnosis.kind == "load"), "")


def marked(verdict: str) -> Text:
    """The verdict with its sign."""
    sign, style = MARKS[verdict]
    return Text(f"{sign} {verdict}", style=style)


def as_text(rows: Sequence[Row]) -> Shown:
    """Rows for a terminal or a plain-text cell, a line each, with the diagnosis below."""
    return visible("\n".join(line for row in rows for line in _lines(row)) or "nothing was judged")


def messages(rows: Iterable[Row]) -> dict[str, list[str]]:
    """Sentence -> the checks that it explains, in order. One mistake, one sentence: a broken law speaks only alone."""
    rows = list(rows)
    diagnosed = [(row.check, row.diagnosis) for row in rows if row.diagnosis and row.diagnosis.kind != "depends"]
    alone = all(diagnosis.kind == "law" for _, diagnosis in diagnosed)
    checks: dict[str, list[str]] = {}
    for check, diagnosis in diagnosed:
        if alone or diagnosis.kind != "law":
            checks.setdefault(sentence(diagnosis.message), []).append(check)
    for row in rows:
        if row.note:
            checks.setdefault(sentence(row.note), []).append(row.check)
    return checks


def ran(graded: Graded) -> list[str]:
    """How a failed exercise ran, a line each: the student's own frames where there are several, and what it printed."""
    if summary(graded.rows) not in (FAILED, NOT_JUDGED):
        return []
    frames = ["It was raised in:", *(f"  {frame}" for frame in graded.frames)] if len(graded.frames) > 1 else []
    lines = graded.output.strip("\n").split("\n") if graded.output.strip() else []
    more = [f"  and {len(lines) - PRINTED} lines more"] if len(lines) > PRINTED else []
    prints = ["Your code printed:", *(f"  {line[:WIDEST]}" for line in lines[:PRINTED]), *more] if lines else []
    return [*frames, *prints]


def _paragraphs(graded: Graded, name: str) -> Iterator[Text | Padding]:
    found, lines = messages(graded.rows), ran(graded)
    for text, checks in found.items():
        verdict = summary(row for row in graded.rows if row.check in checks)
        sign, style = MARKS[verdict]
        where = "" if len(found) == 1 else "  " + ", ".join(checks)
        yield Text.assemble((f"{sign} {name}", f"bold {style}"), (where, "dim"))
        yield Padding(
            Text("\n").join([Text(text), *(Text(line, style="dim") for line in lines)]), (0, 0, 1, 2), expand=False
        )
        lines = []


def _lines(row: Row) -> list[str]:
    points = "–" if row.verdict == NOT_JUDGED else f"{row.points} of {row.max_points}"
    first = f"{MARKS[row.verdict][0]} {row.verdict}  {row.check}  ({points})"
    texts = filter(None, [said(row), sentence(row.note) if row.note else ""])
    return [shown(first), *(f"    {shown(text)}" for text in texts)]
