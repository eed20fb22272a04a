"""`cnnviz check`: a folder's lessons, graded one after the other with a progress bar; the JSON report."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from rich.progress import Progress

from autograder.core.grade import grade_lesson
from autograder.core.judge import Graded
from autograder.core.oracle import Setting
from autograder.course import registry
from autograder.course.records import Lesson
from autograder.isolated import Runner
from autograder.reading.submission import Submission, load_submission
from autograder.report.sentences import in_sentences
from autograder.text.files import write_whole
from autograder.text.screen import Screen
from autograder.text.words import json_text

Checked = list[tuple[Lesson, list[Graded]]]


def check_submission(folder: Path, name: str | None, setting: Setting, console: Screen) -> Checked:
    """Grades one lesson, or each lesson that the folder holds.

    Raises:
        ValueError: unknown lesson, nothing to check, a file that is not what it should be or does not parse.
        FileNotFoundError: the folder or the lesson's files are missing.
    """
    submissions = [(lesson, _parsed(load_submission(folder, lesson))) for lesson in _lessons_in(folder, name)]
    checked: Checked = []
    with Runner() as runner, Progress(console=console, transient=True) as progress:
        items = sum(len(lesson.exercises) + len(lesson.questions) for lesson, _ in submissions)
        task = progress.add_task("checking", total=items)
        for lesson, submission in submissions:
            advance = lambda _: progress.advance(task)  # noqa: E731
            checked.append((lesson, grade_lesson(submission, lesson, setting, runner, done=advance)))
    return checked


def write_json(graded: Iterable[Graded], path: Path) -> None:
    """Writes the report in one step."""
    report = {"checks": [in_sentences(row) for g in graded for row in g.rows]}
    write_whole(path, json_text(report, indent=2).encode() + b"\n")


def _lessons_in(folder: Path, name: str | None) -> Sequence[Lesson]:
    if name is not None:
        return [registry.lesson(name)]
    if not folder.is_dir():
        raise FileNotFoundError(f"submission: {folder} is not a folder; name one that holds the lessons' folders.")
    found = [lesson for lesson in registry.lessons() if (folder / lesson.id).is_dir()]
    if not found:
        ids = ", ".join(lesson.id for lesson in registry.lessons())
        raise ValueError(f"submission: {folder} holds no lesson; allowed are folders named {ids}, or name the LESSON.")
    return found


def _parsed(submission: Submission) -> Submission:
    if (sentence := submission.syntax_error()) is not None:
        raise ValueError(sentence)
    return submission
