"""Says why a result is wrong, in the lesson's symbols. First hit wins: a known mistake, a relation, where it departs.

Nothing here imports anything but numpy and the comparison modules.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from autograder.compare import Finding, advice, error_maps, raised_unseen, tolerance
from autograder.mistakes import Match, exact_match, near_match
from autograder.relations import UNSEEN, relation, shape_relation


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
    "inputs": "an argument is changed in place; work on a copy (`clone`), or avoid `+=` and methods ending in `_`.",
    "attached": "the result still hangs on the autograd graph: return it detached.",
    "observer": "nobody could look for side effects, for part of torch or Python was replaced; leave both as they are.",
    "unseen": "the process ended before anybody could see whether the model and the inputs are as they came.",
    "second_call": "a second call with the same inputs gives another answer: is something kept, or drawn at random?",
}
"""Slug -> sentence for each thing that a right answer leaves as it found it."""


def diagnose(
    finding: Finding,
    expected: Sequence[Any],
    got: Sequence[Any],
    *,
    symbols: Sequence[str],
    known: Mapping[str, tuple[str, Sequence[Any]]],
    hidden: bool,
) -> Diagnosis:
    """The most telling explanation of `finding`.

    Args:
        finding: where `compare` found the first departure.
        expected: the reference's results, one a call.
        got: the student's results.
        symbols: names of the outputs.
        known: misconception's name -> (sentence, its results on the same calls).
        hidden: no value and no position of a hidden case is told.
    """
    if finding.kind == "raised" and hidden:
        error = got[finding.call].error
        told = f"{raised_unseen(error)} on inputs that are not shown{advice(error) or '.'}"
        return Diagnosis("raised", "raised", told)
    if finding.kind in ("not attempted", "raised", "type"):
        return Diagnosis(finding.kind, finding.kind.replace(" ", "_"), finding.message)
    results = {name: results for name, (_, results) in known.items()}
    if (match := exact_match(results, got)) is not None:
        return _misconception(match, known)
    if finding.kind == "values" and (found := _relation(finding, expected, got, symbols, hidden)) is not None:
        return found
    if (match := near_match(results, expected, got)) is not None:
        return _misconception(match, known)
    if finding.kind == "values":
        return Diagnosis("values", "values", _where(finding, expected, got, symbols, hidden))
    if finding.kind == "shape":
        asked, have = (results[finding.call].arrays[finding.output] for results in (expected, got))
        hint = shape_relation(asked, have)
        told = f" It looks as if {hint}{'' if hint.endswith('?') else '.'}" if hint else ""
        return Diagnosis("shape", "shape", finding.message + told)
    return Diagnosis(finding.kind, finding.kind, finding.message)


def likeness(told: Diagnosis) -> Diagnosis:
    """The same mistake where another case contradicts it: what is equal is said, and no cause."""
    said = "your values here equal those of a known mistake, but in another case they do not, so it may not be yours:"
    return Diagnosis("likeness", told.name, f'{said} "{told.message}"')


def _misconception(match: Match, known: Mapping[str, tuple[str, Sequence[Any]]]) -> Diagnosis:
    return Diagnosis("misconception", match.name, known[match.name][0] + match.beside)


def side_effect(effects: Sequence[str]) -> Diagnosis:
    """The diagnosis for things left changed; the first of `EFFECTS` names it, the others are told too."""
    found = [slug for slug in EFFECTS if slug in effects]
    return Diagnosis("side effect", found[0], " Also: ".join(EFFECTS[slug] for slug in found))


def _relation(finding: Finding, expected, got, symbols, hidden: bool) -> Diagnosis | None:
    output = finding.output
    arrays = [(want.arrays[output].astype(np.float64), have.arrays[output].astype(np.float64))
              for want, have in zip(expected, got, strict=True)]  # fmt: skip
    if (found := relation(arrays, tolerance(got))) is None:
        return None
    name, sentence = found
    told = UNSEEN.get(name, sentence) if hidden else sentence
    return Diagnosis("relation", name, _right_before(symbols, output) + told.format(symbol=symbols[output]))


def _right_before(symbols: Sequence[str], output: int) -> str:
    right = symbols[:output]
    return f"{' and '.join(right)} {'is' if len(right) == 1 else 'are'} right; " if right else ""


def _where(finding: Finding, expected, got, symbols, hidden: bool) -> str:
    symbol = symbols[finding.output]
    error = error_maps(expected, got, finding.output)[finding.call]
    wrong = float((error > tolerance(got)).mean())
    if hidden:
        return f"{symbol} departs from the formula on inputs that are not shown."
    if not error.ndim:
        want, have = (results[finding.call].arrays[finding.output] for results in (expected, got))
        return f"{symbol} is {have:.6g} where the formula gives {want:.6g}."
    at = np.unravel_index(int(error.argmax()), error.shape)
    want, have = (results[finding.call].arrays[finding.output][at] for results in (expected, got))
    place = ", ".join(str(int(i)) for i in at)
    return _right_before(symbols, finding.output) + (
        f"{symbol} departs in {wrong:.0%} of its values, most at {symbol}[{place}]: "
        f"got {have:.6g}, the formula gives {want:.6g}."
    )
