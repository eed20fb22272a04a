"""Says of one exercise its verdict and diagnosis, its hints, and what a reset did."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import ConsoleRenderable

from autograder.core.verdict import FAILED
from autograder.course.outlines import EXERCISE, Item
from autograder.study.cache import Cache
from autograder.study.folder import shown
from autograder.study.progress import State
from autograder.study.resetting import Reset
from autograder.study.signs import answers, in_own_order, indented, listed, name_of, sentence_case, sign, size
from autograder.text.screen import Text

MOST_PRINTED = 40
"""Lines of a student's own output that are shown unasked."""


def verdict(state: State) -> Iterator[ConsoleRenderable]:
    """The verdict on one exercise, why, the formula, and what the code printed."""
    item = state.item
    if state.incomplete:
        yield Text(f"{item.name} is not complete yet: {state.incomplete}.")
        return
    yield Text.assemble(sign(state), f"  {name_of(item)}", (f"  {item.id}, {state.score}", "dim"))
    if state.told:
        yield indented(sentence_case(state.told[0][0]))
    if len(state.told) > 1:
        yield indented(Text("Other checks say more; begin with this; c shows them.", style="dim"))
    if item.formula and state.verdict == FAILED:
        yield indented(Text.assemble(("Formula: ", "dim"), item.formula))
    if state.output.strip():
        yield indented(Text("Your code printed:", style="dim"))
        yield indented(_head(state.output), 4)


def everything_printed(state: State) -> Iterator[ConsoleRenderable]:
    """All that the code of one exercise printed when it was run last."""
    if not state.output.strip():
        yield Text(f"{state.item.name} printed nothing, or was not run in this session; Enter runs it again.")
        return
    yield Text(f"{state.item.name} printed:", style="dim")
    yield indented(state.output.strip("\n"))


def all_checks(state: State) -> Iterator[ConsoleRenderable]:
    """Every sentence on one exercise, with the checks that it is about."""
    yield Text.assemble(sign(state), f"  {name_of(state.item)}", (f"  {state.item.id}, {state.score}", "dim"))
    for sentence, checks in state.told:
        yield indented(Text(f"{', '.join(checks)}:", style="dim"))
        yield indented(sentence_case(sentence), 4)


def task(item: Item, file: str) -> Iterator[ConsoleRenderable]:
    """Says what an exercise asks for."""
    if item.kind != EXERCISE:
        yield Text.assemble((f"Prediction {item.name}: ", "bold"), item.title)
        yield listed(*in_own_order(item.options, item.id))
        yield indented(f"Set {item.name} to {answers(item)} in {file}.")
        return
    yield Text.assemble(
        (f"{item.title}: ", "bold"),
        f"write {item.name} in {file}, {size(item)}.",
    )
    if item.formula:
        yield indented(Text.assemble(("Formula: ", "dim"), item.formula))


def hints(
    item: Item,
    cache: Cache,
    *,
    rung: int | None = None,
    everything: bool = False,
    more: str = "The same command again shows",
) -> Sequence[ConsoleRenderable]:
    """The next hint, or those that are asked for, with a word on how to get more.

    Raises:
        ValueError: no such rung, or a question, which has no hints.
    """
    last = climb(item, cache, len(item.hints) if everything and item.hints else rung)
    parts: list[ConsoleRenderable] = [Text(f"{name_of(item)} ({item.id})", style="bold")]
    for shown_rung in range(1 if everything else last, last + 1):
        parts += [Text(rung_title(item, shown_rung) + ":"), indented(item.hints[shown_rung - 1])]
    if last < len(item.hints):
        parts.append(Text(f"{more} hint {last + 1}.", style="dim"))
    return parts


def was_reset(done: Sequence[Reset], item: Item | None) -> Iterator[ConsoleRenderable]:
    """Says what was put back and where the student's own lies."""
    what = item.name if item is not None else "it"
    if not done:
        yield Text(f"Nothing to do: {item.name if item else 'the lesson'} is as it was handed out.")
        return
    for one in done:
        yield Text(f"{shown(one.file)}: {what} is as it was handed out.")
        if one.backup is not None:
            yield indented(Text(f"Yours is kept in {shown(one.backup)}"))
    if any(one.file.suffix == ".ipynb" for one in done):
        yield Text("If the notebook is open in Jupyter, load it again: File, Reload Notebook from Disk.")


def _head(output: str) -> str:
    lines = output.strip("\n").split("\n")
    more = [f"and {len(lines) - MOST_PRINTED} lines more; o shows all"] if len(lines) > MOST_PRINTED else []
    return "\n".join([*(line[:200] for line in lines[:MOST_PRINTED]), *more])


KIND = "hints"
RUNGS = ("a question", "a pointer", "the steps, almost in code")


def next_rung(item: Item, cache: Cache) -> int:
    """The first rung that was not seen, counted from 1; the last one again where all were."""
    read = cache.get(KIND, item.id) or {}
    seen = read.get("seen")
    return min(seen + 1, len(item.hints)) if isinstance(seen, int) and seen > 0 else 1


def climb(item: Item, cache: Cache, rung: int | None = None) -> int:
    """Notes that a rung is seen, the next one where none is named, and says which.

    Raises:
        ValueError: there is no such rung, or there are no hints.
    """
    if item.kind != EXERCISE:
        raise ValueError(f"hint: {item.id} is a prediction, which has no hints; guess, then run the cells below it.")
    if not item.hints:
        raise ValueError(f"hint: {item.id} has no hints; its lesson says what it asks for.")
    if rung is not None and not 1 <= rung <= len(item.hints):
        raise ValueError(f"--rung: got {rung}, allowed are 1 to {len(item.hints)}; leave it out for the next one.")
    shown = rung or next_rung(item, cache)
    seen = max(shown, next_rung(item, cache) - 1)
    cache.put(KIND, item.id, {"seen": seen})
    return shown


def rung_title(item: Item, rung: int) -> str:
    """ "Hint 1 of 3, a question"."""
    return f"Hint {rung} of {len(item.hints)}, {RUNGS[min(rung, len(RUNGS)) - 1]}"
