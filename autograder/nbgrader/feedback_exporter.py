"""`nbgrader generate_feedback` with our own page, made from the rows that autograding left in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader import utils
from nbgrader.preprocessors import GetGrades
from traitlets import default

from autograder.core.evidence import Exhibit
from autograder.core.verdict import PASSED, Points
from autograder.course import registry
from autograder.feedback import Section, Sheet, Words, page
from autograder.feedback.student_page import title_of
from autograder.nbgrader.checks import KEY, item_of, open_question
from autograder.nbgrader.folders import only_the_lessons_work
from autograder.reading.rebuild import unquoted


class Grades(GetGrades):
    """`GetGrades` that also notes which cell waits for a person."""

    def _get_score(self, cell: NotebookNode, resources: Any) -> None:
        super()._get_score(cell, resources)
        about = cell.metadata.nbgrader
        grade = self.gradebook.find_grade(about["grade_id"], self.notebook_id, self.assignment_id, self.student_id)
        about["waits"] = grade.needs_manual_grade


class FeedbackExporter(Exporter):
    """An autograded notebook, with grades from the gradebook, as one HTML page."""

    output_mimetype = "text/html"

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        if self.parent is not None:
            only_the_lessons_work(self.parent)

    @default("file_extension")
    def _html(self) -> str:
        return ".html"

    def from_notebook_node(self, nb: NotebookNode, resources: Any = None, **kw: Any) -> tuple[Any, Any]:
        """The page, after `Grades` has put scores and comments into the notebook."""
        graded, resources = super().from_notebook_node(nb, resources, **kw)
        return page(sheet(graded, resources["nbgrader"])), resources


def sheet(nb: NotebookNode, about: Mapping[str, Any]) -> Sheet:
    """What the page shows of an autograded notebook."""
    kept, words = nb.metadata.get(KEY, {}), [cell for cell in nb.cells if open_question(cell)]
    by_hand, of_those = (sum(cell.metadata.nbgrader[key] or 0 for cell in words) for key in ("score", "points"))
    return Sheet(
        title=registry.lesson(about["assignment"]).title,
        student=about["student"],
        score=about["score"] - by_hand,
        max_score=about["max_score"] - of_those,
        late_penalty=about["late_penalty"],
        sections=tuple(_sections(nb.cells, kept)),
        words=tuple(map(_words, words)),
    )


def _sections(cells: Sequence[NotebookNode], kept: Mapping[str, Any]):
    """One section a check cell, with the solution cell above it."""
    solution: NotebookNode | None = None
    for cell in cells:
        if open_question(cell):
            continue
        if utils.is_solution(cell):
            solution = cell
        elif utils.is_grade(cell):
            yield _section(cell, solution, kept)
            solution = None


def _section(cell: NotebookNode, solution: NotebookNode | None, kept: Mapping[str, Any]) -> Section:
    item, about, checks = item_of(cell), cell.metadata.nbgrader, kept.get("checks", [])
    return Section(
        title=_title(item) or about["grade_id"],
        score=about["score"],
        max_score=about["points"],
        checks=tuple(check for check in checks if check["exercise"] == item),
        code=solution.source if solution else "",
        item=item,
        exhibits=_exhibits(kept, item),
        broken=sorted({check["exercise"] for check in checks if check["verdict"] != PASSED}),
        comment=(solution.metadata.nbgrader.get("comment") if solution else None) or "",
    )


def _words(cell: NotebookNode) -> Words:
    about = cell.metadata.nbgrader
    points = Points(open=about["points"]) if about.get("waits") else Points(about["score"], about["points"])
    return Words(about["grade_id"], unquoted(cell.source), points, about.get("comment") or "")


def _exhibits(kept: Mapping[str, Any], item: str) -> tuple[Exhibit, ...]:
    """The values beside the verdict, where autograding left them in the notebook."""
    try:
        return tuple(map(Exhibit.from_json, kept.get("evidence", {}).get(item, ())))
    except ValueError:  # a notebook that somebody changed after autograding
        return ()


def _title(item_id: str) -> str:
    try:
        return title_of(registry.item(item_id))
    except ValueError:
        return ""
