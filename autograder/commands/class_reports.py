"""`cnnviz feedback`, `cohort` and `similar`: what an instructor reads of a graded class."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table

from autograder.commands.grading import Results, SecretFile, opened
from autograder.commands.shared import Lessons, chosen, err, one_sentence, out
from autograder.text.words import counted, printable

if TYPE_CHECKING:
    from autograder.batch.results import Store
    from autograder.batch.similarity import Likeness, Work


def cohort(
    results: Results,
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the page goes.")],
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Short ids in place of names; nothing that students' code said.")
    ] = False,
    lessons: Lessons = None,
    secret: SecretFile = None,
) -> None:
    """Write one page on a class: what to reteach, who did what, where they stop, which checks tell nothing."""
    from autograder.batch.stages import as_counted
    from autograder.cohort import cohort_page
    from autograder.cohort.page import trusted
    from autograder.course import registry
    from autograder.report.pages import write

    with one_sentence():
        only = [registry.lesson(name).id for name in chosen(lessons)]
        if not to.resolve().parent.is_dir():
            raise ValueError(f"--out: the folder of {to} does not exist; create it first.")
        store, known = opened(results, secret)
        found, left_out = trusted(store)
        found = list(map(as_counted, found))
        there = {each.id: each for each in (*registry.lessons(), *registry.known())}  # those that are taught first
        html = cohort_page(found, there.values(), secret=known, only=only, anonymous=anonymous, left_out=left_out)
        write(to, html)
    for sentence in left_out:
        err.say(printable(f"Left out: {sentence}"))
    out.say(printable(f"The page is at {to.resolve()}"))


def feedback(
    results: Results,
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the pages.")],
    lessons: Lessons = None,
    secret: SecretFile = None,
) -> None:
    """Write a page for each student and lesson: verdicts, values beside the formula's, what to look at next."""
    from autograder.batch.stages import as_counted
    from autograder.course import registry
    from autograder.feedback.class_pages import make_index, make_pages

    with one_sentence():
        wanted = {each.id for each in (list(map(registry.lesson, chosen(lessons))) or registry.lessons())}
        if to.exists() and not to.is_dir():
            raise ValueError(f"--out: got {to}, which is a file; name a folder.")
        store, _ = opened(results, secret)
        counting = [as_counted(result) for result in store.results() if result.lesson in wanted]
        with err.status("writing pages") as status:
            made = []
            for each in make_pages(counting, to):
                made.append(each)
                status.update(counted(len(made), "page"))
            index = make_index(made, to)
    fresh = sum(each.fresh for each in made)
    pages = counted(len(made), "page")
    out.say(printable(f"{pages}, {fresh} of them new or changed. The list of all is {index}; it names everybody."))


ADVICE = printable(
    "A hint, never a verdict: short right functions look alike, and so does what was worked out together."
)


def similar(
    results: Results,
    lessons: Lessons = None,
    top: Annotated[int, typer.Option("--top", min=1, metavar="N", help="Pairs to list for each lesson.")] = 30,
    secret: SecretFile = None,
) -> None:
    """List pairs whose code is nearly the same but for names and layout, beyond what was given. A hint, no verdict."""
    from autograder.batch.similarity import alike
    from autograder.course import registry

    with one_sentence():
        wanted = list(map(registry.lesson, chosen(lessons)))
        store, _ = opened(results, secret)
        for known in wanted or registry.lessons():
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
            out.say(printable(f"Too short to tell: {exercise} of {counted(count, 'student')}."))
    if found.unreadable:
        out.say(printable(f"Left out: {counted(found.unreadable, 'piece')} of code that do not parse or are too long."))
    if missing:
        out.say(printable(f"Left out: {counted(missing, 'submission')} that could not be read."))
