"""Lint by running: stubs are not attempted, solutions pass, solved notebooks run."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

import nbformat
from joblib import Parallel, delayed

from autograder.authoring.build import LESSON, SOLVED
from autograder.authoring.errors import Problem
from autograder.core.grade import grade_lesson
from autograder.core.oracle import Setting, parts_of
from autograder.core.verdict import NOT_ATTEMPTED, PASSED, Row
from autograder.course.records import Case, Lesson
from autograder.isolated import Runner
from autograder.isolated.current_folder import elsewhere
from autograder.reading.submission import from_module, from_notebook
from autograder.report.sentences import said

CELL_SECONDS = 300
"""After this a cell hangs. How long notebooks take is measured in `benchmarks/notebooks.py`, not judged here."""


def check_problems(root: Path, lessons: Sequence[Lesson]) -> Iterator[Problem]:
    """Verdicts of what is shipped: nothing attempted in `lessons/`, everything passed in `solutions/`."""
    with Runner() as runner:
        for lesson in lessons:
            for folder, suffix, wanted in (
                (LESSON, ".py", NOT_ATTEMPTED),
                (LESSON, ".ipynb", NOT_ATTEMPTED),
                (SOLVED, ".py", PASSED),
            ):
                yield from _verdict_problems(
                    root, Path(folder, lesson.id, lesson.name + suffix), lesson, wanted, runner
                )


def mistake_problems(lessons: Sequence[Lesson]) -> Iterator[Problem]:
    """Known mistakes that a case does not see, or takes for another one, where the course has a secret."""
    setting = Setting(secret="lint")
    for lesson, exercise in ((each, exercise) for each in lessons for exercise in each.exercises):
        for part in parts_of(exercise, setting):
            if isinstance(part.part, Case) and (told := part.clash):
                place = f"{SOLVED}/{lesson.id}/cases.py"
                fit = "give the case inputs on which it shows, or take the mistake out."
                yield Problem(
                    place, f'{exercise.id}, case "{part.part.name}": {told}; {fit}', f"cnnviz lint {lesson.id}"
                )


def notebook_problems(root: Path, lessons: Sequence[Lesson]) -> Iterator[Problem]:
    """Executes each solved notebook in its folder, one on each core; nothing is written."""
    names = [f"{SOLVED}/{lesson.id}/{lesson.name}.ipynb" for lesson in lessons]
    files = [name for name in names if (root / name).is_file()]
    paths = [(root / file).absolute() for file in files]
    with elsewhere():
        said = Parallel(n_jobs=-1)(delayed(_run_notebook)(path) for path in paths)
    for file, told in zip(files, said, strict=True):
        if told:
            yield Problem(file, told, f"jupyter execute {file}")


def _verdict_problems(root: Path, path: Path, lesson: Lesson, wanted: str, runner: Runner) -> Iterator[Problem]:
    if not (root / path).is_file():
        return
    command = f"cnnviz check {lesson.id} --submission {path.parts[0]}"
    try:
        submission = (from_module if path.suffix == ".py" else from_notebook)(root / path)
    except ValueError as error:
        yield Problem(str(path), str(error), command)
        return
    rows = [row for graded in grade_lesson(submission, lesson, Setting(), runner) for row in graded.rows]
    for row in rows:
        if row.verdict != wanted:
            yield Problem(str(path), _told(row, wanted), command)


def _told(row: Row, wanted: str) -> str:
    why = f" ({said(row)})" if row.diagnosis else ""
    return f'the check "{row.check}" of {row.exercise} is "{row.verdict}"{why}; as shipped it must be "{wanted}".'


def _run_notebook(path: Path) -> str:
    """What went wrong, in one sentence; empty where nothing did."""
    from nbclient import NotebookClient  # the only use, and slow to import
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    told = ""
    for _ in range(2):  # a kernel's answer can be lost on its way; a cell that hangs does so twice
        client = NotebookClient(
            nbformat.read(path, as_version=4), timeout=CELL_SECONDS, kernel_name="python3",
            resources={"metadata": {"path": str(path.parent)}},
        )  # fmt: skip
        try:
            client.execute(env={**os.environ, "OMP_NUM_THREADS": "1"})  # threads that wait for a busy core cost minutes
            return ""
        except CellExecutionError as error:
            return f"a cell raises {error.ename}: {error.evalue}; a solved notebook runs without an error."
        except (CellTimeoutError, DeadKernelError) as error:
            told = (
                f"it does not run to its end ({type(error).__name__}); look for a cell that hangs or asks for too much."
            )
    return told
