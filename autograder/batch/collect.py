"""Reads what a class handed in, in whatever layout; runs and follows nothing of it, and writes nothing to disk."""

from __future__ import annotations

import logging
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from pathlib import Path

from autograder.batch.confined import named_lessons, read_all
from autograder.batch.entries import FILE, FOLDER, MOST_OF_ONE, REFUSED, Entry, in_folder, proper, shown, too_many
from autograder.batch.naming import NOBODY, NOT_HANDED_IN, Named, folder_of_lesson, named, skeleton, stem, suffix
from autograder.batch.packed import in_packed
from autograder.batch.stages import Handed
from autograder.batch.student import Piece, release_copy, why
from autograder.course import registry
from autograder.course.records import Lesson

WRAPPERS = ("submitted", "submissions")
"""A folder of this name, or of the archive's own, that holds everything else is looked through."""
Told = Callable[[str], None]


def collect(submitted: Path, lessons: Sequence[str] = (), *, told: Told | None = None) -> list[Handed]:
    """One `Handed` for each student and lesson, sorted by lesson and student.

    Where work may lie, in a folder or a zip:

    | place | student | lesson |
    |---|---|---|
    | `alice/11_grad_cam/grad_cam.ipynb` (nbgrader) | first folder | folder, or file's name |
    | `alice/grad_cam.ipynb`, `alice/week 3/grad_cam (1).ipynb` | first folder | file's name |
    | `Alice Smith_123_assignsubmission_file_/grad_cam.py` (Moodle) | `Alice Smith_123` | file's name |
    | `smithalice_LATE_123_456_grad_cam-1.py` (Canvas) | `smithalice_123` | file's name |
    | `Grad-CAM_alice_attempt_2026-11-01-10-00-00_grad_cam.py` (Blackboard) | `alice` | file's name, or column's |
    | `123-456 - Jane Doe - Nov 1, 2026 1000 AM/grad_cam.py` (Brightspace) | `Jane Doe_123` | file's name |
    | `alice+11_grad_cam+2026-11-01 10:00:00 UTC/grad_cam.py` (nbgrader's inbound) | `alice` | folder, or file's name |
    | `alice_grad_cam.py`, `alice_11_grad_cam.ipynb` | before the lesson, the longest in the name | in the name |
    | `alice.ipynb` | the name | the only lesson |
    | `11_grad_cam/` and below it any of these | as above | top folder |
    | any of these as `.zip`, `.tar`, `.tar.gz` or `.tgz` | as above | as above, or by the files in it |

    An archive is one student's, all that it holds; only the one that is collected may hold archives. The only lesson
    is the one that is asked for, or, where none is, the one that more than half of those students have work on of whom
    any is known, if they are not fewer than the others: nobody's files change how those of others are read.
    A file counts for a lesson if the lesson's name is in its own (`grad_cam`, "11 - Grad-CAM", "Copy of grad_cam (2)",
    `my_grad_cam_final`; case, spaces and hyphens do
    not matter; a module whose name has other words too, as `grad_cam_plots`, only if something in it was begun), or if
    its name has none and what is in it fits this lesson best (nbgrader's ids, functions, answers; else the number, as
    in `11.ipynb`), or if the lesson is the only one, or its folder says so, and it is the student's only notebook (or
    module) there. Of several attempts the latest that can be read counts. Of several files the one with the largest
    number of a resubmission counts, then the one without anything added to the lesson's name, then the one in a
    lesson's folder, the one least deep, the last number, the last name; one that cannot be read gives way to the next,
    and so does one in which nothing was begun to one in which something was. A module and a notebook are handed in
    together: for each exercise the better one counts. Modules beside them are taken along where they are imported.
    Notebooks are
    rebuilt from the release copy `lessons/<id>/<name>.ipynb` of the current folder or of this checkout, as they are for
    nbgrader, where there is one.

    What cannot be read is a `Handed` with a problem: for its lesson, or, where it may hold any, for every lesson that
    somebody handed in and that the student has no other work on. So is a student's folder with nothing of any lesson in
    it, and a file that cannot be graded (a .rar, a .pdf), named with its kind. `told` gets a sentence for each file
    that was left out and each choice that was made; without it they are logged as warnings. Passed over without a
    word: hidden files, `__MACOSX`, libraries, `test_*.py`, lessons that were not asked for, and files beside a
    student's work that are neither `.py`, `.ipynb` nor an archive.

    Raises:
        FileNotFoundError: `submitted` does not exist.
        ValueError: it is neither a folder nor a zip, holds no work at all, or a lesson does not exist.
    """
    told = told or logging.getLogger("cnnviz").warning
    asked = tuple(registry.lesson(name) for name in lessons)
    with entries_of(Path(submitted)) as entries:
        students = dict(sorted(by_student(entries, told).items()))
        about = _class_of(named_lessons(students, Path(submitted)), asked)
        if not students or not about.lessons:
            raise ValueError(_nothing(submitted, bool(students)))
        if about.told:
            told(about.told)
        handed = []
        for works, sentences in read_all(
            students, about.lessons, partial(release_copy, submitted=Path(submitted)),
            readable=Path(submitted), alive=about.alive, unnamed=about.unnamed,
        ):  # fmt: skip
            handed += works
            for sentence in sentences:
                told(sentence)
    return sorted(handed, key=lambda one: (one.lesson, one.student))


