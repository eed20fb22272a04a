"""The rows of one exercise from what its run gave: values, laws, promises."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from autograder.core import unseen
from autograder.core.compare import Finding, advice, compare, tolerance
from autograder.core.diagnose import Diagnosis, diagnose, likeness, side_effect
from autograder.core.message import Message, Value, message
from autograder.core.oracle import Part
from autograder.core.verdict import FAILED, LATER, NOT_ATTEMPTED, PASSED, Row
from autograder.course.records import Case, Exercise, Law, Question
from autograder.isolated import Observation, Outcome

Results = Sequence[Observation]
"""Of a part, one per call."""
PROMISES = "promises"
"""The `check` of the row on what is left behind."""
LIMITS = ("time", "memory", "crashed", "output", "bad answer")
"""An outcome's status that a run which ended early can have."""

MODULES = ("F", "cnnviz", "math", "nn", "np", "plt", "torch")
"""Names that are not defined because an import is missing."""
FROM_VALUES = ("misconception", "likeness", "relation", "values", "shape", "dtype", "device", "finite")
"""Kinds of a diagnosis that was made after every misconception had been compared with what came back."""


@dataclass(frozen=True)
class Evidence:
    """What may be drawn beside a verdict: one output of a visible call, the student's and the reference's."""

    check: str
    symbol: str
    expected: np.ndarray
    got: np.ndarray


@dataclass(frozen=True)
class Graded:
    """One exercise or question, judged."""

    item: Exercise | Question
    rows: tuple[Row, ...]
    evidence: tuple[Evidence, ...] = ()
    output: str = field(default="", repr=False)
    """What the student's code printed."""
    frames: tuple[str, ...] = field(default=(), repr=False)
    """The student's own frames in which the first visible call that raised did so, a line each."""
    rung: str = ""
    """How far the student's code was confined; empty where none ran in isolation."""
    file: str = ""
    """The file that was judged: where two were handed in, the one that counts."""
    others: tuple[Graded, ...] = field(default=(), repr=False)
    """What became of the same exercise in a file that does not count."""


@np.errstate(all="ignore")  # what a student returns may be too large to multiply; that is a wrong value and no more
def judge(
    exercise: Exercise,
    parts: Sequence[Part],
    outcome: Outcome,
    hidden: Outcome | None = None,
    *,
    seconds: float | None = None,
) -> Graded:
    """The rows of one exercise from what its runs gave.

    Args:
        exercise: the exercise.
        parts: what its function was called for.
        outcome: of the run on inputs that everybody may see; of all parts where there was no other run.
        hidden: of the run on the others; only rows come from it.
        seconds: the time limit.
    """
    if outcome.status in ("load error", "no function"):
        failed = everywhere(exercise, FAILED, _not_loaded(exercise, outcome))
        return replace(failed, output=outcome.output, frames=_frames(outcome.error), rung=outcome.rung)
    results = _results(parts, outcome, hidden)
    if results and all(r is not None and all(o.kind == "not attempted" for o in r) for r in results):
        return replace(everywhere(exercise, NOT_ATTEMPTED, None), rung=outcome.rung)
    cut_off, hidden_cut_off = _cut_off(seconds or exercise.seconds, outcome), unseen.limit((hidden or outcome).status)
    ran = list(zip(parts, results, strict=True))
    cases = [(p, r) for p, r in ran if isinstance(p.part, Case) and not p.own]
    laws = [(p, r) for p, r in ran if isinstance(p.part, Law)]
    own = [(p, r) for p, r in ran if p.own]
    rows = _unless_learned_by_heart(_value_rows(cases, cut_off, hidden_cut_off), cases, own, hidden_cut_off)
    right = any(row.verdict == PASSED for row in rows)
    rows += [_law_row(part, result, hidden_cut_off, right) for part, result in laws]
    rows.append(_promise_row(cases, right))
    may_be_said = tuple(unseen.restricted(row, exercise) for row in rows)
    errors = (have.error for part, result in cases if not part.unseen for have in result or () if have.kind == "raised")
    return Graded(exercise, may_be_said, _evidence(cases), outcome.output, _frames(next(errors, None)), outcome.rung)


def _frames(error: Mapping[str, Any] | None) -> tuple[str, ...]:
    return tuple((error or {}).get("frames", ()))


def checks_of(item: Exercise | Question) -> tuple[str, ...]:
    """The `check` of each row that this exercise or question gets, in order."""
    if isinstance(item, Question):
        return ("answer",)
    return (*map(check_name, item.parts), PROMISES)


