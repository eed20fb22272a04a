"""Words and signs that every screen of the course shares. Beside every sign stands its word."""

from __future__ import annotations

import getpass
import hashlib
import os
import re
import shutil
import sys
from collections.abc import Sequence
from functools import cache

from rich.console import ConsoleRenderable
from rich.padding import Padding
from rich.table import Table

from autograder.course.outlines import EFFORT, EXERCISE, Item, Outline
from autograder.report.tables import MARKS
from autograder.study.progress import State
from autograder.text.screen import Screen, Text
from autograder.text.words import counted

PLAIN = "CNNVIZ_PLAIN"
"""Variable that, set to anything, leaves out what is only drawn: for screen readers and braille lines."""
NARROW = 72
"""Columns below which nothing stands side by side."""


@cache
def console() -> Screen:
    """Standard output: as wide as the terminal, without colour where NO_COLOR or a dumb terminal asks for it."""
    if not sys.stdout.isatty():
        return Screen()
    size = shutil.get_terminal_size()  # of a dumb terminal rich believes that it has 80 columns
    return Screen(width=size.columns, height=size.lines)


def drawn(console: Screen) -> bool:
    """Whether bars may be drawn, which say nothing that is not said in words."""
    return console.is_terminal and not console.is_dumb_terminal and not os.environ.get(PLAIN)


def sentence_case(text: str) -> str:
    """With a capital where it begins with a word, and not with a symbol or a name in the code."""
    return text[0].upper() + text[1:] if re.match(r"[a-z]{2,}[ ,]", text) else text


def sign(state: State) -> Text:
    """ "✓ passed", in colour where there is colour."""
    mark, style = MARKS[state.verdict]
    return Text(f"{mark} {state.verdict}", style=style)


def name_of(item: Item) -> str:
    """What an item is called in a sentence."""
    return item.title if item.kind == EXERCISE else f"Prediction {item.name}"


def effort(item: Item) -> str:
    """ "hard, 20 min", or as much of it as the author says."""
    if item.kind != EXERCISE:
        return "a word" if item.options else "a number"
    said = EFFORT.get(item.difficulty, ""), f"{item.minutes} min" if item.minutes else ""
    return ", ".join(filter(None, said))


def answers(item: Item) -> str:
    """What a prediction may be set to: "both", "minus" or "plus"."""
    if not item.options:
        return f"a number, at most {item.within:g} from the right one,"
    *first, last = [f'"{word}"' for word, _ in in_own_order(item.options, item.id)]
    return f"{', '.join(first)} or {last}"


def in_own_order(options: Sequence[tuple[str, str]], question: str) -> list[tuple[str, str]]:
    """The options in an order that is this user's own: two who compare answers have to read them."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):  # a container without a name for its user
        user = ""
    return sorted(options, key=lambda option: hashlib.sha256(f"{user} {question} {option[0]}".encode()).digest())


def size(item: Item) -> str:
    """ "hard, 20 min, about 3 lines" of an exercise."""
    return ", ".join(filter(None, (effort(item), f"about {counted(item.lines, 'line')}")))


def time_left(minutes: int) -> str:
    """Minutes, in hours where they are many."""
    return f"{minutes} min" if minutes < 100 else f"{minutes // 60} h {minutes % 60} min"


def indented(text: Text | str, by: int = 2) -> Padding:
    """A paragraph moved to the right, and wrapped there."""
    return Padding(Text(text) if isinstance(text, str) else text, (0, 0, 0, by), expand=False)


def listed(*rows: tuple[ConsoleRenderable | str, ConsoleRenderable | str], by: int = 2) -> Padding:
    """Rows of a word and what belongs to it, which wraps beside the word."""
    grid = Table.grid(padding=(0, 1))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for word, text in rows:
        grid.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in (word, text)))
    return Padding(grid, (0, 0, 0, by), expand=False)


def offer(command: str, why: str) -> Padding:
    """A command to type, and what for."""
    return indented(Text.assemble((command, "bold"), (f"  {why}", "dim")))


def heading(outline: Outline) -> str:
    """ "11 Grad-CAM"."""
    return f"{outline.number} {outline.title}"
