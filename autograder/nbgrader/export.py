"""`nbgrader export`: nbgrader's own table, but what was not judged has no score, for it is no zero."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.plugins import CsvExportPlugin

from autograder.core.verdict import NOT_JUDGED
from autograder.text.words import csv_text

COLUMNS = (
    "assignment", "duedate", "timestamp", "student_id", "last_name", "first_name", "email", "raw_score",
    "late_submission_penalty", "score", "max_score", "status", "in_words", "max_in_words",
)  # fmt: skip
"""nbgrader's, and three of ours."""


class CsvExport(CsvExportPlugin):
    """A row for each assignment and student, as nbgrader has it, with columns that say what the score does not.

    What is answered in words and marked by a person has two columns of its own and is in no other.
    """

    def export(self, gradebook: Gradebook) -> None:
        """Writes `grades.csv`, or where `--to` says."""
        rows = (["" if row[name] is None else row[name] for name in COLUMNS] for row in self._rows(gradebook))
        with open(self.to or "grades.csv", "w", newline="", encoding="utf-8") as file:
            file.write(csv_text([COLUMNS, *rows]))

    def _rows(self, gradebook: Gradebook) -> Iterator[dict[str, Any]]:
        for assignment in gradebook.assignments:
            for student in gradebook.students:
                asked = not self.student or student.id in map(str, self.student)
                if asked and (not self.assignment or assignment.name in map(str, self.assignment)):
                    about = {name: getattr(student, name) for name in ("last_name", "first_name", "email")}
                    about |= {"assignment": assignment.name, "student_id": student.id, "duedate": assignment.duedate}
                    words = assignment.max_written_score
                    about |= {"max_score": assignment.max_score - words, "max_in_words": words}
                    yield {**about, **_score(gradebook, assignment, student)}


def _score(gradebook: Gradebook, assignment: Any, student: Any) -> dict[str, Any]:
    """Nothing handed in is a zero, as nbgrader says; what waits for a person is none."""
    try:
        found = gradebook.find_submission(assignment.name, student.id)
    except MissingEntry:
        told = {"timestamp": "", "raw_score": 0.0, "late_submission_penalty": 0.0, "score": 0.0, "status": "missing"}
        return {**told, "in_words": 0.0}
    score, penalty = found.score - found.written_score, found.late_submission_penalty or 0.0
    grades = [grade for notebook in found.notebooks for grade in notebook.grades]
    waiting = {grade.cell.cell_type for grade in grades if grade.needs_manual_grade}
    told = {"timestamp": found.timestamp, "late_submission_penalty": penalty}
    told["in_words"] = None if "markdown" in waiting else found.written_score
    if "code" in waiting:
        return {**told, "raw_score": "", "score": "", "status": NOT_JUDGED}
    return {**told, "raw_score": score, "score": max(0.0, score - penalty), "status": "graded"}
