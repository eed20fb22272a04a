"""Course folders for nbgrader: as it comes, with its own Execute and check cells that test in the kernel; and ours."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path

from nbgrader.api import Gradebook

from autograder.course.records import Exercise, Lesson

from .students import ROOT, Student

SECRET = "a benchmark's secret"
STOCK = "c = get_config()\nc.CourseDirectory.root = {root!r}\n"
CHECK = """from autograder.course import registry
from autograder.core.grade import {call}
from autograder.core.verdict import total
"""


def make_course(folder: Path, lesson: Lesson, students: Iterable[Student], *, small: bool) -> None:
    """`source/`, `release/` and `submitted/` of a stock course; `small` keeps only solution and check cells."""
    source = folder / "source" / lesson.id / f"{lesson.name}.ipynb"
    source.parent.mkdir(parents=True)
    notebook = json.loads((ROOT / "solutions" / lesson.id / source.name).read_text(encoding="utf-8"))
    notebook["cells"] = [_cell(cell, lesson, small) for cell in notebook["cells"] if not small or _counts(cell)]
    source.write_text(json.dumps(notebook), encoding="utf-8")
    (folder / "nbgrader_config.py").write_text(STOCK.format(root=str(folder)), encoding="utf-8")
    nbgrader(folder, "generate_assignment", lesson.id)
    release = json.loads((folder / "release" / lesson.id / source.name).read_text(encoding="utf-8"))
    for student in students:
        _hand_in(student, release, folder / "submitted" / student.name / lesson.id / source.name)


def _counts(cell: Mapping) -> bool:
    return "nbgrader" in cell["metadata"] or "".join(cell["source"]).startswith("import torch\n")


def _cell(cell: dict, lesson: Lesson, small: bool) -> dict:
    """A check cell that ends in the points earned, which is what nbgrader reads; all other cells as they are."""
    about = cell["metadata"].get("nbgrader", {})
    if not about.get("grade"):
        return cell
    item = next(i for i in lesson.items if about["grade_id"] == f"check_{i.id.split('.')[1]}")
    name = item.id.split(".")[1]
    if not small:
        text = f'from autograder.core.verdict import total\ntotal(check("{item.id}", {name}).graded.rows)[0]'
    elif isinstance(item, Exercise):
        text = CHECK.format(call="grade_function")
        text += f'total(grade_function(registry.exercise("{item.id}"), {name}).rows)[0]'
    else:
        text = CHECK.format(call="grade_answer")
        text += f'total([grade_answer(registry.question("{item.id}"), {name})])[0]'
    return {**cell, "source": text}


def _hand_in(student: Student, release: dict, path: Path) -> None:
    handed = json.loads(json.dumps(release))
    for cell in handed["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if about.get("solution"):
            cell["source"] = student.texts.get(about["grade_id"], cell["source"])
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(handed), encoding="utf-8")


def make_our_course(folder: Path, lesson: Lesson) -> None:
    """The repository's own configuration, release and source of one lesson; `submitted/` is the caller's."""
    folder.mkdir(exist_ok=True)
    shutil.copy(ROOT / "nbgrader_config.py", folder)
    for part in ("lessons", "solutions"):
        shutil.copytree(ROOT / part / lesson.id, folder / part / lesson.id)
    nbgrader(folder, "generate_assignment", lesson.id)


def scores(folder: Path, lesson: Lesson) -> dict[str, dict[str, float]]:
    """Student -> item id -> points, as the gradebook has them."""
    found: dict[str, dict[str, float]] = {}
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        for submission in gradebook.assignment_submissions(lesson.id):
            (notebook,) = submission.notebooks
            points = {grade.name.removeprefix("check_"): grade.score for grade in notebook.grades}
            found[submission.student.id] = {f"{lesson.name}.{name}": score for name, score in points.items()}
    return found


def nbgrader(folder: Path, *arguments: str) -> None:
    """One of its commands, to its end.

    Raises:
        RuntimeError: it failed.
    """
    command = [sys.executable, "-m", "nbgrader", *arguments]
    done = subprocess.run(command, cwd=folder, env=environment(), capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{done.stderr[-3000:]}")


def environment() -> dict[str, str]:
    """One thread, and this environment's own programs first."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", os.defpath)])
    return {**os.environ, "PATH": path, "OMP_NUM_THREADS": "1", "CNNVIZ_SECRET": SECRET}
