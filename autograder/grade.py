"""From a submission to rows: plan the calls, run them isolated, judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from autograder.choosing import better, without_attempt
from autograder.diagnose import Diagnosis
from autograder.isolated import Cell, Outcome, Request, Runner, observe
from autograder.judge import Graded, everywhere, judge
from autograder.lending import lent
from autograder.oracle import Setting, parts_of
from autograder.records import Exercise, Lesson, Question, foundations
from autograder.submission import Submission, load_submission
from autograder.verdict import FAILED, NOT_ATTEMPTED, NOT_JUDGED, PASSED, Row, summary, total

Attempt = Callable[..., Graded]


def grade_folder(folder: Path, lesson: Lesson, setting: Setting | None = None) -> list[Graded]:
    """Grades one lesson's module or notebook in `folder`, each exercise in a process of its own."""
    with Runner() as runner:
        return grade_lesson(load_submission(folder, lesson), lesson, setting or Setting(), runner)


def grade_lesson(
    submission: Submission,
    lesson: Lesson,
    setting: Setting,
    runner: Runner,
    *,
    done: Callable[[Graded], None] | None = None,
) -> list[Graded]:
    """All exercises and questions of a lesson; `done` is told of each as soon as it is known."""
    graded: list[Graded] = []
    for item in lesson.items:
        graded.append(grade_item(submission, item, setting, runner, earlier=graded))
        if done is not None:
            done(graded[-1])
    return graded


def grade_item(
    submission: Submission,
    item: Exercise | Question,
    setting: Setting,
    runner: Runner,
    *,
    earlier: Sequence[Graded] = (),
    attempt: Attempt | None = None,
) -> Graded:
    """One exercise or question of a submission.

    Args:
        submission: what was handed in.
        item: the exercise or question.
        setting: for whom and where.
        runner: runs student code; not used for what is decided by reading.
        earlier: the lesson's exercises that were graded before it.
        attempt: in place of `grade_in`: knows some results already.
    """
    if isinstance(item, Question):
        return _answered(submission, item)
    tried: list[Graded] = []
    for file in submission.trying(item.function):
        tried.append((attempt or grade_in)(file, item, setting, runner, earlier=earlier))
        if summary(tried[-1].rows) == PASSED:
            break
    return better(tried, submission) if tried else without_attempt(item, submission)


def grade_in(
    file: Submission, item: Exercise, setting: Setting, runner: Runner, *, earlier: Sequence[Graded] = ()
) -> Graded:
    """One exercise that is attempted in a file, with the parts that the same file has."""
    cells = file.cells(item.function)
    judged = replace(_guarded(item, lambda: _run(cells, item, setting, runner)), file=file.file)
    parts = foundations(item, [g.item for g in earlier])
    if not parts or summary(judged.rows) in (PASSED, NOT_JUDGED):
        return judged
    broken = tuple(g.item.id for g in earlier if g.item.id in parts and not _passes(g, file, setting, runner, earlier))
    return _helped(judged, broken, parts, lambda borrowed: _run((*cells, borrowed), item, setting, runner))


def _helped(judged: Graded, broken: tuple[str, ...], parts: tuple[str, ...], run: Callable[[Cell], Graded]) -> Graded:
    """With the course's own in place of the parts that are not right; if need be of all: one may be wrong unseen."""
    item, best = judged.item, judged
    assert isinstance(item, Exercise)
    for names in dict.fromkeys((broken, parts)):
        borrowed = lent(item, names) if names else None
        again = _guarded(item, partial(run, borrowed)) if borrowed else judged
        if total(again.rows) > total(best.rows):
            best = _with_lent(judged, again, names, unseen=names != broken)
        if summary(best.rows) == PASSED:
            break
    return _pointing_back(judged, broken) if best is judged and broken else best


def _passes(part: Graded, file: Submission, setting: Setting, runner: Runner, earlier: Sequence[Graded]) -> bool:
    """Whether a part is right in this very file, which may not be the one that counts for it."""
    found = in_file(part, file)
    if found is None and isinstance(part.item, Exercise) and file.attempted(part.item.function):
        found = grade_in(file, part.item, setting, runner, earlier=earlier)
    return found is not None and summary(found.rows) == PASSED