@dataclass(frozen=True)
class _Class:
    """The lessons that a class is about."""

    lessons: tuple[Lesson, ...]
    alive: tuple[Lesson, ...]
    """Those that work of an unknown lesson may be for."""
    unnamed: Lesson | None
    """The one that files of no lesson's name are for."""
    told: str = ""


def _class_of(named: Mapping[str, Mapping[str, Sequence[str]]], asked: Sequence[Lesson]) -> _Class:
    """The lessons that were asked for; else those that work is named after, of which the class has most in common.

    Where no work is named after any, those that a file of any kind is named after.
    """
    kinds = ("begun", "work", "any")
    begun, work, of_any_kind = (Counter(chain(*(one[kind] for one in named.values()))) for kind in kinds)
    if asked:
        alive = tuple(lesson for lesson in asked if begun[lesson.id])
        return _Class(tuple(asked), alive, asked[0] if len(asked) == 1 else None)
    votes = work or of_any_kind
    found = tuple(registry.lesson(name) for name in sorted(votes))
    voters = sum(bool(one["work"] or (one["any"] and not work)) for one in named.values())
    most = max(votes.values(), default=0)
    common = tuple(lesson for lesson in found if 2 * votes[lesson.id] > voters or votes[lesson.id] == most)
    alive = tuple(lesson for lesson in common if begun[lesson.id])
    single = len(common) == 1 and 2 * most > voters and most >= len(named) - voters
    rest = [f"{lesson.id} ({votes[lesson.id]})" for lesson in found if lesson not in common]
    told = f"This class is about {_counted(common, votes)} of {len(named)} students. Work on {', '.join(rest)} "
    told += "counts for those who handed it in; --lessons says otherwise."
    return _Class(found, alive or common, common[0] if single else None, told if rest else "")


def _counted(lessons: Sequence[Lesson], votes: Mapping[str, int]) -> str:
    return " and ".join(f"{lesson.id}, the work of {votes[lesson.id]}" for lesson in lessons)


def _nothing(submitted: Path, students: bool) -> str:
    if not students:
        return f"submitted: {submitted} holds no work of any student; name the folder of their folders or files."
    return f"submitted: no file in {submitted} is named after a lesson; name the lesson, or the files after it."


@contextmanager
def entries_of(submitted: Path) -> Iterator[Iterable[Entry]]:
    """All that lies in the folder or the zip, without the one folder that holds it all.

    Raises:
        FileNotFoundError: it does not exist.
        ValueError: it is neither a folder nor a file.
    """
    if submitted.is_dir():
        yield _unwrapped(list(in_folder(submitted, _whose)), WRAPPERS)
        return
    if not submitted.exists():
        raise FileNotFoundError(f"submitted: {submitted} does not exist; name a folder or a zip.")
    if not submitted.is_file():
        raise ValueError(f"submitted: {submitted} is neither a folder nor a file; name a folder or a zip.")
    with submitted.open("rb") as file:
        entries = in_packed(file, submitted.name)
        yield _unwrapped(entries, (*WRAPPERS, proper(stem(submitted.name))))


