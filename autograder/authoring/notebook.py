"""What a lesson's blocks and records become: the solved notebook, with ids that stay, a module, and a README."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import nbformat
from nbformat import NotebookNode

from autograder.authoring.parse import CODE, EXERCISE, HEADING, MODULE, OPEN, QUESTION, TEXT, Block
from autograder.authoring.publishing import FOLDED, badges, install_cell, links
from autograder.authoring.solution import BEGIN, END
from autograder.authoring.templates import render
from autograder.course.records import Exercise, Lesson, OpenQuestion, Question

METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {
        "codemirror_mode": {"name": "ipython", "version": 3}, "file_extension": ".py", "mimetype": "text/x-python",
        "name": "python", "nbconvert_exporter": "python", "pygments_lexer": "ipython3",
    },
}  # fmt: skip
"""What JupyterLab writes when it has started the kernel, but Python's version: the bytes depend on the lesson only."""

_OFF_THE_PAGE = {"tags": ["remove-cell"]}
"""MyST-NB's word for a cell that a rendered page leaves out."""


def solved_notebook(blocks: Sequence[Block], lesson: Lesson, *, handout: str = "") -> NotebookNode:
    """The notebook of `solutions/`, which is nbgrader's source version.

    Args:
        blocks: the lesson's text.
        lesson: the records.
        handout: the first cell of what a class is handed; empty for the course as it is published.
    """
    cells = _Cells(lesson)
    title, *others = blocks
    cells.add(title)
    cells.add_head(handout)
    for block in others:
        cells.add(block)
    notebook = nbformat.v4.new_notebook(metadata=METADATA, cells=cells.made)
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def written(notebook: NotebookNode) -> str:
    """The file's text, as nbconvert writes it."""
    return nbformat.writes(notebook, version=4).rstrip("\n") + "\n"


def empty_answer(question: Question) -> str:
    """The line that a student fills in: `which_sign = None  # "both", "minus" or "plus"`."""
    return f"{question.variable} = None  # {asked_for(question)}"


def asked_for(question: Question) -> str:
    """ "both", "minus" or "plus"; or a number, and how exact."""
    if question.within is not None:
        return f"a number, at most {question.within:g} from the right one"
    *first, last = [f'"{word}"' for word in question.options]
    return f"{', '.join(first)} or {last}"


class _Cells:
    """The cells made so far; exercises and questions are numbered as they come."""

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.exercises = {exercise.id: exercise for exercise in lesson.exercises}
        self.questions = {question.id: question for question in lesson.questions}
        self.open_questions = {question.id: question for question in lesson.open_questions}
        self.made: list[NotebookNode] = []
        self._ids: set[str] = set()

    def add(self, block: Block) -> None:
        if block.kind == TEXT:
            self._text(block.source.replace("<<points>>", str(self.lesson.points)))
        elif block.kind in (CODE, MODULE):
            self._code(block.source, _prose_id(block.source), _ours(block.kind) if block.kind == MODULE else {})
        elif block.kind == HEADING:
            exercise = self.exercises[block.item]
            number = self.lesson.exercises.index(exercise) + 1
            self._text(render("exercise.md.j2", exercise=exercise, number=number), f"about_{exercise.function}")
        elif block.kind == EXERCISE:
            self._exercise(self.exercises[block.item], block.source)
        elif block.kind == QUESTION:
            self._question(self.questions[block.item])
        elif block.kind == OPEN:
            self._open_question(self.open_questions[block.item])

    def add_head(self, handout: str) -> None:
        """Where the notebook opens elsewhere, and what it needs there. The tag keeps both off a rendered page."""
        if not handout and (elsewhere := links(self.lesson)):
            self._text(elsewhere, "links", _OFF_THE_PAGE)
        if install := handout or install_cell():
            self._code(install, "install", _OFF_THE_PAGE | FOLDED)

    def _exercise(self, exercise: Exercise, source: str) -> None:
        if exercise.hints:
            self._text(render("hints.md.j2", exercise=exercise), f"hints_{exercise.function}")
        self._answer(source, exercise.function, _ours(EXERCISE, id=exercise.id, lines=exercise.lines))
        self._check(exercise, exercise.function)

    def _question(self, question: Question) -> None:
        number = self.lesson.questions.index(question) + 1
        self._text(render("question.md.j2", question=question, number=number), f"about_{question.variable}")
        filled = [empty_answer(question), BEGIN, f"{question.variable} = {question.literal}", END]
        self._answer("\n".join(filled), question.variable, _ours(QUESTION, id=question.id))
        self._check(question, question.variable)

    def _open_question(self, question: OpenQuestion) -> None:
        """The solved notebook has the rubric where a student writes; releasing clears the whole cell."""
        self._text(render("open.md.j2", question=question), f"about_{question.name}")
        metadata = _nbgrader(question.name, grade=True, locked=False, solution=True)
        metadata["nbgrader"]["points"] = question.points
        self._text(render("rubric.md.j2", question=question), question.name, metadata)

    def _answer(self, source: str, name: str, ours: dict[str, Any]) -> None:
        self._code(source, name, ours | _nbgrader(name, grade=False, locked=False, solution=True))

    def _check(self, item: Exercise | Question, name: str) -> None:
        metadata = _nbgrader(f"check_{name}", grade=True, locked=True, solution=False)
        metadata["nbgrader"]["points"] = item.points
        self._code(f'check("{item.id}", {name})', f"check_{name}", metadata)

    def _text(self, source: str, name: str = "", metadata: dict[str, Any] | None = None) -> None:
        source = source.strip("\n")
        name = self._id(name or _prose_id(source))
        self.made.append(nbformat.v4.new_markdown_cell(source, id=name, metadata=metadata or {}))

    def _code(self, source: str, name: str, metadata: dict[str, Any]) -> None:
        self.made.append(nbformat.v4.new_code_cell(source, id=self._id(name), metadata=metadata))

    def _id(self, name: str) -> str:
        """The name, shortened to nbformat's 64 characters, with a number where it came before."""
        fresh, number = name[:60], 2
        while fresh in self._ids:
            fresh, number = f"{name[:60]}-{number}", number + 1
        self._ids.add(fresh)
        return fresh


