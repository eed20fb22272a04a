"""What may be said of inputs that nobody has seen: messages of one table, fixed by the course, and nothing else.

Student code is called with these inputs, so all that it can choose, a text, a type, a shape, a line, a time, could
spell them: no value of these messages is anything but the course's own.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from autograder.core.diagnose import IN_PART, Diagnosis, likeness, mistake
from autograder.core.message import Message, message
from autograder.core.mistakes import BESIDE
from autograder.core.places import quoted
from autograder.core.relations import RELATIONS, relation_message
from autograder.core.verdict import Row
from autograder.course import registry
from autograder.course.records import Case, Exercise, Law, Question, foundations

FIXED = (
    ("not attempted", "not_attempted"), ("raised", "raised"), ("type", "type"), ("shape", "shape"), ("dtype", "dtype"),
    ("device", "device"), ("finite", "finite"), ("limit", "time"), ("limit", "memory"), ("limit", "crashed"),
    ("limit", "output"), ("limit", "bad_answer"), ("limit", "load_error"), ("limit", "no_function"),
    ("depends", "values_first"), ("depends", "own_first"), ("depends", "seen_first"),
)  # fmt: skip
"""Kind and name of each diagnosis that is said without any value, as `unseen.NAME` of the catalogue."""


def fixed(kind: str, name: str) -> Diagnosis:
    """The diagnosis of one of `FIXED`."""
    return Diagnosis(kind, name, message(f"unseen.{name}"))


def limit(status: str) -> Diagnosis:
    """The diagnosis of a run on unseen inputs that ended early, or never began."""
    key = "limit", status.replace(" ", "_")
    return fixed(*(key if key in FIXED else ("depends", "seen_first")))


def departs(case: Case, *, partly: bool) -> Diagnosis:
    """The diagnosis of wrong values that nothing explains: what the inputs are, and whether some of them are right."""
    name = "unseen.values_partly" if partly else "unseen.values"
    return Diagnosis("values", "values", message(name, case=case.name))


def breaks(exercise: Exercise, law: Law, *, finite: bool) -> Diagnosis:
    """The diagnosis of a law that does not hold."""
    name = "law.not_finite" if not finite else "law.recorded" if law.recorded else "law.departs"
    return Diagnosis("law", law.name, message(name, law=message(f"{exercise.id}/law/{law.name}")))


def hidden_first(cases: Iterable[Case]) -> Diagnosis:
    """The diagnosis of values that are right where everybody can see them, and nowhere else."""
    names = "; ".join(case.name for case in cases)
    return Diagnosis("depends", "hidden_first", message("unseen.hidden_first", cases=names))


def lent_note(names: Sequence[str], *, unseen: bool) -> Diagnosis:
    """What is said of a check that passes with the course's own parts."""
    name = "lent.unseen" if unseen else "lent"
    return Diagnosis("lent", "parts_lent", message(name, parts=", ".join(names), count=len(names)))


def restricted(row: Row, item: Exercise | Question) -> Row:
    """The row of a check on unseen inputs with what the table has for it; any other row as it is."""
    if isinstance(item, Question) or row.check.partition(":")[0] not in ("hidden values", "law"):
        return row
    return replace(row, seconds=0.0, diagnosis=row.diagnosis and _allowed(row.diagnosis, table(item)))


def _allowed(diagnosis: Diagnosis, table: Table) -> Diagnosis:
    """The diagnosis where the table has it; else the message of its kind and name; else none of its own."""
    key = diagnosis.kind, diagnosis.name
    if key not in table:
        key = "depends", "seen_first"
    return Diagnosis(*key, diagnosis.message if diagnosis.message in table[key] else table[key][0])


Table = Mapping[tuple[str, str], Sequence[Message]]
"""(Kind, name) -> all that may be said under it; the first stands for what may not."""


@lru_cache(maxsize=256)
def table(exercise: Exercise) -> Table:
    """All that may be said of an exercise's unseen inputs."""
    parts = _parts(exercise)
    messages: dict[tuple[str, str], dict[Message, None]] = {}
    for each in _diagnoses(exercise):
        begun = [message("begin_with", part=part, rest=each.message) for part in parts] if each.kind in POINTING else []
        messages.setdefault((each.kind, each.name), {}).update(dict.fromkeys([each.message, *begun]))
    for some in itertools.chain.from_iterable(itertools.combinations(parts, n + 1) for n in range(len(parts))):
        notes = (lent_note(some, unseen=unseen) for unseen in (False, True))
        messages.setdefault(("lent", "parts_lent"), {}).update((note.message, None) for note in notes)
    return {key: tuple(each) for key, each in messages.items()}


POINTING = ("values", "relation", "misconception", "likeness")
"""Kinds of a diagnosis that may come from an exercise that this one is built on."""


def _diagnoses(exercise: Exercise) -> Iterator[Diagnosis]:
    yield from (fixed(*key) for key in FIXED)
    symbol = quoted(exercise.outputs[0]) if len(exercise.outputs) == 1 else message("the_result")
    yield from (Diagnosis("relation", name, relation_message(name, symbol)) for name in (*RELATIONS, *IN_PART))
    for known in exercise.misconceptions:
        for beside in BESIDE:
            yield from (diagnosis := mistake(exercise.id, known.name, beside), likeness(diagnosis))
    hidden = [case for case in exercise.cases if case.hidden]
    yield hidden_first(hidden)
    yield from (departs(case, partly=partly) for case in hidden for partly in (False, True))
    for law in exercise.laws:
        yield from (breaks(exercise, law, finite=finite) for finite in (True, False))


def _parts(exercise: Exercise) -> tuple[str, ...]:
    return foundations(exercise, registry.lesson_of(exercise.id).exercises) if exercise.builds_on else ()
