"""`cnnviz new`: a course, a lesson or an exercise of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from autograder.commands.shared import one_sentence, out
from autograder.text.words import printable

new = typer.Typer(help="Write a lesson or an exercise of your own, which works at once.", no_args_is_help=True)


@new.command()
def course() -> None:
    """Make this folder one of a course of your own, or say that the course.toml in it is yours."""
    from autograder.authoring.own import new_course

    with one_sentence():
        made = new_course()
    _tell(made, "course.toml is believed from now on: it may name lessons, which are code.")


@new.command()
def lesson(
    name: Annotated[str | None, typer.Argument(metavar="[NAME]", help="blur, or with its number 21_blur.")] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="LESSON", help="Copy this one of ours, to be changed.")
    ] = None,
) -> None:
    """Write a small lesson that passes, or copy one of ours, and build it."""
    from autograder.authoring.own import copied_lesson, is_taught, new_lesson

    with one_sentence():
        if (name is None) == (source is None):
            raise ValueError("NAME: give the new lesson a name, or say with --from which one to copy; not both.")
        made = new_lesson(name) if name is not None else copied_lesson(str(source))
    texts = next(path for path in made if path.endswith("mistakes.md")).removesuffix("mistakes.md")
    _tell(made, f"Change what lies in {texts}, then run `cnnviz build` and `cnnviz lint`.")
    if not is_taught(folder := Path(texts).name):
        out.say(printable(f'Nobody is taught it yet: write "{folder}" into lessons = [...] of course.toml.'))


@new.command()
def exercise(
    lesson: Annotated[str, typer.Argument(metavar="LESSON", help="A lesson of your own.")],
    name: Annotated[str, typer.Argument(metavar="NAME", help="The function that a student writes.")],
) -> None:
    """Add a small exercise that passes to a lesson of your own, and build it."""
    from autograder.authoring.own import new_exercise
    from autograder.course import registry

    with one_sentence():
        made = new_exercise(registry.lesson(lesson), name)
    _tell(made, "Change what was added at the ends of these files, then run `cnnviz build` and `cnnviz lint`.")


def _tell(made: Sequence[str], end: str) -> None:
    for path in made:
        out.say(printable(f"written: {path}"))
    out.say(printable(end))
