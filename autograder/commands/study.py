"""What a student does alone: `cnnviz`, `watch`, `check`, `hint`, `solution`, `reset`, `open`, `pack`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.shared import Device, LessonName, checked_device, err, one_sentence, out
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


def solution(
    exercise: Annotated[str, typer.Argument(metavar="EXERCISE", help="grad_cam.neuron_importance or its last part.")],
) -> None:
    """Show the course's own solution of an exercise that you have solved, where your instructor has handed it out."""
    from autograder.course import outlines
    from autograder.study.cache import Cache
    from autograder.study.folder import course_folder, work
    from autograder.study.solving import solution as solved

    with one_sentence():
        item = outlines.item(exercise)
        (standing,) = _standings([work(course_folder(), outlines.lesson_of(item).id)], Cache())
        text = solved(next(state for state in standing.states if state.item.id == item.id))
    for line in text.splitlines():
        out.say(printable(line))


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
    """Open a lesson's notebook in JupyterLab, beside the other lessons."""
    from autograder.study.folder import course_folder, work
    from autograder.study.opening import open_command, start, typed
    from autograder.study.signs import console

    with one_sentence():
        found = work(course_folder(), lesson)
        command = open_command(found)
        console().say(printable(typed(command)))
        status = 0 if only_print else start(command, found)
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
    passed = summary([row for each in graded for row in each.rows]) == PASSED
    end = "hand it in." if passed else "hand it in, or go on and pack it again."
    out.say(printable(f"{archive} holds {', '.join(names)} and was checked as it is: {end}"))
    raise typer.Exit(0 if passed else 1)


def watch(
    lesson: Annotated[
        str | None, typer.Argument(metavar="[LESSON]", help="11_grad_cam, grad_cam or 11; else the one in progress.")
    ] = None,
) -> None:
    """Check whenever you save, in your editor or in Jupyter. Keys: h hint, n next, l list, r reset, ? all keys."""
    import asyncio
    import gc
    import signal
    from contextlib import suppress

    from autograder.study.cache import Cache
    from autograder.study.folder import course_folder, work, works
    from autograder.study.screens import at_hand
    from autograder.study.signs import console
    from autograder.study.watching import Watch

    with one_sentence():
        folder, cache = course_folder(), Cache()
        found = works(folder)
        begin = work(folder, lesson) if lesson else at_hand(found, cache)
        with suppress(KeyboardInterrupt):
            asyncio.run(Watch(found, begin, cache, console()).run())
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # what is still being loaded ends by itself, or with a second Ctrl-C
    gc.freeze()  # else the interpreter looks through all of torch once more before the prompt is back


def check(
    lesson: LessonName = None,
    submission: Annotated[
        Path | None, typer.Option(help="The folder that holds the student's files; else the lessons, here or above.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the verdicts there.")] = None,
    device: Device = "cpu",
) -> None:
    """Check a lesson, or every lesson found, and say what is wrong. Exit status 0 if everything passes, else 1."""
    from autograder.core.oracle import Setting
    from autograder.core.verdict import PASSED, summary
    from autograder.report import tables
    from autograder.study.check_folder import check_submission, write_json
    from autograder.study.folder import course_folder

    with one_sentence():
        checked_device(device)
        if json_file is not None and not json_file.resolve().parent.is_dir():
            raise ValueError(f"--json: the folder of {json_file} does not exist; create it first.")
        graded = check_submission(submission or course_folder(), lesson, Setting(device=device), err)
        if json_file is not None:
            write_json([g for _, part in graded for g in part], json_file)
    for table, diagnoses in tables.lesson_tables(graded):
        out.print(table)
        out.print(diagnoses)
    rows = [row for _, part in graded for g in part for row in g.rows]
    raise typer.Exit(0 if summary(rows) == PASSED else 1)
