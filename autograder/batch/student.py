"""All that one student handed in, lesson by lesson: which file counts, what it holds, and what is wrong with it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat

from autograder.batch.archive import LARGEST_INNER, in_archive
from autograder.batch.entries import FILE, FOLDER, REFUSED, Entry, shown
from autograder.batch.naming import Named, folder_lesson, lesson_of_file, suffix
from autograder.batch.records import Handed, digest_of
from autograder.cells import LARGEST, Unreadable, read_cells
from autograder.records import Lesson
from autograder.submission import Submission, begun, choose, from_cells, from_code, from_found

DEEP = 2
"""Folders between the student's own and a file that counts: what lies deeper is some library's."""
MOST_INNER = 1000
"""Files of a student's zip."""
Release = Callable[[str], nbformat.NotebookNode | None]
"""A lesson's id -> the notebook that students got."""


@dataclass(frozen=True)
class Piece:
    """One entry of a student's, and what its place says."""

    entry: Entry
    named: Named

    @property
    def kind(self) -> str:
        """Suffix in small letters, empty for whatever is no file."""
        return suffix(self.entry.parts[-1]).lower() if self.entry.kind != FOLDER else ""

    @property
    def is_work(self) -> bool:
        """Whether it is a module or a notebook of the student's own."""
        name = self.entry.parts[-1]
        return self.kind in (".py", ".ipynb") and not name.startswith("test_") and not self.too_deep

    @property
    def too_deep(self) -> bool:
        """Whether it lies where only libraries lie."""
        return self.named.folder is None and self.named.depth > DEEP

    @property
    def lesson(self) -> Lesson | None:
        """The lesson that the file is named after, unless its folder is another's."""
        lesson, folder = self.named.lesson, self.named.folder
        return lesson if folder is None or lesson is None or folder.id == lesson.id else None

    def belongs(self, lesson: Lesson) -> bool:
        """Whether a folder says that it belongs to the lesson."""
        return self.named.folder is not None and self.named.folder.id == lesson.id


@dataclass(frozen=True)
class Read:
    """What became of one file: a submission, or the sentence that says why there is none."""

    piece: Piece
    digest: str
    submission: Submission | None = None
    problem: str = ""


