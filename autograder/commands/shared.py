"""What every command says and refuses in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from autograder.text.screen import Screen
from autograder.text.words import printable

out, err = Screen(), Screen(stderr=True)

LessonName = Annotated[
    str | None, typer.Argument(metavar="[LESSON]", help="11_grad_cam, grad_cam or 11; all without it.")
]
LessonNames = Annotated[
    list[str] | None, typer.Argument(metavar="[LESSON]...", help="Lessons by name; all without it.")
]
Lessons = Annotated[
    list[str] | None, typer.Option("--lessons", metavar="LESSON", help="Only these: 10,11 or given again.")
]
Device = Annotated[str, typer.Option(help="cpu, cuda or mps.")]


@contextmanager
def one_sentence() -> Iterator[None]:
    """Bad input ends the command with its sentence and exit status 2."""
    try:
        yield
    except (ValueError, OSError) as error:
        err.say(printable(f"cnnviz: {error}"), "red")
        raise typer.Exit(2) from error


def named(lessons: list[str] | None) -> list[str] | None:
    """Folder names of the lessons that the user means; None for all."""
    from autograder.course import registry

    return [registry.lesson(name).id for name in lessons] if lessons else None


def chosen(lessons: list[str] | None) -> list[str]:
    """The names that `--lessons` gave; none where it was not given."""
    return [name for names in lessons or () for name in names.split(",")]


def checked_device(name: str) -> None:
    """Refuses a device that is not there, before anything runs.

    Raises:
        ValueError: unknown or unavailable.
    """
    if name != "cpu":
        import cnnviz

        cnnviz.device(name)