def check_name(part: Case | Law) -> str:
    """The `check` of a row."""
    if isinstance(part, Law):
        return f"law: {part.name}"
    return f"{'hidden values' if part.hidden else 'values'}: {part.name}"


_Ran = tuple[Part, Results | None]
"""A part, and the observations of its calls; None where not all came back."""


def _results(parts: Sequence[Part], outcome: Outcome, hidden: Outcome | None) -> list[Results | None]:
    """The observations of each part, whichever run they come from."""
    if hidden is None:
        return _split(parts, outcome.observations)
    runs = {False: outcome.observations, True: hidden.observations}
    split = {kind: iter(_split([p for p in parts if p.unseen is kind], each)) for kind, each in runs.items()}
    return [next(split[part.unseen]) for part in parts]


def _split(parts: Sequence[Part], observations: Results) -> list[Results | None]:
    """The observations of each part; None for a part whose calls did not all come back."""
    split: list[Results | None] = []
    start = 0
    for part in parts:
        stop = start + len(part.planned)
        split.append(observations[start:stop] if stop <= len(observations) else None)
        start = stop
    return split


def _value_rows(cases: Sequence[_Ran], cut_off: Diagnosis, hidden_cut_off: Diagnosis) -> list[Row]:
    """A row per case, the visible ones first looked at.

    Every case sees every misconception, so a hidden one can only show what the visible ones showed. Those are the same
    for everybody and computed once; on the hidden inputs of a course each misconception would be computed anew.
    """
    rows: dict[Part, Row] = {}
    seen: set[str] | None = None
    for part, result in sorted(cases, key=lambda case: case[0].unseen):
        why, suspects = (hidden_cut_off, seen) if part.unseen else (cut_off, None)
        row = rows[part] = _value_row(part, result, why, suspects)
        if not part.unseen and row.diagnosis is not None and row.diagnosis.kind in FROM_VALUES:
            seen = (seen or set()) | ({row.diagnosis.name} if row.diagnosis.kind == "misconception" else set())
    return _borne_out([(rows[part], part, result) for part, result in cases])


def _borne_out(judged: Sequence[tuple[Row, Part, Results | None]]) -> list[Row]:
    """A known mistake is stated as a fact where every case shows it, elsewhere as a likeness."""
    seen = [(row, part) for row, part, result in judged if result is not None and row.verdict != LATER]
    named = {mistake.name for row, _ in seen if (mistake := _mistake(row)) is not None}
    facts = {name for name in named if all(_shows(name, row, part) for row, part in seen)}
    return [row if (mistake := _mistake(row)) is None or mistake.name in facts
            else replace(row, diagnosis=likeness(mistake)) for row, _, _ in judged]  # fmt: skip


def _mistake(row: Row) -> Diagnosis | None:
    """The known mistake that a row names."""
    return row.diagnosis if row.diagnosis is not None and row.diagnosis.kind == "misconception" else None


def _shows(name: str, row: Row, part: Part) -> bool:
    """Whether a case agrees with a mistake: it names it, or the student is right where the mistake is right too."""
    if row.verdict != PASSED:
        return (mistake := _mistake(row)) is not None and mistake.name == name
    return compare(part.expected, part.mistakes_named([name])[name], part.exercise.outputs) is None


def _value_row(part: Part, result: Results | None, cut_off: Diagnosis, suspects: Collection[str] | None = None) -> Row:
    """Of the misconceptions, only `suspects` are looked for, if given."""
    case, exercise = part.part, part.exercise
    assert isinstance(case, Case)
    if case.later:
        return _row(part, LATER, None)
    if result is None:
        return _row(part, FAILED, cut_off)
    finding = compare(part.expected, result, exercise.outputs)
    if finding is None:
        return _row(part, PASSED, None, result)
    mistakes: Mapping[str, Results] = {}
    if finding.kind not in ("raised", "type", "not attempted"):
        mistakes = part.mistakes if suspects is None else part.mistakes_named(suspects)
    diagnosis = _diagnosis(finding, part, result, mistakes)
    if case.hidden and diagnosis.kind == "values":
        diagnosis = unseen.departs(case, partly=any(_right(part, result)))
    return _row(part, FAILED, diagnosis, result)


