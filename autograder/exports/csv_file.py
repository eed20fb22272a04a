"""A CSV file of somebody else's: cells can be read and set, and every byte that was not set stays as it was."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autograder.text.words import Cell

BOM = "\ufeff"
WIDE = "\ufeff".encode("utf-16-le")
SEPARATORS = (",", ";", "\t")


@dataclass
class Field:
    """One cell: the text of the file, with its quotes, and what it means."""

    raw: str
    value: str


@dataclass
class Line:
    """One row and what ends it: nothing at the end of a file."""

    cells: list[Field]
    end: str


class Sheet:
    """The rows of a CSV file; `bytes(sheet)` is the file, unchanged but for the cells that were set."""

    def __init__(self, lines: list[Line], separator: str, mark: str, encoding: str = "utf-8") -> None:
        self.lines, self.separator, self._mark, self._encoding = lines, separator, mark, encoding

    def __bytes__(self) -> bytes:
        text = "".join(self.separator.join(c.raw for c in line.cells) + line.end for line in self.lines)
        return (self._mark + text).encode(self._encoding)

    def __len__(self) -> int:
        return len(self.lines)

    @property
    def header(self) -> list[str]:
        """The first row."""
        return self.row(0) if self.lines else []

    def row(self, number: int) -> list[str]:
        """The values of one row."""
        return [cell.value for cell in self.lines[number].cells]

    def value(self, row: int, column: int) -> str:
        """One value; empty beyond the end of a short row."""
        cells = self.lines[row].cells
        return cells[column].value if column < len(cells) else ""

    def column(self, column: int, rows: Sequence[int]) -> list[str]:
        """The values of some rows in one column."""
        return [self.value(row, column) for row in rows]

    def set(self, row: int, column: int, value: Cell) -> None:
        """Puts a value into one cell; quoted where it must be, and where the cell was."""
        cells = self.lines[row].cells
        cells += [Field("", "") for _ in range(column + 1 - len(cells))]
        needed = any(character in value for character in f'{self.separator};\t"\r\n') or value != value.strip()
        quoted = '"' + value.replace('"', '""') + '"'
        cells[column] = Field(quoted if needed or cells[column].raw.startswith('"') else value, value)


def read(path: Path, name: str) -> Sheet:
    """The CSV file at `path`; `name` is the argument that an error speaks of.

    Raises:
        ValueError: it is neither UTF-8 nor UTF-16 text, or has a quote that is never closed.
        OSError: it cannot be read.
    """
    try:
        return parsed(path.read_bytes())
    except UnicodeDecodeError as error:
        raise ValueError(
            f"{name}: {path} is not {error.encoding.upper()} text (byte {error.start}); "
            "take the file as it was downloaded, not one that a spreadsheet saved again."
        ) from error
    except SyntaxError as error:
        raise ValueError(
            f"{name}: {path}, row {error}, has a quote that is never closed; download it again."
        ) from error


def parsed(data: bytes) -> Sheet:
    """The sheet in these bytes; the separator is the one that makes most cells of the first row.

    UTF-16 is known by its mark (Blackboard's .xls), all else is UTF-8.
    """
    encoding = "utf-16-le" if data.startswith(WIDE) else "utf-8"
    text = data.decode(encoding)
    mark = BOM if text.startswith(BOM) else ""
    text = text.removeprefix(BOM)
    widths = {separator: len(_first(text, separator)) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=widths.__getitem__)
    return Sheet(list(_lines(text, separator)), separator, mark, encoding)


def _first(text: str, separator: str) -> list[Field]:
    try:
        return next(_lines(text, separator), Line([], "")).cells
    except SyntaxError:
        return []


def _lines(text: str, separator: str) -> Iterator[Line]:
    """Row by row: a quote opens a cell only at its beginning, and whatever stands behind the closing one is kept."""
    cell = re.compile(rf'"((?:[^"]|"")*)("?)([^{separator}\r\n]*)|([^{separator}\r\n]*)')
    end = re.compile(r"\r\n|\r|\n|\Z")
    at, number = 0, 1
    cells: list[Field] = []
    while at < len(text) or cells:
        found = cell.match(text, at)
        if found is None or (found[1] is not None and not found[2]):
            raise SyntaxError(number)
        cells.append(Field(found[0], found[4] if found[1] is None else found[1].replace('""', '"') + found[3]))
        at = found.end()
        if text[at : at + 1] == separator:
            at += 1
            continue
        stop = end.match(text, at)
        yield Line(cells, stop[0] if stop else "")
        at, cells, number = (stop.end() if stop else len(text)), [], number + 1
