"""`cnnviz lint`: the course held to its own rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.authoring.build import SOLVED
from autograder.authoring.errors import Problem
from autograder.authoring.lint_files import file_problems, stray_problems
from autograder.authoring.lint_records import record_faults
from autograder.authoring.lint_runs import check_problems, notebook_problems
from autograder.authoring.lint_solutions import solution_problems
from autograder.course import registry
from autograder.course.records import Lesson


def lint(root: Path, lessons: Sequence[str] | None = None, run_notebooks: bool = False) -> list[Problem]:
    """Everything that is wrong with the course as it would be shipped.

    Args:
        root: the course folder.
        lessons: names of lessons; None for every lesson.
        run_notebooks: also execute each solved notebook.

    Raises:
        ValueError: an unknown lesson.
    """
    known = registry.lessons()
    chosen = known if lessons is None else [registry.lesson(name) for name in lessons]
    return lint_lessons(root, chosen, known=known, run_notebooks=run_notebooks)


def lint_lessons(
    root: Path, lessons: Sequence[Lesson], *, known: Sequence[Lesson], run_notebooks: bool = False
) -> list[Problem]:
    """`lint` for lessons at hand; `known` are all lessons of the course."""
    problems = [problem for lesson in lessons for problem in record_problems(lesson)]
    problems += file_problems(root, lessons)
    problems += stray_problems(root, lessons, known)
    problems += solution_problems(root, lessons)
    problems += check_problems(root, lessons)
    if run_notebooks:
        problems += notebook_problems(root, lessons)
    return problems


def record_problems(lesson: Lesson) -> list[Problem]:
    """Faults of the records, each with its file."""
    return [Problem(f"{SOLVED}/{lesson.id}", fault, f"cnnviz lint {lesson.id}") for fault in record_faults(lesson)]
