"""`cnnviz build`, `lint` and `release`: from the authored text to lessons, held to rules, handed out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import LessonNames, Lessons, chosen, err, named, one_sentence, out
from autograder.text.words import counted, printable


def build(
    lessons: LessonNames = None,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; fail if anything is stale.")] = False,
) -> None:
    """Make the student's lessons and the solved modules from the authored text in solutions/."""
    from autograder.authoring import build as build_course

    with one_sentence():
        changed = build_course(named(lessons), check=check)
    for path in changed:
        out.say(printable(f"{'stale' if check else 'written'}: {path}"))
    if check and changed:
        err.say(printable("Run `cnnviz build` and commit what it writes."))
        raise typer.Exit(1)
    out.say(printable("Everything is up to date." if not changed else f"{counted(len(changed), 'file')}."))


def lint(
    lessons: LessonNames = None,
    run: Annotated[bool, typer.Option("--run", help="Also execute every solved notebook.")] = False,
) -> None:
    """Hold the course to its own rules: stubs fail, solutions pass, records are whole, nothing is stale or stray."""
    from autograder.authoring import lint as lint_course

    with one_sentence():
        problems = lint_course(named(lessons), run_notebooks=run)
    for problem in problems:
        out.say(printable(str(problem)))
    out.say(printable(f"{counted(len(problems), 'problem')}."))
    raise typer.Exit(1 if problems else 0)


def release(
    to: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to.")],
    lessons: Lessons = None,
    wheel_url: Annotated[
        str, typer.Option("--wheel-url", metavar="URL", help="Where notebooks on Colab download the wheel from.")
    ] = "",
    with_solutions: Annotated[
        bool, typer.Option("--with-solutions", help="`cnnviz solution` shows ours to whoever has solved an exercise.")
    ] = False,
) -> None:
    """Write what students get: lessons, and a wheel that checks them and holds no answer; also as one zip."""
    from autograder.kit.release import release as write

    with one_sentence(), err.status("Every answer is computed once and written down as numbers"):
        made = write(to, chosen(lessons) or None, wheel_url=wheel_url, with_solutions=with_solutions)
    for note in made.notes:
        err.say(printable(note))
    for path in (made.wheel, made.archive):
        out.say(printable(f"{path}  {path.stat().st_size / 1e6:.1f} MB"))
    out.say(printable(f"{counted(len(made.lessons), 'lesson')} in {made.folder}; hand out the zip."))
