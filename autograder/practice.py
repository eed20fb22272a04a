"""`check` in a notebook: calls the student's function where it lives. Nothing from here ever counts for a grade."""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import sys
from bdb import BdbQuit
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

from autograder.core.grade import grade_answer, grade_function, with_parts
from autograder.core.judge import Graded, everywhere
from autograder.core.message import message
from autograder.core.verdict import FAILED, LATER, NOT_ATTEMPTED, PASSED, Points, summary
from autograder.course import registry
from autograder.course.records import Exercise, Lesson, Question, foundations
from autograder.feedback.student_page import Section, practice_section
from autograder.isolated import Cell
from autograder.isolated.failures import own_traceback
from autograder.report import pages, tables
from autograder.report.showcase import Picture, practice_showcase
from autograder.text.screen import Screen, Text
from autograder.text.words import printable


class Panel:
    """The verdict on an exercise: what to change, values, a line per check. Jupyter draws it; else it is printed."""

    def __init__(self, graded: Graded, pictures: list[Picture]):
        self.graded, self.pictures = graded, pictures

    @property
    def passed(self) -> bool:
        """Whether every check passed that is judged here."""
        return summary(self.graded.rows) in (PASSED, LATER)

    def __repr__(self) -> str:
        console = Screen(width=100, color_system=None, force_jupyter=False)  # else it shows an empty output
        with console.capture() as text:
            console.say(printable(f"{self.graded.item.id}: {Points.of(self.graded.rows)}"))
            for row in self.graded.rows:
                console.print(tables.marked(row.verdict), Text(row.check))
            console.print(tables.diagnoses([self.graded]))
        return text.get().rstrip()

    def _repr_html_(self) -> str:
        return pages.panel(self.section)

    @property
    def section(self) -> Section:
        """What the panel shows, in the form of the feedback page."""
        return practice_section(self.graded, self.pictures)


class Overview:
    """All exercises of a lesson as they stand in this notebook, and what comes next."""

    def __init__(self, lesson: Lesson, graded: Sequence[Graded]):
        self.lesson, self.graded = lesson, graded

    def __repr__(self) -> str:
        console = Screen(width=100, color_system=None, force_jupyter=False)  # else it shows an empty output
        with console.capture() as text:
            console.print(tables.lesson_table(self.lesson, self.graded))
            console.say(printable(self.next))
        return text.get().rstrip()

    def _repr_html_(self) -> str:
        sections = [practice_section(each, []) for each in self.graded]
        points = Points.of(*(each.rows for each in self.graded))
        return pages.page("lesson.html.j2", lesson=self.lesson, sections=sections, points=points, next=self.next)

    @property
    def next(self) -> str:
        """What to do next, in a sentence or two."""
        left = [each for each in self.graded if summary(each.rows) not in (PASSED, LATER)]
        if not left:
            return "Everything passes that is judged here: hand it in, or go on with the next lesson."
        item = left[0].item
        if not isinstance(item, Exercise):
            what = "one of the words" if item.choices else "a number"
            return f'Next: predict. Set {item.variable} to {what}, and run check("{item.id}", {item.variable}).'
        told = next(iter(tables.messages(left[0].rows)), "")
        what = f"{item.title} is not right yet: {told}" if told else f"write {item.function} ({item.title})."
        return f'Next: {what} Then check("{item.id}", {item.function}).'


def _overview(around: dict[str, Any]) -> Overview:
    lesson, right = _lesson_at(around), dict[str, bool]()
    graded: list[Graded] = []
    with contextlib.redirect_stdout(io.StringIO()):
        for item in lesson.items:
            if isinstance(item, Question):
                graded.append(_answered(item, around.get(item.variable)))
            elif callable(own := around.get(item.function)):
                graded.append(_practised(item, own, around, right))
            else:
                graded.append(everywhere(item, NOT_ATTEMPTED, None))
    return Overview(lesson, graded)


def _answered(question: Question, given: Any) -> Graded:
    """The verdict on a prediction, which also says the first answer where that can be kept."""
    answer = _as_answer(given)
    row = grade_answer(question, answer)
    with contextlib.suppress(ModuleNotFoundError):  # where only the methods are installed
        from autograder.study.cache import Cache
        from autograder.study.firsts import with_first

        row = with_first(row, question, answer, Cache())
    return Graded(question, (row,))


def _as_answer(given: Any) -> str | None:
    """A word or a number as a submission would say it; None for anything else."""
    if isinstance(given, str):
        return given
    return repr(float(given)) if isinstance(given, int | float) and not isinstance(given, bool) else None


def _lesson_at(around: Mapping[str, Any]) -> Lesson:
    """The lesson in whose folder the notebook runs, else the one most of whose names are defined.

    Raises:
        ValueError: none is.
    """
    names = {each.id: sum(item.id.split(".")[1] in around for item in each.items) for each in registry.lessons()}
    here = Path.cwd().name
    found = here if names.get(here) else max(names, key=names.__getitem__)
    if not names[found]:
        raise ValueError(
            "check: no exercise of the course is defined in this notebook; run its cells from the top, "
            'or name one: check("grad_cam.capture", capture).'
        )
    return registry.lesson(found)


