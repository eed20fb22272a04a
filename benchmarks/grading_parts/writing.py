"""Puts a generated class on disk: modules and notebooks in nbgrader's layout."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from autograder.course.records import Lesson

from .students import ROOT, Student, stubs


def write_class(students: Iterable[Student], lesson: Lesson, submitted: Path) -> None:
    """`submitted/<student>/<lesson>/`, one file each."""
    for student in students:
        folder = submitted / student.name / lesson.id
        folder.mkdir(parents=True)
        name, text = (
            (f"{lesson.name}.ipynb", notebook(student, lesson))
            if student.notebook
            else (f"{lesson.name}.py", module(student, lesson))
        )
        (folder / name).write_text(text, encoding="utf-8")


def module(student: Student, lesson: Lesson) -> str:
    """The stub module with the student's functions and answers in place."""
    text = (ROOT / "lessons" / lesson.id / f"{lesson.name}.py").read_text(encoding="utf-8")
    for name, stub in stubs(lesson).items():
        text = text.replace(stub.rstrip("\n"), student.texts.get(name, stub).rstrip("\n"), 1)
    return text


def notebook(student: Student, lesson: Lesson) -> str:
    """The release notebook with the student's functions and answers in the solution cells."""
    release = json.loads(_release(lesson.id, lesson.name))
    for cell in release["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution") and about["grade_id"] in student.texts:
            cell["source"] = student.texts[about["grade_id"]]
    return json.dumps(release, indent=1)


@cache
def _release(folder: str, name: str) -> str:
    return (ROOT / "lessons" / folder / f"{name}.ipynb").read_text(encoding="utf-8")
