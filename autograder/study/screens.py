"""The map of the course, and the list of one lesson, as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autograder.study.course import EXERCISE
from autograder.study.folder import shown
from autograder.study.progress import Standing, State
from autograder.study.words import (
    NARROW,
    calm,
    command,
    drawn,
    effort,
    heading,
    indented,
    listed,
    name_of,
    sign,
    time_left,
)

BAR = 8


def course_map(found: Sequence[Standing], console: Console) -> Iterator[RenderableType]:
    """The whole course: a line a lesson, the exercises of the one in progress, the next step."""
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


def lesson_list(standing: Standing, console: Console) -> Iterator[RenderableType]:
    """One lesson with its exercises."""
    yield _lessons([standing], standing, console)
    yield _items(standing, console)


def current(found: Sequence[Standing]) -> Standing | None:
    """The lesson in progress: of those that are begun the last saved, else the first that is left."""
    left = [standing for standing in found if not standing.finished]
    begun = [standing for standing in left if standing.begun]
    return max(begun, key=lambda standing: standing.work.saved()) if begun else next(iter(left), None)


def next_step(now: Standing | None) -> Iterator[RenderableType]:
    """What to do next, and the command for it."""
    if now is None or (state := now.next) is None:
        yield Text("Everything passes: you have taken the whole course. Look at any photo of your own with every method:")
        yield indented(command("cnnviz gallery --photo FILE --out gallery"))
        return
    yield Text(calm(_what_next(now, state)))
    yield listed((command(f"cnnviz watch {now.work.outline.number}"), "checks whenever you save"))
    if not now.begun:
        yield listed((command(f"cnnviz open {now.work.outline.number}"), "or take it in a notebook"))
    elif state.item.hints and not now.problem:
        yield listed((command(f"cnnviz hint {state.item.id}"), "if you are stuck"))


def _what_next(now: Standing, state: State) -> str:
    item, file = state.item, shown(now.work.folder / (now.file or now.work.module.name))
    if now.problem:
        return f"Next: {now.problem} Put {file} right, and its exercises show again."
    if state.told:
        return f"Next: {name_of(item)} ({item.id}) is not right yet. {_first(state)}"
    if item.kind != EXERCISE:
        return f"Next: predict. {item.title} Set {item.name} to {_letters(item.options)} in {file}."
    lines = "1 line" if item.lines == 1 else f"{item.lines} lines"
    begin = "Next" if now.begun else f"Begin with lesson {heading(now.work.outline)}"
    return f"{begin}: write {item.name} in {file}: {name_of(item)}, {effort(item)}, about {lines}."


def _first(state: State) -> str:
    sentence = state.told[0][0]
    return sentence[0].upper() + sentence[1:]


def _letters(options: Sequence[str]) -> str:
    quoted = [f'"{letter}"' for letter in options]
    return f"{', '.join(quoted[:-1])} or {quoted[-1]}" if len(quoted) > 1 else "".join(quoted)


def _totals(found: Sequence[Standing]) -> str:
    finished = sum(standing.finished for standing in found)
    points, possible = sum(s.points for s in found), sum(s.work.outline.points for s in found)
    left = sum(standing.minutes for standing in found)
    told = f"The course: {finished} of {len(found)} lessons finished, {points} of {possible} points"
    return f"{told}, about {time_left(left)} left" if left else told


def _around(found: Sequence[Standing], now: Standing | None) -> tuple[Sequence[Standing], Sequence[Standing]]:
    cut = found.index(now) + 1 if now is not None else len(found)
    return found[:cut], found[cut:]


def _lessons(found: Sequence[Standing], now: Standing | None, console: Console) -> RenderableType:
    if console.width < NARROW:
        return listed(*((_arrow(s, now) + heading(s.work.outline)[:2], _in_words(s)) for s in found), by=0)
    grid = Table.grid(padding=(0, 2, 0, 0))
    for width in (34, BAR if drawn(console) else 0, 11, 15, 14):
        grid.add_column(width=width, no_wrap=not width == 34)
    for standing in found:
        done, points, left = _numbers(standing)
        bar = _bar(standing) if drawn(console) else ""
        name = Text(f"{_arrow(standing, now)}{heading(standing.work.outline)}", style="bold" if standing is now else "")
        grid.add_row(name, bar, done, points, left)
    return grid


def _arrow(standing: Standing, now: Standing | None) -> str:
    return "> " if standing is now else "  "


def _in_words(standing: Standing) -> str:
    done, points, left = _numbers(standing)
    return f"{standing.work.outline.title}: {done}, {points}, {left}"


def _numbers(standing: Standing) -> tuple[str, str, str]:
    possible = standing.work.outline.points
    left = "finished" if standing.finished else f"{time_left(standing.minutes)} left" if standing.minutes else "nearly"
    return f"{standing.done} of {len(standing.states)} done", f"{standing.points} of {possible} points", left


def _bar(standing: Standing) -> Text:
    full = round(BAR * standing.done / len(standing.states))
    full = min(max(full, standing.done > 0), BAR - (not standing.finished))
    return Text.assemble(("■" * full, "green"), ("□" * (BAR - full), "dim"))


def _items(standing: Standing, console: Console) -> RenderableType:
    if standing.problem:
        return indented(calm(standing.problem), 5)
    rows = [(sign(state), _item(state)) for state in standing.states]
    if console.width >= NARROW:
        return listed(*rows, by=5)
    grid = Table.grid()
    for word, text in rows:
        grid.add_row(Padding(word, (0, 0, 0, 3)))
        grid.add_row(Padding(text, (0, 0, 0, 5)))
    return grid


def _item(state: State) -> Text:
    item = state.item
    if item.kind != EXERCISE:
        return Text.assemble("Prediction", (f"  {item.id}", "dim"))
    return Text.assemble(item.title, (f"\n{item.id}, {effort(item)}, {state.points} of {item.points} points", "dim"))
