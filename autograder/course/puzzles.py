"""Which mistake gave these values? Questions that are made of a function's known mistakes, as text.

The author names a function and some of its mistakes. `cnnviz build` calls them, keeps in `puzzles.json` what they
gave and draws the picture; here that becomes a question. Which of the mistakes is shown depends on the values of all.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.course.records import Exercise, Option, Question

FILE = "puzzles.json"
Drawn = Mapping[str, Any]
"""`given`: the inputs, `shown`: the symbol, `right`: its three numbers, `returned`: mistake -> the same of its own."""


def kept(folder: Path) -> Mapping[str, Drawn]:
    """Variable of a question -> what the build drew for it; nothing before the first build."""
    file = folder / FILE
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def shown_mistake(drawn: Drawn) -> str:
    """The mistake whose values are shown."""
    names = sorted(drawn["returned"])
    digest = hashlib.sha256(json.dumps(drawn["returned"], sort_keys=True).encode()).digest()
    return names[digest[0] % len(names)]


def asked(question: Question, exercise: Exercise, drawn: Drawn | None) -> Question:
    """The question with its text and options.

    Raises:
        ValueError: it names a mistake that the function does not have.
    """
    assert question.puzzle is not None
    sentences = {mistake.name: mistake.sentence for mistake in exercise.misconceptions}
    if unknown := [name for name in question.puzzle.among if name not in sentences]:
        raise ValueError(f"{question.id}: {exercise.id} has no known mistake {unknown[0]}; see its mistakes.md.")
    if drawn is None:
        return replace(question, options={name: Option(sentences[name], "") for name in sorted(question.puzzle.among)})
    answer, returned = shown_mistake(drawn), drawn["returned"]
    options = {name: Option(sentences[name], _feedback(name == answer, returned[name])) for name in sorted(returned)}
    text = (
        f"Somebody wrote `{exercise.function}` with one mistake, and it was given {drawn['given']}. "
        f"{question.picture} shows {drawn['shown']}: on the left the right values ({_told(drawn['right'])}), on the "
        f"right those that it returned ({_told(returned[answer])}). Which of these sentences does the check say?"
    )
    return replace(question, text=text, options=options, answer=answer)


def _feedback(right: bool, numbers: Mapping[str, str]) -> str:
    if right:
        return "Yes: exactly these values come from this mistake."
    return f"This mistake returns other values here: {_told(numbers)}."


def _told(numbers: Mapping[str, str]) -> str:
    return ", ".join(f"{name} {number}" for name, number in numbers.items())
