"""What a batch of nbgrader takes from the course folder: the secret, the known results, and how far it may confine."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from typing import Any

from autograder.batch.grade_class import unchanged
from autograder.batch.results import Store
from autograder.batch.secret import FILE, VARIABLE, course_secret
from autograder.batch.stages import Handed, Result
from autograder.core.version import checks_version
from autograder.course import registry
from autograder.isolated.rungs import RUNGS, chosen


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
