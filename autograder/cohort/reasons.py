"""Why an exercise failed: the known mistakes among its rows, or in a few words of ours what else was wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from autograder.core.diagnose import Diagnosis
from autograder.core.message import message
from autograder.core.verdict import FAILED, NOT_JUDGED, Row
from autograder.report.sentences import catalogue, sentence
from autograder.text.words import printable, shown

LONGEST = 240
"""Characters of a message that are shown."""


def mistakes_of(rows: Iterable[Row]) -> set[str]:
    """Names of the known mistakes, each once; the wrong option of a prediction is one."""
    return {told.name for told in _diagnoses(rows) if _known(told)}


def reason_of(rows: Iterable[Row]) -> str:
    """The first thing that was wrong, in words of ours alone."""
    first = next((each for each in _diagnoses(rows) if each.kind != "depends"), None)
    kind, name = (first.kind.replace(" ", "_"), first.name) if first is not None else ("", "")
    if f"reason.{kind}" not in catalogue():
        return sentence(message("reason.other"))
    reason = message(f"reason.{kind}")
    if f"reason.{kind}.{name}" not in catalogue():
        return sentence(reason)
    return sentence(message("reason.in_detail", reason=reason, detail=message(f"reason.{kind}.{name}")))


def said_of(rows: Sequence[Row], sentences: Mapping[str, str], told: bool) -> str:
    """What is said of the failure first; without `told` no word that the student's own code chose."""
    found = sorted(_diagnoses(rows), key=lambda diagnosis: (not _known(diagnosis), diagnosis.kind == "depends"))
    if not found:
        return ""
    if _known(found[0]) and found[0].name in sentences:
        return sentences[found[0].name]
    text = printable(shown(sentence(found[0].message))) if told else reason_of(rows)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 2]} …"


def _diagnoses(rows: Iterable[Row]) -> Iterator[Diagnosis]:
    for row in rows:
        if row.diagnosis is not None and row.verdict in (FAILED, NOT_JUDGED):
            yield row.diagnosis


def _known(told: Diagnosis) -> bool:
    return told.kind == "misconception" or (told.kind == "question" and told.name != "unknown_option")


def of_many(count: int, whole: int, text: str) -> str:
    """How many were told something, which is quoted as they read it."""
    return sentence(message("told_to", count=count, whole=whole, text=text))
