"""A course with an exchange, and hand-ins in it that belong to accounts of their own."""

from __future__ import annotations

import copy
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import nbformat
from nbgrader.api import Gradebook
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import notebook_hash
from traitlets.config import Config

IS_ROOT = os.geteuid() == 0
REPOSITORY = Path(__file__).resolve().parents[2]
COURSE, LESSON, NAME = "look_inside", "11_grad_cam", "grad_cam"
MARKS = {
    ".cnnviz_secret": "a-secret-that-nobody-may-read",
    f"solutions/{LESSON}/{NAME}.py": "answer-key-that-nobody-may-read",
    f"solutions/{LESSON}/make_picture.py": "answer-key-that-nobody-may-read",
    f"solutions/{LESSON}/{NAME}.ipynb": "answer-key-that-nobody-may-read",
    "gradebook.db": "SQLite format 3",
}
"""Text that is in files of the course, and nowhere in what students may have."""
FIRST_UID = 70_000
NAMESPACE = ("unshare", "--mount", "--propagation", "private")
CHANGED = """
c.CourseDirectory.course_id = "{course}"
c.Exchange.root = {exchange!r}
"""


@dataclass(frozen=True)
class Course:
    """The grader's folder and the exchange beside it."""

    top: Path
    students: dict[str, int] = field(default_factory=dict)
    """Their numbers as owners of files: where this process is root each has one of its own."""

    @property
    def folder(self) -> Path:
        return self.top / "course"

    @property
    def inbound(self) -> Path:
        return self.top / "exchange" / COURSE / "inbound"

    @property
    def released(self) -> Path:
        return self.top / "exchange" / COURSE / "feedback"

    def run(self, stage: type, *, seconds: int = 60, config: Config | None = None, **traits: object) -> None:
        """A stage of nbgrader in this process; one that takes longer is taken to hang."""
        known = Config()
        known.CourseDirectory.root = str(self.folder)
        known.CourseDirectory.source_directory, known.CourseDirectory.release_directory = "solutions", "lessons"
        known.CourseDirectory.course_id, known.CourseDirectory.assignment_id = COURSE, LESSON
        known.Exchange.root = str(self.top / "exchange")
        known.merge(config or {})
        with no_longer_than(seconds):
            stage(coursedir=CourseDirectory(config=known), config=known, **traits).start()

    def nbgrader(self, command: str, *more: str) -> str:
        """What the real command logs, run by an account for whom permissions count; it must succeed."""
        settings = os.environ | {"OMP_NUM_THREADS": "1", "PYTHONPATH": str(REPOSITORY)}
        done = subprocess.run(
            [*self._with_accounts(), sys.executable, "-m", "nbgrader", command, LESSON, *more],
            cwd=self.folder, text=True, env=settings, capture_output=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr[-4000:]
        return done.stderr

    def _with_accounts(self) -> list[str]:
        """The students have accounts in a mount namespace of the command's own, and root minds permissions there."""
        passwd = self.top / "passwd"
        lines = [f"{name}:x:{uid}:{uid}::/nowhere:/bin/false\n" for name, uid in self.students.items()]
        passwd.write_text(Path("/etc/passwd").read_text() + "".join(lines))
        less = "-dac_override,-dac_read_search"
        then = f"setpriv --bounding-set {less} --inh-caps {less}"
        return [*NAMESPACE, "sh", "-c", f'mount --bind "$0" /etc/passwd && exec {then} "$@"', str(passwd)]

    def hand_in(self, student: str, *, name: str = "", when: str = "2026-01-01 10:00:00.000000 UTC",
                owner: str = "", notebook: object = None) -> Path:  # fmt: skip
        """A folder as `nbgrader submit` leaves it."""
        folder = self.inbound / (name or f"{student}+{LESSON}+{when}+{secrets.token_urlsafe(9)}")
        folder.mkdir()
        (folder / f"{NAME}.ipynb").write_text(json.dumps(notebook or untouched()))
        (folder / "timestamp.txt").write_text(when)
        (folder / "submission_secret.txt").write_text(secrets.token_hex(64))
        self.give(folder, owner or student)
        return folder

    def give(self, path: Path, student: str) -> None:
        """All of it to that student, where this process may do so."""
        uid = self.students.setdefault(student, FIRST_UID + len(self.students) if IS_ROOT else os.geteuid())
        for one in (path, *path.rglob("*")):
            os.chown(one, uid, -1, follow_symlinks=False)

    def grades(self, student: str) -> dict[str, float | None]:
        with Gradebook(f"sqlite:///{self.folder}/gradebook.db") as gradebook:
            grades = gradebook.find_submission_notebook(NAME, LESSON, student).grades
            return {grade.name: grade.auto_score for grade in grades if grade.name.startswith("check_")}

    def page(self, hand_in: Path) -> str:
        """What this hand-in's student fetches as feedback."""
        return (self.released / page_of((hand_in / "submission_secret.txt").read_text())).read_text()

    def leaks(self, *names: str) -> list[str]:
        """Files below these folders, by default all that work passes through, that hold what nobody may read."""
        places = [self.folder / name for name in names or ("submitted", "autograded", "feedback")] + [self.released]
        files = [path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()]
        return [str(p) for p in files for mark in set(MARKS.values()) if mark.encode() in p.read_bytes()]


def page_of(secret: str, name: str = NAME) -> str:
    return notebook_hash(secret=secret, notebook_id=name) + ".html"


def untouched() -> dict:
    return json.loads((REPOSITORY / "lessons" / LESSON / f"{NAME}.ipynb").read_text(encoding="utf-8"))


def solved() -> dict:
    """The release copy with right answers in it."""
    release, answers = untouched(), {}
    source = nbformat.read(REPOSITORY / "solutions" / LESSON / f"{NAME}.ipynb", as_version=4)
    for cell in source.cells:
        answers[cell.metadata.get("nbgrader", {}).get("grade_id")] = cell.source
    filled = copy.deepcopy(release)
    for cell in filled["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and cell["cell_type"] == "code":
            cell["source"] = answers[about["grade_id"]]
    return filled


def made_course(top: Path, book: Path | None = None, *, generate: bool = False, more: str = "") -> Course:
    """A course with one lesson, of the account of this process.

    Args:
        top: where it is made.
        book: the gradebook; without it one is made that knows the lesson's name.
        generate: whether nbgrader generates the lesson.
        more: lines of configuration.
    """
    course = Course(top)
    course.folder.mkdir(parents=True)
    course.inbound.mkdir(parents=True)
    course.released.mkdir()
    changed = CHANGED.format(course=COURSE, exchange=str(top / "exchange"))
    config = (REPOSITORY / "nbgrader_config.py").read_text(encoding="utf-8")
    (course.folder / "nbgrader_config.py").write_text(config + changed + more)
    for part in ("solutions", "lessons"):
        shutil.copytree(REPOSITORY / part / LESSON, course.folder / part / LESSON)
    if generate:
        course.nbgrader("generate_assignment")
    elif book:
        shutil.copy(book, course.folder)
    else:
        path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # it is made by a program
        with patch.dict(os.environ, PATH=path), Gradebook(f"sqlite:///{course.folder}/gradebook.db") as gradebook:
            gradebook.add_assignment(LESSON)
            gradebook.add_notebook(NAME, LESSON)
    (course.folder / ".cnnviz_secret").write_text(MARKS[".cnnviz_secret"])
    for name in (f"{NAME}.py", "make_picture.py", f"{NAME}.ipynb"):
        path = course.folder / "solutions" / LESSON / name
        text = path.read_text(encoding="utf-8")
        comment = f"# {MARKS[f'solutions/{LESSON}/{name}']}\\n" if name.endswith("ipynb") else ""
        marked = (
            text.replace('"def ', f'"{comment}def ') if comment else f"# {MARKS[f'solutions/{LESSON}/{name}']}\n{text}"
        )
        path.write_text(marked, encoding="utf-8")
    return course


def no_accounts() -> str:
    """Why students cannot have accounts here; empty where they can."""
    if not IS_ROOT:
        return "only root can make files of other accounts"
    if not (shutil.which("unshare") and shutil.which("setpriv")):
        return "unshare or setpriv is not installed"
    made = subprocess.run([*NAMESPACE, "true"], capture_output=True)
    return "no mount namespace can be made here" if made.returncode else ""


@contextmanager
def no_longer_than(seconds: int) -> Iterator[None]:
    def ring(*_: object) -> None:
        raise TimeoutError("it hangs")

    before = signal.signal(signal.SIGALRM, ring)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
