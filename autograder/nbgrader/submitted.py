"""Reads a notebook that anybody may have written, and hands nbgrader the release copy with the student's code in it."""

from __future__ import annotations

import contextlib
import glob
import os
import stat
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.exporters import NotebookExporter

from autograder import registry
from autograder.batch.entries import read_plain, shown
from autograder.cells import LARGEST, LARGEST_CODE, Unreadable, read_cells
from autograder.helpers import Files, in_folder
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
            copy_plain_files_only(self.parent)
            take_modules_too(self.parent)

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


def take_modules_too(converter: Any) -> None:
    """A student who handed in the lesson's module alone is graded too: nbgrader itself looks for notebooks only."""
    course = converter.coursedir
    source = course.format_path(course.submitted_directory, course.student_id, course.assignment_id)
    name = next((lesson.name for lesson in registry.lessons() if lesson.id == course.assignment_id), "")
    for module in glob.glob(os.path.join(source, f"{name}.py")):
        converter.assignments.setdefault(os.path.dirname(module), [module.removesuffix(".py") + ".ipynb"])


def refuse_linked_folders(path: Path) -> None:
    """A lesson's folder, or a student's, may not be another name for somebody else's work.

    Raises:
        Unreadable: one of them is a link.
    """
    for folder in path.parents[:2]:
        if folder.is_symlink():
            told = (
                f"submission: the folder {shown((folder.name,))} is a link; hand in the folder itself with its files."
            )
            raise Unreadable(told)


def copy_plain_files_only(converter: Any) -> None:
    """Keeps nbgrader from copying what lies beside a notebook and is no plain file, or a very large one.

    It copies through links: any file of this machine into the feedback, or a device without end.
    """
    course, init, ignored = converter.coursedir, converter.init_assignment, list(converter.coursedir.ignore)

    def init_assignment(assignment: str, student: str) -> None:
        odd = odd_names(Path(course.format_path(course.submitted_directory, student, assignment)))
        course.ignore = [*ignored, *map(glob.escape, odd)]
        if odd:
            converter.log.warning("Not copied, no plain files or too large: %s of %s.", shown(tuple(odd)), student)
        init(assignment, student)

    converter.init_assignment = init_assignment


def odd_names(folder: Path) -> list[str]:
    """Names of what lies in a folder and is a link, a pipe, a device, or too large to be copied."""
    odd = set()
    for where, _, files in os.walk(folder):
        for name in files:
            about = os.lstat(os.path.join(where, name))
            if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
                odd.add(name)
    return sorted(odd)


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
