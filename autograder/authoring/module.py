"""The lesson as a module: module cells, functions and answers of a notebook, in its order."""

from __future__ import annotations

from itertools import pairwise

from nbformat import NotebookNode

from autograder.authoring.parse import QUESTION
from autograder.authoring.solution import BEGIN, END
from autograder.authoring.templates import render
from autograder.course.records import Lesson


def module_text(notebook: NotebookNode, lesson: Lesson, *, solved: bool) -> str:
    """The solved module from the solved notebook, or the stub from the student's."""
    parts = [_part(cell) for cell in notebook.cells if "cnnviz" in cell.metadata]
    body = parts[0]
    for before, part in pairwise(parts):
        body += ("\n\n\n" if _has_definition(before) or _has_definition(part) else "\n\n") + part
    return render("module.py.j2", lesson=lesson, solved=solved, body=body)


def _part(cell: NotebookNode) -> str:
    """The cell's code without the marks; of a filled answer only the last word."""
    lines = cell.source.strip("\n").split("\n")
    marks = [index for index, line in enumerate(lines) if line.strip() in (BEGIN, END)]
    if marks and cell.metadata["cnnviz"]["kind"] == QUESTION:
        lines = lines[marks[0] + 1 : marks[1]]
    return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))


def _has_definition(source: str) -> bool:
    return any(line.startswith(("def ", "class ", "@")) for line in source.split("\n"))
