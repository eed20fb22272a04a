"""`cnnviz demo`: three shipped submissions of the Grad-CAM lesson, graded isolated, shown on one page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rich.progress import Progress

from autograder.core.evidence import exhibits_of
from autograder.core.grade import grade_lesson
from autograder.core.judge import Graded
from autograder.core.oracle import Setting
from autograder.core.verdict import FAILED, PASSED, Points, summary
from autograder.course import registry
from autograder.course.records import Exercise, Lesson
from autograder.feedback.student_page import Section, section_of
from autograder.isolated import Runner
from autograder.reading.submission import Submission, load_submission
from autograder.report import pages
from autograder.report.showcase import Picture, isolated_showcase
from autograder.report.tables import messages
from autograder.text.screen import Screen
from autograder.text.words import printable

SUBMISSIONS = {
    "right": "A right answer, written in another way than the reference.",
    "sum_for_mean": "A common mistake: the gradients are summed where alpha is their mean.",
    "forger": "Hostile code: it patches comparisons, prints a false verdict, writes a false report, loops for ever. "
    "Its points are for honest work: the values of quadrant_shares are right, and so is one prediction.",
}
"""Folder -> what it is."""


@dataclass(frozen=True)
class Shown:
    """One submission on the page."""

    name: str
    about: str
    sections: list[Section]
    points: Points
    told: list[str]


def demonstrate(to: Path, console: Screen) -> Path:
    """Grades the three submissions and writes the page.

    Raises:
        ValueError: the page cannot be written there.
    """
    if not to.resolve().parent.is_dir():
        raise ValueError(f"--out: the folder of {to} does not exist; create it, or name a file in one that does.")
    lesson = registry.lesson("11_grad_cam")
    with Runner() as runner, Progress(console=console) as progress:
        items = len(SUBMISSIONS) * (len(lesson.exercises) + len(lesson.questions))
        task = progress.add_task("grading three submissions", total=items)
        shown = [_grade(name, lesson, runner, lambda _: progress.advance(task)) for name in SUBMISSIONS]
    pages.write(to, pages.page("demo.html.j2", lesson=lesson, shown=shown))
    for part in shown:
        console.say(printable(f"{part.name}: {part.points}. {part.about}"))
    return to


def _grade(name: str, lesson: Lesson, runner: Runner, done) -> Shown:
    submission = load_submission(Path(__file__).parent / name, lesson)
    graded = grade_lesson(submission, lesson, Setting(), runner, done=done)
    broken = [g.item.id for g in graded if summary(g.rows) != PASSED]
    sections = [
        section_of(g.item, g.rows, broken=broken, exhibits=exhibits_of(g), pictures=_pictures(g, submission, runner))
        for g in graded
    ]
    told = list(dict.fromkeys(sentence for g in graded for sentence in messages(g.rows)))
    return Shown(name, SUBMISSIONS[name], sections, Points.of(*(g.rows for g in graded)), told)


def _pictures(graded: Graded, submission: Submission, runner: Runner) -> list[Picture]:
    if not isinstance(graded.item, Exercise) or not graded.evidence:
        return []
    cells, failed = submission.cells(graded.item.function), summary(graded.rows) == FAILED
    return isolated_showcase(graded.item, cells, runner, failed=failed)
