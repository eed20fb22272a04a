"""One exercise as a page: the verdict, and a student's values and maps as pictures beside the formula's."""

from __future__ import annotations

import os
import sys
import webbrowser
from pathlib import Path

from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, summary
from autograder.course import registry
from autograder.course.records import Exercise
from autograder.feedback.student_page import practice_section
from autograder.report import pages
from autograder.report.showcase import isolated_showcase
from autograder.study.cache import cache_folder
from autograder.study.folder import Work
from autograder.study.judging import Judging
from autograder.text.files import write_whole


def write_page(judging: Judging, work: Work, name: str) -> Path | None:
    """Runs an exercise as it is now and writes its page; None where nothing is written that could be run.

    Args:
        judging: runs it, isolated.
        work: the lesson.
        name: the exercise's id.

    Raises:
        Interrupted: the judging was interrupted meanwhile.
    """
    standing = judging.standing(work, again=name)
    graded, submission = judging.graded.get(name, (None, None))
    verdict = summary(graded.rows) if graded is not None else NOT_JUDGED
    if standing.problem or graded is None or submission is None or verdict in (NOT_ATTEMPTED, NOT_JUDGED):
        return None
    photos = []
    if isinstance(graded.item, Exercise):
        file = next((each for each in submission.files if each.file == graded.file), submission)
        photos = isolated_showcase(graded.item, file.cells(graded.item.function), judging, failed=verdict == FAILED)
    broken = [state.item.id for state in standing.states if not state.passed]
    section = practice_section(graded, photos, broken)
    path = cache_folder() / "pages" / f"{name}.html"
    made = pages.page("exercise.html.j2", section=section, lesson=registry.lesson_of(name))
    write_whole(path, made.encode("utf-8", "replace"))
    return path


def opened(path: Path) -> bool:
    """Whether a browser was asked to show the page; none where it would take the terminal, or there is no screen."""
    screen = os.name == "nt" or sys.platform == "darwin" or {"DISPLAY", "WAYLAND_DISPLAY"} & os.environ.keys()
    return bool(screen) and webbrowser.open(path.as_uri())
