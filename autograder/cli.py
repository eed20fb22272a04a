"""The command `cnnviz`. Every command is a thin call of a stage; bad input is one sentence and exit status 2."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands import grading, redteam, regrading, similar
from autograder.commands.shared import (
    Device,
    LessonName,
    LessonNames,
    Root,
    checked_device,
    err,
    named,
    one_sentence,
    out,
)

app = typer.Typer(
    help="Look inside convolutional networks: check, build and demonstrate the course.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.command()
def check(
    lesson: LessonName = None,
    submission: Annotated[Path, typer.Option(help="The folder that holds the student's files.")] = Path("lessons"),
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the verdicts there.")] = None,
    device: Device = "cpu",
) -> None:
    """Check a lesson, or every lesson found, and say what is wrong. Exit status 0 if everything passes, else 1."""
    from autograder import tables
    from autograder.checking import check_submission, write_json
    from autograder.oracle import Setting
    from autograder.verdict import PASSED, summary

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


@app.command()
def build(
    lessons: LessonNames = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if anything is stale.")] = False,
    root: Root = Path(),
) -> None:
    """Make the student's lessons and the solved modules from the authored text in solutions/."""
    from autograder.authoring import build as build_course

    with one_sentence():
        changed = build_course(root, named(lessons), check=check)
    for path in changed:
        out.print(f"{'stale' if check else 'written'}: {path}", markup=False, highlight=False)
    if check and changed:
        err.print("Run `cnnviz build` and commit what it writes.")
        raise typer.Exit(1)
    out.print("Everything is up to date." if not changed else f"{len(changed)} file(s).")


@app.command()
def lint(
    lessons: LessonNames = None,
    run: Annotated[bool, typer.Option("--run", help="Also execute every solved notebook.")] = False,
    root: Root = Path(),
) -> None:
    """Hold the course to its own rules: stubs fail, solutions pass, records are whole, nothing is stale or stray."""
    from autograder.authoring import lint as lint_course

    with one_sentence():
        problems = lint_course(root, named(lessons), run_notebooks=run)
    for problem in problems:
        out.print(str(problem), markup=False, highlight=False, soft_wrap=True)
    out.print(f"{len(problems)} problem(s).")
    raise typer.Exit(1 if problems else 0)


@app.command()
def demo(
    to: Annotated[Path, typer.Option("--out", help="Where the report goes.")] = Path("cnnviz_demo.html"),
) -> None:
    """Grade three shipped submissions (right, mistaken, hostile) and write one report that opens in any browser."""
    from autograder.demonstration import demonstrate

    with one_sentence():
        path = demonstrate(to, err)
    out.print(f"The report is at {path.resolve()}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def gallery(
    to: Annotated[Path, typer.Option("--out", metavar="DIR", help="The folder for the pictures and index.html.")],
    photo: Annotated[
        str | None,
        typer.Option(
            help="A packaged photo (default chelsea), a picture file, or mosaic; for digit_net digit or digits."
        ),
    ] = None,
    target: Annotated[
        str | None, typer.Option(help="Class name or number to explain; without it the model's own top class.")
    ] = None,
    model: Annotated[str, typer.Option(help="efficientnet_lite0 or digit_net.")] = "efficientnet_lite0",
) -> None:
    """Show every method on one picture: PNGs, and one page that explains how to read them."""
    from autograder.gallery import make_gallery

    with one_sentence():
        path, seconds = make_gallery(photo, target, model, to, err)
    out.print(f"The gallery is at {path.resolve()} ({seconds:.0f} s)", markup=False, highlight=False, soft_wrap=True)


# Commands with a module of their own: `app.command()(module.function)`, one line each.
app.command()(grading.grade)
app.command()(grading.verify)
app.command()(regrading.regrade)
app.command()(similar.similar)
app.command()(redteam.redteam)


def main() -> None:
    """Runs the command line; a reader that closes the pipe early is not an error."""
    try:
        app()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
