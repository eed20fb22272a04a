"""Where a student's files lie, and which of them were touched at all."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from autograder.course import outlines
from autograder.course.outlines import Outline
from autograder.reading.helpers import in_folder, is_helper

ELSEWHERE = "go to the folder of the course, or see `cnnviz --help`."


@dataclass(frozen=True)
class Work:
    """One lesson of one student."""

    outline: Outline
    folder: Path

    @property
    def module(self) -> Path:
        """The module, which may be missing."""
        return self.folder / self.outline.files[0]

    @property
    def notebook(self) -> Path:
        """The notebook, which may be missing."""
        return self.folder / self.outline.files[1]

    @property
    def files(self) -> tuple[Path, Path]:
        """Both."""
        return self.module, self.notebook

    def contents(self) -> tuple[bytes | None, bytes | None]:
        """Module and notebook as they are now; None where there is none that can be read."""
        return _read(self.module), _read(self.notebook)

    def beside(self) -> tuple[bytes, ...]:
        """What lies beside them and may be imported, as it is now."""
        files = in_folder(self.folder, self.module.stem)
        return tuple(part for path in files for part in (path.encode(), _read(self.folder / path) or b""))

    def counts(self, file: PurePath) -> bool:
        """Whether a verdict may hang on this file of the folder: one of both, or a module whose name others have."""
        if str(file) in self.outline.files:
            return True
        name = (file.parent if file.stem == "__init__" else file).stem
        others = [self.folder / other for other in in_folder(self.folder, self.module.stem) if PurePath(other) != file]
        texts = filter(None, map(_read, (*self.files, *others)))
        word = re.compile(rb"\b%b\b" % re.escape(name.encode()))
        return is_helper(file.name, self.module.stem) and any(map(word.search, texts))

    def untouched(self, contents: Sequence[bytes | None]) -> bool:
        """Whether nothing was written yet, in either file."""
        pairs = zip(contents, self.files, strict=True)
        return all(read is None or self.outline.untouched(path.name, read) for read, path in pairs)

    def saved(self) -> float:
        """When the student last saved one of the files, as far as the clock of the files tells."""
        return max((path.stat().st_mtime for path in self.files if path.is_file()), default=0.0)


def course_folder(start: Path | None = None) -> Path:
    """The folder that holds the lessons' folders: here, in `lessons` here, or in a folder above.

    Raises:
        FileNotFoundError: there is none.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        for candidate in (folder, folder / "lessons"):
            if _lessons_in(candidate):
                return candidate
    raise FileNotFoundError(f"lessons: there are none in {start} or above; {ELSEWHERE}")


def works(folder: Path) -> list[Work]:
    """The lessons that a folder holds, in the order of the course."""
    return [Work(outline, folder / outline.id) for outline in _lessons_in(folder)]


def work(folder: Path, name: str) -> Work:
    """One lesson by its name.

    Raises:
        ValueError: there is no such lesson.
        FileNotFoundError: the folder does not hold it.
    """
    outline = outlines.lesson(name)
    if not (folder / outline.id).is_dir():
        raise FileNotFoundError(f"lesson: {folder} has no folder {outline.id}; get it from where the others came.")
    return Work(outline, folder / outline.id)


def shown(path: Path) -> str:
    """A path as it can be typed from here."""
    try:
        return os.path.relpath(path.resolve(), Path.cwd().resolve())
    except ValueError:  # on another drive
        return str(path)


def _lessons_in(folder: Path) -> list[Outline]:
    return [outline for outline in outlines.outlines() if (folder / outline.id).is_dir()]


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except OSError:
        return None
