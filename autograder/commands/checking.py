"""`cnnviz check`: a lesson, or every lesson found, and what is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import Device, LessonName, checked_device, err, one_sentence, out


def check(
    lesson: LessonName = None,
    submission: Annotated[Path, typer.Option(help="The folder that holds the student's files.")] = Path("lessons"),
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the verdicts there.")] = None,
    device: Device = "cpu",
) -> None:
    """Check a lesson, or every lesson found, and say what is wrong. Exit status 0 if everything passes, else 1."""
    from autograder.core.oracle import Setting
    from autograder.core.verdict import PASSED, summary
    from autograder.report import tables
    from autograder.study.check_folder import check_submission, write_json

    with one_sentence():
        checked_device(device)
        if json_file is not None and not json_file.resolve().parent.is_dir():
            raise ValueError(f"--json: the folder of {json_file} does not exist; create it first.")
        graded = check_submission(submission, lesson, Setting(device=device), err)
        if json_file is not None:
            write_json([g for _, part in graded for g in part], json_file)
    for which, part in graded:
        out.print(tables.lesson_table(which, part))
        out.print(tables.diagnoses(part))
    rows = [row for _, part in graded for g in part for row in g.rows]
    raise typer.Exit(0 if summary(rows) == PASSED else 1)
