"""Runs before and after `nbgrader generate_assignment`, so that it leaves what `cnnviz build` makes.

nbgrader logs a hook's exception, goes on and ends with status 0: these hooks leave by `SystemExit`, which gets through.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from itertools import chain
from pathlib import Path

from autograder.authoring.build import LESSON, SOLVED, complete, stale
from autograder.course import registry
from autograder.course.records import Lesson

Hook = Callable[..., None]


def _hook(function: Callable[[Path, Lesson], None]) -> Hook:
    """A function of course folder and lesson as nbgrader calls it; the instructor's own assignments are left alone."""

    @wraps(function)
    def hook(*, assignment: str, student: str, notebooks: list[str]) -> None:
        root = Path(notebooks[0]).resolve().parents[2]  # root/solutions/./lesson/name.ipynb
        try:
            known = chain.from_iterable(
                of() for of in (registry.lessons, registry.known)
            )  # also one that is not taught
            if lesson := next((each for each in known if each.id == assignment), None):
                function(root, lesson)
        except Exception as error:
            raise SystemExit(str(error)) from error

    return hook


@_hook
def before_release(root: Path, lesson: Lesson) -> None:
    """Stops where a generated file of `solutions/` is not what the lesson's text says."""
    if changed := stale(root, lesson, SOLVED):
        raise ValueError(
            f"{changed[0]} is not what solutions/{lesson.id}/{lesson.name}.md says; "
            f"run `cnnviz build {lesson.id}`, then this command again."
        )


@_hook
def after_release(root: Path, lesson: Lesson) -> None:
    """Puts back the stub, the test and the README, and nothing else; stops where nbgrader's notebook is not ours."""
    complete(root, lesson)
    if changed := stale(root, lesson, LESSON):
        raise ValueError(
            f"{changed[0]} is not what `cnnviz build` makes; "
            "nbgrader_config.py must list the preprocessors of autograder.authoring.student_notebook."
        )
