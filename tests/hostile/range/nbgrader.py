"""The front `nbgrader autograde` and `generate_feedback`, in a course folder with our configuration."""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook, MissingEntry

from autograder.text.words import printable
from tests.hostile.range.attacks import LESSON, Attack
from tests.hostile.range.course import INNOCENT, Course
from tests.hostile.range.front import REPOSITORY, Front, Ran, known_class, points_alone
from tests.hostile.range.judges import full_points
from tests.hostile.range.outcome import Outcome, Student

NAME = LESSON.split("_", 1)[1]
OWN = ("course, new: autograded", "course, new: feedback", "home, new: .config")
"""What nbgrader itself writes."""


@dataclass(frozen=True)
class Nbgrader(Front):
    """Its own commands, one after another, as an instructor types them."""

    def command(self, course: Course) -> list[str]:
        """From the source notebook to the pages."""
        steps = [("generate_assignment", ""), ("autograde", ""), ("generate_feedback", "")]
        lines = [f"{sys.executable} -m nbgrader {step} {LESSON} {options}" for step, options in steps]
        return ["sh", "-c", "; ".join(lines)]

    def prepare(self, course: Course) -> None:
        """The configuration, with a gradebook beside the one that is planted, and the lesson."""
        config = (REPOSITORY / "nbgrader_config.py").read_text(encoding="utf-8")
        config += f'\nc.IsolatedChecks.rung = "{self.rung}"\nc.CourseDirectory.db_url = "{_database(course)}"\n'
        config += "c.IsolatedChecks.allow_unsandboxed = True\n" if self.rung == "rlimits" else ""
        (course.folder / "nbgrader_config.py").write_text(config, encoding="utf-8")
        course.results.mkdir()
        for student in INNOCENT:  # nbgrader looks for notebooks
            module = course.submitted / student / LESSON / f"{NAME}.py"
            notebook = new_notebook(cells=[new_code_cell(module.read_text(encoding="utf-8"))])
            nbformat.write(notebook, module.with_suffix(".ipynb"))
            module.unlink()
        for part in ("solutions", "lessons"):
            shutil.copytree(REPOSITORY / part / LESSON, course.folder / part / LESSON)

    def outcome(self, course: Course, ran: Ran) -> Outcome:
        """From the gradebook and the pages."""
        handed_in = sorted(path.name for path in course.submitted.iterdir())
        try:
            with Gradebook(_database(course)) as gradebook:
                students = {name: _student(gradebook, course, name) for name in handed_in}
        except Exception as error:  # a gradebook that cannot be read is a finding, not an end of the suite
            return Outcome(ran.ending, {}, False, complaints=(f"{type(error).__name__}: {error}",))
        left = tuple(line for line in ran.left if not line.startswith(OWN))
        finished = ran.ending.status == 0 and bool(students)
        return Outcome(ran.ending, points_alone(students), finished, (), (), ran.terminal, left)

    def judged(self, attack: Attack) -> Attack:
        """A folder whose name has characters that do not show is left out, by name, and deserves nothing."""
        shows = printable(attack.student) == attack.student
        return attack if shows else replace(attack, deserved={}, innocent=())

    @cached_property
    def clean(self) -> Outcome:
        """Known without another run."""
        return known_class()


def _student(gradebook: Gradebook, course: Course, name: str) -> Student:
    """Automatic scores, and all that `release_feedback` would hand to the student."""
    try:
        grades = gradebook.find_submission_notebook(NAME, LESSON, name).grades
    except MissingEntry:
        return Student() if printable(name) == name else Student(dict.fromkeys(full_points(), 0))
    checks = {grade.name: grade.auto_score or 0 for grade in grades if grade.name.startswith("check_")}
    points = {f"{NAME}.{name.removeprefix('check_')}": score for name, score in checks.items()}
    pages = [_text(path) for path in sorted((course.folder / "feedback" / name).rglob("*")) if path.is_file()]
    return Student(points, told="\n".join(pages), page="\n".join(p for p in pages if "<html" in p))


def _database(course: Course) -> str:
    return f"sqlite:///{course.results / 'gradebook.db'}"


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace")
