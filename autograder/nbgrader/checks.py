"""In place of nbgrader's `Execute`: the notebook does not run, each score cell gets the verdict of our own run."""

from __future__ import annotations

import atexit
import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Unicode, default

from autograder import registry
from autograder.diagnose import Diagnosis
from autograder.feedback import as_text
from autograder.grade import grade_lesson
from autograder.isolated import Runner
from autograder.oracle import Setting
from autograder.records import Exercise, Lesson, Question
from autograder.submission import from_cells
from autograder.verdict import NOT_JUDGED, Row, report, summary, total

KEY = "cnnviz"
"""Our part of a notebook's metadata: the rows, and the grade ids of what could not be judged."""


@cache
def runner() -> Runner:
    """The one warm runner of this process, for every student of the batch."""
    warm = Runner()
    atexit.register(warm.close)
    return warm


@cache
def warn_of_no_secret(log: Any) -> None:
    """Once a batch."""
    log.warning("No course secret: hidden cases can be worked out by anybody. Set the variable CNNVIZ_SECRET.")


class IsolatedChecks(NbGraderPreprocessor):
    """Grades the student's code in processes of its own and writes one number into each score cell."""

    secret = Unicode(help="The course secret that seeds hidden cases; by default the variable CNNVIZ_SECRET.").tag(
        config=True
    )

    @default("secret")
    def _secret_of_environment(self) -> str:
        return os.environ.get("CNNVIZ_SECRET", "")

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Fills the score cells, and keeps the rows in the notebook's metadata for the feedback."""
        about = resources["nbgrader"]
        rows = self._rows(nb, registry.lesson(about["assignment"]), about)
        not_judged = []
        for cell in filter(utils.is_grade, nb.cells):
            known = rows.get(item_of(cell), ())
            write_score(cell, known)
            if not known or summary(known) == NOT_JUDGED:
                not_judged.append(cell.metadata.nbgrader["grade_id"])
        every = [row for part in rows.values() for row in part]
        nb.metadata[KEY] = {**nb.metadata.get(KEY, {}), **report(every), "not judged": not_judged}
        return nb, resources

    def _rows(self, nb: NotebookNode, lesson: Lesson, about: Mapping[str, str]) -> dict[str, Sequence[Row]]:
        if told := nb.metadata.get(KEY, {}).get("unreadable"):
            return nothing_judged(lesson, Diagnosis("grader", "unreadable", told))
        if not self.secret:
            warn_of_no_secret(self.log)
        try:
            setting = Setting(secret=self.secret, student=about["student"])
            submission = from_cells(nb.cells, f"{about['notebook']}.ipynb")
            return {g.item.id: g.rows for g in grade_lesson(submission, lesson, setting, runner())}
        except Exception as error:
            self.log.exception("The grader itself failed on %s of %s.", about["assignment"], about["student"])
            told = f"the grader itself failed ({type(error).__name__}: {error}); your code may be right."
            return nothing_judged(lesson, Diagnosis("grader", type(error).__name__, told))


class AskForManualGrade(NbGraderPreprocessor):
    """After `SaveAutoGrades`: what could not be judged has no automatic score, and nbgrader asks for one by hand."""

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Takes the score back from the cells that `IsolatedChecks` named."""
        about = resources["nbgrader"]
        not_judged = nb.metadata.get(KEY, {}).get("not judged", [])
        with Gradebook(about["db_url"]) as gradebook:
            for grade_id in not_judged:
                grade = gradebook.find_grade(grade_id, about["notebook"], about["assignment"], about["student"])
                grade.auto_score, grade.needs_manual_grade = None, True
            gradebook.db.commit()
        if not_judged:
            self.log.error(
                "NOT JUDGED, no score saved: %s of %s in %s. Run autograde again, or grade by hand in formgrader.",
                ", ".join(not_judged), about["student"], about["assignment"],
            )  # fmt: skip
        return nb, resources


def item_of(cell: NotebookNode) -> str:
    """Id of the exercise or question that a check cell names: `check("grad_cam.alpha", alpha)`."""
    named = re.search(r"""\bcheck\(\s*["']([\w.]+)["']""", cell.source)
    return named[1] if named else ""


def nothing_judged(lesson: Lesson, diagnosis: Diagnosis) -> dict[str, Sequence[Row]]:
    """Every item of a lesson with one row, "not judged"."""
    items: tuple[Exercise | Question, ...] = lesson.items
    kinds = {i.id: "all checks" if isinstance(i, Exercise) else "answer" for i in items}
    return {i.id: (Row(i.id, kinds[i.id], NOT_JUDGED, i.points, diagnosis),) for i in items}


def write_score(cell: NotebookNode, rows: Sequence[Row]) -> None:
    """One number in 0..points, which is all that nbgrader reads, and the verdict for a human, as plain text."""
    points = float(cell.metadata.nbgrader["points"])
    earned, possible = total(rows)
    score = min(points, points * earned / possible) if possible else 0.0
    cell.execution_count = 1
    cell.outputs = [
        new_output("execute_result", data={"text/plain": f"{score}"}, execution_count=1),
        new_output("display_data", data={"text/plain": as_text([row.as_json() for row in rows])}),
    ]
