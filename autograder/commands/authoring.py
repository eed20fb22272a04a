"""`cnnviz build` and `cnnviz lint`: the student's lessons from the authored text, and the course's own rules."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import LessonNames, Root, err, named, one_sentence, out
from autograder.text.words import counted, printable


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
        out.say(printable(f"{'stale' if check else 'written'}: {path}"))
    if check and changed:
        err.say(printable("Run `cnnviz build` and commit what it writes."))
        raise typer.Exit(1)
    out.say(printable("Everything is up to date." if not changed else f"{counted(len(changed), 'file')}."))


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
        out.say(printable(str(problem)))
    out.say(printable(f"{counted(len(problems), 'problem')}."))
    raise typer.Exit(1 if problems else 0)
