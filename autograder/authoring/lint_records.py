"""Lint of a lesson's records, and of the solved module against them."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path

from autograder.authoring.build import SOLVED
from autograder.authoring.errors import Problem
from autograder.course.mutants import Mutant
from autograder.course.records import SECTIONS, Case, Exercise, Law, Lesson, OpenQuestion, Question

MISCONCEPTIONS = 8
"""The least number for an exercise."""
_SLUG = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_WORD = re.compile(r"[a-z0-9][a-z0-9_]{0,39}")
_LATEX = re.compile(r"\$|\\[a-zA-Z]")


def record_faults(lesson: Lesson, *, own: bool = False) -> Iterator[str]:
    """A sentence for each rule that the records of a lesson break.

    Args:
        lesson: the records.
        own: whether it is an instructor's own, and only what makes a verdict wrong is a fault.
    """
    if not re.fullmatch(r"\d\d_[a-z][a-z0-9_]*", lesson.id):
        yield f'the lesson\'s id is "{lesson.id}"; two digits and a module name are allowed, as in "11_grad_cam".'
        return
    if not own:
        yield from _style(lesson)
    items: tuple[Exercise | Question | OpenQuestion, ...] = (*lesson.items, *lesson.open_questions)
    yield from _repeated(lesson.id, "exercise and question ids", [item.id for item in items])
    for item in items:
        if not re.fullmatch(rf"{lesson.name}\.[a-z][a-z0-9_]*", item.id):
            yield f'got the id "{item.id}"; "{lesson.name}." and a lower-case name are allowed.'
    for place, exercise in enumerate(lesson.exercises):
        yield from _exercise(exercise, [earlier.id for earlier in lesson.exercises[:place]])
    for question in lesson.questions:
        yield from _question(question)
    for open_question in lesson.open_questions:
        yield from _empty(open_question.id, text=open_question.text, rubric=" ".join(open_question.rubric))


def _style(lesson: Lesson) -> Iterator[str]:
    """What makes our lessons alike."""
    if not 3 <= len(lesson.exercises) <= 5:
        yield f"{lesson.id} has {len(lesson.exercises)} exercises; 3 to 5 are allowed."
    if len(lesson.questions) < 3:
        yield f"{lesson.id} has {len(lesson.questions)} questions; at least 3 are needed."
    yield from _empty(lesson.id, title=lesson.title, summary=lesson.summary)
    for exercise in lesson.exercises:
        yield from _effort(exercise)
    if len(lesson.open_questions) != 1:
        yield f"{lesson.id} has {len(lesson.open_questions)} open questions; one is needed, in {SECTIONS['yours']}."
    for question in lesson.questions:
        if len(question.options) < 3:
            yield f"{question.id} has the options {', '.join(question.options)}; at least three are needed."
        for word, option in question.options.items():
            yield from _empty(f"{question.id}, option {word}", feedback=option.feedback)


def _effort(exercise: Exercise) -> Iterator[str]:
    name = exercise.id
    yield from _empty(name, title=exercise.title, formula=exercise.formula)
    for what in ("minutes", "lines"):
        if getattr(exercise, what) <= 0:
            yield f"{name} has {what} = {getattr(exercise, what)}; a number above 0 is needed."
    if exercise.difficulty not in (1, 2, 3):
        yield f"{name} has difficulty {exercise.difficulty}; 1, 2 and 3 are allowed."
    if len([hint for hint in exercise.hints if hint.strip()]) != 3 or len(set(exercise.hints)) != 3:
        yield f"{name} has {len(set(exercise.hints))} different hints; three are needed, none of them empty."
    if (number := len(exercise.misconceptions)) < MISCONCEPTIONS:
        yield f"{name} has {number} misconceptions; at least {MISCONCEPTIONS} are needed."
    for misconception in exercise.misconceptions:
        if _LATEX.search(misconception.sentence):
            yield f"{name}, {misconception.name}: the sentence has LaTeX; plain text with symbols such as α is needed."


def _exercise(exercise: Exercise, earlier: Sequence[str]) -> Iterator[str]:
    name = exercise.id
    if exercise.seconds <= 0:
        yield f"{name} has seconds = {exercise.seconds}; a number above 0 is needed."
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
    yield from _repeated(name, "names of misconceptions", [m.name for m in known])
    yield from _repeated(name, "sentences of misconceptions", [m.sentence for m in known])
    for misconception in known:
        yield from _slug(name, "misconception", misconception.name)
        yield from _empty(f"{name}, {misconception.name}", sentence=misconception.sentence)
        if isinstance(misconception.wrong, Mutant) and (fault := misconception.wrong.fault):
            yield fault


def _question(question: Question) -> Iterator[str]:
    name, options = question.id, question.options
    if len(options) < 2:
        yield f"{name} has the options {', '.join(options) or 'none'}; at least two are needed."
    if question.answer not in options:
        yield f'{name} has the answer "{question.answer}"; its options are {", ".join(options)}.'
    if question.within is not None:
        yield from _numbers(name, sorted(map(float, options)), question.within)
    for word in question.choices:
        if not _WORD.fullmatch(word):
            yield f'{name} has the option "{word}"; small letters, digits and _ are allowed, up to 40.'
    if question.points < 1:
        yield f"{name} has {question.points} points; at least 1 is needed."
    yield from _empty(name, text=question.text)
    for word, option in options.items():
        yield from _empty(f"{name}, option {word}", text=option.text)
    yield from _repeated(name, "options", [option.text for option in options.values()])


def _numbers(name: str, known: Sequence[float], within: float) -> Iterator[str]:
    if within <= 0:
        yield f"{name} has within = {within}; a number above 0 is needed."
    for one, next_ in pairwise(known):
        if next_ - one <= 2 * within:
            yield f"{name} has the numbers {one:g} and {next_:g}, which within = {within:g} does not tell apart."


FEW = 20
"""Of fewer questions a share says nothing."""
PLACE, SHORTEST = 0.35, 0.40
"""The largest share of questions of a course whose right option stands in the same place, or is the shortest."""


def guessing_faults(lessons: Sequence[Lesson]) -> Iterator[str]:
    """A sentence for each way in which answers of a whole course could be guessed from how the options look."""
    asked = [question for lesson in lessons for question in lesson.questions if question.choices]
    if len(asked) < FEW:
        return
    places = Counter([*question.options].index(question.answer) + 1 for question in asked)
    for place, count in sorted(places.items()):
        if count > PLACE * len(asked):
            yield (
                f"of {len(asked)} questions the right option stands in place {place} in {count}, which is more than "
                f"{PLACE:.0%}; options stand in the order of their words, so choose other words."
            )
    shortest = [q for q in asked if len(q.options[q.answer].text) == min(len(o.text) for o in q.options.values())]
    if len(shortest) > SHORTEST * len(asked):
        yield (
            f"of {len(asked)} questions the right option is the shortest in {len(shortest)}, which is more than "
            f"{SHORTEST:.0%}; shorten wrong ones, as in {shortest[0].id}."
        )


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


_SPECIAL = re.compile(
    r"\b(?:where|if|else|elsewhere|unless|except|otherwise|exclusive|inclusive|at least|ties?|empty|constant|several)\b"
    r"|\bsign\(0\)|\bof the (?:enlarged|upsampled)\b|\bof zeros\b"
)
"""Words by which a stub states a special case."""


def solution_problems(root: Path, lessons: Sequence[Lesson]) -> Iterator[Problem]:
    """Where the records and the solved module of a lesson say different things."""
    for lesson in lessons:
        path = Path(SOLVED, lesson.id, f"{lesson.name}.py")
        if (root / path).is_file():
            text = (root / path).read_text(encoding="utf-8")
            functions = functions_of(text)
            for told in (*calls_faults(lesson, functions), *special_faults(lesson, functions)):
                yield Problem(f"{SOLVED}/{lesson.id}", told, f"cnnviz lint {lesson.id}")


def functions_of(text: str) -> dict[str, ast.FunctionDef]:
    """Function's name -> its tree, of those at the top of a module; none where it is no Python."""
    try:
        body = ast.parse(text).body
    except SyntaxError:
        return {}  # the build says so
    return {node.name: node for node in body if isinstance(node, ast.FunctionDef)}