def _diagnosis(finding: Finding, part: Part, result: Results, mistakes: Mapping[str, Results]) -> Diagnosis:
    exercise, inputs = part.exercise, [call.inputs for call in part.calls]
    if finding.kind == "raised" and _misses_an_argument(result[finding.call].error or {}, exercise):
        finding = replace(finding, message=finding.message.with_values(advice=_arguments(exercise)))
    return diagnose(
        finding, part.expected, result, symbols=exercise.outputs, mistakes=mistakes, exercise=exercise.id, inputs=inputs
    )


def _misses_an_argument(error: Mapping[str, Any], exercise: Exercise) -> bool:
    """Whether a name is not defined that may be meant for an argument, or the function takes other arguments."""
    text = str(error.get("message"))
    if error.get("type") == "NameError":
        unknown = re.fullmatch(r"name '(\w+)' is not defined", text)
        return unknown is not None and unknown[1] not in MODULES
    other = rf"{exercise.function}\(\) (got an unexpected keyword|missing \d|takes \d)"
    return error.get("type") == "TypeError" and re.match(other, text) is not None


def _arguments(exercise: Exercise) -> Message:
    names = tuple(f"`{name}`" for name in inspect.signature(exercise.reference).parameters)
    return message("advice.arguments", function=exercise.function, arguments=names, count=len(names))


def _unless_learned_by_heart(
    rows: list[Row], cases: Sequence[_Ran], own: Sequence[_Ran], cut_off: Diagnosis
) -> list[Row]:
    """Values can be copied from where they are seen: right ones earn nothing without a right one that nobody has seen.

    What nobody has seen is for visible inputs a hidden call, for hidden ones a call that is this student's alone.
    """
    hidden = [case for case in cases if case[0].unseen]
    verdicts = {row.verdict for row in rows}
    if not hidden or LATER in verdicts or PASSED not in verdicts:
        return rows
    why = _never_seen(hidden) or _never_drawn(own, cut_off)
    if why is None:
        return rows
    return [replace(row, verdict=FAILED, diagnosis=why) if row.verdict == PASSED else row for row in rows]


def _never_seen(hidden: Sequence[_Ran]) -> Diagnosis | None:
    if any(_computes(*case) for case in hidden):
        return None
    return unseen.hidden_first([part.part for part, _ in hidden if isinstance(part.part, Case)])


def _never_drawn(own: Sequence[_Ran], cut_off: Diagnosis) -> Diagnosis | None:
    if not own or any(_computes(*case) for case in own):
        return None
    if any(result is None for _, result in own):
        return cut_off
    return unseen.fixed("depends", "own_first")


def _computes(part: Part, result: Results | None) -> bool:
    """Whether some call is right whose answer is more than one number, or the same number everywhere."""
    return result is not None and any(
        right and _says_much(want.arrays) for right, want in zip(_right(part, result), part.expected, strict=True)
    )


def _right(part: Part, result: Results) -> list[bool]:
    """Of each call, whether it is right on its own."""
    outputs = part.exercise.outputs
    return [compare([want], [have], outputs) is None for want, have in zip(part.expected, result, strict=True)]


def _says_much(arrays: Sequence[np.ndarray]) -> bool:
    """Whether the values within an output differ, or those of three outputs."""
    return any(np.unique(a).size > 1 for a in arrays) or len({a.item(0) for a in arrays if a.size} - {0}) > 2


def _law_row(part: Part, result: Results | None, cut_off: Diagnosis, right: bool) -> Row:
    law, exercise = part.part, part.exercise
    assert isinstance(law, Law)
    if result is None:
        return _row(part, FAILED, cut_off)
    finding = compare(part.expected, result, exercise.outputs)
    if finding is not None and finding.kind not in ("values", "finite") and not _single(part, result, finding):
        return _row(part, FAILED, _diagnosis(finding, part, result, {}), result)
    size = law.violation(part.calls, [have.arrays for have in result])
    if not size <= tolerance(result):  # a law may take differences, of which single precision leaves less
        return _row(part, FAILED, unseen.breaks(exercise, law, finite=bool(np.isfinite(size))), result)
    return _row(part, *_earned(right), result)


def _single(part: Part, result: Results, finding: Finding) -> bool:
    """Whether nothing is wrong with the type but its precision, which the values' own row is about."""
    asked, have = (results[finding.call].dtypes for results in (part.expected, result))
    return finding.kind == "dtype" and (asked[finding.output], have[finding.output]) == ("float64", "float32")


