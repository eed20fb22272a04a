"""For `cnnviz build`: the outline of a lesson, and the files to which a reset goes back."""

from __future__ import annotations

import json
from dataclasses import asdict

from autograder.course.records import Exercise, Lesson, Question
from autograder.study.formula import plain
from autograder.study.outlines import EXERCISE, OUTLINE, QUESTION, UNTOUCHED_MODULE, Item

FOLDER = "autograder/study/course"
"""Where they lie in the course folder, and so in the installed package."""


def study_files(lesson: Lesson, *, module: str, notebook: str) -> dict[str, str]:
    """Path relative to the course folder -> text.

    Args:
        lesson: the records.
        module: the student's module as it is handed out.
        notebook: the student's notebook as it is handed out.
    """
    folder = f"{FOLDER}/{lesson.id}"
    made = {OUTLINE: outline_text(lesson), UNTOUCHED_MODULE: module, f"{lesson.name}.ipynb": notebook}
    return {f"{folder}/{name}": text for name, text in made.items()}


def outline_text(lesson: Lesson) -> str:
    """The outline as JSON; what an item does not have is left out."""
    items = [{k: v for k, v in asdict(_item(item)).items() if v} for item in lesson.items]
    return json.dumps({"id": lesson.id, "title": lesson.title, "items": items}, ensure_ascii=False, indent=1) + "\n"


def _item(item: Exercise | Question) -> Item:
    if isinstance(item, Question):
        options = tuple((letter, option.text) for letter, option in item.options.items())
        return Item(item.id, QUESTION, item.text, item.points, options=options)
    return Item(
        item.id, EXERCISE, item.title, item.points, item.minutes, item.difficulty, item.lines, plain(item.formula),
        tuple(item.hints), item.builds_on,
    )  # fmt: skip