def calls_faults(lesson: Lesson, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """A sentence for each exercise whose `builds_on` is not what its solution uses of the others."""
    exercises = {exercise.function for exercise in lesson.exercises}
    for exercise in lesson.exercises:
        used = {f"{lesson.name}.{name}" for name in _used(exercise.function, functions, exercises)}
        for name in sorted(used - set(exercise.builds_on)):
            yield f"{exercise.id}: the solution uses {name}, which `builds_on` does not name; name it there."
        for name in sorted(set(exercise.builds_on) - used):
            yield f"{exercise.id}: `builds_on` names {name}, which the solution does not use itself; leave it out."


def special_faults(lesson: Lesson, functions: Mapping[str, ast.FunctionDef]) -> Iterator[str]:
    """A sentence for each special case of a stub that no known mistake misses, so that maybe no case has it."""
    for exercise in lesson.exercises:
        stub = functions.get(exercise.function)
        text = " ".join((ast.get_docstring(stub) or "").split()) if stub else ""
        for clause in re.split(r"(?<=[.;:])\s", text):
            if _SPECIAL.search(clause) and not any(words in clause for words in exercise.special):
                yield (
                    f'{exercise.id}: the stub says "{clause}", and `special` names no misconception that misses it; '
                    "name one there, so that every case has it."
                )
        yield from _stale(exercise, text)


def _stale(exercise: Exercise, text: str) -> Iterator[str]:
    known = {"", *(mistake.name for mistake in exercise.misconceptions)}
    for words, name in exercise.special.items():
        if words not in text:
            yield f'{exercise.id}: `special` quotes "{words}", which the stub does not say; quote it as it stands.'
        if name not in known:
            yield f'{exercise.id}: `special` names the misconception "{name}", which there is not.'


def _used(name: str, functions: Mapping[str, ast.FunctionDef], exercises: set[str]) -> set[str]:
    """Exercises that this function names, itself or by helpers that are no exercises."""
    found, open_, seen = set(), [name], set()
    while open_:
        if (one := open_.pop()) in seen or one not in functions:
            continue
        seen.add(one)
        named = {n.id for n in ast.walk(functions[one]) if isinstance(n, ast.Name)} - {one, name}
        found |= named & exercises
        open_ += named - exercises
    return found
