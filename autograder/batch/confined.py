"""Each student's files, read in a child under limits; what comes back is text, and a sentence where nothing does."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from autograder.batch.entries import shown
from autograder.batch.kinds import wanted
from autograder.batch.naming import ARCHIVES
from autograder.batch.stages import Handed
from autograder.batch.student import Piece, Release, Student
from autograder.core.grade import read_through
from autograder.course.records import Lesson
from autograder.isolated.reader import Spent, in_turn
from autograder.reading.cells import Unreadable
from autograder.reading.submission import Source, Submission, load_submission

FEW = 50
"""Files whose names alone are looked at in this process."""
Pieces = Mapping[str, Sequence[Piece]]
"""Student -> what lies in their place."""


def named_lessons(students: Pieces, readable: Path) -> dict[str, dict[str, list[str]]]:
    """Student -> ids of lessons: "work" is named after them, a file of "any" kind is, there is something "begun".

    Empty lists where the archives of a student are not to be read.
    """
    packed = {name: pieces for name, pieces in students.items() if len(pieces) > FEW or any(map(_is_opened, pieces))}
    answers = in_turn([partial(_lessons_of, name, pieces) for name, pieces in packed.items()], [readable])
    inside = dict(zip(packed, answers, strict=True))
    nothing: dict[str, list[str]] = {"work": [], "any": [], "begun": []}
    found = {name: inside[name] if name in inside else _lessons_of(name, pieces) for name, pieces in students.items()}
    return {name: nothing if isinstance(one, Spent) else one for name, one in found.items()}


def _is_opened(piece: Piece) -> bool:
    """Whether its name does not tell all that has to be known of it."""
    return piece.kind in ARCHIVES or (piece.is_work and piece.named.lesson is None)


def _lessons_of(name: str, pieces: Sequence[Piece]) -> dict[str, list[str]]:
    student = Student(name, pieces)
    any_kind = student.lessons(of_any_kind=True)
    begun = [lesson_id for lesson_id, lesson in any_kind.items() if student.works_on(lesson)]
    return {"work": list(student.lessons()), "any": list(any_kind), "begun": begun}


def read_all(
    students: Pieces,
    lessons: Sequence[Lesson],
    release: Release,
    *,
    readable: Path,
    alive: Sequence[Lesson],
    unnamed: Lesson | None,
) -> Iterator[tuple[list[Handed], list[str]]]:
    """Of each student what was handed in and what is told of it; the arguments are those of `Student.handed`."""
    copies = {lesson.id: release(lesson.id) for lesson in lessons}
    reads = partial(_read, release=copies.__getitem__, alive=alive, unnamed=unnamed)
    found = in_turn([partial(reads, name, pieces, lessons) for name, pieces in students.items()], [readable])
    for (name, pieces), one in zip(students.items(), found, strict=True):
        if isinstance(one, Spent):  # it is one of the lessons; the rest keeps its work
            each = in_turn([partial(reads, name, pieces, [lesson]) for lesson in lessons], [readable])
            yield _put_together(name, lessons, list(each), alive)
        else:
            yield _handed(one), one["told"]


def _read(name: str, pieces: Sequence[Piece], lessons: Sequence[Lesson], **about: Any) -> dict[str, Any]:
    student = Student(name, pieces)
    handed = student.handed(lessons, **about)
    for each, lesson in ((each, lesson) for each in handed for lesson in lessons if lesson.id == each.lesson):
        if each.submission is not None:
            read_through(each.submission, lesson)
    return {"handed": [_fields(each) for each in handed], "told": student.told}


def _fields(handed: Handed) -> dict[str, Any]:
    sources = None if handed.submission is None else [source.fields for source in handed.submission.sources]
    about = ("student", "lesson", "digest", "problem", "place")
    return {**{name: getattr(handed, name) for name in about}, "submission": sources}


def _handed(answer: Mapping[str, Any]) -> list[Handed]:
    return [Handed(**{**each, "submission": _submission(each["submission"])}) for each in answer["handed"]]


def _submission(sources: Sequence[Any] | None) -> Submission | None:
    return None if sources is None else Submission(tuple(Source(*fields) for fields in sources))


def _put_together(
    name: str, lessons: Sequence[Lesson], answers: Sequence[Any], alive: Sequence[Lesson]
) -> tuple[list[Handed], list[str]]:
    handed: list[Handed] = []
    told: list[str] = []
    for lesson, answer in zip(lessons, answers, strict=True):
        if not isinstance(answer, Spent):
            handed += _handed(answer)
            told += [sentence for sentence in answer["told"] if sentence not in told]
        elif lesson in alive:
            handed.append(spent(name, lesson, answer))
        else:
            told.append(f"{shown((name,))}, {lesson.id}: what was handed in {answer.why}.")
    return handed, told


def read_folder(folder: Path, lesson: Lesson) -> Submission:
    """`load_submission` under limits.

    Raises:
        FileNotFoundError, ValueError: as `load_submission`; it takes too much to read.
    """
    (answer,) = in_turn([partial(_read_folder, folder, lesson)], [folder])
    if isinstance(answer, Spent):
        raise Unreadable(spent("", lesson, answer).problem)
    for error, kind in (("missing", FileNotFoundError), ("unreadable", Unreadable)):
        if error in answer:
            raise kind(answer[error])
    found = _submission(answer["submission"])
    assert found is not None
    return found


def _read_folder(folder: Path, lesson: Lesson) -> dict[str, Any]:
    try:
        submission = load_submission(folder, lesson)
    except FileNotFoundError as error:
        return {"missing": str(error)}
    except ValueError as error:
        return {"unreadable": str(error)}
    read_through(submission, lesson)
    return {"submission": [source.fields for source in submission.sources]}


def spent(name: str, lesson: Lesson, answer: Spent) -> Handed:
    """In place of work that took too much to read."""
    problem = f"submission: what was handed in {answer.why}; hand in {wanted(lesson)} alone, with your code only."
    return Handed(name, lesson.id, None, hashlib.sha256(problem.encode()).hexdigest(), problem)