class Student:
    """One student's files; `handed` is what they make."""

    def __init__(self, name: str, pieces: Iterable[Piece], *, nested: bool = True):
        self.name = name
        self.broken: list[str] = []
        """Sentences on what may hold any lesson and cannot be looked into."""
        self.pieces = [p for piece in pieces for p in self._opened(piece, nested=nested)]

    def lessons(self) -> dict[str, Lesson]:
        """Lessons that a file or a folder of this student's is named after, by id."""
        found = [p.lesson for p in self.pieces if p.is_work and p.lesson] + [p.named.folder for p in self.pieces]
        return {lesson.id: lesson for lesson in found if lesson}

    def handed(self, lessons: Sequence[Lesson], release: Release):
        """The student's work on each lesson of the class that there is work on, and sentences on what was chosen."""
        told: list[str] = []
        handed = [h for lesson in lessons if (h := self._on(lesson, len(lessons) == 1, release, told))]
        if not handed:
            why = self.broken[0] if self.broken else self._nothing()
            handed = [self._problem(lesson, why) for lesson in lessons]
        return handed, [*told, *self._left_out()]

    def _on(self, lesson, only, release, told) -> Handed | None:
        pieces = [p for p in self.pieces if p.is_work and p.lesson and p.lesson.id == lesson.id]
        if not pieces:
            pieces = self._unnamed(lesson, only, told)
        reads = [read for kind in (".py", ".ipynb") for read in self._latest(pieces, kind, lesson, release, told)]
        if reads:
            return self._chosen(reads, lesson, told)
        if not any(p.belongs(lesson) for p in self.pieces) and not only:
            return None
        return self._problem(lesson, self.broken[0] if self.broken else self._nothing(lesson))

    def _unnamed(self, lesson: Lesson, only: bool, told: list[str]) -> list[Piece]:
        """The only notebook and the only module that can be meant, whatever they are called."""
        free = [p for p in self.pieces if p.is_work and p.named.lesson is None and (only or p.belongs(lesson))]
        free = [p for p in free if p.named.depth <= DEEP]
        pieces = []
        for kind in (".py", ".ipynb"):
            same = [p for p in free if p.kind == kind]
            if len(same) == 1:
                pieces += same
                told.append(
                    f"{self._who(lesson)}: {same[0].entry.place} counts, whatever its name, as the only {kind}."
                )
        return pieces

    def _latest(self, pieces, kind, lesson, release, told) -> list[Read]:
        """The file of one kind that counts, after those that would count before it and cannot be read."""
        ordered = sorted(
            ((p.named.rank, n, p) for n, p in enumerate(pieces) if p.kind == kind), key=lambda t: t[:2], reverse=True
        )
        reads: list[Read] = []
        for _, _, piece in ordered:
            reads.append(read(piece, lesson, release))
            if reads[-1].submission:
                break
        if len(ordered) > 1:
            told.append(f"{self._who(lesson)}: of {len(ordered)} files {reads[-1].piece.entry.place} counts.")
        return reads

    def _chosen(self, reads: Sequence[Read], lesson: Lesson, told: list[str]) -> Handed:
        """The module or the notebook; a problem where nothing in it was begun and another file cannot be read."""
        good = {r.piece.kind: r for r in reads if r.submission}
        bad = [r for r in reads if not r.submission]
        modules, notebooks = good.get(".py"), good.get(".ipynb")
        chosen = choose(modules and modules.submission, notebooks and notebooks.submission, lesson)
        if bad and (chosen is None or not begun(chosen, lesson)):
            return self._problem(lesson, bad[0].problem, bad[0])
        told += [f"{self._who(lesson)}: {r.problem} Another file counts." for r in bad]
        which = next(r for r in good.values() if r.submission is chosen)
        if len(good) == 2 and all(r.submission and begun(r.submission, lesson) for r in good.values()):
            told.append(f"{self._who(lesson)}: of module and notebook {which.piece.entry.place} counts.")
        return Handed(self.name, lesson.id, chosen, which.digest, place=which.piece.entry.place)

    def _problem(self, lesson: Lesson, problem: str, read: Read | None = None) -> Handed:
        digest = read.digest if read else hashlib.sha256(problem.encode()).hexdigest()
        return Handed(self.name, lesson.id, None, digest, problem, read.piece.entry.place if read else "")

    def _nothing(self, lesson: Lesson | None = None) -> str:
        files = [p.entry.place for p in self.pieces if p.entry.kind == FILE and (lesson is None or not p.lesson)]
        wanted = f"{lesson.name}.py or {lesson.name}.ipynb" if lesson else "file that is named after a lesson"
        return f"submission: no {wanted}; {_some(files) or 'no file'} was found; rename it or ask for it."

    def _left_out(self) -> Iterator[str]:
        """One sentence on all files that nothing can be made of."""
        unknown = [p for p in self.pieces if p.is_work and p.lesson is None]
        yield from (f"{shown((self.name,))}: {sentence}" for sentence in self.broken)
        if unknown:
            yield f"{shown((self.name,))}: left out, named after no lesson: {_some([p.entry.place for p in unknown])}."

    def _who(self, lesson: Lesson) -> str:
        return f"{shown((self.name,))}, {lesson.id}"

    def _opened(self, piece: Piece, *, nested: bool) -> Iterator[Piece]:
        """The piece, or what is in it where it is a zip; what cannot be looked into is remembered."""
        if piece.kind == ".zip" and piece.entry.kind == FILE:
            yield from (
                self._inside(piece)
                if nested
                else self._refuse(
                    f"submission: {piece.entry.place} lies in a zip in a zip; unpack it before handing in."
                )
            )
        elif piece.entry.kind == REFUSED and (piece.kind == ".zip" or not piece.is_work):
            self._refuse(why(piece.entry))
        else:
            yield piece

    def _refuse(self, sentence: str) -> tuple[Piece, ...]:
        self.broken.append(sentence)
        return ()

    def _inside(self, outer: Piece) -> Iterator[Piece]:
        try:
            data = outer.entry.read(LARGEST_INNER)
            entries = in_archive(io.BytesIO(data), outer.entry.place, most_files=MOST_INNER)
        except Unreadable as error:
            self._refuse(str(error))
            return
        for entry in entries:
            if not entry.parts:
                self._refuse(why(entry))
                continue
            piece = Piece(entry, _named_inside(outer, entry.parts))
            yield from self._opened(piece, nested=False)


def read(piece: Piece, lesson: Lesson, release: Release) -> Read:
    """One file as a submission; its own name counts for nothing, so that a renamed file has the same digest."""
    try:
        data = piece.entry.read(LARGEST)
    except Unreadable as error:
        return Read(piece, hashlib.sha256(str(error).encode()).hexdigest(), problem=str(error))
    try:
        submission = _parsed(data, piece, lesson, release(lesson.id))
    except Unreadable as error:
        return Read(piece, hashlib.sha256(data).hexdigest(), problem=str(error))
    return Read(piece, digest_of(submission), submission)


def _parsed(data: bytes, piece: Piece, lesson: Lesson, release: nbformat.NotebookNode | None) -> Submission:
    from autograder.nbgrader.rebuild import rebuilt

    if piece.kind == ".py":
        return from_code(data, f"{lesson.name}.py")
    cells = read_cells(data, piece.entry.place)
    if release is None:
        return from_found(cells, f"{lesson.name}.ipynb")
    return from_cells(rebuilt(release, cells).cells, f"{lesson.name}.ipynb")


def release_copy(lesson: str) -> nbformat.NotebookNode | None:
    """The notebook that students got: of the current folder, else of this checkout; None where there is none."""
    for root in (Path.cwd(), Path(__file__).resolve().parents[2]):
        path = root / "lessons" / lesson / f"{lesson.split('_', 1)[1]}.ipynb"
        if path.is_file():
            return nbformat.read(path, as_version=4)
    return None


def _named_inside(outer: Piece, parts: tuple[str, ...]) -> Named:
    """What a place in a zip says: what the zip's own place leaves open."""
    lesson, number = lesson_of_file(parts[-1])
    around = outer.named.folder or (outer.named.lesson if lesson is None else None)
    folder = next((found for part in parts[:-1] if (found := folder_lesson(part))), around)
    return replace(outer.named, lesson=lesson, folder=folder, number=number, depth=outer.named.depth + len(parts) - 1)


def why(entry: Entry) -> str:
    """The sentence of an entry that is refused."""
    try:
        entry.read(0)
    except Unreadable as error:
        return str(error)
    return f"submission: {entry.place} cannot be read."


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more
