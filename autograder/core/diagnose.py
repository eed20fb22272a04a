"""Finds out why a result is wrong. First hit wins: a known mistake, a relation, where it departs.

Nothing here imports anything but numpy and the comparison modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.core.compare import TOLERANCE, Finding, Results, allowed, distinct, error_maps, tolerance
from autograder.core.message import Message, Value, in_turn, message
from autograder.core.mistakes import Mistakes, exact_match, near_match
from autograder.core.places import departing_values, in_calls, in_place_of_nan, only_alone, only_first, quoted
from autograder.core.relations import ENOUGH, relation, relation_message, shape_relation


@dataclass(frozen=True)
class Diagnosis:
    """Why a check failed."""

    kind: str
    """"misconception", "likeness", "relation", "side effect", "law", "limit", "question", "grader", or
    the kind of a `Finding`."""
    name: str
    """Slug, stable over cases: what a cohort is counted by."""
    message: Message


EFFECTS = (
    "training_flag", "parameters", "buffers", "grad", "requires_grad", "hooks", "covered", "replaced", "state",
    "inputs", "attached", "observer", "unseen", "second_call",
)  # fmt: skip
"""Things that a right answer leaves as it found them; the first of several names the diagnosis."""
NAMED = ("covered", "replaced", "state")
"""Those that are said with what was covered, replaced or set."""


def diagnose(
    finding: Finding,
    expected: Results,
    got: Results,
    *,
    symbols: Sequence[str],
    mistakes: Mistakes,
    exercise: str = "",
    inputs: Sequence[Mapping[str, Any]] = (),
) -> Diagnosis:
    """The explanation of `finding` that says most.

    Args:
        finding: where `compare` found the first departure.
        expected: the reference's results, one per call.
        got: the student's results.
        symbols: names of the outputs.
        mistakes: misconception's name -> its results on the same calls.
        exercise: id of the exercise that the misconceptions belong to.
        inputs: the arguments of each call, by name.
    """
    if finding.kind in ("not attempted", "raised", "type"):
        return Diagnosis(finding.kind, finding.kind.replace(" ", "_"), finding.message)
    if (match := exact_match(mistakes, got)) is not None:
        return mistake(exercise, match.name, match.beside)
    departure = _Departure(finding, expected, got, symbols)
    if finding.kind == "values" and (related := _related(departure)) is not None:
        return related
    if (match := near_match(mistakes, expected, got)) is not None:
        return mistake(exercise, match.name, match.beside)
    if finding.kind == "values":
        where = in_turn(_where(departure, inputs), *_nearly(departure))
        return _in_part(departure) or Diagnosis("values", "values", where)
    asked, have = (results[finding.call].arrays[finding.output] for results in (expected, got))
    more = shape_relation(asked, have) if finding.kind == "shape" else ()
    if finding.kind == "finite":
        more = in_place_of_nan(asked, have)
    return Diagnosis(finding.kind, finding.kind, in_turn(finding.message, *more))


def mistake(exercise: str, name: str, beside: Sequence[str] = ()) -> Diagnosis:
    """A known mistake, and what is said beside it."""
    said = in_turn(message(f"{exercise}/{name}"), *(message(f"mistake.{each}") for each in beside))
    return Diagnosis("misconception", name, said)


def likeness(mistake: Diagnosis) -> Diagnosis:
    """The same mistake where another case contradicts it: what is equal is said, and no cause."""
    return Diagnosis("likeness", mistake.name, message("likeness", mistake=mistake.message))


def side_effect(effects: Sequence[str], *, alone: bool = False) -> Diagnosis:
    """The diagnosis for things left changed; the first of `EFFECTS` names it, the others are said too.

    `alone`: neither the others nor a name is said.
    """
    names = {slug: sorted(e.partition(" ")[2] for e in effects if e.startswith(f"{slug} ")) for slug in EFFECTS}
    slugs = [slug for slug in EFFECTS if slug in effects or names[slug]][: 1 if alone else None]
    *before, said = [effect_message(slug, () if alone else names[slug]) for slug in slugs]
    for each in reversed(before):
        said = message("effect.also", first=each, rest=said)
    return Diagnosis("side effect", slugs[0], said)


def effect_message(slug: str, names: Sequence[str] = ()) -> Message:
    """What is said of one thing left changed."""
    if slug not in NAMED:
        return message(f"effect.{slug}")
    return message(f"effect.{slug}", what=f"`{', '.join(names)}`" if names else message(f"effect.{slug}.unnamed"))


@dataclass(frozen=True)
class _Departure:
    """The first output whose values are wrong."""

    finding: Finding
    expected: Results
    got: Results
    symbols: Sequence[str]

    @property
    def symbol(self) -> str:
        """Its name."""
        return self.symbols[self.finding.output]

    def wrong(self, output: int) -> list[np.ndarray]:
        """Which values of each call depart."""
        most = allowed(self.expected, output)
        return [error > most for error in error_maps(self.expected, self.got, output)]

    def after_right(self, rest: Message) -> Message:
        """What is said of this output, after the outputs that are right."""
        outputs = self.symbols[: len(self.expected[0].arrays)]
        right = tuple(quoted(s) for k, s in enumerate(outputs) if not any(each.any() for each in self.wrong(k)))
        return message("outputs_right", outputs=right, count=len(right), rest=rest) if right else rest

    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Expected and got of each call."""
        k = self.finding.output
        return [(want.arrays[k].astype(np.float64), have.arrays[k].astype(np.float64))
                for want, have in zip(self.expected, self.got, strict=True)]  # fmt: skip


