"""From a submission to rows: plan the calls, run them isolated, judge."""

from __future__ import annotations

import ast
import math
import traceback
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, cast

from autograder.core import unseen
from autograder.core.allowance import Allowance, Runs
from autograder.core.attempts import better, without_attempt
from autograder.core.diagnose import Diagnosis
from autograder.core.judge import PROMISES, Graded, everywhere, judge
from autograder.core.message import message
from autograder.core.oracle import Part, Setting, parts_of
from autograder.core.verdict import FAILED, LATER, NOT_ATTEMPTED, NOT_JUDGED, PASSED, Row, summary
from autograder.course import registry
from autograder.course.locations import homes
from autograder.course.records import Exercise, Lesson, Question, foundations
from autograder.isolated import Cell, Outcome, PlannedCall, Request, observe
from autograder.reading.needed import needed, only, statements
from autograder.reading.submission import Submission

Attempt = Callable[..., Graded]


def grade_lesson(
    submission: Submission,
    lesson: Lesson,
    setting: Setting,
    runner: Runs,
    *,
    done: Callable[[Graded], None] | None = None,
) -> list[Graded]:
    """All exercises and questions of a lesson; `done` is called with each as soon as it is judged."""
    graded: list[Graded] = []
    runs = Allowance(runner, lesson, setting)
    for item in lesson.items:
        graded.append(grade_item(submission, item, setting, runs, earlier=graded))
        if done is not None:
            done(graded[-1])
    return graded


