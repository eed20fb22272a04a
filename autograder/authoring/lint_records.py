"""Lint of the records: whether a lesson is whole, before any text or code of it is looked at."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from autograder.course.mutants import Mutant
from autograder.course.records import Case, Exercise, Law, Lesson, Question

MISCONCEPTIONS = 8
"""The least number for an exercise."""
_SLUG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_LATEX = re.compile(r"\$|\\[a-zA-Z]")


def record_faults(lesson: Lesson) -> Iterator[str]:
    """A sentence for each rule that the records of a lesson break."""
    if not re.fullmatch(r"\d\d_[a-z][a-z0-9_]*", lesson.id):
        yield f'the lesson\'s id is "{lesson.id}"; two digits and a module name are allowed, as in "11_grad_cam".'
        return
    if not 3 <= len(lesson.exercises) <= 5:
        yield f"{lesson.id} has {len(lesson.exercises)} exercises; 3 to 5 are allowed."
    if len(lesson.questions) < 3:
        yield f"{lesson.id} has {len(lesson.questions)} questions; at least 3 are needed."
    yield from _empty(lesson.id, title=lesson.title, summary=lesson.summary)
    items: tuple[Exercise | Question, ...] = lesson.items
    yield from _repeated(lesson.id, "exercise and question ids", [item.id for item in items])
    for item in items:
        if not re.fullmatch(rf"{lesson.name}\.[a-z][a-z0-9_]*", item.id):
            yield f'got the id "{item.id}"; "{lesson.name}." and a lower-case name are allowed.'
    for place, exercise in enumerate(lesson.exercises):
        yield from _exercise(exercise, [earlier.id for earlier in lesson.exercises[:place]])
    for question in lesson.questions:
        yield from _question(question)


def _exercise(exercise: Exercise, earlier: Sequence[str]) -> Iterator[str]:
    name = exercise.id
    yield from _empty(name, title=exercise.title, formula=exercise.formula)
    for what in ("minutes", "lines", "seconds"):
        if getattr(exercise, what) <= 0:
            yield f"{name} has {what} = {getattr(exercise, what)}; a number above 0 is needed."
    if exercise.difficulty not in (1, 2, 3):
        yield f"{name} has difficulty {exercise.difficulty}; 1, 2 and 3 are allowed."
    if len([hint for hint in exercise.hints if hint.strip()]) != 3 or len(set(exercise.hints)) != 3:
        yield f"{name} has {len(set(exercise.hints))} different hints; three are needed, none of them empty."
    if unknown := set(exercise.builds_on) - set(earlier):
        yield f"{name} builds on {min(unknown)}; only earlier exercises of the lesson are allowed: {list(earlier)}."
    yield from _checks(exercise)
    yield from _misconceptions(exercise)


def _checks(exercise: Exercise) -> Iterator[str]:
    name = exercise.id
    hidden = [case.hidden for case in exercise.cases]
    if not any(hidden) or all(hidden):
        yield f"{name} has {hidden.count(False)} visible and {hidden.count(True)} hidden cases; one of each is needed."
    parts: tuple[Case | Law, ...] = exercise.parts
    if exercise.promise_points < 1 or any(part.points < 1 for part in parts):
        yield f"{name} has a check without points; each case, each law and the promises need at least 1."
    yield from _repeated(name, "names of cases and laws", [part.name for part in parts])
    for law in exercise.laws:
        yield from _slug(name, "law", law.name)


def _misconceptions(exercise: Exercise) -> Iterator[str]:
    name, known = exercise.id, exercise.misconceptions
    if len(known) < MISCONCEPTIONS:
        yield f"{name} has {len(known)} misconceptions; at least {MISCONCEPTIONS} are needed."
    yield from _repeated(name, "names of misconceptions", [m.name for m in known])
    yield from _repeated(name, "sentences of misconceptions", [m.sentence for m in known])
    for misconception in known:
        yield from _slug(name, "misconception", misconception.name)
        yield from _empty(f"{name}, {misconception.name}", sentence=misconception.sentence)
        if _LATEX.search(misconception.sentence):
            yield f"{name}, {misconception.name}: the sentence has LaTeX; plain text with symbols such as α is needed."
        if isinstance(misconception.wrong, Mutant) and (fault := misconception.wrong.fault):
            yield fault


def _question(question: Question) -> Iterator[str]:
    name, letters = question.id, sorted(question.options)
    if len(letters) < 3 or letters != list("abcdefghij"[: len(letters)]):
        yield f'{name} has the options {", ".join(letters) or "none"}; at least "a", "b" and "c" are needed, no gap.'
    if question.answer not in question.options:
        yield f'{name} has the answer "{question.answer}"; its options are {", ".join(letters)}.'
    if question.points < 1:
        yield f"{name} has {question.points} points; at least 1 is needed."
    yield from _empty(name, text=question.text)
    for letter, option in question.options.items():
        yield from _empty(f"{name}, option {letter}", text=option.text, feedback=option.feedback)
    yield from _repeated(name, "options", [option.text for option in question.options.values()])


def _empty(name: str, **texts: str) -> Iterator[str]:
    for what, text in texts.items():
        if not text.strip():
            yield f"{name} has an empty {what}; a student reads it, so write it."


def _repeated(name: str, what: str, values: Sequence[str]) -> Iterator[str]:
    for value in sorted({value for value in values if values.count(value) > 1}):
        yield f'{name}: among the {what}, "{value}" stands more than once; each must differ.'


def _slug(name: str, what: str, slug: str) -> Iterator[str]:
    if not _SLUG.fullmatch(slug):
        yield f'{name} has the {what} "{slug}"; letters, digits and _ are allowed in its name.'
