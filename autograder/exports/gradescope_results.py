"""`results.json` as Gradescope reads it, from the results of one submission."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from autograder.batch.stages import Result
from autograder.core.verdict import PASSED, Row
from autograder.course.records import Lesson
from autograder.report.sentences import said

LONGEST = 5000
"""Characters of one message."""


def results_json(
    lesson: Lesson, results: Sequence[Result], *, confined: str, hidden_cases: str = "visible"
) -> dict[str, Any]:
    """A test per check, and the total; not the time, in which student code could spell a hidden input.

    Args:
        lesson: what was graded.
        results: one per exercise or question, in the order of the lesson, all judged.
        confined: one sentence that says how far the student's code was confined.
        hidden_cases: when students see the verdict on hidden cases.
    """
    rows = [(item, row) for item in results for row in item.rows]
    earned = sum(row.points for _, row in rows)
    return {
        "score": float(earned),
        "output": f"{lesson.id}: {earned} of {lesson.points} points.\n{confined}",
        "output_format": "text",
        "test_output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [_test(number, result, row, hidden_cases) for number, (result, row) in enumerate(rows, start=1)],
    }


def unread_json(lesson: Lesson, problem: str) -> dict[str, Any]:
    """Nothing could be read: no points, said as loudly as Gradescope can."""
    told = f"NOTHING WAS JUDGED. {problem} Hand in again; this submission has no points."
    test = {
        "name": "Is there something to grade?", "name_format": "text", "number": "1", "score": 0.0,
        "max_score": float(lesson.points), "status": "failed", "output": told, "output_format": "text",
        "visibility": "visible",
    }  # fmt: skip
    return {
        "score": 0.0, "output": told, "output_format": "text",
        "visibility": "visible", "stdout_visibility": "hidden", "tests": [test],
    }  # fmt: skip


def _test(number: int, result: Result, row: Row, hidden_cases: str) -> dict[str, Any]:
    hidden = row.check.startswith("hidden")
    return {
        "name": f"{result.item}: {row.check}",
        "name_format": "text",
        "number": str(number),
        "score": float(row.points),
        "max_score": float(row.max_points),
        "status": "passed" if row.verdict == PASSED else "failed",
        "output": row.verdict if hidden else _told(row),
        "output_format": "text",
        "visibility": hidden_cases if hidden else "visible",
    }


def _told(row: Row) -> str:
    message = said(row)
    return f"{row.verdict}{': ' if message else ''}{message[:LONGEST]}"
