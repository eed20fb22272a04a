"""In place of nbgrader's `Execute`: the notebook does not run, each score cell gets the verdict of our own run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from nbformat import NotebookNode
from nbformat.v4 import new_output
from nbgrader import utils
from nbgrader.api import Gradebook
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Bool, Unicode, default

from autograder.batch.entries import proper
from autograder.batch.grade_class import unchanged
from autograder.batch.results import Store
from autograder.batch.secret import FILE, VARIABLE, course_secret
from autograder.batch.stages import Handed, Result, digest_of
from autograder.batch.work import Task, perform, unjudged
from autograder.core.diagnose import Diagnosis
from autograder.core.grade import fault
from autograder.core.message import message
from autograder.core.verdict import NOT_JUDGED, Row, summary, total
from autograder.core.version import checks_version
from autograder.course import registry
from autograder.isolated.rungs import RUNGS, chosen
from autograder.nbgrader.submitted import submission_of
from autograder.reading.submission import begun
from autograder.report.tables import as_text

KEY = "cnnviz"
"""Our part of a notebook's metadata: the rows, and the grade ids of what could not be judged."""


class IsolatedChecks(NbGraderPreprocessor):
    """Grades the student's code in processes of its own and writes one number into each score cell.

    What `cnnviz grade` found out about the same code with the same checks and secret is taken from its results.
    """

    secret = Unicode(
        help="The course secret; by default the variable CNNVIZ_SECRET, else the file .cnnviz_secret of the course."
    ).tag(config=True)
    results = Unicode(
        help="Folder that `cnnviz grade --out` wrote; by default `results` in the course, where it is there."
    ).tag(config=True)
    rung = Unicode(help="How far student code is confined: bubblewrap, landlock or rlimits; the best that works.").tag(
        config=True
    )
    allow_unsandboxed = Bool(
        False, help="Also grade where this machine limits time and memory only, and hides no file."
    ).tag(config=True)

    @default("secret")
    def _secret_of_the_course(self) -> str:
        return secret_of(folder_of(self))

    @default("results")
    def _results_of_the_course(self) -> str:
        return results_in(folder_of(self))

    def preprocess(self, nb: NotebookNode, resources: Any) -> tuple[NotebookNode, Any]:
        """Fills the score cells, and keeps the rows in the notebook's metadata for the feedback."""
        about = resources["nbgrader"]
        handed = handed_in(nb, about)
        results = self._results(handed)
        rows = {result.item: result.rows for result in results}
        not_judged = [name for name in map(open_question, nb.cells) if name and handed.submission is None]
        for cell in (cell for cell in nb.cells if utils.is_grade(cell) and not open_question(cell)):
            known = rows.get(item_of(cell), ())
            write_score(cell, known)
            if not known or summary(known) == NOT_JUDGED:
                not_judged.append(cell.metadata.nbgrader["grade_id"])
        nb.metadata[KEY] = {
            **nb.metadata.get(KEY, {}),
            "checks": [row.as_json() for result in results for row in result.rows],
            "evidence": {r.item: [each.as_json() for each in r.evidence] for r in results if r.evidence},
            "not judged": not_judged,
            "rungs": {result.item: result.rung for result in results},
            "submission": handed.digest,
        }
        return nb, resources

    def _known(self, handed: Handed) -> dict[str, Result]:
        """What `cnnviz grade` found out about the same code."""
        if not (self.results and self.secret and handed.submission):
            return {}
        return known_results(handed, folder_of(self) / self.results, self.secret, self.log)

    def _results(self, handed: Handed) -> list[Result]:
        """One result an exercise or question, in the order of the lesson."""
        task = Task(handed, self.secret, "")
        try:
            if not self.secret:
                warn_of_no_secret(self.log)
            known = self._known(handed)
            task = Task(handed, self.secret, "", known=known, rung=self.rung or None)
            if refused := checked_rung(self.rung or None, self.allow_unsandboxed, self.log):
                why = Diagnosis("grader", "unsandboxed", message("grader.unsandboxed", why=refused))
                return in_order(handed, known, unjudged(task, why))
            return in_order(handed, known, perform(task))
        except Exception as error:
            self.log.exception("The grader itself failed on %s of %s.", handed.lesson, handed.student)
            return in_order(handed, task.known, unjudged(task, fault(error)))


