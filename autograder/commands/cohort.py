"""`cnnviz cohort`: a class at a glance, as one page for its instructor."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.grading import Results, SecretFile, opened
from autograder.commands.shared import err, one_sentence, out
from autograder.text.words import printable


def cohort(
    results: Results,
    to: Annotated[Path, typer.Option("--out", metavar="FILE", help="Where the page goes.")],
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Short ids in place of names; nothing that students' code said.")
    ] = False,
    lesson: Annotated[
        list[str] | None, typer.Option("--lesson", metavar="LESSON", help="Only these: 10,11 or given again.")
    ] = None,
    secret: SecretFile = None,
) -> None:
    """Write one page on a class: what to reteach, who did what, where they stop, which checks tell nothing."""
    from autograder.cohort import cohort_page
    from autograder.cohort.page import trusted
    from autograder.course import registry
    from autograder.report.pages import write

    with one_sentence():
        only = [registry.lesson(name).id for names in lesson or () for name in names.split(",")]
        if not to.resolve().parent.is_dir():
            raise ValueError(f"--out: the folder of {to} does not exist; create it first.")
        store, known = opened(results, secret)
        found, left_out = trusted(store)
        html = cohort_page(found, registry.lessons(), secret=known, only=only, anonymous=anonymous, left_out=left_out)
        write(to, html)
    for sentence in left_out:
        err.say(printable(f"Left out: {sentence}"))
    out.say(printable(f"The page is at {to.resolve()}"))