IN_PART = ("second_call", "first_alone", "one_at_a_time")
"""Names of what is diagnosed like a relation, of two calls or of some of the samples."""


def _related(departure: _Departure) -> Diagnosis | None:
    """A relation that holds everywhere, as a diagnosis."""
    output = departure.finding.output
    if any(_differs(have.arrays[output], have.again, output) for have in departure.got):
        return _said(departure, "second_call")
    related = relation(departure.pairs(), tolerance(departure.got))
    return _said(departure, *related) if related is not None else None


def _in_part(departure: _Departure) -> Diagnosis | None:
    """Of samples or calls some that are right in a way that says why, as a diagnosis."""
    wrong = departure.wrong(departure.finding.output)
    right = np.concatenate([want[~bad] for (want, _), bad in zip(departure.pairs(), wrong, strict=True)])
    if distinct(right) < ENOUGH:
        return None
    if only_first(wrong):
        return _said(departure, "first_alone")
    return _said(departure, "one_at_a_time") if only_alone(wrong) else None


def _said(departure: _Departure, name: str, detail: Value = "") -> Diagnosis:
    said = relation_message(name, quoted(departure.symbol), detail)
    return Diagnosis("relation", name, departure.after_right(said))


def _differs(first: np.ndarray, again: Sequence[np.ndarray] | None, output: int) -> bool:
    if again is None or len(again) <= output or again[output].shape != first.shape:
        return False
    return not np.allclose(first, again[output], rtol=1e-5, atol=1e-9, equal_nan=True)


def _nearly(departure: _Departure) -> tuple[Message, ...]:
    """What is said of values that are off by no more than single precision allows."""
    fine, coarse = allowed(departure.expected, departure.finding.output), TOLERANCE["float32"]
    errors = error_maps(departure.expected, departure.got, departure.finding.output)
    if not 0 < fine < max(error.max(initial=0.0) for error in errors) <= coarse:
        return ()
    return (message("values.nearly", right_to=coarse, wanted=fine),)


def _where(wrong: _Departure, inputs: Sequence[Mapping[str, Any]]) -> Message:
    call, output = wrong.finding.call, wrong.finding.output
    places, errors = wrong.wrong(output), error_maps(wrong.expected, wrong.got, output)
    want, have = (results[call].arrays[output] for results in (wrong.expected, wrong.got))
    said = departing_values(wrong.symbol, want, have, errors[call], places[call])
    return wrong.after_right(in_calls(places, inputs, said))
