"""`cnnviz regrade`: who changes under today's checks, and why."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from autograder.commands.grading import (
    Accept,
    Dask,
    Jobs,
    Results,
    RungName,
    Seconds,
    SecretFile,
    Unsandboxed,
    checked_rung,
    cores,
    ctrl_c,
    opened,
)
from autograder.commands.shared import checked_device, err, one_sentence, out
from autograder.core.verdict import Points
from autograder.text.words import printable

if TYPE_CHECKING:
    from autograder.batch.changes import Change, Regrade
    from autograder.batch.stages import Handed, Result


def regrade(
    results: Results,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Change nothing, only show who would change.")] = False,
    jobs: Jobs = None,
    dask: Dask = None,
    secret: SecretFile = None,
    device: Annotated[str | None, typer.Option(help="cpu, cuda or mps; the results' own without it.")] = None,
    seconds: Seconds = None,
    rung: RungName = None,
    allow_unsandboxed: Unsandboxed = False,
    accept_differences: Accept = False,
) -> None:
    """Grade anew what other checks or libraries judged, from the kept code; a table of who changes and why."""
    from autograder.batch.changes import regrade as grade_anew
    from autograder.commands.class_progress import Progress

    with one_sentence(), ExitStack() as stack:
        checked_device(device or "cpu")
        checked_rung(rung, allow_unsandboxed)
        store, known = opened(results, secret)
        stack.enter_context(ctrl_c(results))

        def begun(handed: list[Handed]) -> Callable[[Result], None]:
            return stack.enter_context(Progress(handed, err)).told

        found = grade_anew(
            store, secret=known, device=device, dry=dry_run, begun=begun, accept=accept_differences,
            jobs=jobs or cores(), dask=dask, seconds=seconds, rung=rung,
        )  # fmt: skip
    show(found, dry_run)


def show(found: Regrade, dry: bool) -> None:
    """What is different, who changes, what stayed behind."""
    for reason in found.reasons:
        out.say(printable(reason))
    if found.changes:
        out.print(table(found.changes))
    for sentence in found.skipped:
        out.say(printable(sentence), "yellow")
    graded = "1 submission was" if found.submissions == 1 else f"{found.submissions} submissions were"
    students = len({(c.owner.student, c.owner.lesson) for c in found.changes})
    change, written = ("would change", "nothing was written") if dry else ("changed", "the old ones are in history/")
    out.say(printable(f"{graded} graded anew; {students} {change}; {written}."))


def table(changes: tuple[Change, ...]) -> Table:
    """One line per student and exercise."""
    shown = Table(title="who changes", title_justify="left", title_style="bold")
    for name in ("student", "exercise", "before", "after", "what is said now"):
        shown.add_column(name, overflow="fold")
    for change in changes:
        owner = change.owner
        cells = [owner.student, owner.item, worth(change.before), worth(change.after), change.message]
        shown.add_row(*map(printable, cells))
    return shown


def worth(result: Result | None) -> str:
    """Points and verdict in a few words."""
    if result is None:
        return "not there"
    return f"{Points.of(result.rows).brief} {result.verdict}"