def in_file(graded: Graded, file: Submission) -> Graded | None:
    """What became of an exercise in this file; None where it was not judged there."""
    known = {each.file: each for each in (*graded.others, graded)}
    return known.get(file.file) or known.get("")


def _answered(submission: Submission, question: Question) -> Graded:
    """One answer, and no second one: where module and notebook say different things the notebook's counts."""
    row = grade_answer(question, submission.answer(question.variable))
    said = {file.file: answer for file in submission.files if (answer := file.answer(question.variable)) is not None}
    if len(set(said.values())) > 1:
        module, notebook = said
        row = replace(row, note=f"{module} and {notebook} answer differently; {notebook} counts.")
    return Graded(question, (row,))


def grade_function(exercise: Exercise, function: Callable[..., Any], setting: Setting | None = None) -> Graded:
    """A function object, called in this very process: practice in a notebook, and trusted code in tests."""

    def judged() -> Graded:
        where = setting or Setting()
        parts = parts_of(exercise, where)
        calls = [call for part in parts for call in part.planned]
        return judge(exercise, parts, Outcome(status="ran", observations=tuple(observe(function, calls, where.device))))

    return _guarded(exercise, judged)


def grade_answer(question: Question, answer: str | None) -> Row:
    """The verdict on one prediction."""
    if answer is None:
        return Row(question.id, "answer", NOT_ATTEMPTED, question.points)
    option = question.options.get(answer.strip().lower())
    if option is None:
        told = f'got "{answer[:20]}", choose one of {", ".join(question.options)}.'
        return Row(question.id, "answer", FAILED, question.points, Diagnosis("question", "unknown_option", told))
    chosen = answer.strip().lower()
    diagnosis = Diagnosis("question", f"option_{chosen}", option.feedback)
    verdict = PASSED if question.is_right(chosen) else FAILED
    return Row(question.id, "answer", verdict, question.points, diagnosis if verdict == FAILED else None)


def _run(cells: tuple[Cell, ...], exercise: Exercise, setting: Setting, runner: Runner) -> Graded:
    parts = parts_of(exercise, setting)
    calls = [call for part in parts for call in part.planned]
    seconds = setting.seconds_for(exercise)
    request = Request(cells=cells, function=exercise.function, calls=calls, device=setting.device, seconds=seconds)
    outcome = runner.run(request)
    return judge(exercise, parts, outcome, seconds=seconds)


def _guarded(exercise: Exercise, judged: Callable[[], Graded]) -> Graded:
    """A fault of the grader's own is shown as such: it never costs a student a point silently."""
    try:
        return judged()
    except Exception as error:
        told = (
            f"the grader itself failed ({type(error).__name__}: {error}); please report this, your code may be right."
        )
        return everywhere(exercise, NOT_JUDGED, Diagnosis("grader", type(error).__name__, told))


def _with_lent(judged: Graded, again: Graded, names: Sequence[str], *, unseen: bool) -> Graded:
    """The checks that pass with our parts; of all others what was said before.

    Whatever the student's code said, returned or took in time beside our parts may hold their text: none of it is told.
    """
    rest = "put yours right, and it needs no help."
    if unseen:
        yours = "yours departs" if len(names) == 1 else "one of yours departs"
        rest = f"{yours} on these inputs, which its own checks do not have."
    told = f"right with our {', '.join(names)} in place of yours; {rest}"
    note = Diagnosis("lent", "parts_lent", told)
    pairs = zip(judged.rows, again.rows, strict=True)
    return replace(
        judged, rows=tuple(replace(o, verdict=PASSED, diagnosis=note) if n.verdict == PASSED else o for o, n in pairs)
    )


def _pointing_back(judged: Graded, broken: Sequence[str]) -> Graded:
    """A composite exercise whose values are wrong points to the first of its parts that is."""
    told = f"begin with {broken[0]}, which this is built on and which is not right yet. "

    def pointed(row: Row) -> Row:
        if row.diagnosis is None or row.diagnosis.kind not in ("values", "relation", "misconception", "likeness"):
            return row
        return replace(row, diagnosis=replace(row.diagnosis, message=told + row.diagnosis.message))

    return replace(judged, rows=tuple(pointed(row) for row in judged.rows))
