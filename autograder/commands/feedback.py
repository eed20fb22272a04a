"""`cnnviz feedback`: a page for each student and lesson, from what `cnnviz grade` kept."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.grading import Results, SecretFile, opened
from autograder.commands.shared import err, one_sentence, out
from autograder.text.words import counted, printable


def feedback(
    results: Results,
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the pages.")],
    lesson: Annotated[str | None, typer.Option("--lesson", metavar="LESSON", help="Only this one.")] = None,
    secret: SecretFile = None,
) -> None:
    """Write a page for each student and lesson: verdicts, values beside the formula's, what to look at next."""
    from autograder.course import registry
    from autograder.feedback.class_pages import make_index, make_pages

    with one_sentence():
        wanted = registry.lesson(lesson).id if lesson else None
        if to.exists() and not to.is_dir():
            raise ValueError(f"--out: got {to}, which is a file; name a folder.")
        store, _ = opened(results, secret)
        chosen = [result for result in store.results() if wanted in (None, result.lesson)]
        with err.status("writing pages") as status:
            made = []
            for each in make_pages(chosen, to):
                made.append(each)
                status.update(counted(len(made), "page"))
            index = make_index(made, to)
    fresh = sum(each.fresh for each in made)
    pages = counted(len(made), "page")
    out.say(printable(f"{pages}, {fresh} of them new or changed. The list of all is {index}; it names everybody."))
