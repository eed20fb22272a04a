"""What a student gets to see of its results."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from autograder.batch.records import Result
from autograder.batch.results import Store
from autograder.feedback import Section, Sheet, page
from autograder.redteam.aftermath import Seen
from autograder.redteam.attacks import LESSON


def seen(store: Store, student: str, results: Sequence[Result]) -> Seen:
    """Everything of one student: points, verdicts, texts, page, and the files as they lie there."""
    paths = [store.place(result.student, result.lesson, result.item) for result in results]
    texts = [text for result in results for text in _texts(result.as_json())]
    return Seen(
        points={result.item: result.points[0] for result in results},
        verdicts={result.item: result.verdict for result in results},
        told="\n".join([*texts, page(_sheet(student, [_section(result) for result in results]))]),
        page=page(_sheet(student, [_section(result, _code(store, result)) for result in results])),
        files={path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in paths},
    )


def _sheet(student: str, sections: Sequence[Section]) -> Sheet:
    earned, possible = (sum(getattr(s, name) for s in sections) for name in ("score", "max_score"))
    return Sheet(LESSON, student, earned, possible, sections)


def _section(result: Result, code: str = "") -> Section:
    earned, possible = result.points
    return Section(result.item, earned, possible, [row.as_json() for row in result.rows], code=code)


def _code(store: Store, result: Result) -> str:
    try:
        return "\n".join(source.text for source in store.sources(result.submission).sources)
    except ValueError:  # nothing could be read of what was handed in
        return ""


def _texts(value: Any) -> Iterator[str]:
    """Every text in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield str(key)
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