def _promise_row(cases: Sequence[_Ran], right: bool) -> Row:
    exercise, device = cases[0][0].exercise, cases[0][0].device
    name, points = PROMISES, exercise.promise_points
    for hidden in (False, True):
        effects = _effects([result for part, result in cases if part.unseen is hidden], exact=device == "cpu")
        if not right:
            effects.discard("unseen")  # the row on values says why it ended
        if effects:  # which of them a hidden case shows, student code can choose: only one is said
            return Row(exercise.id, name, FAILED, points, side_effect(tuple(effects), alone=hidden))
    return Row(exercise.id, name, _earned(right)[0], points, _earned(right)[1])


def _effects(results: Iterable[Results | None], *, exact: bool) -> set[str]:
    """All that these calls left changed, and whether a second one gave something else."""
    seen = [have for result in results if result is not None for have in result if have.kind == "value"]
    again = {"second_call"} if any(not _same_again(have, exact=exact) for have in seen) else set()
    return again.union(*(have.effects for have in seen))


def _earned(right: bool) -> tuple[str, Diagnosis | None]:
    """A function that does nothing keeps every promise: only right values earn these points."""
    if right:
        return PASSED, None
    return FAILED, unseen.fixed("depends", "values_first")


def _same_again(have: Observation, *, exact: bool) -> bool:
    """Whether the second call gave the same; another device than the CPU may add up in another order."""
    if have.again is None or len(have.again) != len(have.arrays):
        return False
    same = np.array_equal if exact else lambda a, b, equal_nan: np.allclose(a, b, 1e-6, 1e-9, equal_nan=equal_nan)
    return all(
        a.shape == b.shape and same(a, b, equal_nan=a.dtype.kind == "f")
        for a, b in zip(have.arrays, have.again, strict=True)
    )


def _row(part: Part, verdict: str, diagnosis: Diagnosis | None, result: Results | None = None) -> Row:
    seconds = sum(have.seconds for have in result or ())
    return Row(part.exercise.id, check_name(part.part), verdict, part.part.points, diagnosis, seconds)


def points_of(item: Exercise | Question) -> dict[str, int]:
    """Name of each check -> its points."""
    points = [item.points]
    if isinstance(item, Exercise):
        points = [*(part.points for part in item.parts), item.promise_points]
    return dict(zip(checks_of(item), points, strict=True))


def everywhere(item: Exercise | Question, verdict: str, diagnosis: Diagnosis | None) -> Graded:
    """The same verdict on every check of an exercise or question."""
    rows = [Row(item.id, check, verdict, points, diagnosis) for check, points in points_of(item).items()]
    return Graded(item, tuple(unseen.restricted(row, item) for row in rows))


def _not_loaded(exercise: Exercise, outcome: Outcome) -> Diagnosis:
    if outcome.status == "no function":
        return Diagnosis("missing", "no_function", message("missing.stub", function=exercise.function))
    error: Mapping[str, Any] = outcome.error or {}
    kind = str(error.get("type"))
    values: dict[str, Value] = {"text": str(error.get("message")), "advice": advice(error, "stop")}
    if error.get("line"):
        return Diagnosis("load", kind, message("load.at_line", type=kind, line=int(error["line"]), **values))
    return Diagnosis("load", kind, message("load", type=kind, **values))


def _cut_off(seconds: float, outcome: Outcome) -> Diagnosis:
    name = outcome.status.replace(" ", "_")
    if outcome.status == "time":
        return Diagnosis("limit", name, message("limit.time", seconds=seconds))
    if outcome.status == "crashed":
        why = (outcome.error or {}).get("message") or message("limit.no_reason")
        return Diagnosis("limit", name, message("limit.crashed", why=why))
    return Diagnosis("limit", name, message(f"limit.{name if outcome.status in LIMITS else 'early'}"))


def _evidence(cases: Sequence[_Ran]) -> tuple[Evidence, ...]:
    shown = []
    for part, result in cases:
        if part.unseen or result is None:
            continue
        call, output = _departure(part, result)
        if result[call].kind == "value" and len(result[call].arrays) > output:
            want, have = part.expected[call].arrays[output], result[call].arrays[output]
            shown.append(Evidence(check_name(part.part), part.exercise.outputs[output], want, have))
    return tuple(shown)


def _departure(part: Part, result: Results) -> tuple[int, int]:
    """The call and the output that are shown: those that depart, else the first."""
    finding = compare(part.expected, result, part.exercise.outputs)
    if finding is None or finding.kind not in ("shape", "dtype", "device", "finite", "values"):
        return 0, 0
    return finding.call, finding.output
