"""What is told of inputs that nobody has seen: sentences of one table, fixed by the course, and nothing else.

Student code is called with these inputs, so all that it can choose, a message, a type, a shape, a line, a time, could
spell them.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

from autograder.core.diagnose import ALONE, FIRST, SECOND, Diagnosis, likeness
from autograder.core.mistakes import BESIDE
from autograder.core.places import quoted
from autograder.core.relations import RELATIONS
from autograder.core.verdict import Row
from autograder.course import registry
from autograder.course.records import Case, Exercise, Law, foundations

WHERE = "on inputs that are not shown"
FIXED = {
    ("not attempted", "not_attempted"): f"not attempted {WHERE}: NotImplementedError is raised.",
    ("raised", "raised"): f"your function raised an exception {WHERE}.",
    ("type", "type"): f"what your function returned {WHERE} is of another type than asked for.",
    ("shape", "shape"): f"the result has another shape than asked for {WHERE}.",
    ("dtype", "dtype"): f"the result has another dtype than asked for {WHERE}.",
    ("device", "device"): f"the result lies on another device than the inputs {WHERE}.",
    ("finite", "finite"): f"the result holds NaN or infinite values {WHERE}, where the formula gives numbers.",
    ("limit", "time"): f"it did not finish in time {WHERE}; is there a loop that never ends?",
    ("limit", "memory"): f"it asked for more memory than it may have {WHERE}.",
    ("limit", "crashed"): f"the process ended before it answered {WHERE}.",
    ("limit", "output"): f"it returned or wrote to disk more than it may {WHERE}.",
    ("limit", "bad_answer"): f"what came back could not be read as arrays {WHERE}.",
    ("limit", "load_error"): "the code could be loaded once, and not a second time.",
    ("limit", "no_function"): "the function was there once, and not when the code was loaded a second time.",
    ("depends", "values_first"): "nothing is wrong here, but these points are earned together with the values.",
    ("depends", "own_first"): (
        "right on the inputs of the whole course, but on none of those that were drawn for this hand-in alone."
    ),
    ("depends", "seen_first"): "what comes first is said at the checks whose inputs everybody may see.",
}
"""(Kind, name) of a diagnosis -> its sentence."""


def limit(status: str) -> Diagnosis:
    """What is told where a run on unseen inputs ended early, or never began."""
    key = "limit", status.replace(" ", "_")
    return Diagnosis(*key, FIXED[key]) if key in FIXED else depends("seen_first")


def depends(name: str) -> Diagnosis:
    """What is told where nothing is wrong by itself, or what is wrong is told elsewhere."""
    return Diagnosis("depends", name, FIXED["depends", name])


def departs(case: Case, *, partly: bool) -> Diagnosis:
    """What is told of wrong values that nothing explains: what the inputs are, and whether some of them are right."""
    right = " On others of them yours is right." if partly else ""
    return Diagnosis("values", "values", f"the result departs from the formula {WHERE}. They are: {case.name}.{right}")


def breaks(law: Law, *, finite: bool) -> Diagnosis:
    """What is told where a law does not hold."""
    return Diagnosis("law", law.name, f"{law.sentence} {law.departs if finite else 'Yours is not a finite number.'}")


def hidden_first(cases: Iterable[Case]) -> Diagnosis:
    """What is told of values that are right where everybody can see them, and nowhere else."""
    names = "; ".join(case.name for case in cases)
    told = f"right on these inputs, but on no hidden ones ({names}); what is right here alone earns no points."
    return Diagnosis("depends", "hidden_first", told)


def begin_with(part: str) -> str:
    """The beginning of what is told where an exercise that this one is built on is not right."""
    return f"begin with {part}, which this is built on and which is not right yet. "


def lent_note(names: Sequence[str], *, unseen: bool) -> Diagnosis:
    """What is told of a check that passes with the course's own parts."""
    rest = "put yours right, and it needs no help."
    if unseen:
        yours = "yours departs" if len(names) == 1 else "one of yours departs"
        rest = f"{yours} on these inputs, which its own checks do not have."
    return Diagnosis("lent", "parts_lent", f"right with our {', '.join(names)} in place of yours; {rest}")


def told(row: Row, exercise: Exercise) -> Row:
    """The row of a check on unseen inputs with what the table has for it; any other row as it is."""
    if row.check.partition(":")[0] not in ("hidden values", "law"):
        return row
    return replace(row, seconds=0.0, diagnosis=row.diagnosis and _fixed(row.diagnosis, table(exercise)))


def _fixed(diagnosis: Diagnosis, allowed: Mapping[tuple[str, str], Sequence[str]]) -> Diagnosis:
    """The diagnosis where the table has it; else the sentence of its kind and name; else none of its own."""
    key = diagnosis.kind, diagnosis.name
    if key not in allowed:
        key = "depends", "seen_first"
    message = diagnosis.message if diagnosis.message in allowed[key] else allowed[key][0]
    return Diagnosis(*key, message)


@lru_cache(maxsize=256)
def table(exercise: Exercise) -> Mapping[tuple[str, str], Sequence[str]]:
    """(Kind, name) -> all that may be told under it; the first stands for what may not."""
    parts = _parts(exercise)
    begun = ["", *map(begin_with, parts)]
    found: dict[tuple[str, str], dict[str, None]] = {}
    for said in _sentences(exercise):
        beginnings = begun if said.kind in POINTING else [""]
        found.setdefault((said.kind, said.name), {}).update(dict.fromkeys(b + said.message for b in beginnings))
    for some in itertools.chain.from_iterable(itertools.combinations(parts, n + 1) for n in range(len(parts))):
        notes = (lent_note(some, unseen=unseen) for unseen in (False, True))
        found.setdefault(("lent", "parts_lent"), {}).update((note.message, None) for note in notes)
    return {key: tuple(sentences) for key, sentences in found.items()}


POINTING = ("values", "relation", "misconception", "likeness")
"""Kinds of a diagnosis that may come from an exercise that this one is built on."""


def _sentences(exercise: Exercise) -> Iterator[Diagnosis]:
    yield from (Diagnosis(*key, sentence) for key, sentence in FIXED.items())
    symbol = quoted(exercise.outputs[0]) if len(exercise.outputs) == 1 else "the result"
    relations = {name: one.unseen or one.sentence for name, one in RELATIONS.items()}
    for name, sentence in {**relations, "second_call": SECOND, "first_alone": FIRST, "one_at_a_time": ALONE}.items():
        yield Diagnosis("relation", name, sentence.replace("{symbol}", symbol))
    for mistake in exercise.misconceptions:
        for beside in BESIDE:
            said = Diagnosis("misconception", mistake.name, mistake.sentence + beside)
            yield from (said, likeness(said))
    hidden = [case for case in exercise.cases if case.hidden]
    yield hidden_first(hidden)
    yield from (departs(case, partly=partly) for case in hidden for partly in (False, True))
    for law in exercise.laws:
        yield from (breaks(law, finite=finite) for finite in (True, False))


def _parts(exercise: Exercise) -> tuple[str, ...]:
    return foundations(exercise, registry.lesson_of(exercise.id).exercises) if exercise.builds_on else ()
