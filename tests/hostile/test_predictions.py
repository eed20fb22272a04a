"""What students install has no answer to a prediction: whoever tries each word against it learns none."""

from __future__ import annotations

import hashlib
import importlib
import json
from typing import Any

import pytest

from autograder.course import registry
from autograder.course.records import Lesson, Question

RECORDED = importlib.import_module("autograder.course.recorded.lessons")
NOW = RECORDED._question_texts


class NoScales(dict):
    """Of laws, which have nothing to do with questions."""

    def __missing__(self, law: object) -> list[float]:
        return [1.0]


def as_once(question: Question) -> dict[str, Any]:
    """How questions were recorded once: with a digest of the right word, so that a copy could judge it."""
    salt = hashlib.sha256(f"{question.id} {question.text}".encode()).hexdigest()[:16]
    digest = hashlib.sha256(f"{salt} {question.answer}".encode()).hexdigest()
    return {**NOW(question), "salt": salt, "digest": digest}


def solved(lesson: Lesson) -> dict[str, str]:
    """Question -> word, from the texts of a pack: whatever is there may be a digest, and whatever else its salt."""
    found = {}
    for question in json.loads(json.dumps(RECORDED.texts_of(lesson, NoScales())))["questions"]:
        words = [str(value) for value in (*question.values(), *question["options"].values(), "")]
        for word in question["options"]:
            for salt in words:
                tried = [hashlib.sha256(f"{salt}{gap}{word}".encode()).hexdigest() for gap in ("", " ", ":")]
                if word in words or {*tried} & {*words}:
                    found[question["id"]] = word
    return found


@pytest.mark.parametrize("lesson", registry.lessons(), ids=lambda lesson: lesson.id)
def test_trying_every_word_solves_no_question_but_each_as_they_were_recorded_once(lesson, monkeypatch):
    assert solved(lesson) == {}
    monkeypatch.setattr(RECORDED, "_question_texts", as_once)
    assert solved(lesson) == {question.id: question.answer for question in lesson.questions if question.choices}
