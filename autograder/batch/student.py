"""All that one student handed in, lesson by lesson: which file counts, what it holds, and what is wrong with it."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from itertools import islice
from pathlib import Path

from autograder.batch.archive import LARGEST_INNER
from autograder.batch.entries import FILE, FOLDER, MOST_INNER, MOST_OF_ONE, REFUSED, Entry, shown
from autograder.batch.kinds import UNREAD_ARCHIVES, kind_of, unread, wanted
from autograder.batch.naming import ARCHIVES, CODE, Named, folder_lesson, kind, lesson_of_file, stem
from autograder.batch.packed import in_packed
from autograder.batch.recognising import lessons_that_fit
from autograder.batch.stages import Handed, digest_of
from autograder.course.locations import home_of
from autograder.course.records import Lesson
from autograder.isolated.current_folder import is_in
from autograder.reading.cells import LARGEST, LARGEST_CODE, Unreadable, looks_like_notebook, read_cells
from autograder.reading.helpers import is_helper
from autograder.reading.quick_nbformat import nbformat
from autograder.reading.submission import Submission, begun, from_cells, from_code, from_found, together, with_beside

MOST_BYTES = 200_000_000
"""Bytes that are read of one student's files, archives and what is in them together."""
MOST_ARCHIVES = 20
"""Archives of one student."""
MOST_MEANT = 50
"""Files of one student that are named after the same lesson."""
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
        return kind(self.entry.parts[-1]) if self.entry.kind != FOLDER else ""

    @property
    def is_work(self) -> bool:
        """Whether it is a module or a notebook of the student's own, or stands in the place of one."""
        in_place = self.entry.kind == REFUSED and self.kind == "" and self.named.lesson is not None
        own = self.kind in CODE and not self.entry.parts[-1].startswith("test_")
        return (own or in_place) and not self.too_deep

    @property
    def too_deep(self) -> bool:
        """Whether it lies where only libraries lie."""
        return self.named.folder is None and self.named.depth > DEEP

    @property
    def lesson(self) -> Lesson | None:
        """The lesson that the file is named after, else the one that it fits, unless its folder is another's."""
        fits = self.fits if self.named.lesson is None else ()
        lesson, folder = fits[0] if len(fits) == 1 else self.named.lesson, self.named.folder
        return lesson if folder is None or lesson is None or folder.id == lesson.id else None

    @cached_property
    def fits(self) -> tuple[Lesson, ...]:
        """The lessons that it may be for by what is in it."""
        if not self.is_work or self.entry.kind != FILE:
            return ()
        try:
            return lessons_that_fit(self.entry.read(LARGEST), stem(self.entry.parts[-1]))
        except Unreadable:
            return ()

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
        self.alive: Sequence[Lesson] = ()
        """The lessons that the class handed in: what may hold any work is a problem of these alone."""
        self.unnamed: Lesson | None = None
        """The lesson that files of no lesson's name are for."""
        self.helpers: list[Piece] = []
        """Modules beside the work that it imports."""
        self.left, self.archives = MOST_BYTES, 0
        opened = (inner for piece in pieces for inner in self._opened(piece))
        self.pieces = [self._counted(piece) for piece in islice(opened, MOST_OF_ONE)]

    def lessons(self, *, of_any_kind: bool = False) -> dict[str, Lesson]:
        """Lessons that work or a folder of this student's is named after, by id; or a file of any kind."""
        work = [p.lesson for p in self.pieces if of_any_kind or (p.is_work and not self._helper(p))]
        found = [*work, *(p.named.folder for p in self.pieces), *(lesson for lesson, _ in self.broken)]
        return {lesson.id: lesson for lesson in found if lesson}

    def works_on(self, lesson: Lesson) -> bool:
        """Whether a module or a notebook is named after the lesson, or lies in a folder of it."""
        return any(p.is_work and (p.lesson == lesson or p.belongs(lesson)) for p in self.pieces)

    def handed(
        self,
        lessons: Sequence[Lesson],
        release: Release,
        *,
        alive: Sequence[Lesson] = (),
        unnamed: Lesson | None = None,
    ) -> list[Handed]:
        """The work on each lesson of the class that there is work on; `told` has a sentence on each choice.

        Files without a lesson's name are for the lesson `unnamed`.
        """
        used: list[Piece] = []
        self.alive, self.unnamed = alive or lessons, unnamed
        handed = [h for lesson in lessons if (h := self._on(lesson, lessons, release, used))]
        used += self.helpers
        left = [p for p in self.pieces if p.is_work and p.lesson is None and p not in used]
        broken = dict.fromkeys(sentence for _, sentence in self.broken)
        self.told += [f"{shown((self.name,))}: {sentence}" for sentence in broken]
        if of_none := [p.entry.place for p in left if not p.fits]:
            self.told.append(f"{shown((self.name,))}: left out, named after no lesson: {_some(of_none)}.")
        for piece in left:
            if piece.fits:
                fits = " and ".join(lesson.id for lesson in piece.fits)
                self.told.append(f"{shown((self.name,))}: left out: {piece.entry.place} fits {fits} alike; rename it.")
        return handed

    def _on(self, lesson: Lesson, lessons: Sequence[Lesson], release: Release, used: list[Piece]) -> Handed | None:
        """The work on one lesson; None where there is none, and other work shows that this is no mistake."""
        attempts = sorted({p.named.attempt for p in self.pieces}, reverse=True)
        meant = [pieces for attempt in attempts if (pieces := self._meant(lesson, attempt))]
        used += [piece for pieces in meant for piece in pieces]
        if (number := max(map(len, meant), default=0)) > MOST_MEANT:
            told = f"submission: {number} files are named after the lesson, and {MOST_MEANT} are looked at"
            return self._problem(lesson, f"{told}; hand in {wanted(lesson)} alone.")
        reads: list[Read] = []
        for pieces in meant:
            reads += [
                r for kind in sorted({p.kind for p in pieces}) for r in self._latest(pieces, kind, lesson, release)
            ]
            if any(read.submission for read in reads):
                break
        broken = [text for about, text in self.broken if about == lesson or (about is None and lesson in self.alive)]
        if reads:
            return self._chosen(reads, lesson, len(meant))
        if broken:
            return self._problem(lesson, broken[0])
        return self._problem(lesson, self._nothing(lesson)) if self._lacks(lesson, lessons) else None

    def _lacks(self, lesson: Lesson, lessons: Sequence[Lesson]) -> bool:
        """Whether a folder says that there should be work, or a file that is none, or there is no work at all."""
        if any(p.belongs(lesson) or p.lesson == lesson for p in self.pieces if p.is_work or p.belongs(lesson)):
            return True
        hinted = self.lessons(of_any_kind=True).keys() & {each.id for each in lessons}
        return not self.lessons() and (lesson.id in hinted if hinted else lesson in self.alive)

    def _helper(self, piece: Piece) -> bool:
        """Whether it may be a module beside the work, as "grad_cam_plots.py" is; then what is in it decides."""
        loose = [p.named.loose and p.kind == ".py" for p in (piece, *(p for p in self.pieces if p.is_work))]
        return loose[0] and not all(loose)

    def _meant(self, lesson: Lesson, attempt: str) -> list[Piece]:
        """The files of one attempt that are named after the lesson, else the only ones that can be meant."""
        own = [p for p in self.pieces if p.is_work and p.named.attempt == attempt]
        if found := [p for p in own if p.named.lesson and p.lesson == lesson]:
            return found
        free = [p for p in own if p.named.lesson is None and p.named.depth <= DEEP]
        free = [p for p in free if p.lesson == lesson] or [
            p
            for p in free
            if p.lesson is None and (p.belongs(lesson) or (lesson == self.unnamed and p.named.folder is None))
        ]
        kinds = [p.kind for p in free]
        return [p for p in free if p.kind in CODE and kinds.count(p.kind) == 1]

    def _latest(self, pieces: Sequence[Piece], kind: str, lesson: Lesson, release: Release) -> list[Read]:
        """The file of one kind that counts, after those that would count before it and cannot be read.

        One in which nothing was begun gives way to the next in which something was.
        """
        ordered = sorted(enumerate(p for p in pieces if p.kind == kind), key=lambda n_p: (n_p[1].named.rank, n_p[0]))
        bad: list[Read] = []
        good: list[Read] = []
        for _, piece in reversed(ordered):
            one = read(piece, lesson, release)
            if one.submission and begun(one.submission, lesson):
                good.insert(0, one)
                break
            if not one.submission:
                bad.append(one)
            elif not self._helper(piece):
                good.append(one)
        if len(ordered) > 1 and (good or bad):
            self._say(lesson, f"of {len(ordered)} files {(good or bad)[0].piece.entry.place} counts.")
        return [*bad, *good[:1]]

    def _chosen(self, reads: Sequence[Read], lesson: Lesson, attempts: int) -> Handed:
        """Module and notebook, for the better counts; a problem where neither was begun and one cannot be read."""
        good = {r.submission.file: r for r in reads[::-1] if r.submission}  # the module comes first
        bad = [r for r in reads if not r.submission]
        submission = together(lesson, *(r.submission for r in good.values() if r.submission))
        if not good or (bad and not begun(submission, lesson)):
            return self._problem(lesson, bad[0].problem, bad[0])
        for one in bad:
            self._say(lesson, f"{one.problem} Another file counts.")
        counting = [good[file.file].piece for file in submission.files]
        beside = self._beside(counting[0], lesson)
        submission = with_beside(submission, {path: partial(p.entry.read, LARGEST_CODE) for path, p in beside.items()})
        self.helpers += [beside[source.label] for source in submission.sources if source.label in beside]
        place = " and ".join(piece.entry.place for piece in counting)
        verb = "count" if counting[1:] else "counts"
        if attempts > 1:
            self._say(lesson, f"of {attempts} attempts {place} {verb}.")
        elif any(about == lesson for about, _ in self.broken):
            self._say(lesson, f"{place} {verb} instead.")
        for piece in counting:
            if piece.named.lesson is None and piece.lesson:
                self._say(lesson, f"{piece.entry.place} counts: what is in it, or its number, is this lesson's.")
            elif piece.lesson is None:
                self._say(lesson, f"{piece.entry.place} counts, as the only {piece.kind} that can be meant.")
        return Handed(self.name, lesson.id, submission, digest_of(submission), place=place)

    def _beside(self, work: Piece, lesson: Lesson) -> dict[str, Piece]:
        """Path beside the work -> every module that may be a helper of the student's own."""
        around = work.entry.parts[:-1]
        below = [p for p in self.pieces if p.kind == ".py" and p.entry.parts[: len(around)] == around and p != work]
        return {
            "/".join(p.entry.parts[len(around) :]): p
            for p in below
            if (p.named.lesson is None or self._helper(p)) and is_helper(p.entry.parts[-1], lesson.name)
        }

    def _problem(self, lesson: Lesson, problem: str, read: Read | None = None) -> Handed:
        digest = read.digest if read else hashlib.sha256(problem.encode()).hexdigest()
        return Handed(self.name, lesson.id, None, digest, problem, read.piece.entry.place if read else "")

    def _nothing(self, lesson: Lesson) -> str:
        files = [p for p in self.pieces if p.entry.kind == FILE and (p.kind not in CODE or p.named.lesson != lesson)]
        code = [p.entry.place for p in files if p.kind in CODE]
        other = [f"{p.entry.place} is {kind_of(p.entry.parts[-1])}" for p in files if p.kind not in CODE]
        told = f"submission: there is no {wanted(lesson)}"
        if code:
            return f"{told} among {_some(code)}; rename the file that is meant."
        return f"{told}: {_some(other)}; hand in one of the two." if other else f"{told} and no other file; hand it in."

    def _say(self, lesson: Lesson, sentence: str) -> None:
        self.told.append(f"{shown((self.name,))}, {lesson.id}: {sentence}")

    def _counted(self, piece: Piece) -> Piece:
        return replace(piece, entry=replace(piece.entry, read=partial(self._read, piece.entry)))

    def _read(self, entry: Entry, largest: int) -> bytes:
        """An entry's bytes, which count against what is read of one student."""
        data = entry.read(largest)
        self.left -= len(data)
        if self.left < 0:
            told = f"submission: {entry.place} comes after {MOST_BYTES // 1_000_000} MB of other files"
            raise Unreadable(f"{told}, and no more is read; hand in less.")
        return data

    def _opened(self, piece: Piece, *, nested: bool = True) -> Iterator[Piece]:
        """The piece, or what is in it where it is an archive; what cannot be looked into is remembered."""
        about = piece.named.folder or piece.named.lesson
        if piece.entry.kind == FILE and piece.kind in UNREAD_ARCHIVES:
            self.broken.append((about, unread(piece.entry.place, about)))
        elif piece.entry.kind == FILE and piece.kind in ARCHIVES:
            if nested:
                yield from self._inside(piece)
            else:
                place = piece.entry.place
                sentence = f"submission: {place} lies in an archive in an archive; unpack it before handing in."
                self.broken.append((about, sentence))
        elif piece.entry.kind == REFUSED and not piece.is_work:
            if piece.kind in ARCHIVES or not piece.named.sure:
                self.broken.append((about, why(piece.entry)))
            else:
                self.told.append(f"{shown((self.name,))}: {why(piece.entry)}")
        else:
            yield piece

    def _inside(self, outer: Piece) -> Iterator[Piece]:
        """What is in a student's archive; a file in it whose name is refused may be any."""
        about = outer.named.folder or outer.named.lesson
        try:
            self.archives += 1
            if self.archives > MOST_ARCHIVES:
                raise Unreadable(f"submission: there are more than {MOST_ARCHIVES} archives; hand in fewer.")
            data = self._read(outer.entry, LARGEST_INNER)
            entries = in_packed(io.BytesIO(data), outer.entry.place, most_files=MOST_INNER, within=True)
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
    from autograder.reading.rebuild import rebuilt

    if piece.kind == ".py" and not looks_like_notebook(data):
        return from_code(data, f"{lesson.name}.py")
    cells = read_cells(data, piece.entry.place)
    if release is None:
        return from_found(cells, f"{lesson.name}.ipynb")
    return from_cells(rebuilt(release, cells).cells, f"{lesson.name}.ipynb")


def release_copy(lesson: str, submitted: Path | None = None) -> nbformat.NotebookNode | None:
    """The notebook that students got: of the current folder, else of the course; None where there is none.

    Where the current folder is what was handed in, a student could have put it there.
    """
    here = [] if submitted is not None and is_in(submitted) else [Path.cwd()]
    for root in (*(folder / "lessons" for folder in here), home_of(lesson).lessons):
        path = root / lesson / f"{lesson.split('_', 1)[1]}.ipynb"
        if path.is_file():
            return nbformat.read(path, as_version=4)
    return None


def _named_inside(outer: Piece, parts: tuple[str, ...]) -> Named:
    """What a place in a zip says: what the zip's own place leaves open."""
    about = lesson_of_file(parts[-1], outer.named.student)
    around = outer.named.folder or (outer.named.lesson if about.lesson is None else None)
    folder = next((found for part in parts[:-1] if (found := folder_lesson(part))), around)
    number, depth = about.number or outer.named.number, outer.named.depth + len(parts) - 1
    return replace(
        about, folder=folder, number=number, depth=depth, attempt=outer.named.attempt, version=outer.named.version
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
