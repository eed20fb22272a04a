"""The page that a student sees first in the lesson's folder."""

from __future__ import annotations

import re

from autograder.authoring.publishing import badges
from autograder.authoring.templates import render
from autograder.course.records import Lesson


def readme_text(lesson: Lesson, text: str, *, handout: bool = False) -> str:
    """Exercises, predictions, how to work on it; earlier lessons are those that the lesson's text names.

    Args:
        lesson: the records.
        text: the authored Markdown.
        handout: whether it is handed to a class, without badges and without the folder docs.
    """
    earlier = sorted({name for name in re.findall(r"\b\d\d_[a-z_]+\b", text) if name < lesson.id})
    minutes = sum(exercise.minutes for exercise in lesson.exercises)
    return render(
        "README.md.j2", lesson=lesson, minutes=minutes, earlier=earlier, handout=handout,
        badges="" if handout else badges(lesson),
    )  # fmt: skip
