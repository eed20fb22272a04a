"""Reads a notebook that anybody may have written, and hands nbgrader the release copy with the student's code in it."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder.core.grade import read_through
from autograder.course import registry
from autograder.course.records import Lesson
from autograder.isolated.reader import Spent, in_turn
from autograder.nbgrader.folders import only_the_lessons_work, refuse_linked_folders, refuse_uncollected
from autograder.reading.cells import LARGEST, LARGEST_CODE, Unreadable, read_cells
from autograder.reading.helpers import Files, in_folder
from autograder.reading.plain import read_plain
from autograder.reading.rebuild import rebuilt
from autograder.reading.submission import Submission, decoded, from_cells, from_code, together, with_beside


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
        (answer,) = in_turn([partial(_read, path, release)], [path.parent])
        if isinstance(answer, Spent):
            told = f"submission: {path.name} and what lies beside it {answer.why}; hand in your code only."
            return self._unreadable(release, Unreadable(told))
        notebook = nbformat.from_dict(answer["notebook"])
        if answer["problem"]:
            notebook = self._unreadable(release, Unreadable(answer["problem"]))
        notebook.metadata["cnnviz"] = {**notebook.metadata.get("cnnviz", {}), "beside": answer["beside"]}
        return notebook

    def _unreadable(self, release: nbformat.NotebookNode, error: Unreadable) -> nbformat.NotebookNode:
        self.log.error("%s", error)
        empty = rebuilt(release, [])
        empty.metadata["cnnviz"] = {"unreadable": str(error)}
        return empty


def _read(path: Path, release: nbformat.NotebookNode) -> dict[str, Any]:
    """The rebuilt notebook, what lies beside it, and the sentence that says why there is none of the student's."""
    beside, problem = beside_of(path), ""
    try:
        notebook = rebuilt(release, read_cells(read_plain(path, LARGEST), path.name))
    except Unreadable as error:
        notebook = rebuilt(release, [])
        problem = "" if not os.path.lexists(path) and f"{path.stem}.py" in beside else str(error)
    for lesson in (lesson for lesson in registry.lessons() if lesson.name == path.stem):
        read_through(submission_of(notebook, path.stem, lesson, beside), lesson)
    return {"notebook": notebook, "beside": beside, "problem": problem}


def submission_of(nb: nbformat.NotebookNode | None, name: str, lesson: Lesson, beside: Mapping[str, str]) -> Submission:
    """A rebuilt notebook, the module beside it, and what they import."""
    files = {path: text.encode for path, text in beside.items()}
    module = [from_code(files.pop(f"{name}.py")(), f"{name}.py")] if f"{name}.py" in files else []
    notebook = [] if nb is None else [from_cells(nb.cells, f"{name}.ipynb")]
    return with_beside(together(lesson, *module, *notebook), files)


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
