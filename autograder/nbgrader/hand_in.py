"""One folder of nbgrader's exchange, read as what a stranger may have put there and may be changing."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from autograder.batch.entries import MOST_INNER, shown
from autograder.nbgrader.folders import LARGEST_TEXT, SECRET, checked_text
from autograder.reading.cells import LARGEST, LARGEST_CODE, Unreadable
from autograder.reading.helpers import is_helper
from autograder.reading.plain import read_plain
from autograder.text.words import printable

MOST_FILES = 50
"""Of one hand-in, helpers among them."""


@contextmanager
def folder_in(parent: int | None, name: str) -> Iterator[int]:
    """A folder, held open so that it cannot become another one; a link to one is none."""
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield handle
    finally:
        os.close(handle)


@dataclass
class HandIn:
    """What of such a folder is ours to take."""

    owner: int
    """The account whose folder it is, and whose every file must be."""
    changed: int
    """When it or anything read of it last changed, in ns: the one time of a file that a student cannot choose."""
    files: dict[str, bytes] = field(default_factory=dict)
    """Path -> content: the secret, the notebook, the module, helpers."""
    left_out: list[str] = field(default_factory=list)
    """Why a helper is not taken, a sentence each."""
    refused: str = ""
    """Why the work is not taken."""

    @property
    def time(self) -> datetime:
        """UTC, without a zone, as nbgrader has it."""
        return datetime(1970, 1, 1) + timedelta(microseconds=self.changed // 1000)

    def read(self, inbound: int, name: str, lesson: str) -> None:
        """Takes the lesson's files; `nbgrader submit` writes the secret last, so without it a hand-in is not whole."""
        try:
            with folder_in(inbound, name) as folder:
                if os.fstat(folder).st_uid != self.owner:
                    raise Unreadable("submission: another folder took its place; submit the lesson again.")
                self._take(folder, SECRET, LARGEST_TEXT)
                checked_text(SECRET, self.files[SECRET])
                self._take_work(folder, lesson)
                self._take_helpers(folder, lesson)
        except Unreadable as error:
            self.refused = printable(str(error))
        except OSError as error:
            self.refused = f"submission: it is no folder that can be read ({error.strerror}); submit the lesson again."

    def _take(self, folder: int, name: str, largest: int, below: str = "") -> None:
        self.files[below + name] = read_plain(
            name, largest, place=shown((below + name,)), folder=folder, owner=self.owner
        )
        for about in (os.stat(name, dir_fd=folder, follow_symlinks=False), os.fstat(folder)):
            self.changed = max(self.changed, about.st_ctime_ns)

    def _take_work(self, folder: int, lesson: str) -> None:
        there = {f"{lesson}.ipynb": LARGEST, f"{lesson}.py": LARGEST_CODE}
        there = {name: largest for name, largest in there.items() if name in os.listdir(folder)}
        if not there:
            raise Unreadable(
                f"submission: there is no {lesson}.ipynb and no {lesson}.py; submit the lesson's own folder."
            )
        for name, largest in there.items():
            self._take(folder, name, largest)

    def _take_helpers(self, folder: int, lesson: str, below: str = "") -> None:
        """Modules beside the work, and in folders beside it."""
        for name in sorted(os.listdir(folder))[:MOST_INNER]:
            try:
                if name.removesuffix(".py").isidentifier() and is_helper(name, lesson):
                    if len(self.files) == MOST_FILES:
                        raise Unreadable(f"submission: there are more than {MOST_FILES} modules; hand in fewer.")
                    self._take(folder, name, LARGEST_CODE, below)
                elif name.isidentifier() and not below:
                    with folder_in(folder, name) as inner:
                        self._take_helpers(inner, lesson, f"{name}/")
            except Unreadable as error:
                self.left_out.append(str(error))
            except OSError:  # a link, a file, or closed: nothing in it can be a module
                continue
