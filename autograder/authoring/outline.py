"""For `cnnviz build`: the outline of a lesson."""

from __future__ import annotations

import json
from dataclasses import asdict

from autograder.course.outlines import EXERCISE, QUESTION, Item, digest
from autograder.course.records import Exercise, Lesson, Question
from autograder.text.plain_formulas import plain

FOLDER = "autograder/course/outlines"
"""Where outlines lie in the course folder, and so in the installed package."""


def outline_text(lesson: Lesson, *files: str) -> str:
    """The outline as JSON; what an item does not have is left out.

    Args:
        lesson: the records.
        files: the texts of the student's module and notebook as they are handed out.
    """
    items = [{k: v for k, v in asdict(_item(item)).items() if v} for item in lesson.items]
    digests = [digest(text.encode()) for text in files]
    made = {"id": lesson.id, "title": lesson.title, "digests": digests, "items": items}
    return json.dumps(made, ensure_ascii=False, indent=1) + "\n"


def _item(item: Exercise | Question) -> Item:
    if isinstance(item, Question):
        options = tuple((letter, option.text) for letter, option in item.options.items())
        return Item(item.id, QUESTION, item.text, item.points, options=options)
    return Item(
        item.id, EXERCISE, item.title, item.points, item.minutes, item.difficulty, item.lines, plain(item.formula),
        tuple(item.hints), item.builds_on,
    )  # fmt: skip
