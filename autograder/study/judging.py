"""Verdicts on a student's files: kept ones where the code is known, else from a warm isolated process."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import TracebackType
from typing import Any

from autograder.core.diagnose import Diagnosis
from autograder.core.grade import grade_in, grade_item, in_file
from autograder.core.judge import Graded, checks_of
from autograder.core.oracle import Setting, parts_of
from autograder.core.verdict import NOT_JUDGED, PASSED, Row, summary, total
from autograder.core.version import checks_version, libraries
from autograder.course import registry
from autograder.course.outlines import Item
from autograder.course.records import Exercise, Lesson, Question, foundations
from autograder.isolated import Outcome, Request, Runner
from autograder.reading.cells import Unreadable, read_cells
from autograder.reading.helpers import in_folder
from autograder.reading.submission import Submission, begun, from_code, from_found, together, with_beside
from autograder.report.tables import messages
from autograder.study import progress
from autograder.study.cache import Cache, digest
from autograder.study.code import code_hash, text_hash
from autograder.study.firsts import with_first
from autograder.study.folder import Work
from autograder.study.progress import BRIEFLY, Interrupted, Standing, State

KIND = "exercises"
Told = Callable[[State], None]


class Judging:
    """Judges lesson after lesson with one warm process, which is started when it is first needed; a context manager."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache
        self.graded: dict[str, tuple[Graded, Submission]] = {}
        """Id of an item -> its last verdict, with the evidence where it was run just now, and what was handed in."""
        self._kept: dict[str, tuple[Row, ...]] = {}
        self._runner: Runner | None = None
        self._closed = self._interrupted = False

    def __enter__(self) -> Judging:
        return self

    def __exit__(self, kind: type | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def cancel(self) -> None:
        """From another thread: ends what runs, and lets nothing begin."""
        self._closed = True
        if self._runner is not None:
            self._runner.cancel()

    def interrupt(self) -> None:
        """From another thread: ends the check that runs; the next one begins anew."""
        self._interrupted = True
        if self._runner is not None:
            self._runner.cancel()

    def close(self) -> None:
        """Ends the warm process."""
        self._closed = True
        for known in (KIND, progress.KIND):
            self._cache.prune(known)
        if self._runner is not None:
            self._runner.close()

    @property
    def runner(self) -> Runner:
        """The warm process.

        Raises:
            RuntimeError: it was ended, and nothing is to start it again.
        """
        if self._closed:
            raise RuntimeError("judging was closed")
        self._runner = self._runner or Runner()
        return self._runner

    def run(self, request: Request) -> Outcome:
        """One run in the warm process.

        Raises:
            Interrupted: `interrupt` was called.
        """
        if self._interrupted:
            raise Interrupted
        return self.runner.run(request)

    def warm(self, item: Item) -> None:
        """Does what the first check of an exercise would have to wait for."""
        self.runner.warm()
        exercise = registry.item(item.id)
        if isinstance(exercise, Exercise):
            for part in parts_of(exercise, Setting()):
                if self._closed:
                    return
                _ = part.expected, part.planned
                if not getattr(part.part, "hidden", True):
                    _ = part.mistakes

    def standing(self, work: Work, told: Told | None = None, *, again: str | None = None) -> Standing:
        """How a lesson stands now; only code that is not known is run.

        Args:
            work: the lesson.
            told: hears of each item as soon as it is known.
            again: id of an exercise that is to be run in any case.

        Raises:
            Interrupted: `interrupt` was called meanwhile.
        """
        self._interrupted = False
        self.graded.clear()
        contents = work.contents()
        lesson = registry.lesson(work.outline.id)
        try:
            submission = handed_in(work, lesson, contents)
        except Unreadable as error:
            return _unchecked(work, str(error).removeprefix("submission: "))
        if (problem := unfinished(submission)) is not None:
            return _unchecked(work, problem, submission.file)
        file = max(submission.files, key=lambda one: sum(one.attempted(e.function) for e in lesson.exercises)).file
        standing = Standing(work, self._states(submission, lesson, work, told, again), "", file)
        progress.keep(standing, contents, self._cache)
        return standing

    def _states(
        self, submission: Submission, lesson: Lesson, work: Work, told: Told | None, again: str | None
    ) -> tuple[State, ...]:
        graded: list[Graded] = []
        states = []
        for item, shown in zip(lesson.items, work.outline.items, strict=True):
            keys: list[str] = []

            def attempt(
                file: Submission, item: Exercise, *_: Any, earlier: Sequence[Graded], shown=shown, keys=keys
            ) -> Graded:
                key, whole = _keys(file, item, lesson, earlier)
                keys.append(key)
                result = None if again == item.id else self._known(key, whole, item)
                if result is None:
                    result = grade_in(file, item, Setting(), self, earlier=earlier)
                    if self._interrupted:
                        raise Interrupted
                    self._keep(key, whole, shown, result)
                return replace(result, file=file.file)

            graded.append(grade_item(submission, item, Setting(), _NEVER, earlier=graded, attempt=attempt))
            if isinstance(item, Question):
                (row,) = graded[-1].rows
                told_both = with_first(row, item, submission.answer(item.variable), self._cache)
                graded[-1] = replace(graded[-1], rows=(told_both,))
            self.graded[item.id] = graded[-1], submission
            states.append(_state(shown, graded[-1], digest(*keys) if keys[1:] else "".join(keys)))
            if told is not None:
                told(states[-1])
        return tuple(states)

    def _known(self, key: str, whole: str, item: Any) -> Graded | None:
        if not key:
            return None
        for name in (key, digest(key, whole)):
            rows = self._kept.get(name) or _rows(item, self._cache.get(KIND, name))
            if rows is not None:
                self._kept[name] = rows
                return Graded(item, rows)
        return None

    def _keep(self, key: str, whole: str, shown: Item, result: Graded) -> None:
        """For good; but only a short time where a busy machine may be the reason, and never the grader's own faults."""
        state = _state(shown, result, key)
        if not key or state.verdict == NOT_JUDGED:
            return
        name = digest(key, whole) if state.tells_a_line else key
        if not state.brief:
            self._kept[name] = result.rows
        rows = [row.as_json() for row in result.rows]
        self._cache.put(KIND, name, {"rows": rows}, lasts=BRIEFLY if state.brief else None)


_NEVER: Any = None
"""No runner: for what is decided by reading."""


def handed_in(work: Work, lesson: Lesson, contents: Sequence[bytes | None]) -> Submission:
    """The module, the notebook or both, as they are now.

    Raises:
        Unreadable: neither is there, or what is begun nowhere else cannot be read as what it should be.
    """
    read: list[Submission] = []
    unreadable: list[Unreadable] = []
    of = (from_code, lambda data, name: from_found(read_cells(data, name), name))
    for way, data, path in zip(of, contents, work.files, strict=True):
        try:
            read += [way(data, path.name)] if data is not None else []
        except Unreadable as error:
            unreadable.append(error)
    submission = with_beside(together(lesson, *read), in_folder(work.folder, lesson.name))
    if unreadable and not begun(submission, lesson):
        raise unreadable[0]
    if not read:
        raise Unreadable(
            f"{work.module.name} and {work.notebook.name} are gone; `cnnviz reset {work.outline.number}` brings them."
        )
    return submission


def unfinished(submission: Submission) -> str | None:
    """One calm sentence about a module in the middle of being typed; None where it parses."""
    if (told := submission.syntax_error()) is None:
        return None
    where, _, why = told.removeprefix(f"submission: {submission.file}, ").partition(": ")
    return f"{submission.file} is not complete yet: {where}, {why.partition(';')[0]}."


def _unchecked(work: Work, problem: str, file: str = "") -> Standing:
    return Standing(work, tuple(State(item, NOT_JUDGED) for item in work.outline.items), problem, file)


def _keys(submission: Submission, item: Any, lesson: Lesson, earlier: Sequence[Graded]) -> tuple[str, str]:
    """What names the code that counts, and its very text; empty where there is nothing to run."""
    if not isinstance(item, Exercise) or not submission.attempted(item.function):
        return "", ""
    cells = submission.cells(item.function)
    parts = foundations(item, [g.item for g in earlier])
    found = {g.item.id: in_file(g, submission) for g in earlier if g.item.id in parts}
    broken = [name for name, part in found.items() if part is None or summary(part.rows) != PASSED]
    counts = code_hash(cells, item.function, {question.variable for question in lesson.questions})
    made_with = checks_version(lesson.id), repr(libraries())
    return digest(*made_with, item.id, counts, *broken), text_hash(cells)


def _rows(item: Exercise, read: Mapping[str, Any] | None) -> tuple[Row, ...] | None:
    """Rows as they were kept, if they are rows of this very exercise."""
    try:
        rows = tuple(Row.from_json(row) for row in (read or {})["rows"])
    except (KeyError, TypeError, ValueError):
        return None
    fits = tuple(row.check for row in rows) == checks_of(item) and total(rows)[1] == item.points
    return rows if fits else None


def _state(shown: Item, graded: Graded, key: str) -> State:
    told = tuple((sentence, tuple(checks)) for sentence, checks in messages(graded.rows).items())
    found = [row.diagnosis for row in graded.rows if row.diagnosis is not None]
    return State(
        shown, summary(graded.rows), total(graded.rows)[0], told, key, graded.output,
        brief=any(diagnosis.kind == "limit" for diagnosis in found),
        incomplete=_incomplete(found[0]) if found else "",
        tells_a_line=any("line" in diagnosis.message for diagnosis in found),
    )  # fmt: skip


def _incomplete(diagnosis: Diagnosis) -> str:
    """What keeps the code from being read as Python, where it is in the middle of being typed."""
    if diagnosis.kind != "load" or diagnosis.name not in ("SyntaxError", "IndentationError", "TabError"):
        return ""
    values = dict(diagnosis.message.values)
    return f"line {values['line']} of its cell, {values['text']}" if "line" in values else ""
