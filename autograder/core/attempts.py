"""Which of two files counts for an exercise, and what is said where neither attempts it under its name."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autograder.core.diagnose import Diagnosis
from autograder.core.judge import Graded, everywhere
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, summary, total
from autograder.course import registry
from autograder.course.records import Exercise
from autograder.reading.needed import is_stub
from autograder.reading.submission import Source, Submission
from autograder.text.words import counted

ALIKE = 0.85
"""Share of common letters from which one name is another one misspelt."""


def better(tried: Sequence[Graded], submission: Submission) -> Graded:
    """Of an exercise in a module and in a notebook the one with more points, and a sentence that says which.

    What could not be judged might have earned more, so it counts before all but full points.
    """
    counts = max(tried, key=_rank)
    names = [file.file for file in submission.trying(counts.item.function)]  # type: ignore[union-attr]
    if len(names) < 2:
        return counts
    others = tuple(each for each in tried if each is not counts)
    earned = [counted(total(each.rows)[0], "point") for each in (counts, *others)]
    told = f"earned {earned[0]}, the other {earned[1]}" if others else "earned all its points"
    note = f"{names[0]} and {names[1]} both have this function; {counts.file} counts: it {told}."
    return replace(counts, rows=tuple(replace(row, note=note) for row in counts.rows), others=others)


def _rank(graded: Graded) -> tuple[int, int, int]:
    verdict = summary(graded.rows)
    return (verdict == PASSED) * 2 + (verdict == NOT_JUDGED), total(graded.rows)[0], verdict != NOT_ATTEMPTED


def without_attempt(exercise: Exercise, submission: Submission) -> Graded:
    """The rows of an exercise that no file attempts: with a sentence where its name is missing or misspelt."""
    name, files = exercise.function, [file.file for file in submission.files]
    if (found := lookalike(exercise, submission)) is not None:
        told = f"{found.told} Only a function `{name}` at top level is looked for: name yours so."
        return everywhere(exercise, FAILED, Diagnosis("missing", "another_name", told))
    if submission.binds(name) or not any(files):
        return everywhere(exercise, NOT_ATTEMPTED, None)
    told = f"there is no function `{name}` in {' or '.join(files)}; it is looked for by this name."
    return everywhere(exercise, NOT_ATTEMPTED, Diagnosis("missing", "no_function", told))


@dataclass(frozen=True)
class _Function:
    """A function that a student wrote somewhere."""

    name: str
    arguments: tuple[str, ...]
    where: str
    inside: str = ""
    """The class or the function around it."""

    @property
    def told(self) -> str:
        """What is there in place of what was asked for."""
        inside = f" inside `{self.inside}`" if self.inside else ""
        return f"there is a function `{self.name}`{inside} ({self.where})."


def lookalike(exercise: Exercise, submission: Submission) -> _Function | None:
    """The function that was probably meant: of this name elsewhere, of nearly this name, or with these arguments."""
    name = exercise.function
    taken = {e.function for lesson in registry.lessons() for e in lesson.exercises if e.module == exercise.module}
    found = [f for source in submission.own for f in _functions(source) if f.name == name or f.name not in taken]
    hidden = [f for f in found if f.inside and f.name == name]
    spelt = [f for f in found if not f.inside and _alike(f.name, name)]
    asked = tuple(inspect.signature(exercise.reference).parameters)
    same = [f for f in found if not f.inside and f.arguments == asked and asked]
    return next(iter([*hidden, *spelt, *([] if submission.binds(name) else same)]), None)


def _alike(name: str, asked: str) -> bool:
    plain, wanted = (text.replace("_", "").casefold() for text in (name, asked))
    return name != asked and (plain == wanted or difflib.SequenceMatcher(None, plain, wanted).ratio() >= ALIKE)


def _functions(source: Source) -> Iterator[_Function]:
    """Every function with a body, and every lambda with a name."""
    waiting: list[tuple[ast.AST, str]] = [(source.tree, "")] if source.tree else []
    while waiting:
        node, inside = waiting.pop(0)
        for child in ast.iter_child_nodes(node):
            made, name = child, getattr(child, "name", "")
            if isinstance(child, ast.Assign) and isinstance(child.value, ast.Lambda):
                made, name = child.value, getattr(child.targets[0], "id", "")
            if isinstance(made, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and name and not is_stub(made):
                given = made.args
                arguments = tuple(a.arg for a in (*given.posonlyargs, *given.args, *given.kwonlyargs))
                yield _Function(name, arguments, f"{source.label}, line {getattr(child, 'lineno', 1)}", inside)
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            waiting.append((child, name if named else inside))
