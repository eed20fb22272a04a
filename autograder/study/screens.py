"""The map of the course, and the list of one lesson, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path

from rich.console import ConsoleRenderable

from autograder.core.verdict import NOT_JUDGED, Points
from autograder.course.outlines import EXERCISE
from autograder.study.cache import Cache
from autograder.study.folder import Work, shown
from autograder.study.progress import Standing, State, known
from autograder.study.signs import (
    NARROW,
    answers,
    drawn,
    effort,
    heading,
    indented,
    listed,
    name_of,
    offer,
    sentence_case,
    sign,
    size,
    time_left,
)
from autograder.text.screen import Screen, Text

BAR = 8


def course_map(found: Sequence[Standing], console: Screen) -> Iterator[ConsoleRenderable]:
    """The whole course: a line per lesson, the exercises of the one in progress, the next step."""
    now = current(found)
    yield Text(_totals(found), style="bold")
    yield Text()
    before, after = _around(found, now)
    yield _lessons(before, now, console)
    if now is not None:
        yield _items(now, console)
    if after:
        yield _lessons(after, None, console)
    yield Text()
    yield from next_step(now)


def lesson_list(standing: Standing, console: Screen) -> Iterator[ConsoleRenderable]:
    """One lesson with its exercises."""
    yield _lessons([standing], standing, console)
    yield _items(standing, console)


def current(found: Sequence[Standing]) -> Standing | None:
    """The lesson in progress: of those that are begun the last saved, else the first that is left."""
    left = [standing for standing in found if not standing.finished]
    begun = [standing for standing in left if standing.begun]
    return max(begun, key=lambda standing: standing.work.saved()) if begun else next(iter(left), None)


def in_progress(works: Sequence[Work], cache: Cache) -> Work:
    """The same without running anything: a lesson that has changed since it was checked is in progress."""
    left = [(work, s) for work in works if (s := known(work, cache)) is None or not s.finished]
    begun = [work for work, standing in left if standing is None or standing.begun]
    return max(begun, key=lambda work: work.saved()) if begun else left[0][0] if left else works[0]


def at_hand(works: Sequence[Work], cache: Cache) -> Work:
    """The lesson in whose folder we are, else the one in progress."""
    here = Path.cwd().resolve()
    return next((work for work in works if here == work.folder.resolve()), None) or in_progress(works, cache)


def next_step(now: Standing | None) -> Iterator[ConsoleRenderable]:
    """What to do next, and the command for it."""
    if now is None or (state := now.next) is None:
        yield from _at_the_end()
        return
    yield Text(_what_next(now, state))
    yield offer(f"cnnviz watch {now.work.outline.number}", "checks whenever you save")
    if not now.begun:
        yield offer(f"cnnviz open {now.work.outline.number}", "if you would rather have a notebook")
    elif state.item.hints and not now.problem:
        yield offer(f"cnnviz hint {state.item.id}", "if you are stuck")


def _at_the_end() -> Iterator[ConsoleRenderable]:
    if find_spec("autograder.commands.showing") is None:  # a student's copy of the course
        yield Text(
            "Everything passes that can be judged here. Hand it in: predictions and hidden checks are judged then."
        )
        return
    yield Text("Everything passes: you have taken the whole course. Now look at a photo of your own:")
    yield offer("cnnviz gallery --photo FILE --out gallery", "every method on one page")


def _what_next(now: Standing, state: State) -> str:
    item, file = state.item, shown(now.work.folder / (now.file or now.work.module.name))
    if now.problem:
        return f"Next: {now.problem} Put {file} right, and its exercises show again."
    if state.told:
        return f"Next: {name_of(item)} ({item.id}) is not right yet. {sentence_case(state.told[0][0])}"
    if item.kind != EXERCISE:
        return f"Next: predict. {item.title} Set {item.name} to {answers(item)} in {file}."
    begin = "Next" if now.begun else f"Begin with lesson {heading(now.work.outline)}"
    return f"{begin}: write {item.name} ({name_of(item)}) in {file}: {size(item)}."


def _totals(found: Sequence[Standing]) -> str:
    finished = sum(standing.finished for standing in found)
    points = sum((s.points for s in found), Points())
    left = sum(standing.minutes for standing in found)
    told = f"The course: {finished} of {len(found)} lessons finished, {points}"
    return f"{told}, about {time_left(left)} left" if left else told


def _around(found: Sequence[Standing], now: Standing | None) -> tuple[Sequence[Standing], Sequence[Standing]]:
    cut = found.index(now) + 1 if now is not None else len(found)
    return found[:cut], found[cut:]


def _lessons(found: Sequence[Standing], now: Standing | None, console: Screen) -> ConsoleRenderable:
    if console.width < NARROW or not drawn(console):
        return listed(*((_arrow(s, now) + s.work.outline.number, in_words(s)) for s in found), by=0)
    return Text("\n").join(_line(standing, now) for standing in found)


def _line(standing: Standing, now: Standing | None) -> Text:
    name = f"{_arrow(standing, now)}{heading(standing.work.outline)}"
    done = f"{standing.done}/{len(standing.states)} done".ljust(8)
    points = f"{standing.points.brief} {'points' if standing.points.judged else NOT_JUDGED}"
    style = "bold" if standing is now else ""
    return Text.assemble((f"{name:<37} ", style), _bar(standing), f"  {done}  {points:<12}  {_left(standing)}")


def _arrow(standing: Standing, now: Standing | None) -> str:
    return "> " if standing is now else "  "


def in_words(standing: Standing) -> str:
    """How a lesson stands, without its number."""
    done = f"{standing.done} of {len(standing.states)} done"
    left = _left(standing) + (" left" if standing.minutes and not standing.finished else "")
    return f"{standing.work.outline.title}: {done}, {standing.points}, {left}"


def _left(standing: Standing) -> str:
    if standing.finished or not standing.minutes:
        return "finished" if standing.finished else "open"
    return time_left(standing.minutes)


def _bar(standing: Standing) -> Text:
    full = round(BAR * standing.done / len(standing.states))
    full = min(max(full, int(standing.done > 0)), BAR - int(not standing.finished))
    return Text.assemble(("■" * full, "green"), ("□" * (BAR - full), "dim"))


def _items(standing: Standing, console: Screen) -> ConsoleRenderable:
    if standing.problem:
        return indented(standing.problem, 5)
    if console.width >= NARROW:
        return listed(*((sign(state), _item(state)) for state in standing.states), by=5)
    return listed(*((sign(state)[:1], _item(state, word=f"{state.verdict}: ")) for state in standing.states), by=2)


def _item(state: State, word: str = "") -> Text:
    item = state.item
    if item.kind != EXERCISE:
        return Text.assemble(word, "Prediction", (f"  {item.id}", "dim"))
    about = ", ".join(filter(None, (item.id, effort(item), state.score)))
    return Text.assemble(word, item.title, (f"\n{about}", "dim"))
