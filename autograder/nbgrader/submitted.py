"""Reads a notebook that anybody may have written, and hands nbgrader the release copy with the student's code in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder.batch.entries import read_plain
from autograder.cells import LARGEST, Unreadable, read_cells
from autograder.nbgrader.rebuild import rebuilt


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
            return rebuilt(release, read_cells(read_plain(path, LARGEST), path.name))
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
