"""Makes the sentence of a message, where it is shown: from the catalogue, or from the text of the course."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from autograder.core.message import Message, Value
from autograder.core.verdict import Row

CATALOGUE = Path(__file__).with_name("sentences.yaml")


def sentence(message: Message) -> str:
    """The sentence; it may hold what a stranger wrote, so it goes through `autograder.text` to whatever shows it."""
    item, _, part = message.name.rpartition("/")
    template = _texts(item).get(part) if item else catalogue().get(part)
    if template is None:  # the course or the catalogue has it no more
        return f"{part.replace('_', ' ')}."
    if item:
        return str(template)
    values = {name: _text(value) for name, value in message.values}
    if not isinstance(template, str):  # English has the plural categories one and other
        template = template["one" if values["count"] == 1 else "other"]
    return template.format_map(values)


def said(row: Row) -> str:
    """The sentence of a row's diagnosis; empty where it has none."""
    return sentence(row.diagnosis.message) if row.diagnosis else ""


def in_sentences(row: Row) -> dict[str, Any]:
    """The row as the JSON report has it, for whoever reads that: with the sentences in place of the messages."""
    report = row.as_json()
    if row.diagnosis is not None:
        report["diagnosis"]["message"] = said(row)
    return {**report, **({"note": sentence(row.note)} if row.note else {})}


@cache
def catalogue() -> Mapping[str, str | Mapping[str, str]]:
    """Name of a message -> its template, or one for each plural category."""
    found: Mapping[str, Any] = yaml.load(CATALOGUE.read_text("utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return found


def _text(value: Value) -> Any:
    if isinstance(value, tuple):
        return _listed([str(_text(each)) for each in value])
    return sentence(value) if isinstance(value, Message) else value


def _listed(parts: Sequence[str]) -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(parts) < 2:
        return "".join(parts)
    return str(catalogue()["list"]).format(first=", ".join(parts[:-1]), last=parts[-1])


def _texts(item_id: str) -> Mapping[str, str]:
    """A known mistake's, a law's or a wrong option's own text, by name."""
    from autograder.course import registry  # imports torch, which most sentences do without
    from autograder.course.records import Exercise, Law, Misconception

    try:
        item = registry.item(item_id.removesuffix("/law"))
    except ValueError:
        return {}
    if isinstance(item, Exercise):
        named: Sequence[Law | Misconception] = item.laws if item_id.endswith("/law") else item.misconceptions
        return {each.name: each.sentence for each in named}
    return {f"option_{word}": option.feedback for word, option in item.options.items()}
