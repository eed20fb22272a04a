"""What to look at next: the exercise that this one is built on, a question, the place in the lesson."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from autograder.course import registry
from autograder.course.records import SECTIONS, Exercise, Question, foundations
from autograder.text.formulas import as_mathml

_PIECES = re.compile(r"\$([^$\n]+)\$|`([^`\n]+)`|\*\*([^*\n]+)\*\*")


@dataclass(frozen=True)
class Step:
    """One thing to do."""

    text: Markup
    to: str = ""
    """Id of the exercise on the same page where it leads."""


def steps(item: Exercise | Question | None, broken: Sequence[str]) -> list[Step]:
    """For an exercise that is not right, in the order in which they help.

    Args:
        item: what is not right.
        broken: ids of the lesson's exercises that are not right.
    """
    if not isinstance(item, Exercise):
        return []
    found = foundations(item, registry.lesson_of(item.id).exercises)
    parts = [registry.exercise(name) for name in found if name in broken]
    begin = [Step(escape(f"Begin with “{parts[0].title}”: this one is built on it."), parts[0].id)] if parts else []
    return [*begin, Step(inline(item.hints[0])), Step(_place(item))]


def inline(text: str) -> Markup:
    """A hint's line: formulas, code and bold words drawn, everything else as it is."""
    made, end = Markup(), 0
    for found in _PIECES.finditer(text):
        made += escape(text[end : found.start()]) + _piece(*found.groups())
        end = found.end()
    return made + escape(text[end:])


def _piece(formula: str | None, code: str | None, bold: str | None) -> Markup:
    if formula:
        return as_mathml(formula)
    return Markup("<code>{}</code>").format(code) if code else Markup("<strong>{}</strong>").format(bold)


def _place(item: Exercise) -> Markup:
    lesson = registry.lesson_of(item.id)
    number = 1 + [exercise.id for exercise in lesson.exercises].index(item.id)
    return Markup(
        "In the lesson: Exercise {} of <em>{}</em>, and its sections <em>{}</em> and <em>{}</em>. "
        "<code>cnnviz open {}</code> opens it; <code>cnnviz hint {}</code> gives the next hint."
    ).format(number, lesson.title, SECTIONS["formula"], SECTIONS["by_hand"], lesson.id, item.id)