def _prose_id(source: str) -> str:
    """From the content: an edit elsewhere in the lesson leaves it alone."""
    return "cell-" + hashlib.sha256(source.encode()).hexdigest()[:12]


def _ours(kind: str, **more: Any) -> dict[str, Any]:
    return {"cnnviz": {"kind": kind, **more}}


def _nbgrader(grade_id: str, **flags: bool) -> dict[str, Any]:
    return {"nbgrader": {"grade_id": grade_id, "schema_version": 3, "task": False, **flags}}


def module_text(notebook: NotebookNode, lesson: Lesson, *, solved: bool) -> str:
    """The solved module from the solved notebook, or the stub from the student's."""
    parts = [_part(cell) for cell in notebook.cells if "cnnviz" in cell.metadata]
    body = parts[0]
    for before, part in pairwise(parts):
        body += ("\n\n\n" if _has_definition(before) or _has_definition(part) else "\n\n") + part
    return render("module.py.j2", lesson=lesson, solved=solved, body=body)


def _part(cell: NotebookNode) -> str:
    """The cell's code without the marks; of a filled answer only the last word."""
    lines = cell.source.strip("\n").split("\n")
    marks = [index for index, line in enumerate(lines) if line.strip() in (BEGIN, END)]
    if marks and cell.metadata["cnnviz"]["kind"] == QUESTION:
        lines = lines[marks[0] + 1 : marks[1]]
    return "\n".join(line for line in lines if line.strip() not in (BEGIN, END))


def _has_definition(source: str) -> bool:
    return any(line.startswith(("def ", "class ", "@")) for line in source.split("\n"))


def readme_text(lesson: Lesson, text: str, *, handout: bool = False, own: bool = False) -> str:
    """Exercises, predictions, how to work on it; earlier lessons are those that the lesson's text names.

    Args:
        lesson: the records.
        text: the authored Markdown.
        handout: whether it is handed to a class, without badges and without the folder docs.
        own: whether it is an instructor's own, which is not published with ours.
    """
    earlier = sorted({name for name in re.findall(r"\b\d\d_[a-z_]+\b", text) if name < lesson.id})
    minutes = sum(exercise.minutes for exercise in lesson.exercises)
    return render(
        "README.md.j2", lesson=lesson, minutes=minutes, earlier=earlier, handout=handout, own=own,
        picture="(picture.png)" in text,
        badges="" if handout else badges(lesson),
    )  # fmt: skip
