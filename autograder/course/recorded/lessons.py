"""A lesson's records as data, and back: the code of the answers becomes names and recorded results."""

from __future__ import annotations

import inspect
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from autograder.course.recorded.pack import REFERENCE, Pack
from autograder.course.records import Arrays, Call, Case, Exercise, Law, Lesson, Misconception, Option, Question
from autograder.isolated import Observation

PACKS = Path(__file__).with_name("packs")
"""A folder a lesson: its texts, and one pack an exercise."""
TEXTS, SUFFIX = "lesson.json", ".safetensors"
Scales = Mapping[Law, Sequence[float]]

_PLAIN = ("id", "title", "formula", "minutes", "difficulty", "lines", "promise_points", "seconds")
_LISTS = ("hints", "outputs", "builds_on")


def lessons(packs: Path = PACKS) -> Iterator[Lesson]:
    """The lessons that are recorded here."""
    for texts in sorted(packs.glob(f"*/{TEXTS}")):
        yield lesson(json.loads(texts.read_text(encoding="utf-8")), texts.parent)


def lesson(data: Mapping[str, Any], folder: Path) -> Lesson:
    """A lesson from its texts, with the packs in `folder`."""
    exercises = tuple(_exercise(each, folder) for each in data["exercises"])
    questions = tuple(_question(each) for each in data["questions"])
    return Lesson(data["id"], data["title"], data["summary"], exercises, questions)


def texts_of(lesson: Lesson, scales: Scales) -> dict[str, Any]:
    """A lesson without its answers: texts, points, names. Of a question nothing that tells one answer from another.

    Args:
        lesson: the records.
        scales: what a departure from each law is measured by, for each output.
    """
    return {
        "id": lesson.id,
        "title": lesson.title,
        "summary": lesson.summary,
        "exercises": [_exercise_texts(exercise, scales) for exercise in lesson.exercises],
        "questions": [_question_texts(question) for question in lesson.questions],
    }


@dataclass(frozen=True, eq=False)
class Recording:
    """A reference or a misconception that is not installed here; what it gave is."""

    pack: Pack
    who: str
    __signature__: inspect.Signature

    def recorded(self, part: str) -> tuple[Observation, ...]:
        """Its results on the calls of a case."""
        return self.pack.results(part, self.who)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """There is nothing to call.

        Raises:
            RuntimeError: always.
        """
        raise RuntimeError(
            "this copy of the course holds no answers, only what they gave; write the function yourself, then check it."
        )


def _exercise_texts(exercise: Exercise, scales: Scales) -> dict[str, Any]:
    parameters = inspect.signature(exercise.reference).parameters.values()
    return {
        **{name: getattr(exercise, name) for name in _PLAIN},
        **{name: list(getattr(exercise, name)) for name in _LISTS},
        "signature": [[p.name, p.kind.name] for p in parameters],
        "cases": [{"name": c.name, "hidden": c.hidden, "points": c.points} for c in exercise.cases],
        "laws": [
            {"name": law.name, "sentence": law.sentence, "points": law.points, "scales": list(scales[law])}
            for law in exercise.laws
        ],
        "misconceptions": [{"name": m.name, "sentence": m.sentence} for m in exercise.misconceptions],
        "showcase": exercise.showcase is not None,
    }


def _exercise(data: Mapping[str, Any], folder: Path) -> Exercise:
    pack = Pack(folder / f"{data['id'].split('.')[1]}{SUFFIX}")
    signature = _signature(data["signature"])
    mistakes = [Misconception(m["name"], Recording(pack, m["name"], signature), m["sentence"])
                for m in data["misconceptions"]]  # fmt: skip
    return Exercise(
        **{name: data[name] for name in _PLAIN},
        **{name: tuple(data[name]) for name in _LISTS},  # type: ignore[arg-type]
        reference=Recording(pack, REFERENCE, signature),
        cases=tuple(_case(each, pack) for each in data["cases"]),
        laws=tuple(_law(each, pack) for each in data["laws"]),
        misconceptions=tuple(mistakes),
        showcase=pack.showcase if data["showcase"] else None,
    )


def _signature(parameters: Sequence[tuple[str, str]]) -> inspect.Signature:
    """Names and kinds: what it takes to bind arguments."""
    return inspect.Signature([inspect.Parameter(name, getattr(inspect.Parameter, kind)) for name, kind in parameters])


def _case(data: Mapping[str, Any], pack: Pack) -> Case:
    build = partial(_nothing if data["hidden"] else _calls, pack, data["name"])
    return Case(data["name"], build, data["hidden"], data["points"], later=data["hidden"])


def _law(data: Mapping[str, Any], pack: Pack) -> Law:
    build = partial(_calls, pack, data["name"])
    departure = partial(_departure, pack, data["name"], data["scales"])
    return Law(data["name"], data["sentence"], build, departure, data["points"], recorded=True)


def _calls(pack: Pack, part: str, generator: object) -> Sequence[Call]:
    return pack.calls(part)


def _nothing(pack: Pack, part: str, generator: object) -> Sequence[Call]:
    return ()


def _departure(
    pack: Pack, part: str, scales: Sequence[float], calls: Sequence[Call], results: Sequence[Arrays]
) -> float:
    """How far the results are from the right ones: the law itself is code that is not here."""
    pairs = [(want, have) for right, given in zip(pack.results(part), results, strict=True)
             for want, have in zip(zip(right.arrays, scales, strict=True), given, strict=True)]  # fmt: skip
    return max(_farthest(have, want) / scale for (want, scale), have in pairs)


def _farthest(have: np.ndarray, want: np.ndarray) -> float:
    """The largest difference; not-a-number equals itself."""
    apart = np.abs(have.astype(np.float64) - want.astype(np.float64))
    return float(np.where((have == want) | (np.isnan(have) & np.isnan(want)), 0.0, apart).max(initial=0.0))


def _question_texts(question: Question) -> dict[str, Any]:
    options = {word: option.text for word, option in question.choices.items()}
    asked = {"id": question.id, "text": question.text, "options": options, "points": question.points}
    return asked | {"within": question.within}


def _question(data: Mapping[str, Any]) -> Question:
    options = {word: Option(text, feedback="") for word, text in data["options"].items()}
    return Question(**{**data, "options": options, "answer": ""})