@cache
def warn_of_no_secret(log: Any) -> None:
    """Once a batch."""
    log.warning(
        "No course secret: hidden cases can be worked out by anybody, and no known result is taken. "
        "Set the variable CNNVIZ_SECRET."
    )


def handed_in(nb: NotebookNode, about: Mapping[str, str]) -> Handed:
    """The rebuilt notebook as `cnnviz grade` would have collected it."""
    student, lesson = proper(about["student"]), registry.lesson(about["assignment"])
    kept = nb.metadata.get(KEY, {})
    told, name = kept.get("unreadable", ""), about["notebook"]
    submission = submission_of(None if told else nb, name, lesson, kept.get("beside", {}))
    if told and begun(submission, lesson):
        told = ""
    digest = digest_of(submission)
    return Handed(student, lesson.id, None if told else submission, digest, told)


def in_order(handed: Handed, known: Mapping[str, Result], fresh: Sequence[Result]) -> list[Result]:
    """What was known and what was found out now, as the lesson has it."""
    found = {**known, **{result.item: result for result in fresh}}
    return [found[item.id] for item in registry.lesson(handed.lesson).items]


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


def open_question(cell: NotebookNode) -> str:
    """Grade id of a cell that is answered in words and marked by a person; empty for any other."""
    return cell.metadata.nbgrader["grade_id"] if utils.is_grade(cell) and utils.is_solution(cell) else ""


def item_of(cell: NotebookNode) -> str:
    """Id of the exercise or question that a check cell names: `check("grad_cam.alpha", alpha)`."""
    named = re.search(r"""\bcheck\(\s*["']([\w.]+)["']""", cell.source)
    return named[1] if named else ""


def write_score(cell: NotebookNode, rows: Sequence[Row]) -> None:
    """One number in 0..points, which is all that nbgrader reads, and the verdict for a human, as plain text."""
    points = float(cell.metadata.nbgrader["points"])
    earned, possible = total(rows)
    score = min(points, points * earned / possible) if possible else 0.0
    cell.execution_count = 1
    cell.outputs = [
        new_output("execute_result", data={"text/plain": f"{score}"}, execution_count=1),
        new_output("display_data", data={"text/plain": as_text(rows)}),
    ]


def folder_of(preprocessor: Any) -> Path:
    """The course's folder as the command was given it; the current one where there is no command."""
    converter = getattr(preprocessor.parent, "parent", None)
    return Path(getattr(getattr(converter, "coursedir", None), "root", "."))


def secret_of(folder: Path) -> str:
    """The secret of the environment, else of the course's file; empty where there is none, for none is made here."""
    if given := os.environ.get(VARIABLE, "").strip():
        return given
    file = folder / FILE
    return course_secret(file, make=False) if file.is_file() else ""


def results_in(folder: Path) -> str:
    """The course's own folder of results; empty where there is none."""
    return "results" if (folder / "results" / "results").is_dir() else ""


def known_results(handed: Handed, folder: Path, secret: str, log: Any) -> dict[str, Result]:
    """Item -> the signed result of the very same code, by the same checks and secret."""
    store = _store(folder, secret, log)
    if store is None:
        return {}
    found = [store.get(handed.student, handed.lesson, item.id) for item in registry.lesson(handed.lesson).items]
    checks = checks_version(handed.lesson)
    same = [r for r in found if r and unchanged(r, handed) and (r.checks, r.seeds) == (checks, store.seeds)]
    return {result.item: result for result in same}


@cache
def _store(folder: Path, secret: str, log: Any) -> Store | None:
    try:
        if not (folder / "results").is_dir():
            raise ValueError(f"results: {folder} holds none; name the folder that `cnnviz grade --out` wrote.")
        return Store(folder, secret)
    except ValueError as error:
        log.warning("Known results are not taken: %s", error)
        return None


@cache
def checked_rung(name: str | None, allowed: bool, log: Any) -> str:
    """Why student code must not run here; empty where it may. What is to be said is said once a batch.

    Raises:
        ValueError: there is no such rung, or it does not work here.
    """
    if chosen(name).name != RUNGS[-1].name:
        return ""
    if allowed:
        log.error(
            "NOT SANDBOXED: student code can read this machine's files, the course secret among them, "
            "and use the network."
        )
        return ""
    log.error(
        "NOTHING IS GRADED: this machine limits time and memory but hides no file and no network from student code. "
        "Install bubblewrap, or set c.IsolatedChecks.allow_unsandboxed = True."
    )
    return "student code could not be confined on this machine, so none was run; your code may be right."
