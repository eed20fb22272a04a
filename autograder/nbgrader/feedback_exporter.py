"""`nbgrader generate_feedback` with our own page, made from the rows that autograding left in the notebook."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from nbconvert.exporters import Exporter
from nbformat import NotebookNode
from nbgrader import utils
from traitlets import default

from autograder.core.evidence import Exhibit
from autograder.core.verdict import PASSED
from autograder.course import registry
from autograder.feedback import Section, Sheet, page
from autograder.feedback.student_page import title_of
from autograder.nbgrader.checks import KEY, item_of
from autograder.nbgrader.folders import only_the_lessons_work


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
        """The page, after nbgrader's `GetGrades` has put scores and comments into the notebook."""
        graded, resources = super().from_notebook_node(nb, resources, **kw)
        return page(sheet(graded, resources["nbgrader"])), resources


def sheet(nb: NotebookNode, about: Mapping[str, Any]) -> Sheet:
    """What the page shows of an autograded notebook."""
    kept = nb.metadata.get(KEY, {})
    return Sheet(
        title=registry.lesson(about["assignment"]).title,
        student=about["student"],
        score=about["score"],
        max_score=about["max_score"],
        late_penalty=about["late_penalty"],
        sections=tuple(_sections(nb.cells, kept)),
    )


def _sections(cells: Sequence[NotebookNode], kept: Mapping[str, Any]):
    """One section a check cell, with the solution cell above it."""
    solution: NotebookNode | None = None
    for cell in cells:
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
