"""What results become in other systems: Gradescope's JSON, a spreadsheet, Canvas's and Moodle's files with grades."""

from __future__ import annotations

import json
from collections.abc import Sequence

from autograder.batch.stages import Result
from autograder.course import registry
from autograder.exports import canvas, moodle, spreadsheet
from autograder.exports.csv_file import parsed
from autograder.exports.gradescope_results import results_json
from autograder.exports.roster import Person
from autograder.exports.standing import standings
from autograder.text.words import json_text
from tests.hostile.range.attacks import LESSON

CANVAS = "Student,ID,SIS User ID,SIS Login ID,Section,Grad-CAM (901234)"
POINTS = "    Points Possible,,,,,33.00"
MOODLE = "Identifier,Full name,Email address,Status,Grade,Maximum Grade,Grade can be changed,Feedback comments"
ROW = "Participant 1KEY,A KEY,KEY@uni.edu,Submitted for grading,,33.00,Yes,"


def tables(results: Sequence[Result]) -> tuple[str, ...]:
    """Every table that a spreadsheet or a learning platform would open."""
    found = standings(results)
    made = [spreadsheet.table(found), moodle.import_table(found, {}), *merged(results)]
    return tuple(table.decode() for table in made)


def merged(results: Sequence[Result]) -> list[bytes]:
    """Canvas's gradebook and Moodle's worksheet with the grades put in.

    Whom a row is about the platform has written itself; who that is in the results a class list says.
    """
    found = standings(results)
    keys = {one.student: str(100 + n) for n, one in enumerate(found)}
    people = {student: Person(student, {"login": key, "email": f"{key}@uni.edu"}) for student, key in keys.items()}
    book = parsed("\n".join([CANVAS, POINTS, *(f"A {key},1{key},u{key},{key},S," for key in keys.values())]).encode())
    work = parsed("\n".join([MOODLE, *(ROW.replace("KEY", key) for key in keys.values())]).encode())
    told = [
        canvas.merged(book, found, column="Grad-CAM", roster=people, scale=True, replace=True),
        moodle.merged(work, found, roster=people, scale=True, replace=True),
    ]
    if any(each.written != len(keys) for each in told) and all(one.points is not None for one in found):
        raise AssertionError([each.sentences for each in told])
    return [bytes(book), bytes(work)]


def gradescope(results: Sequence[Result]) -> str:
    """All text of one student's `results.json`, as Gradescope reads it."""
    lesson = registry.lesson(LESSON)
    made = json.loads(json_text(results_json(lesson, results, confined="")))
    return "\n".join([made["output"], *(f"{test['name']}: {test['output']}" for test in made["tests"])])