def _whose(parts: tuple[str, ...]) -> tuple[str, ...]:
    """The student's own folder: below one that holds everything, or everything of a lesson."""
    return parts[: 2 if parts and (parts[0] in WRAPPERS or folder_of_lesson(parts[0])) else 1]


def _unwrapped(entries: Sequence[Entry], wrappers: Sequence[str]) -> list[Entry]:
    tops = {entry.parts[0] for entry in entries if entry.parts}
    if len(tops) != 1 or not tops <= set(wrappers) or any(len(e.parts) == 1 and e.kind != FOLDER for e in entries):
        return list(entries)
    inner = [
        replace(entry, parts=entry.parts[1:], spelling=entry.spelling[1:]) for entry in entries if len(entry.parts) != 1
    ]
    return inner


def by_student(entries: Iterable[Entry], told: Told) -> dict[str, list[Piece]]:
    """Everything that has a student, by student; of the rest `told` hears a sentence each."""
    students: dict[str, dict[tuple[str, str], list[Piece]]] = defaultdict(lambda: defaultdict(list))
    for entry in entries:
        about = _named(entry, entry.parts)
        if not about.student:
            if entry.kind != FOLDER:
                told(_orphan(entry))
        elif not about.sure and entry.kind == FILE and _of_the_class(entry.parts[-1]):
            told(f"{entry.place}: left out; work is a .py, an .ipynb or a .zip.")
        else:
            spelling = _named(entry, entry.spelling).student if entry.spelling else about.student
            students[about.student][spelling, about.origin].append(Piece(entry, about))
    found = dict(_told_apart(students, told))
    for names in _alike(found):
        told(f"The names {' and '.join(names)} look the same; each is graded as a student of its own.")
    return {name: pieces if len(pieces) <= MOST_OF_ONE else [_too_many(name)] for name, pieces in found.items()}


def _named(entry: Entry, parts: tuple[str, ...]) -> Named:
    return named((*parts, "") if entry.kind == FOLDER else parts) if parts else Named("")


def _told_apart(
    students: Mapping[str, Mapping[tuple[str, str], list[Piece]]], told: Told
) -> Iterator[tuple[str, list[Piece]]]:
    """A name that is written in two ways, or that two sorts of places give, is not one student for certain."""
    taken = set(students)
    for name, ways in students.items():
        if len(ways) == 1:
            yield name, next(iter(ways.values()))
            continue
        spellings = {spelling for spelling, _ in ways}
        names = []
        for (spelling, origin), pieces in ways.items():
            written = ascii(spelling)[1:-1] if len(spellings) > 1 else ""
            mark = ", ".join(filter(None, (written, origin))) or "1"
            while f"{name} ({mark})" in taken:
                mark += "'"
            names.append(f"{name} ({mark})")
            taken.add(names[-1])
            yield names[-1], [replace(p, named=replace(p.named, student=names[-1])) for p in pieces]
        shown_names = " and ".join(shown((each,)) for each in names)
        told(f"The name {shown((name,))} is there in {len(ways)} ways; each is graded by itself: {shown_names}.")


def _alike(names: Iterable[str]) -> Iterator[list[str]]:
    """Names that a reader would take for one another."""
    groups: dict[str, list[str]] = defaultdict(list)
    for name in names:
        groups[skeleton(name)].append(name)
    yield from ([shown((ascii(name),)) for name in group] for group in groups.values() if len(group) > 1)


def _too_many(name: str) -> Piece:
    return Piece(too_many((name,), MOST_OF_ONE), Named(name, sure=False))


def _of_the_class(name: str) -> bool:
    """Whether a file is one that an LMS or a grader puts beside the work."""
    return suffix(name).lower() in NOT_HANDED_IN or stem(name).casefold() in NOBODY


def _orphan(entry: Entry) -> str:
    if entry.kind == REFUSED and not entry.parts:
        return why(entry)
    return f"{entry.place}: left out, as nothing in its name or place says whose it is."
