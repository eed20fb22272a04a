"""Reads a notebook that anybody may have written, and hands nbgrader the release copy with the student's code in it."""

from __future__ import annotations

import contextlib
import os
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder.batch.entries import read_plain
from autograder.cells import LARGEST, LARGEST_CODE, Unreadable, read_cells
from autograder.helpers import Files, in_folder
from autograder.nbgrader.folders import only_the_lessons_work, refuse_linked_folders, refuse_uncollected
from autograder.rebuild import rebuilt
from autograder.submission import decoded


class SubmissionExporter(NotebookExporter):
    """`NotebookExporter` that never lets a student's file as it is into nbgrader.

    nbgrader reads each notebook twice: from `submitted/`, where it is rebuilt here, before any check of nbgrader's can
    trip over it, and from `autograded/`, where it is our own.
    """

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        if self.parent is not None:
            only_the_lessons_work(self.parent)

    def from_filename(self, filename: str, resources: Any = None, **kw: Any) -> Any:
        """The exported notebook; `filename` is read as a submission where it lies in the submitted folder."""
        converter: Any = self.parent
        path, about, course = Path(filename), resources["nbgrader"], converter.coursedir
        submitted = course.format_path(course.submitted_directory, about["student"], about["assignment"])
        if path.parent.resolve() != Path(submitted).resolve():
            return super().from_filename(filename, resources=resources, **kw)
        released = course.format_path(course.release_directory, ".", about["assignment"])
        release = read_release(Path(released) / path.name)
        return self.from_notebook_node(self._handed_in(path, release), resources=resources, **kw)

    def _handed_in(self, path: Path, release: nbformat.NotebookNode) -> nbformat.NotebookNode:
        try:
            refuse_linked_folders(path)
            refuse_uncollected(path.parent)
        except Unreadable as error:
            return self._unreadable(release, error)
        beside = beside_of(path)
        try:
            notebook = rebuilt(release, read_cells(read_plain(path, LARGEST), path.name))
        except Unreadable as error:
            missing = not os.path.lexists(path) and f"{path.stem}.py" in beside
            notebook = rebuilt(release, []) if missing else self._unreadable(release, error)
        notebook.metadata["cnnviz"] = {**notebook.metadata.get("cnnviz", {}), "beside": beside}
        return notebook

    def _unreadable(self, release: nbformat.NotebookNode, error: Unreadable) -> nbformat.NotebookNode:
        self.log.error("%s", error)
        empty = rebuilt(release, [])
        empty.metadata["cnnviz"] = {"unreadable": str(error)}
        return empty


def beside_of(path: Path) -> dict[str, str]:
    """Path -> text of the lesson's module and of what may be a helper beside a notebook, for `IsolatedChecks`."""
    module = path.with_suffix(".py")
    own: Files = {module.name: partial(read_plain, module, LARGEST_CODE)}
    files, texts = {**own, **in_folder(path.parent, path.stem)}, {}
    for name, read in files.items():
        with contextlib.suppress(Unreadable):
            texts[name] = decoded(read(), name)
    return texts


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
