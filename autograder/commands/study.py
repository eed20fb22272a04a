"""`cnnviz` alone, `hint`, `reset`, `open`: where a student is, what helps, and a fresh start."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.shared import err, one_sentence
from autograder.text.words import printable

if TYPE_CHECKING:
    from autograder.course.outlines import Item
    from autograder.study.cache import Cache
    from autograder.study.folder import Work
    from autograder.study.judging import Judging
    from autograder.study.progress import Standing

Lesson = Annotated[str, typer.Argument(metavar="LESSON", help="11_grad_cam, grad_cam or 11.")]


def show_map() -> None:
    """Draw the map of the course: how far you are in each lesson, and what comes next."""
    from autograder.study.cache import Cache
    from autograder.study.folder import course_folder, works
    from autograder.study.screens import course_map
    from autograder.study.signs import console

    with one_sentence():
        found = _standings(works(course_folder()), Cache())
    for part in course_map(found, console()):
        console().print(part)


def hint(
    exercise: Annotated[
        str | None,
        typer.Argument(
            metavar="[EXERCISE]",
            help="grad_cam.neuron_importance or its last part; of a LESSON, or without a name, the first left.",
        ),
    ] = None,
    rung: Annotated[int | None, typer.Option("--rung", metavar="K", help="This one: 1, 2 or 3.")] = None,
    everything: Annotated[bool, typer.Option("--all", help="The whole ladder.")] = False,
) -> None:
    """Show the next hint: a question first, then a pointer, then the steps. Nobody is told that you looked."""
    from autograder.study.cache import Cache
    from autograder.study.signs import console
    from autograder.study.telling import hints

    with one_sentence():
        cache = Cache()
        parts = hints(_item(exercise, cache), cache, rung=rung, everything=everything)
    for part in parts:
        console().print(part)


def reset(
    lesson: Lesson,
    exercise: Annotated[
        str | None, typer.Option("--exercise", metavar="ID", help="Only this function or answer.")
    ] = None,
) -> None:
    """Put a lesson's files, or one exercise, back as they were handed out. Yours are kept beside them."""
    from autograder.course import outlines
    from autograder.study.folder import course_folder, work
    from autograder.study.resetting import reset as put_back
    from autograder.study.signs import console
    from autograder.study.telling import was_reset

    with one_sentence():
        found = work(course_folder(), lesson)
        item = outlines.item(exercise, [found.outline]) if exercise else None
        done = put_back(found, item)
    for part in was_reset(done, item):
        console().print(part)


def open(  # the command is called so; nothing here opens a file
    lesson: Lesson,
    only_print: Annotated[bool, typer.Option("--print", help="Only print the command.")] = False,
) -> None:
    """Open a lesson's notebook in JupyterLab."""
    from autograder.study.folder import course_folder, work
    from autograder.study.opening import open_command, start, typed
    from autograder.study.signs import console

    with one_sentence():
        command = open_command(work(course_folder(), lesson))
        console().say(printable(typed(command)))
        status = 0 if only_print else start(command)
    raise typer.Exit(status)


def _item(name: str | None, cache: Cache) -> Item:
    """The exercise of this name; of a lesson, or of the one at hand, the first that is left.

    Raises:
        ValueError: there is none.
    """
    from autograder.course import outlines
    from autograder.study.folder import course_folder, work, works
    from autograder.study.screens import at_hand

    if name is not None and not outlines.is_lesson(name):
        return outlines.item(name)
    folder = course_folder()
    found = work(folder, name) if name is not None else at_hand(works(folder), cache)
    (standing,) = _standings([found], cache)
    if standing.next is None:
        raise ValueError(f"hint: lesson {found.outline.number} is finished; name an exercise to see its hints.")
    return standing.next.item


def _standings(works: list[Work], cache: Cache) -> list[Standing]:
    """Every lesson's standing: what is kept, and the rest, which has changed, from running it."""
    from contextlib import ExitStack

    from autograder.study.progress import known

    found, judging = [known(work, cache) for work in works], None
    with ExitStack() as stack:
        for n, work in enumerate(works):
            if found[n] is None:
                err.say(printable(f"Checking {work.outline.id}, which has changed..."))
                judging = judging or stack.enter_context(_judging(cache))
                found[n] = judging.standing(work)
    return [standing for standing in found if standing is not None]


def _judging(cache: Cache) -> Judging:
    """What runs code; it takes a second to import."""
    from autograder.study.judging import Judging

    return Judging(cache)
