"""The solved notebooks, executed once and kept. What is taken from them are outputs; no source leaves this module."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import nbformat

from autograder.authoring.lint_runs import CELL_SECONDS
from autograder.course.records import Lesson
from making.places import KEPT, ROOT, fingerprint, python_files

Outputs = Mapping[str, Sequence[nbformat.NotebookNode]]
"""Cell id -> what the cell shows."""


def outputs(lesson: Lesson, *, execute: bool) -> Outputs:
    """What each cell of the solved notebook shows; nothing where it would have to be executed and must not be.

    Args:
        lesson: the records.
        execute: whether a notebook that is not kept is executed, which takes about half a minute.
    """
    kept = KEPT / f"{lesson.id}-{_key(lesson)}.ipynb"
    if not kept.is_file():
        if not execute:
            return {}
        print(f"executing {lesson.id}", flush=True)
        notebook = _run(_solved(lesson), _path(lesson).parent)
        kept.parent.mkdir(parents=True, exist_ok=True)
        for old in KEPT.glob(f"{lesson.id}-*.ipynb"):
            old.unlink()
        kept.write_text(nbformat.writes(notebook), encoding="utf-8")
    cells = nbformat.read(kept, as_version=4).cells
    return {cell.id: cell.outputs for cell in cells if cell.cell_type == "code"}


def off_the_page(cell: nbformat.NotebookNode) -> bool:
    """Whether the cell is for working in the notebook only."""
    return "remove-cell" in cell.metadata.get("tags", ())


def _key(lesson: Lesson) -> str:
    """What figures depend on. The checks are left out: of them only pictures of right maps are shown."""
    code = [cell.source for cell in _solved(lesson).cells if cell.cell_type == "code"]
    return fingerprint(python_files("cnnviz"), _DESCRIBING, *code)


def _solved(lesson: Lesson) -> nbformat.NotebookNode:
    notebook = nbformat.read(_path(lesson), as_version=4)
    notebook.cells = [cell for cell in notebook.cells if not off_the_page(cell)]
    return notebook


def _path(lesson: Lesson) -> Path:
    return ROOT / "solutions" / lesson.id / f"{lesson.name}.ipynb"


def _run(notebook: nbformat.NotebookNode, folder: Path) -> nbformat.NotebookNode:
    """The notebook with its outputs; every figure carries a description in its metadata."""
    from nbclient import NotebookClient  # slow to import, and mostly not needed

    notebook.cells.insert(0, nbformat.v4.new_code_cell(_DESCRIBING, id="describing"))
    resources = {"metadata": {"path": str(folder)}}
    client = NotebookClient(notebook, timeout=CELL_SECONDS, kernel_name="python3", resources=resources)
    client.execute(env={**os.environ, "OMP_NUM_THREADS": "1"})
    del notebook.cells[0]
    return notebook


_DESCRIBING = (Path(__file__).parent / "describing.py").read_text(encoding="utf-8")
"""Runs in the notebook's kernel before its first cell."""
