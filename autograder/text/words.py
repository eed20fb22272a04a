"""The one way of text that others wrote to a screen, a log, a table or a page: here it becomes a type that they take.

A name, a message, a print or a file's name is a plain `str` that may hold anything. The sinks take `Line`, `Shown`,
`Cell` or `markupsafe.Markup` only, which mypy holds them to, and nothing but the functions below makes the first three.
"""

from __future__ import annotations

import csv
import io
import json
import logging
import re
import sys
import traceback
import unicodedata
import warnings
from collections.abc import Callable, Iterable
from typing import Any, NewType

LONGEST = 2000
"""Characters of one message that are shown."""

Shown = NewType("Shown", str)
"""Lines without a character that a terminal or a browser would obey instead of showing."""
Line = NewType("Line", Shown)
"""The same on one line: a name cannot add a sentence of its own below ours."""
Cell = NewType("Cell", str)
"""A `Line` that no spreadsheet takes for a formula."""

_JOINERS = "\u200c\u200d"
"""Part of Persian and Hindi names and of emoji; nothing else changes its place or its look by them."""
_RUNS = re.compile(rf"[\s'{_JOINERS}]*[=+\-@＝＋－＠﹢﹣﹦﹫]")
"""What a formula, or a command to another program, can begin with; the full-width and small forms too."""
_RUNS_WITHIN = re.compile(
    rf"([;|,][\s'{_JOINERS}]*)(?=[=@＝＠﹦﹫]|[+\-＋－﹢﹣](?![\d.]+\s*(?:[^\d.\s+\-*/^&(<>=]|$)))"
)
"""The same behind a sign that a spreadsheet of another country takes for the end of a cell; a number is none."""


def counted(number: int, noun: str) -> str:
    """A number with its noun: "1 point", "3 points"."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def visible(text: str) -> Shown:
    """Text in its lines; in place of what would be obeyed stands a replacement character."""
    return Shown("".join(c if c in "\n\t" or _shows(c) else "\ufffd" for c in text))


def shown(text: str) -> Shown:
    """`visible`, cut where it is too long."""
    return Shown(visible(text[:LONGEST]) + (" …" if len(text) > LONGEST else ""))


def printable(text: str) -> Line:
    """`visible` on one line: what ends a line, and a tab, is a space."""
    return Line(Shown("".join(c if _shows(c) else " " if c.isspace() else "\ufffd" for c in text)))


def cell(text: str) -> Cell:
    """`printable`, with an apostrophe before what a spreadsheet would run, and before what has one there already."""
    line = _RUNS_WITHIN.sub(r"\1'", printable(text))
    return Cell(f"'{line}" if _RUNS.match(line) else line)


def csv_text(rows: Iterable[Iterable[str | float | None]], *, end: str = "\n") -> str:
    """A CSV file in which every text is a `cell`; all are quoted, so that another separator splits none of them."""
    out = io.StringIO()
    table = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator=end)
    table.writerows([cell(each) if isinstance(each, str) else each for each in row] for row in rows)
    return out.getvalue()


def json_text(value: Any, *, indent: int | None = None) -> str:
    """JSON in which every text is `visible`, as it stands in the file and as a page shows it."""
    return json.dumps(changed_in(value, visible), ensure_ascii=False, indent=indent, allow_nan=False)


def changed_in(value: Any, change: Callable[[str], str]) -> Any:
    """A value made of dicts, lists and texts with every text in it changed."""
    if isinstance(value, dict):
        return {change(str(name)): changed_in(each, change) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [changed_in(each, change) for each in value]
    return change(value) if isinstance(value, str) else value


class Record(logging.LogRecord):
    """A record of a log whose message is one line, whoever wrote it and whatever it is about."""

    def getMessage(self) -> Line:
        """The message with its arguments."""
        return printable(super().getMessage())


def report_safely() -> None:
    """From now on the logs, warnings and uncaught errors of this process are safe to show, other packages' too.

    A screen or a file that has no sign for a character, as on Windows, gets "?" for it.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    plain = warnings.formatwarning
    warnings.formatwarning = lambda *fields, **named: visible(plain(*fields, **named))
    logging.setLogRecordFactory(_record)
    sys.excepthook = lambda *error: print(_traceback(error), file=sys.stderr)


def _record(*fields: Any, **named: Any) -> Record:
    made = Record(*fields, **named)
    if made.exc_info:
        made.exc_text = _traceback(made.exc_info)
    return made


def _traceback(error: Any) -> Shown:
    return visible("".join(traceback.format_exception(*error)).rstrip())


def _shows(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) == "Zs"
