"""`cnnviz pack`: a lesson as one file to hand in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import err, one_sentence, out
from autograder.text.words import printable


def pack(
    lesson: Annotated[str, typer.Argument(metavar="LESSON", help="11_grad_cam, grad_cam or 11.")],
    to: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="The zip; LESSON.zip without it.")] = None,
) -> None:
    """Pack a lesson into one zip to hand in, and check what is in it. Exit status 0 if everything passes, else 1."""
    from autograder.core.verdict import PASSED, summary
    from autograder.report import tables
    from autograder.study.folder import course_folder, work
    from autograder.study.packing import pack as packed
    from autograder.study.packing import tried

    with one_sentence():
        found = work(course_folder(), lesson)
        archive = to or Path(f"{found.outline.id}.zip")
        names = packed(found, archive)
        ((which, graded),) = tried(archive, found, err)
    out.print(tables.lesson_table(which, graded))
    out.print(tables.diagnoses(graded))
    out.say(printable(f"{archive} holds {', '.join(names)} and was checked as it is: hand it in."))
    raise typer.Exit(0 if summary([row for each in graded for row in each.rows]) == PASSED else 1)