def check(name: str | None = None, answer: Callable[..., Any] | str | float | None = None) -> Panel | Overview:
    """Checks your function, or your answer to a prediction question; without arguments, shows how the lesson stands.

    Args:
        name: the exercise's id, as its heading says it: "grad_cam.neuron_importance".
        answer: the function itself (without calling it), or the word or number that you predict.

    Raises:
        ValueError: no exercise has this id, or `answer` is neither a function nor an answer.

    >>> check("grad_cam.no_such_exercise", None)
    Traceback (most recent call last):
    ValueError: exercise: got "grad_cam.no_such_exercise", which does not exist; ...
    """
    around = inspect.stack(context=0)[1].frame.f_globals
    if name is None:
        return _overview(around)
    item = registry.item(name)
    if isinstance(item, Question):
        if answer is not None and _as_answer(answer) is None:
            allowed = "one of the words" if item.choices else "a number"
            raise ValueError(f"answer: got {type(answer).__name__}, allowed is {allowed}; see {item.variable} above.")
        return Panel(_answered(item, answer), [])
    if not callable(answer):
        raise ValueError(
            f'answer: got {type(answer).__name__}, allowed is your function; write check("{name}", {item.function}).'
        )
    __tracebackhide__ = True  # a notebook shows the student's own frames
    raised: list[BaseException] = []
    try:
        graded = _noted(_practised(item, _watched(answer, raised), around, {}), item.function, answer, around)
        if summary(graded.rows) == NOT_ATTEMPTED:
            return Panel(graded, [])
        photos = practice_showcase(item, answer, failed=summary(graded.rows) == FAILED)
    except KeyboardInterrupt as stopped:
        raise stopped.with_traceback(own_traceback(stopped, answer)) from None
    if raised:
        _to_debug(raised[0], answer)
    return Panel(graded, photos)


def _practised(
    exercise: Exercise, function: Callable[..., Any], around: dict[str, Any], right: dict[str, bool]
) -> Graded:
    """The verdict on a function; where earlier ones of the notebook may be what is wrong, with ours in their place.

    Args:
        exercise: the exercise.
        function: the function.
        around: the notebook's names.
        right: what is known of the earlier exercises.
    """
    parts = foundations(exercise, registry.lesson_of(exercise.id).exercises)

    def broken() -> tuple[str, ...]:
        for part in map(registry.exercise, parts):
            if part.id not in right:
                own = around.get(part.function)
                verdict = summary(_practised(part, own, around, right).rows) if callable(own) else NOT_ATTEMPTED
                right[part.id] = verdict in (PASSED, LATER)
        return tuple(name for name in parts if not right[name])

    def again(ours: Cell) -> Graded:
        with _in_place(ours, getattr(inspect.unwrap(function), "__globals__", around)):
            return grade_function(exercise, function)

    judged = grade_function(exercise, function)
    if summary(judged.rows) in (NOT_ATTEMPTED, LATER):
        return judged
    with contextlib.redirect_stdout(io.StringIO()):  # what it prints is there already
        return with_parts(judged, parts, broken, again)


@contextlib.contextmanager
def _in_place(ours: Cell, names: dict[str, Any]) -> Iterator[None]:
    """What our text defines stands among the notebook's names meanwhile."""
    made = dict(names)
    exec(compile(ours.source, f"<{ours.label}>", "exec"), made)
    changed = {name: value for name, value in made.items() if name not in names or names[name] is not value}
    before = {name: names[name] for name in changed if name in names}
    names.update(changed)
    try:
        yield
    finally:
        for name in changed:
            names.pop(name, None)
        names.update(before)


def _watched(answer: Callable[..., Any], raised: list[BaseException]) -> Callable[..., Any]:
    """The function; what it raises is kept in `raised`, and a notebook's debugger shows none of those who called it."""

    @functools.wraps(answer)
    def called(*given: Any, **named: Any) -> Any:
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code is not check.__code__:
            frame.f_locals["__tracebackhide__"] = True
            frame = frame.f_back
        try:
            return answer(*given, **named)
        except BdbQuit as left:  # else it opens again in every call that follows
            stopped = KeyboardInterrupt("you left the debugger, and the check with it")
            raise stopped.with_traceback(own_traceback(left, answer)) from None
        except Exception as error:
            raised.append(error)
            raise

    return called


def _to_debug(error: BaseException, answer: Callable[..., Any]) -> None:
    """Leaves an exception where `%debug` and `pdb.pm()` look for the last one, with the student's own frames."""
    if (trace := own_traceback(error, answer)) is not None:
        sys.last_type, sys.last_value, sys.last_traceback = type(error), error.with_traceback(trace), trace
        sys.last_exc = error  # type: ignore[attr-defined]


def _noted(graded: Graded, asked: str, answer: Callable[..., Any], around: Mapping[str, Any]) -> Graded:
    """The verdict on a function of another name, with a sentence: handed in, it would not be found."""
    name = getattr(answer, "__name__", type(answer).__name__)
    if name == asked or around.get(asked) is answer:
        return graded
    note = message("note.another_name", got=name, asked=asked)
    return replace(graded, rows=tuple(replace(row, note=note) for row in graded.rows))
