"""`cnnviz debug`: the call that fails, in the student's own terminal."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from autograder.commands.shared import one_sentence
from autograder.text.words import printable

if TYPE_CHECKING:
    from autograder.study.debugging import Debugged, Ran
    from autograder.study.folder import Work
    from autograder.study.judging import Judging
    from autograder.text.screen import Screen


def debug(
    lesson: Annotated[str, typer.Argument(metavar="LESSON", help="11_grad_cam, grad_cam or 11.")],
    exercise: Annotated[
        str | None, typer.Argument(metavar="[EXERCISE]", help="Its function; else the first that fails.")
    ] = None,
    with_pdb: Annotated[bool, typer.Option("--pdb/--no-pdb", help="Open pdb where your code raises.")] = True,
) -> None:
    """Run the first visible case that fails, here: `breakpoint()` and your prints work, and an error opens pdb."""
    from autograder.study.cache import Cache
    from autograder.study.debugging import find, inputs, run, typed, verdict
    from autograder.study.folder import course_folder, work
    from autograder.study.judging import Judging
    from autograder.study.signs import console, indented, listed
    from autograder.text.screen import Text

    screen = console()
    with one_sentence(), Judging(Cache()) as judging:
        found = work(course_folder(), lesson)
        debugged = find(found, _exercise(found, exercise, judging), judging.runner)
    screen.print(_heading(debugged))
    screen.print(listed(*inputs(debugged)))
    screen.print(Text(f"\n>>> {typed(debugged)}", style="bold"))
    ran = run(debugged)
    sys.stdout.flush()
    if ran.error is not None:
        _raised(ran, screen, with_pdb and sys.stdin is not None and sys.stdin.isatty())
        raise typer.Exit(1)
    right, sentences = verdict(debugged, ran.result)
    screen.print(_returned(ran.result))
    for sentence in sentences:
        screen.print(indented(sentence))
    raise typer.Exit(0 if right else 1)


def _exercise(found: Work, name: str | None, judging: Judging):
    """The record of the exercise that is named, else of the lesson's first that fails.

    Raises:
        ValueError: there is none.
    """
    from autograder.core.verdict import FAILED
    from autograder.course import outlines, registry
    from autograder.course.outlines import EXERCISE

    if name is not None:
        item = outlines.item(name, [found.outline])
        if item.kind != EXERCISE:
            raise ValueError(f"debug: {item.id} is a prediction, which runs no code; name an exercise.")
        return registry.exercise(item.id)
    standing = judging.standing(found)
    if standing.problem:
        raise ValueError(f"debug: {standing.problem}")
    failing = [s.item.id for s in standing.states if s.item.kind == EXERCISE and s.verdict == FAILED]
    if not failing:
        names = ", ".join(item.name for item in found.outline.items if item.kind == EXERCISE)
        raise ValueError(
            f"debug: no exercise of lesson {found.outline.number} that you have written fails; name one: {names}."
        )
    return registry.exercise(failing[0])


def _heading(debugged: Debugged):
    from autograder.text.screen import Text

    part = debugged.part
    calls = f", call {debugged.call + 1} of {len(part.planned)}" if len(part.planned) > 1 else ""
    none = "" if debugged.wrong else "No visible case fails; this is the first.\n"
    return Text.assemble(none, (debugged.exercise.id, "bold"), f" in {debugged.file}, with {part.part.name}{calls}:")


def _returned(result: object):
    from autograder.study.debugging import described
    from autograder.text.screen import Text

    each = result if isinstance(result, tuple) else (result,)
    return Text("returned " + "; ".join(map(described, each)))


def _raised(ran: Ran, screen: Screen, with_pdb: bool) -> None:
    """The student's own frames and the error, and pdb in the last of them."""
    from bdb import BdbQuit

    from autograder.study.debugging import post_mortem, said_of
    from autograder.study.folder import shown
    from autograder.text.screen import Text

    assert ran.error is not None
    if isinstance(ran.error, BdbQuit):
        screen.print(Text("The debugger was left, and the call with it.", style="dim"))
        return
    for frame in ran.frames:
        screen.say(printable(f"  {shown(Path(frame.filename))}, line {frame.lineno}, in {frame.name}"))
        screen.say(printable(f"    {frame.line}"))
    screen.say(printable(said_of(ran.error)), "bold red")
    if not ran.frames:
        screen.print(Text("It is in no line of yours: does the function take these arguments?"))
    elif with_pdb:
        screen.print(Text("pdb is open in your own frame: p NAME shows a value, l the lines, u and d move, q quits."))
        post_mortem(ran)
