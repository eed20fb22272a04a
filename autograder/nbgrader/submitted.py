"""Reads a notebook that anybody may have written, and hands nbgrader the release copy with the student's code in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder.nbgrader.rebuild import Found, rebuilt
from autograder.submission import LARGEST

NO_NOTEBOOK = (ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError, nbformat.ValidationError)
"""What reading a file raises that is not a notebook."""


class Unreadable(ValueError):
    """The file is no notebook; the sentence is what student and instructor are told."""


class SubmissionExporter(NotebookExporter):
    """`NotebookExporter` that never lets a student's file as it is into nbgrader.

    nbgrader reads each notebook twice: from `submitted/`, where it is rebuilt here, before any check of nbgrader's can
    trip over it, and from `autograded/`, where it is our own.
    """

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> Any:
        """The exported notebook; `filename` is read as a submission where it lies in the submitted folder."""
        converter: Any = self.parent
        path, about, course = Path(filename), resources["nbgrader"], converter.coursedir
        submitted = course.format_path(course.submitted_directory, about["student"], about["assignment"])
        if path.parent.resolve() != Path(submitted).resolve():
            return super().from_filename(filename, resources=resources, **kw)
        copied = course.format_path(course.autograded_directory, about["student"], about["assignment"])
        drop_links(path.parent, Path(copied))
        released = course.format_path(course.release_directory, ".", about["assignment"])
        release = read_release(Path(released) / path.name)
        return self.from_notebook_node(self._handed_in(path, release), resources=resources, **kw)

    def _handed_in(self, path: Path, release: nbformat.NotebookNode) -> nbformat.NotebookNode:
        try:
            return rebuilt(release, read_cells(path))
        except Unreadable as error:
            self.log.error("%s", error)
            empty = rebuilt(release, [])
            empty.metadata["cnnviz"] = {"unreadable": str(error)}
            return empty


def drop_links(submitted: Path, copied: Path) -> None:
    """Removes nbgrader's copies of what were links in a submission: they would carry any file into the feedback."""
    for path in submitted.rglob("*"):
        if path.is_symlink():
            (copied / path.relative_to(submitted)).unlink(missing_ok=True)


def read_release(path: Path) -> nbformat.NotebookNode:
    """The notebook as students got it.

    Raises:
        FileNotFoundError: it was not generated yet.
    """
    if not path.is_file():
        raise FileNotFoundError(
            f"release: {path} does not exist; run `nbgrader generate_assignment {path.parent.name}` first."
        )
    return nbformat.read(path, as_version=4)


def read_cells(path: Path) -> list[Found]:
    """The cells of a submitted notebook, whatever else the file holds.

    Raises:
        Unreadable: it is no notebook, is too large, or leads out of the student's folder.
    """
    inside = path.resolve().is_relative_to(path.parent.resolve())
    if not inside or not path.is_file():
        raise Unreadable(f"submission: {path.name} is no plain file of the submitted folder; hand in the file itself.")
    if path.stat().st_size > LARGEST:
        size = f"{LARGEST // 1_000_000} MB"
        raise Unreadable(f"submission: {path.name} has more than {size}; clear the outputs and hand it in again.")
    try:
        notebook = _version_4(json.loads(path.read_bytes()))
        return [_found(cell) for cell in notebook["cells"] if isinstance(cell, Mapping)]
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        OSError,
        RecursionError,
        nbformat.ValidationError,
    ) as error:
        reason = f"{type(error).__name__}: {error}"[:200]
        told = f"submission: {path.name} is not a notebook ({reason}); save it again from Jupyter and hand it in again."
        raise Unreadable(told) from error


def _version_4(notebook: Any) -> Any:
    """Notebooks of Jupyter's early years have worksheets."""
    if "worksheets" not in notebook:
        return notebook
    return nbformat.convert(nbformat.from_dict(notebook), 4)


def _found(cell: Mapping[str, Any]) -> Found:
    source, about = cell.get("source"), cell.get("metadata")
    lines = source if isinstance(source, list) else [source]
    grader = about.get("nbgrader") if isinstance(about, Mapping) else None
    grade_id = grader.get("grade_id") if isinstance(grader, Mapping) else None
    return Found(
        code=cell.get("cell_type") == "code",
        source=_encodable("".join(line for line in lines if isinstance(line, str))),
        cell_id=_string(cell.get("id")),
        grade_id=_string(grade_id),
    )


def _string(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _encodable(text: str) -> str:
    """JSON can spell half a character, which no file can hold."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n")
