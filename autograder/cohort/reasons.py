"""Why an exercise failed: the known mistakes among its rows, or in a few words of ours what else was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from autograder.core.diagnose import Diagnosis
from autograder.core.verdict import FAILED, NOT_JUDGED, Row
from autograder.text.words import printable, shown

LONGEST = 240
"""Characters of a message that are shown."""

KINDS = {
    "values": "wrong values, and no known mistake gives them",
    "likeness": "wrong values, in one case those of a known mistake",
    "relation": "wrong values in a simple relation to the right ones",
    "raised": "the function raised an exception",
    "type": "another type was returned",
    "shape": "another shape was returned",
    "dtype": "another dtype was returned",
    "device": "the result is on another device",
    "finite": "NaN or infinity where the formula gives a number",
    "limit": "it ran into a limit",
    "load": "the code cannot be loaded",
    "missing": "the function is missing or has another name",
    "law": "right values on what was tried, but a law does not hold",
    "side effect": "right values, but something is left changed",
    "question": "the answer is none of the letters",
}
"""Kind of a diagnosis -> in words."""
OTHER = "something else"

_LIMITS = {"time": "too slow", "memory": "too much memory", "crashed": "the process ended", "output": "too much output"}
_RELATIONS = {
    "zero": "all zero",
    "missing_relu": "a ReLU is missing",
    "added_relu": "a ReLU too many",
    "sign": "the negative",
    "absolute": "the absolute value",
    "scale": "a multiple",
    "offset": "a constant added",
    "min_max": "scaled to [0, 1]",
    "min_max_per_call": "scaled to [0, 1]",
    "transposed": "transposed",
    "flipped": "flipped",
    "first_sample": "one image's for all",
    "other_order": "in another order",
    "reshaped": "reshaped for permuted",
    "scale_per_call": "a multiple, another for each call",
    "scale_per_sample": "a multiple, another for each image",
    "offset_per_sample": "a constant added, another for each image",
    "relu_offset": "a constant added before the ReLU",
    "relu_offset_per_sample": "a constant added before the ReLU, another for each image",
    "constant": "one value everywhere",
    "first_alone": "right for the first image alone",
    "one_at_a_time": "right for one image at a time",
    "second_call": "two calls differ",
}
_EFFECTS = {
    "training_flag": "the model's mode",
    "parameters": "the model's parameters",
    "buffers": "the model's buffers",
    "grad": "a filled .grad",
    "requires_grad": "requires_grad",
    "hooks": "a hook",
    "covered": "a covered method",
    "replaced": "an exchanged function",
    "state": "a setting of torch",
    "inputs": "an input",
    "attached": "the autograd graph",
    "second_call": "a second call answers differently",
}


def mistakes_of(rows: Iterable[Row]) -> set[str]:
    """Names of the known mistakes, each once; the wrong option of a prediction is one."""
    return {told.name for told in _diagnoses(rows) if _known(told)}


def reason_of(rows: Iterable[Row]) -> str:
    """The first thing that was wrong, in words of ours alone."""
    told = next((told for told in _diagnoses(rows) if told.kind != "depends"), None)
    if told is None or told.kind not in KINDS:
        return OTHER
    detail = {"limit": _LIMITS, "relation": _RELATIONS, "side effect": _EFFECTS}.get(told.kind, {}).get(told.name)
    return f"{KINDS[told.kind]} ({detail})" if detail else KINDS[told.kind]


def said_of(rows: Sequence[Row], sentences: Mapping[str, str], told: bool) -> str:
    """What is said of the failure first; without `told` no word that the student's own code chose."""
    found = sorted(_diagnoses(rows), key=lambda diagnosis: (not _known(diagnosis), diagnosis.kind == "depends"))
    if not found:
        return ""
    if _known(found[0]) and found[0].name in sentences:
        return sentences[found[0].name]
    text = printable(shown(found[0].message)) if told else reason_of(rows)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _diagnoses(rows: Iterable[Row]) -> Iterator[Diagnosis]:
    for row in rows:
        if row.diagnosis is not None and row.verdict in (FAILED, NOT_JUDGED):
            yield row.diagnosis


def _known(told: Diagnosis) -> bool:
    return told.kind == "misconception" or (told.kind == "question" and told.name != "unknown_option")