def grade_item(
    submission: Submission,
    item: Exercise | Question,
    setting: Setting,
    runner: Runs,
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
    counts = better(tried, submission) if tried else without_attempt(item, submission)
    return replace(counts, rows=tuple(unseen.restricted(row, item) for row in counts.rows))


def read_through(submission: Submission, lesson: Lesson) -> None:
    """Reads whatever grading reads, and runs nothing: what this survives under limits, grading survives without."""

    def cells_alone(file: Submission, item: Exercise, *rest: Any, **options: Any) -> Graded:
        file.cells(item.function)
        return everywhere(item, NOT_JUDGED, None)

    for item in lesson.items:
        grade_item(submission, item, Setting(), cast(Runs, None), attempt=cells_alone)


def grade_in(
    file: Submission, item: Exercise, setting: Setting, runner: Runs, *, earlier: Sequence[Graded] = ()
) -> Graded:
    """One exercise that is attempted in a file, with the parts that the same file has."""
    cells = file.cells(item.function)
    judged = replace(_guarded(item, lambda: _run(cells, item, setting, runner)), file=file.file)
    parts = foundations(item, [g.item for g in earlier])

    def broken() -> tuple[str, ...]:
        found = (g for g in earlier if g.item.id in parts)
        return tuple(g.item.id for g in found if not _passes(g, file, setting, runner, earlier))

    return with_parts(judged, parts, broken, lambda ours: _run_lent((*cells, ours), item, setting, runner))


def with_parts(
    judged: Graded, parts: Sequence[str], broken: Callable[[], tuple[str, ...]], again: Callable[[Cell], Graded]
) -> Graded:
    """The verdict on an exercise that puts earlier ones together, where one of those may be what is wrong.

    Args:
        judged: the verdict of its own run.
        parts: ids of the exercises that it puts together.
        broken: those of them that are not right; asked only where this one is not.
        again: runs it with our parts, whose text it is given.
    """
    item = judged.item
    if not isinstance(item, Exercise) or not parts or summary(judged.rows) in (PASSED, NOT_JUDGED):
        return judged
    wrong = broken()
    for names in filter(None, dict.fromkeys((wrong, tuple(parts)))):
        ours = lent(item, names)
        if ours and _helps(_guarded(item, partial(again, ours)), judged):
            return _with_lent(judged, unseen.lent_note(names, unseen=names != wrong))
    return _pointing_back(judged, wrong) if wrong else judged


def _passes(part: Graded, file: Submission, setting: Setting, runner: Runs, earlier: Sequence[Graded]) -> bool:
    """Whether a part is right in this very file, which may not be the one that counts for it."""
    judged = in_file(part, file)
    if judged is None and isinstance(part.item, Exercise) and file.attempted(part.item.function):
        judged = grade_in(file, part.item, setting, runner, earlier=earlier)
    return judged is not None and summary(judged.rows) == PASSED


def in_file(graded: Graded, file: Submission) -> Graded | None:
    """The verdict on an exercise in this file; None where it was not judged there."""
    by_file = {each.file: each for each in (*graded.others, graded)}
    return by_file.get(file.file) or by_file.get("")


def _answered(submission: Submission, question: Question) -> Graded:
    """One answer, and no second one: where module and notebook say different things the notebook's counts."""
    row = grade_answer(question, submission.answer(question.variable))
    answers = {file.file: given for file in submission.files if (given := file.answer(question.variable)) is not None}
    if len(set(answers.values())) > 1:
        module, notebook = answers
        row = replace(row, note=message("note.answers_differ", module=module, notebook=notebook))
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
    given = understood(question, answer)
    if not given:
        return Row(question.id, "answer", FAILED, question.points, _no_answer(question, answer[:20]))
    if not question.answer:
        return Row(question.id, "answer", LATER, question.points, note=message("note.kept", answer=given))
    meant = given if question.within is None else _nearest(question, float(given))
    if meant == question.answer:
        return Row(question.id, "answer", PASSED, question.points)
    told = message(f"{question.id}/option_{meant}")
    if not meant:
        told = message("question.another_number", answer=given, within=question.within or 0.0)
    wrong = Diagnosis("question", f"option_{meant}" if meant else "another_number", told)
    return Row(question.id, "answer", FAILED, question.points, wrong)


def _no_answer(question: Question, answer: str) -> Diagnosis:
    if question.within is None:
        options = ", ".join(question.options)
        return Diagnosis(
            "question", "unknown_option", message("question.unknown_option", answer=answer, options=options)
        )
    return Diagnosis("question", "no_number", message("question.no_number", answer=answer))


def understood(question: Question, answer: str) -> str:
    """The word or number that an answer is; empty where it is neither."""
    plain = answer.strip()
    if question.within is None:
        word = plain.lower().replace(" ", "_")
        return word if word in question.options else ""
    try:
        return plain if math.isfinite(float(plain)) else ""
    except ValueError:
        return ""


def _nearest(question: Question, given: float) -> str:
    """The number of the options that is as near as is asked for; empty where none is."""
    most = (question.within or 0.0) * (1 + 1e-9)  # 0.76 - 0.71 is a little more than 0.05
    near = [number for number in question.options if abs(float(number) - given) <= most]
    return min(near, key=lambda number: abs(float(number) - given), default="")


def _run(cells: tuple[Cell, ...], exercise: Exercise, setting: Setting, runner: Runs) -> Graded:
    """Two runs: the first is diagnosed in full, and its process never holds a hidden input."""
    parts, seconds = parts_of(exercise, setting), setting.seconds_for(exercise)
    request = partial(Request, cells, exercise.function, device=setting.device)
    outcome = _outcome(request(calls=_calls(parts, hidden=False), seconds=seconds), runner)
    hidden = Outcome("not run")
    if outcome.status == "ran":
        rest = max(seconds - outcome.seconds, seconds / 2)
        hidden = _outcome(request(calls=_calls(parts, hidden=True), seconds=rest), runner)
    try:
        return judge(exercise, parts, outcome, hidden, seconds=seconds)
    except (
        Exception
    ) as error:  # its message may hold what student code returned for hidden inputs: only the place is said
        place = traceback.extract_tb(error.__traceback__)[-1]
        why = f"{type(error).__name__} in {Path(place.filename).name}, line {place.lineno}"
        return everywhere(exercise, NOT_JUDGED, fault(error, why))


def _run_lent(cells: tuple[Cell, ...], exercise: Exercise, setting: Setting, runner: Runs) -> Graded:
    """One run, of which nothing is used but whether it is right."""
    parts, seconds = parts_of(exercise, setting), setting.seconds_for(exercise)
    calls = [call for part in parts for call in part.planned]
    request = Request(cells, exercise.function, calls=calls, device=setting.device, seconds=seconds)
    return judge(exercise, parts, _outcome(request, runner))


def _calls(parts: Sequence[Part], *, hidden: bool) -> list[PlannedCall]:
    return [call for part in parts if part.unseen is hidden for call in part.planned]


def _outcome(request: Request, runner: Runs) -> Outcome:
    """Of a second try, in a fresh warm process, where the first one was killed by this code or by something else."""
    outcome = runner.run(request)
    return runner.run(request) if (outcome.error or {}).get("type") == "RunnerLost" else outcome


def _guarded(exercise: Exercise, judged: Callable[[], Graded]) -> Graded:
    """A fault of the grader's own is shown as such: it never costs a student a point silently."""
    try:
        return judged()
    except Exception as error:
        return everywhere(exercise, NOT_JUDGED, fault(error))


def fault(error: Exception, why: str = "") -> Diagnosis:
    """The diagnosis of a failure of the grader's own."""
    name = type(error).__name__
    return Diagnosis("grader", name, message("grader.failed", why=why or f"{name}: {error}"))


def _helps(again: Graded, judged: Graded) -> bool:
    """Whether the run with our parts is right in all that they may change.

    That is all that is taken from it. The student's code can read our parts there, and could spell their text row by
    row in what it lets pass.
    """
    lost = [(o, n) for o, n in zip(judged.rows, again.rows, strict=True) if o.verdict != PASSED]
    values = [n for _, n in lost if n.check != PROMISES]
    return all(n.verdict == PASSED for n in values or [n for _, n in lost])


def _with_lent(judged: Graded, note: Diagnosis) -> Graded:
    """All that our parts may change is right; a promise that the student's own run broke stays broken."""
    values_wrong = any(row.verdict != PASSED for row in judged.rows if row.check != PROMISES)

    def helped(row: Row) -> Row:
        broken = row.diagnosis is not None and row.diagnosis.kind == "side effect" and values_wrong
        return row if row.verdict == PASSED or broken else replace(row, verdict=PASSED, diagnosis=note)

    return replace(judged, rows=tuple(map(helped, judged.rows)))


def _pointing_back(judged: Graded, broken: Sequence[str]) -> Graded:
    """A composite exercise whose values are wrong points to the first of its parts that is."""

    def pointed(row: Row) -> Row:
        if row.diagnosis is None or row.diagnosis.kind not in unseen.POINTING:
            return row
        begun = message("begin_with", part=broken[0], rest=row.diagnosis.message)
        return replace(row, diagnosis=replace(row.diagnosis, message=begun))

    return replace(judged, rows=tuple(pointed(row) for row in judged.rows))


def lent(exercise: Exercise, names: Collection[str], solutions: Path | None = None) -> Cell | None:
    """The right text of the exercises `names`, to be loaded after the student's; None in a student's copy."""
    places = [solutions] if solutions else [home.solutions for home in homes()]
    path = next((path for place in places for path in place.glob(f"*_{exercise.module}/{exercise.module}.py")), None)
    if path is None:
        return None
    wanted = {name.split(".")[1] for name in names}
    written = {item.function for item in registry.lesson_of(exercise.id).exercises}
    text = path.read_text(encoding="utf-8")
    every = [one for one in statements(text) if not one.binds & (written - wanted)]
    kept = {one for name in wanted for one in needed([every], name)[0]}
    tree = _Bare().visit(ast.parse(only(text, sorted(kept, key=lambda one: one.first))))
    return Cell("the course's own parts", ast.unparse(tree), own=False)


class _Bare(ast.NodeTransformer):
    """Takes out what a function says of itself: comments are gone already."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        self.generic_visit(node)
        if ast.get_docstring(node) is not None and len(node.body) > 1:
            del node.body[0]
        return node

    visit_ClassDef = visit_FunctionDef  # type: ignore[assignment]
