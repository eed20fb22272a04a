"""Plants a course: a home, a folder with submissions and secrets, two innocent students, the attackers."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import autograder
from autograder.isolated.zygote import remove as dissolve
from tests.hostile.range.attacks import LESSON, Attack
from tests.hostile.range.canaries import Canaries

FIRST, LAST = "!ada", "~zoe"
"""The innocent students: one is graded before, one after any attacker."""

INNOCENT = {
    FIRST: "right",
    LAST: "sum_for_mean",
}
"""Student -> the shipped submission that they hand in."""

LOST = {FIRST: (), LAST: ("grad_cam.neuron_importance", "grad_cam.grad_cam")}
"""Student -> items without points; all others have all."""

DEMO = Path(autograder.__file__).parent / "demo"


@dataclass(frozen=True)
class Course:
    """Where everything lies."""

    root: Path
    canaries: Canaries
    attacks: tuple[Attack, ...]

    @property
    def home(self) -> Path:
        """The grader's HOME."""
        return self.root / "home"

    @property
    def folder(self) -> Path:
        """The grader's current folder: submissions, gradebook, secrets."""
        return self.root / "course"

    @property
    def submitted(self) -> Path:
        """One folder a student."""
        return self.folder / "submitted"

    @property
    def temporary(self) -> Path:
        """The grader's TMPDIR."""
        return self.root / "tmp"

    @property
    def results(self) -> Path:
        """Where the grader writes."""
        return self.root / "results"


@contextlib.contextmanager
def planted(attacks: Sequence[Attack], canaries: Canaries, *, place: Path | None = None) -> Iterator[Course]:
    """A course with these attackers, removed at the end whatever they left in it."""
    root = Path(tempfile.mkdtemp(prefix="cnnviz-range-", dir=place))
    course = Course(root, canaries, tuple(attacks))
    try:
        plant(course)
        with canaries.served(course.home):
            yield course
    finally:
        remove(root)


def plant(course: Course) -> None:
    """Makes the folders and fills them."""
    for folder in (course.home, course.submitted, course.temporary):
        folder.mkdir(parents=True)
    course.canaries.plant(course.home, course.folder)
    fonts = Path.home() / ".cache" / "cnnviz" / "matplotlib"
    if fonts.is_dir():  # a list that takes seconds to make, and that every home has after the first time
        shutil.copytree(fonts, course.home / ".cache" / "cnnviz" / "matplotlib")
    for student, demo in INNOCENT.items():
        folder = course.submitted / student / LESSON
        shutil.copytree(DEMO / demo / LESSON, folder, ignore=shutil.ignore_patterns("__pycache__"))
        module = folder / "grad_cam.py"
        marked = f"{module.read_text(encoding='utf-8')}\n# {course.canaries.text['student']}\n"
        module.write_text(marked, encoding="utf-8")
    for attack in course.attacks:
        attack.hand_in(course.submitted / attack.student / LESSON)


def remove(root: Path) -> None:
    """The folder and all in it, also what was made unreadable or nested too deep for a path."""
    for folder in (root, *(path for path in root.iterdir())):
        with contextlib.suppress(OSError):
            folder.chmod(0o700)
    shutil.rmtree(root, ignore_errors=True)
    if root.exists():
        dissolve(str(root))
