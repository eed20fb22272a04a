"""What runs in Gradescope's container: one submission graded, `results.json` written in one step.

Where the grader itself fails, and where it must not run what was handed in, there is no `results.json`: Gradescope then
shows that the autograder failed, gives no grade, and lets the instructor run it again. A score of 0 would look like a
grade.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from autograder.batch.confined import read_all
from autograder.batch.entries import FOLDER, in_folder
from autograder.batch.naming import named
from autograder.batch.stages import Handed, Result
from autograder.batch.student import Piece, release_copy
from autograder.batch.work import Task, perform
from autograder.core.verdict import NOT_JUDGED
from autograder.course import registry
from autograder.course.records import Lesson
from autograder.exports.gradescope_results import results_json, unread_json
from autograder.isolated.rungs import RUNGS, chosen, reasons
from autograder.report.sentences import said
from autograder.text.files import write_whole
from autograder.text.screen import Screen
from autograder.text.words import json_text, printable, report_safely

REFUSED = (
    "NOTHING WAS RUN: this container limits time and memory, but hides no file and no network from student code, so "
    "that it could read the answers. Make the zip again with --allow-unsandboxed if you accept that, or grade with "
    "`cnnviz grade` on a machine of your own."
)
CONFINED = "The submitted code ran confined (%s): it could read neither the answers nor anything else of the grader's."
LOOSE = (
    "NOT SANDBOXED: the submitted code ran with limits of time and memory only, as the instructor allowed; "
    "it could have read the answers."
)


def main(prefix: str, *, probe: bool = False) -> int:
    """Grades `prefix/submission` into `prefix/results/results.json`; with `probe` only says what this container can do.

    Returns:
        The exit status: 0 with results, 1 where there are none.
    """
    report_safely()
    home = Path(prefix)
    settings = json.loads((home / "source" / "settings.json").read_text(encoding="utf-8"))
    if probe:
        return _probe(settings)
    results = home / "results" / "results.json"
    results.unlink(missing_ok=True)
    try:
        found = _graded(home, settings)
    except Exception as error:
        Screen().say(
            printable(
                f"NO GRADE: the grader itself failed ({type(error).__name__}: {error}). Run the autograder again."
            )
        )
        return 1
    if isinstance(found, str):
        Screen().say(printable(found))
        return 1
    _write(results, found)
    Screen().say(printable(f"{found['score']:g} points. {found['output']}"))
    return 0


def _graded(home: Path, settings: Mapping[str, Any]) -> dict[str, Any] | str:
    """The content of `results.json`, or the sentence that says why there is none."""
    if not _may_run(settings):
        return REFUSED
    lesson = registry.lesson(settings["lesson"])
    handed = handed_in(home / "submission", lesson, student_of(home / "submission_metadata.json"))
    if handed.submission is None:
        return unread_json(lesson, handed.problem)
    results = perform(Task(handed, settings["secret"], "", rung=settings["rung"]))
    if problems := [_why(result) for result in results if result.verdict == NOT_JUDGED]:
        return f"NO GRADE: {'; '.join(problems)} Run the autograder again."
    return results_json(lesson, results, confined=confined(results), hidden_cases=settings["hidden_cases"])


def handed_in(submission: Path, lesson: Lesson, student: str) -> Handed:
    """The work on the lesson among all that was handed in, wherever in it that lies."""
    pieces = [
        Piece(entry, named((student, *entry.parts, "") if entry.kind == FOLDER else (student, *entry.parts)))
        for entry in in_folder(submission)
    ]
    ((found, sentences),) = read_all(
        {student: pieces}, [lesson], release_copy, readable=submission, alive=[lesson], unnamed=lesson
    )
    for sentence in sentences:
        Screen().say(printable(sentence))
    if found:
        return found[0]
    told = f"submission: there is no {lesson.name}.py or {lesson.name}.ipynb; hand in the file of this lesson."
    return Handed(student, lesson.id, None, "", told)


def student_of(metadata: Path) -> str:
    """Whom the hidden cases are made for: the addresses of all who handed in together, as Gradescope says them."""
    try:
        users = json.loads(metadata.read_text(encoding="utf-8"))["users"]
        return " ".join(sorted(str(user["email"]) for user in users)) or "nobody"
    except (OSError, ValueError, KeyError, TypeError):
        return "nobody"


def confined(results: Sequence[Result]) -> str:
    """How far the submitted code was confined, for student and instructor to read."""
    rungs = sorted({result.rung for result in results} - {""})
    if not rungs:
        return "None of the submitted code had to be run."
    loose = [rung for rung in rungs if "landlock" not in rung and "bubblewrap" not in rung]
    return LOOSE if loose else CONFINED % ", ".join(rungs)


def _may_run(settings: Mapping[str, Any]) -> bool:
    return settings["allow_unsandboxed"] or chosen(settings["rung"]).name != RUNGS[-1].name


def _probe(settings: Mapping[str, Any]) -> int:
    """Said while the image is built, so that the instructor reads it before the first student does."""
    for name, reason in reasons().items():
        Screen().say(printable(f"confined by {name}: {'works here' if not reason else f'no: {reason}'}"))
    Screen().say(printable("ready." if _may_run(settings) else REFUSED))
    return 0


def _why(result: Result) -> str:
    told = next(filter(None, map(said, result.rows)), "no reason is known.")
    return f"{result.item} was not judged: {told}"


def _write(path: Path, value: dict[str, Any]) -> None:
    write_whole(path, json_text(value, indent=1).encode())
