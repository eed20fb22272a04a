"""The first answer to each prediction, kept for the student, who is told both. It counts for no grade."""

from __future__ import annotations

from dataclasses import replace

from autograder.core.grade import understood
from autograder.core.message import in_turn, message
from autograder.core.verdict import Row
from autograder.course.records import Question
from autograder.study.cache import Cache, digest

KIND = "first answers"


def with_first(row: Row, question: Question, answer: str | None, cache: Cache) -> Row:
    """The row of an answer; a note says the first one, where this is another.

    Args:
        row: the verdict on the answer.
        question: the question; asked in other words, it is another one.
        answer: the answer of now; what is no answer is not kept.
        cache: where the first one is kept.
    """
    now = understood(question, answer) if answer is not None else ""
    key = digest(question.id, question.text)
    first = (cache.get(KIND, key) or {}).get("answer")
    if now and not isinstance(first, str):
        cache.put(KIND, key, {"answer": now})
    if not now or not isinstance(first, str) or first == now:
        return row
    told = message("note.first_answer", first=first, now=now)
    return replace(row, note=in_turn(row.note, told) if row.note else told)
