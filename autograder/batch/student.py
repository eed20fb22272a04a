"""All that one student handed in, lesson by lesson: which file counts, what it holds, and what is wrong with it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.batch.archive import LARGEST_INNER, in_archive
from autograder.batch.entries import FILE, FOLDER, MOST_INNER, REFUSED, Entry, shown
from autograder.batch.naming import Named, folder_lesson, lesson_of_file, suffix
from autograder.batch.records import Handed, digest_of
from autograder.cells import LARGEST, Unreadable, looks_like_notebook, read_cells
from autograder.quick_nbformat import nbformat
from autograder.records import Lesson
from autograder.submission import Submission, begun, choose, from_cells, from_code, from_found

DEEP = 2
"""Folders between the student's own and a file that counts: what lies deeper is some library's."""
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
        """Whether it is a module or a notebook of the student's own, or stands in the place of one."""
        in_place = self.entry.kind == REFUSED and self.kind == "" and self.named.lesson is not None
        own = self.kind in (".py", ".ipynb") and not self.entry.parts[-1].startswith("test_")
        return (own or in_place) and not self.too_deep

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

    def __init__(self, name: str, pieces: Iterable[Piece]):
        self.name = name
        self.broken: list[tuple[Lesson | None, str]] = []
        """What cannot be looked into, and the lesson that it is for; None where it may hold any."""
        self.told: list[str] = []
        self.pieces = [opened for piece in pieces for opened in self._opened(piece)]

    def lessons(self) -> dict[str, Lesson]:
        """Lessons that a file or a folder of this student's is named after, by id."""
        found = [p.lesson for p in self.pieces if p.is_work] + [p.named.folder for p in self.pieces]
        return {lesson.id: lesson for lesson in (*found, *(lesson for lesson, _ in self.broken)) if lesson}

    def handed(self, lessons: Sequence[Lesson], release: Release) -> list[Handed]:
        """The work on each lesson of the class that there is work on; `told` has a sentence on each choice."""
        used: list[Piece] = []
        handed = [h for lesson in lessons if (h := self._on(lesson, len(lessons) == 1, release, used))]
        left = [p.entry.place for p in self.pieces if p.is_work and p.lesson is None and p not in used]
        self.told += [f"{shown((self.name,))}: {sentence}" for _, sentence in self.broken]
        if left:
            self.told.append(f"{shown((self.name,))}: left out, named after no lesson: {_some(left)}.")
        return handed

    def _on(self, lesson: Lesson, only: bool, release: Release, used: list[Piece]) -> Handed | None:
        """The work on one lesson; None where there is none, and other work shows that this is no mistake."""
        pieces = [p for p in self.pieces if p.is_work and p.lesson and p.lesson.id == lesson.id]
        pieces = pieces or self._unnamed(lesson, only)
        used += pieces
        kinds = sorted({p.kind for p in pieces})
        if reads := [read for kind in kinds for read in self._latest(pieces, kind, lesson, release)]:
            return self._chosen(reads, lesson)
        if broken := [sentence for about, sentence in self.broken if about is None or about.id == lesson.id]:
            return self._problem(lesson, broken[0])
        if any(p.belongs(lesson) for p in self.pieces) or not self.lessons():
            return self._problem(lesson, self._nothing(lesson))
        return None

    def _unnamed(self, lesson: Lesson, only: bool) -> list[Piece]:
        """The only notebook and the only module that can be meant, whatever they are called."""
        free = [p for p in self.pieces if p.is_work and p.named.lesson is None and p.named.depth <= DEEP]
        free = [p for p in free if p.belongs(lesson) or (only and p.named.folder is None)]
        pieces = []
        for kind in (".py", ".ipynb"):
            same = [p for p in free if p.kind == kind]
            if len(same) == 1:
                pieces += same
                self._say(lesson, f"{same[0].entry.place} counts, as the only {kind} that can be meant.")
        return pieces

    def _latest(self, pieces: Sequence[Piece], kind: str, lesson: Lesson, release: Release) -> list[Read]:
        """The file of one kind that counts, after those that would count before it and cannot be read."""
        ordered = sorted(enumerate(p for p in pieces if p.kind == kind), key=lambda n_p: (n_p[1].named.rank, n_p[0]))
        reads: list[Read] = []
        for _, piece in reversed(ordered):
            reads.append(read(piece, lesson, release))
            if reads[-1].submission:
                break
        if len(ordered) > 1:
            self._say(lesson, f"of {len(ordered)} files {reads[-1].piece.entry.place} counts.")
        return reads

    def _chosen(self, reads: Sequence[Read], lesson: Lesson) -> Handed:
        """The module or the notebook; a problem where nothing in it was begun and another file cannot be read."""
        good = {r.piece.kind: r for r in reads if r.submission}
        bad = [r for r in reads if not r.submission]
        module, notebook = (good[kind].submission if kind in good else None for kind in (".py", ".ipynb"))
        chosen = choose(module, notebook, lesson)
        if chosen is None or (bad and not begun(chosen, lesson)):
            return self._problem(lesson, bad[0].problem, bad[0])
        for one in bad:
            self._say(lesson, f"{one.problem} Another file counts.")
        which = next(r for r in good.values() if r.submission is chosen)
        if module and notebook and begun(module, lesson) and begun(notebook, lesson):
            self._say(lesson, f"of module and notebook {which.piece.entry.place} counts.")
        return Handed(self.name, lesson.id, chosen, which.digest, place=which.piece.entry.place)

    def _problem(self, lesson: Lesson, problem: str, read: Read | None = None) -> Handed:
        digest = read.digest if read else hashlib.sha256(problem.encode()).hexdigest()
        return Handed(self.name, lesson.id, None, digest, problem, read.piece.entry.place if read else "")

    def _nothing(self, lesson: Lesson) -> str:
        files = [p.entry.place for p in self.pieces if p.entry.kind == FILE and p.lesson is None]
        wanted = f"{lesson.name}.py or {lesson.name}.ipynb"
        found = f"among {_some(files)}; rename the file that is meant" if files else "and no other file; hand it in"
        return f"submission: there is no {wanted} {found}."

    def _say(self, lesson: Lesson, sentence: str) -> None:
        self.told.append(f"{shown((self.name,))}, {lesson.id}: {sentence}")

    def _opened(self, piece: Piece, *, nested: bool = True) -> Iterator[Piece]:
        """The piece, or what is in it where it is a zip; what cannot be looked into is remembered."""
        about = piece.named.folder or piece.named.lesson
        if piece.entry.kind == FILE and piece.kind == ".zip":
            if nested:
                yield from self._inside(piece)
            else:
                place = piece.entry.place
                sentence = f"submission: {place} lies in a zip in a zip; unpack it before handing in."
                self.broken.append((about, sentence))
        elif piece.entry.kind == REFUSED and not piece.is_work:
            if piece.kind == ".zip" or not piece.named.sure:
                self.broken.append((about, why(piece.entry)))
            else:
                self.told.append(f"{shown((self.name,))}: {why(piece.entry)}")
        else:
            yield piece

    def _inside(self, outer: Piece) -> Iterator[Piece]:
        """What is in a student's zip; a file in it whose name is refused may be any."""
        about = outer.named.folder or outer.named.lesson
        try:
            data = outer.entry.read(LARGEST_INNER)
            entries = in_archive(io.BytesIO(data), outer.entry.place, most_files=MOST_INNER, within=True)
        except Unreadable as error:
            self.broken.append((about, str(error)))
            return
        for entry in entries:
            if entry.parts:
                yield from self._opened(Piece(entry, _named_inside(outer, entry.parts)), nested=False)
            else:
                self.broken.append((about, why(entry)))


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
    from autograder.rebuild import rebuilt

    if piece.kind == ".py" and not looks_like_notebook(data):
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
    number = number or outer.named.number
    return replace(
        outer.named, sure=True, lesson=lesson, folder=folder, number=number, depth=outer.named.depth + len(parts) - 1
    )


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
