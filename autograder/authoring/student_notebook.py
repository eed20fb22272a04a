"""From the solved notebook to the student's, by nbgrader's own preprocessors."""

from __future__ import annotations

import copy
from typing import Any

from nbformat import NotebookNode
from nbgrader import preprocessors as stock
from traitlets import Unicode

from autograder.authoring.parse import EXERCISE, QUESTION
from autograder.text.words import counted


class ReleaseSolutions(stock.ClearSolutions):
    """nbgrader's ClearSolutions with a stub that fits the cell: id and lines to expect, or nothing for an answer."""

    text_stub = Unicode("*Write your answer here.*", help="For an answer in words.").tag(config=True)

    def preprocess_cell(self, cell: NotebookNode, resources: Any, cell_index: int) -> tuple[NotebookNode, Any]:
        """Empties the solution region of one cell."""
        ours = cell.metadata.get("cnnviz", {})
        usual: dict[str, str] = self.code_stub  # type: ignore[has-type]
        self.code_stub = usual | {"python": _stub(ours)} if ours.get("kind") in (EXERCISE, QUESTION) else usual
        cell, resources = super().preprocess_cell(cell, resources, cell_index)
        self.code_stub = usual
        cell.source = cell.source.rstrip()
        return cell, resources


PREPROCESSORS = (
    stock.LockCells,
    ReleaseSolutions,
    stock.ClearOutput,
    stock.CheckCellMetadata,
    stock.ComputeChecksums,
    stock.SaveCells,
    stock.ClearHiddenTests,
    stock.ClearMarkScheme,
    stock.ComputeChecksums,
    stock.CheckCellMetadata,
)
"""nbgrader's release pipeline in its order; a checksum is computed again after anything that changes a cell."""


def released(notebook: NotebookNode) -> NotebookNode:
    """The student's notebook. The gradebook is left alone: only nbgrader's own command writes there."""
    notebook = copy.deepcopy(notebook)
    resources: Any = {}
    for stage in PREPROCESSORS:
        if stage is not stock.SaveCells:
            notebook, resources = stage()(notebook, resources)
    return notebook


def _stub(ours: dict[str, Any]) -> str:
    if ours["kind"] == QUESTION:
        return ""
    lines = counted(ours["lines"], "line")
    return f'# Your code here: about {lines}.\nraise NotImplementedError("{ours["id"]} is not written yet")'
