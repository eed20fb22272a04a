"""What a class handed in, in whatever layout: read, never run, never followed, never written to disk."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from autograder import registry
from autograder.batch.entries import FILE, FOLDER, REFUSED, Entry, in_folder, proper
from autograder.batch.naming import NOBODY, NOT_HANDED_IN, Named, named, stem, suffix
from autograder.batch.packed import in_packed
from autograder.batch.records import Handed
from autograder.batch.student import Piece, Student, release_copy, why
from autograder.records import Lesson

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

    An archive is one student's, all that it holds; only the one that is collected may hold archives. A lesson is the
    only one where one is asked for, or where only one is found at all. A file counts for a lesson if the lesson's name
    is in its own (`grad_cam`, "11 - Grad-CAM", "Copy of grad_cam (2)", `my_grad_cam_final`; case, spaces and hyphens do
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
    with _entries(Path(submitted)) as entries:
        students = [Student(name, pieces) for name, pieces in sorted(_by_student(entries, told).items())]
        lessons_of_class = asked or _found(students)
        if not students or not lessons_of_class:
            raise ValueError(_nothing(submitted, students))
        release = cache(partial(release_copy, submitted=Path(submitted)))
        alive = [lesson for lesson in lessons_of_class if any(student.works_on(lesson) for student in students)]
        handed = []
        for student in students:
            handed += student.handed(lessons_of_class, release, alive=alive)
            for sentence in student.told:
                told(sentence)
    return sorted(handed, key=lambda one: (one.lesson, one.student))


def _found(students: Sequence[Student]) -> tuple[Lesson, ...]:
    """The lessons that work is named after; where no work is, those that a file of any kind is named after."""
    lessons = {key: lesson for student in students for key, lesson in student.lessons().items()}
    lessons = lessons or {k: v for student in students for k, v in student.lessons(of_any_kind=True).items()}
    return tuple(lessons[key] for key in sorted(lessons))


def _nothing(submitted: Path, students: Sequence[Student]) -> str:
    if not students:
        return f"submitted: {submitted} holds no work of any student; name the folder of their folders or files."
    return f"submitted: no file in {submitted} is named after a lesson; name the lesson, or the files after it."


@contextmanager
def _entries(submitted: Path) -> Iterator[Iterable[Entry]]:
    """All that lies in the folder or the zip, without the one folder that holds it all."""
    if submitted.is_dir():
        yield _unwrapped(list(in_folder(submitted)), WRAPPERS)
        return
    if not submitted.exists():
        raise FileNotFoundError(f"submitted: {submitted} does not exist; name a folder or a zip.")
    if not submitted.is_file():
        raise ValueError(f"submitted: {submitted} is neither a folder nor a file; name a folder or a zip.")
    with submitted.open("rb") as file:
        entries = in_packed(file, submitted.name)
        yield _unwrapped(entries, (*WRAPPERS, proper(stem(submitted.name))))


def _unwrapped(entries: Sequence[Entry], wrappers: Sequence[str]) -> list[Entry]:
    tops = {entry.parts[0] for entry in entries if entry.parts}
    if len(tops) != 1 or not tops <= set(wrappers) or any(len(e.parts) == 1 and e.kind != FOLDER for e in entries):
        return list(entries)
    inner = [replace(entry, parts=entry.parts[1:]) for entry in entries if len(entry.parts) != 1]
    return inner


def _by_student(entries: Iterable[Entry], told: Told) -> dict[str, list[Piece]]:
    """Everything that has a student, by student; of the rest a sentence each."""
    students: dict[str, list[Piece]] = defaultdict(list)
    for entry in entries:
        about = named((*entry.parts, "") if entry.kind == FOLDER else entry.parts) if entry.parts else Named("")
        if not about.student:
            if entry.kind != FOLDER:
                told(_orphan(entry))
        elif not about.sure and entry.kind == FILE and _of_the_class(entry.parts[-1]):
            told(f"{entry.place}: left out; work is a .py, an .ipynb or a .zip.")
        else:
            students[about.student].append(Piece(entry, about))
    return students


def _of_the_class(name: str) -> bool:
    """Whether a file is one that an LMS or a grader puts beside the work."""
    return suffix(name).lower() in NOT_HANDED_IN or stem(name).casefold() in NOBODY


def _orphan(entry: Entry) -> str:
    if entry.kind == REFUSED and not entry.parts:
        return why(entry)
    return f"{entry.place}: left out, as nothing in its name or place says whose it is."
