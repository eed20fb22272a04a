"""Which of two files counts for an exercise, and the diagnosis where neither attempts it under its name."""

from __future__ import annotations

import ast
import difflib
import inspect
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from autograder.core.diagnose import Diagnosis
from autograder.core.judge import Graded, everywhere
from autograder.core.message import Message, message
from autograder.core.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, summary, total
from autograder.course import registry
from autograder.course.records import Exercise
from autograder.reading.needed import is_stub
from autograder.reading.submission import Source, Submission

ALIKE = 0.85
"""Share of common letters from which one name is another one misspelt."""


def better(tried: Sequence[Graded], submission: Submission) -> Graded:
    """Of an exercise in a module and in a notebook the one with more points, and a note that says which.

    What could not be judged might have earned more, so it counts before all but full points.
    """
    counts = max(tried, key=_rank)
    names = [file.file for file in submission.trying(counts.item.function)]  # type: ignore[union-attr]
    if len(names) < 2:
        return counts
    others = tuple(each for each in tried if each is not counts)
    files = {"first": names[0], "second": names[1], "counts": counts.file}
    note = message("note.full_points", **files)
    if others:
        note = message("note.more_points", earned=_points(counts), other=_points(others[0]), **files)
    return replace(counts, rows=tuple(replace(row, note=note) for row in counts.rows), others=others)


def _points(graded: Graded) -> Message:
    return message("points", count=total(graded.rows)[0])


def _rank(graded: Graded) -> tuple[int, int, int]:
    verdict = summary(graded.rows)
    return (verdict == PASSED) * 2 + (verdict == NOT_JUDGED), total(graded.rows)[0], verdict != NOT_ATTEMPTED


def without_attempt(exercise: Exercise, submission: Submission) -> Graded:
    """The rows of an exercise that no file attempts: with a diagnosis where its name is missing or misspelt."""
    name, files = exercise.function, [file.file for file in submission.files]
    if (other := lookalike(exercise, submission)) is not None:
        return everywhere(exercise, FAILED, Diagnosis("missing", "another_name", other.in_place_of(name)))
    if submission.binds(name) or not any(files):
        return everywhere(exercise, NOT_ATTEMPTED, None)
    missing = message("missing.in_one", function=name, file=files[0])
    if files[1:]:
        missing = message("missing.in_two", function=name, first=files[0], second=files[1])
    return everywhere(exercise, NOT_ATTEMPTED, Diagnosis("missing", "no_function", missing))


@dataclass(frozen=True)
class _Function:
    """A function that a student wrote somewhere."""

    name: str
    arguments: tuple[str, ...]
    file: str
    line: int
    inside: str = ""
    """The class or the function around it."""

    def in_place_of(self, asked: str) -> Message:
        """That it is there, in place of what was asked for."""
        if self.inside:
            inside = {"inside": self.inside, "asked": asked}
            return message("missing.inside", got=self.name, file=self.file, line=self.line, **inside)
        return message("missing.misnamed", got=self.name, file=self.file, line=self.line, asked=asked)


def lookalike(exercise: Exercise, submission: Submission) -> _Function | None:
    """The function that was probably meant: of this name elsewhere, of nearly this name, or with these arguments."""
    name = exercise.function
    taken = {e.function for lesson in registry.lessons() for e in lesson.exercises if e.module == exercise.module}
    written = [f for source in submission.own for f in _functions(source) if f.name == name or f.name not in taken]
    hidden = [f for f in written if f.inside and f.name == name]
    spelt = [f for f in written if not f.inside and _alike(f.name, name)]
    asked = tuple(inspect.signature(exercise.reference).parameters)
    same = [f for f in written if not f.inside and f.arguments == asked and asked]
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
                yield _Function(name, arguments, source.label, getattr(child, "lineno", 1), inside)
            named = isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)
            waiting.append((child, name if named else inside))
