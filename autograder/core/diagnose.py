"""Says why a result is wrong, in the lesson's symbols. First hit wins: a known mistake, a relation, where it departs.

Nothing here imports anything but numpy and the comparison modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.core.compare import TOLERANCE, Finding, allowed, distinct, error_maps, tolerance
from autograder.core.mistakes import Match, exact_match, near_match
from autograder.core.places import calls_told, listed, nan_told, only_alone, only_first, quoted, values_told
from autograder.core.relations import ENOUGH, relation, shape_relation


@dataclass(frozen=True)
class Diagnosis:
    """What the student is told."""

    kind: str
    """"misconception", "likeness", "relation", "side effect", "law", "limit", "question", "grader", or
    the kind of a `Finding`."""
    name: str
    """Slug, stable over cases: what a cohort is counted by."""
    message: str


EFFECTS = {
    "training_flag": "the model is left in another mode (train or eval) than it came in.",
    "parameters": "a module's parameters or settings are changed after your function returns; work on a copy.",
    "buffers": "a module's buffers (BatchNorm's running statistics) are changed; was it run in training mode?",
    "grad": "a `.grad` is not as it was before your function ran: use torch.autograd.grad, which fills none.",
    "requires_grad": "`requires_grad` of an argument or of a parameter is changed after your function returns.",
    "hooks": "hooks are not as they were: keep your own hook's handle and call `handle.remove()`, also after an error.",
    "covered": "{name} is covered on a module of the model: `del` what you set there, in `finally`, so that it "
    "is gone after an error too.",
    "replaced": "{name} is not what it was: keep what stood there and put it back in `finally`, so that it is "
    "back after an error too.",
    "state": "{name} is not as it was: use a `with` block, or put it back in `finally`.",
    "inputs": "an argument is changed in place; work on a copy (`clone`), or avoid `+=` and methods ending in `_`.",
    "attached": "the result still hangs on the autograd graph: return it detached.",
    "observer": "nobody could look for side effects, for part of torch or Python was replaced; leave both as they are.",
    "unseen": "the process ended before anybody could see whether the model and the inputs are as they came.",
    "second_call": "a second call with the same inputs gives another answer: is something kept, or drawn at random?",
}
"""Slug -> sentence for each thing that a right answer leaves as it found it."""

UNNAMED = {
    "covered": "a method",
    "replaced": "a function or a method of torch, numpy or Python",
    "state": "a setting of torch or numpy (gradient mode, default dtype, threads, a mode left open)",
}
"""What stands for a name that is not told."""


def diagnose(
    finding: Finding,
    expected: Sequence[Any],
    got: Sequence[Any],
    *,
    symbols: Sequence[str],
    known: Mapping[str, tuple[str, Sequence[Any]]],
    inputs: Sequence[Mapping[str, Any]] = (),
) -> Diagnosis:
    """The most telling explanation of `finding`.

    Args:
        finding: where `compare` found the first departure.
        expected: the reference's results, one a call.
        got: the student's results.
        symbols: names of the outputs.
        known: misconception's name -> (sentence, its results on the same calls).
        inputs: the arguments of each call, by name.
    """
    if finding.kind in ("not attempted", "raised", "type"):
        return Diagnosis(finding.kind, finding.kind.replace(" ", "_"), finding.message)
    results = {name: results for name, (_, results) in known.items()}
    if (match := exact_match(results, got)) is not None:
        return _misconception(match, known)
    departure = _Departure(finding, expected, got, symbols)
    if finding.kind == "values" and (found := _related(departure)) is not None:
        return found
    if (match := near_match(results, expected, got)) is not None:
        return _misconception(match, known)
    if finding.kind == "values":
        told = _where(departure, inputs) + _nearly(departure)
        return _in_part(departure) or Diagnosis("values", "values", told)
    asked, have = (results[finding.call].arrays[finding.output] for results in (expected, got))
    more = f" {shape_relation(asked, have)}" if finding.kind == "shape" else ""
    if finding.kind == "finite":
        more = nan_told(asked, have)
    return Diagnosis(finding.kind, finding.kind, (finding.message + more).rstrip())


def likeness(told: Diagnosis) -> Diagnosis:
    """The same mistake where another case contradicts it: what is equal is said, and no cause."""
    said = "your values here equal those of a known mistake, but in another case they do not, so it may not be yours:"
    return Diagnosis("likeness", told.name, f'{said} "{told.message}"')


def _misconception(match: Match, known: Mapping[str, tuple[str, Sequence[Any]]]) -> Diagnosis:
    return Diagnosis("misconception", match.name, known[match.name][0] + match.beside)


def side_effect(effects: Sequence[str], *, alone: bool = False) -> Diagnosis:
    """The diagnosis for things left changed; the first of `EFFECTS` names it, the others are told too.

    `alone`: neither the others nor a name is told.
    """
    named = {slug: sorted(e.partition(" ")[2] for e in effects if e.startswith(f"{slug} ")) for slug in EFFECTS}
    found = [slug for slug in EFFECTS if slug in effects or named[slug]][: 1 if alone else None]
    told = [_effect(slug, () if alone else named[slug]) for slug in found]
    return Diagnosis("side effect", found[0], " Also: ".join(told))


def _effect(slug: str, names: Sequence[str]) -> str:
    return EFFECTS[slug].format(name=f"`{', '.join(names)}`" if names else UNNAMED.get(slug))


@dataclass(frozen=True)
class _Departure:
    """The first output whose values are wrong."""

    finding: Finding
    expected: Sequence[Any]
    got: Sequence[Any]
    symbols: Sequence[str]

    @property
    def symbol(self) -> str:
        """Its name."""
        return self.symbols[self.finding.output]

    def wrong(self, output: int) -> list[np.ndarray]:
        """Which values of each call depart."""
        most = allowed(self.expected, output)
        return [error > most for error in error_maps(self.expected, self.got, output)]

    @property
    def right(self) -> str:
        """The outputs that are right, as the beginning of a sentence."""
        count = len(self.expected[0].arrays)
        right = [quoted(s) for k, s in enumerate(self.symbols[:count]) if not any(each.any() for each in self.wrong(k))]
        return f"{listed(right)} {'is' if len(right) == 1 else 'are'} right; " if right else ""

    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """Expected and got of each call."""
        k = self.finding.output
        return [(want.arrays[k].astype(np.float64), have.arrays[k].astype(np.float64))
                for want, have in zip(self.expected, self.got, strict=True)]  # fmt: skip


SECOND = "two calls with the same inputs give different values of {symbol}: is something random, or kept between calls?"
FIRST = "the first sample of {symbol} is right, and every other departs."
ALONE = "{symbol} is right where one sample is given, and wrong where several are: does one depend on another?"


def _related(departure: _Departure) -> Diagnosis | None:
    """A relation that holds everywhere, as a diagnosis."""
    output = departure.finding.output
    if any(_differs(have.arrays[output], have.again, output) for have in departure.got):
        found: tuple[str, str] | None = ("second_call", SECOND)
    else:
        found = relation(departure.pairs(), tolerance(departure.got))
    return _told(found, departure)


def _in_part(departure: _Departure) -> Diagnosis | None:
    """Of samples or calls some that are right in a telling way, as a diagnosis."""
    wrong = departure.wrong(departure.finding.output)
    right = np.concatenate([want[~bad] for (want, _), bad in zip(departure.pairs(), wrong, strict=True)])
    if distinct(right) < ENOUGH:
        return None
    found = ("first_alone", FIRST) if only_first(wrong) else ("one_at_a_time", ALONE) if only_alone(wrong) else None
    return _told(found, departure)


def _told(found: tuple[str, str] | None, departure: _Departure) -> Diagnosis | None:
    if found is None:
        return None
    return Diagnosis("relation", found[0], departure.right + found[1].replace("{symbol}", quoted(departure.symbol)))


def _differs(first: np.ndarray, again: Sequence[np.ndarray] | None, output: int) -> bool:
    if again is None or len(again) <= output or again[output].shape != first.shape:
        return False
    return not np.allclose(first, again[output], rtol=1e-5, atol=1e-9, equal_nan=True)


def _nearly(departure: _Departure) -> str:
    """What is said of values that are off by no more than single precision allows."""
    fine, coarse = allowed(departure.expected, departure.finding.output), TOLERANCE["float32"]
    errors = error_maps(departure.expected, departure.got, departure.finding.output)
    if not 0 < fine < max(error.max(initial=0.0) for error in errors) <= coarse:
        return ""
    cause = "is a step computed in float32, or cut off by a small number of its own?"
    return f" It is right to {coarse:g}, and {fine:g} is asked for: {cause}"


def _where(departure: _Departure, inputs: Sequence[Mapping[str, Any]]) -> str:
    call, output = departure.finding.call, departure.finding.output
    wrong, errors = departure.wrong(output), error_maps(departure.expected, departure.got, output)
    want, have = (results[call].arrays[output] for results in (departure.expected, departure.got))
    calls = calls_told(wrong, inputs)
    begin = departure.right + (f"wrong {calls}: " if calls else "")
    return begin + values_told(departure.symbol, want, have, errors[call], wrong[call])
