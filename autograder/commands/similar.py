"""`cnnviz similar`: pairs of submissions that look alike, as a hint for a human."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from autograder.commands.grading import Results, SecretFile, opened
from autograder.commands.shared import one_sentence, out
from autograder.text.words import counted, printable

if TYPE_CHECKING:
    from autograder.batch.results import Store
    from autograder.batch.similarity import Likeness, Work

ADVICE = printable(
    "A hint, never a verdict: short right functions look alike, and so does what was worked out together."
)


def similar(
    results: Results,
    lesson: Annotated[str | None, typer.Option("--lesson", metavar="LESSON", help="Only this one.")] = None,
    top: Annotated[int, typer.Option("--top", min=1, metavar="N", help="Pairs to list for each lesson.")] = 30,
    secret: SecretFile = None,
) -> None:
    """List pairs whose code is nearly the same but for names and layout, beyond what was given. A hint, no verdict."""
    from autograder.batch.similarity import alike
    from autograder.course import registry

    with one_sentence():
        wanted = registry.lesson(lesson) if lesson else None
        store, _ = opened(results, secret)
        for known in [wanted] if wanted else registry.lessons():
            works, missing = handed_in(store, known.id)
            if works or wanted:
                _show(known.id, alike(known, works, top=top), len(works), missing)
    out.say(ADVICE)


def handed_in(store: Store, lesson: str) -> tuple[list[Work], int]:
    """Each student's code for one lesson, and how many whose code was not kept."""
    digests = {result.student: result.submission for result in store.results() if result.lesson == lesson}
    works, missing = [], 0
    for student, digest in sorted(digests.items()):
        try:
            works.append((student, store.sources(digest)))
        except ValueError:
            missing += 1
    return works, missing


def _show(lesson: str, found: Likeness, students: int, missing: int) -> None:
    out.line()
    out.say(printable(f"{lesson}: {counted(students, 'submission')} compared"))
    if found.pairs:
        table = Table("students", "", "exercise", "similarity", "rarity", "shared by")
        for pair in found.pairs:
            numbers = (
                f"{pair.similarity:.0%}",
                f"{pair.rarity:.0%}",
                f"{pair.sharers} of {found.compared[pair.exercise]}",
            )
            table.add_row(*map(printable, pair.students), pair.exercise, *numbers)
        out.print(table)
    else:
        out.say(printable("No two look alike in more than what the class has in common."))
    for exercise, count in found.short.items():
        if count:
            out.say(printable(f"Too short to tell: {exercise} of {count} student(s)."))
    if found.unreadable:
        out.say(printable(f"{found.unreadable} piece(s) of code do not parse or are too long, and were left out."))
    if missing:
        out.say(printable(f"{missing} submission(s) could not be read and were left out."))
