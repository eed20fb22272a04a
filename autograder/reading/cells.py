"""The cells of a notebook file that anybody may have written: the one reader, for grading, nbgrader and practice."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

LARGEST = 20_000_000
"""Bytes of the largest file that is read."""
LARGEST_CODE = 200_000
"""Characters of code in one submission: its syntax tree may take 500 MB."""
MOST_CELLS = 2000
"""Cells of one notebook."""


class Unreadable(ValueError):
    """What was handed in cannot be read; the sentence is what student and instructor are told."""


@dataclass(frozen=True)
class Found:
    """One cell of a submitted notebook; of its metadata only what tells where it belongs."""

    code: bool
    source: str
    cell_id: str = ""
    grade_id: str = ""
    solution: bool = False
    """Whether the file calls it a cell for a solution."""


def read_cells(data: bytes, name: str) -> list[Found]:
    """The cells of a submitted notebook, whatever else the file holds.

    Raises:
        Unreadable: it is no notebook, or too large.
    """
    if len(data) > LARGEST:
        raise Unreadable(too_large(name))
    try:
        notebook = json.loads(data, parse_int=float)  # no number counts here, and `int` refuses long ones
        cells = [found(cell) for cell in _cells(notebook) if isinstance(cell, Mapping)]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, MemoryError) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        raise Unreadable(
            f"submission: {name} is not a notebook ({reason}); save it again from Jupyter as .ipynb."
        ) from error
    if len(cells) > MOST_CELLS:
        raise Unreadable(
            f"submission: {name} has {len(cells)} cells, and {MOST_CELLS} are read; remove those that you do not need."
        )
    refuse_much_code(sum(len(cell.source) for cell in cells if cell.code), name)
    return cells


def looks_like_notebook(data: bytes) -> bool:
    """Whether the bytes are a notebook, whatever the file is called."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return False
    try:
        return bool(read_cells(data, ""))
    except Unreadable:
        return False


def refuse_much_code(characters: int, name: str) -> None:
    """Raises where there is more code than can be read safely.

    Raises:
        Unreadable: there is.
    """
    if characters > LARGEST_CODE:
        raise Unreadable(
            f"submission: {name} has {characters:,} characters of code, and {LARGEST_CODE:,} are read; "
            "remove what is not code of yours."
        )


def too_large(name: str) -> str:
    """The sentence for a file of more than `LARGEST` bytes."""
    return f"submission: {name} has more than {LARGEST // 1_000_000} MB; clear the outputs and hand it in again."


def found(cell: Mapping[str, Any]) -> Found:
    """One cell, of which anything may be missing or of a wrong kind."""
    about = cell.get("metadata")
    grader = about.get("nbgrader") if isinstance(about, Mapping) else None
    grader = grader if isinstance(grader, Mapping) else {}
    return Found(
        code=cell.get("cell_type") == "code",
        source=_source(cell),
        cell_id=_string(cell.get("id")),
        grade_id=_string(grader.get("grade_id")),
        solution=grader.get("solution") is True,
    )


def _cells(notebook: Any) -> Iterator[Any]:
    """Notebooks of Jupyter's early years have worksheets, and their code is called input."""
    for sheet in notebook.get("worksheets", [notebook]):
        if not isinstance(sheet["cells"], list):
            raise TypeError("its cells are not a list")
        yield from sheet["cells"]


def _source(cell: Mapping[str, Any]) -> str:
    source = cell.get("source", cell.get("input"))
    lines = source if isinstance(source, list) else [source]
    return _encodable("".join(line for line in lines if isinstance(line, str)))


def _string(value: Any) -> str:
    return _encodable(value) if isinstance(value, str) else ""


def _encodable(text: str) -> str:
    """JSON can spell half a character, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
