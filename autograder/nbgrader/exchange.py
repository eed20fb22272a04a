"""nbgrader's exchange, where strangers write: which hand-ins are collected, and which pages are given back.

nbgrader's own classes copy whole folders, through links, believe the names of folders, and end at the first surprise.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange.abc import ExchangeCollect
from nbgrader.exchange.default import Exchange, ExchangeReleaseFeedback
from nbgrader.utils import notebook_hash

from autograder.batch.entries import shown
from autograder.course import registry
from autograder.nbgrader.folders import REFUSED, SECRET, TIMESTAMP, handed_in_at, read_texts, refuse_linked_folders
from autograder.nbgrader.hand_in import HandIn, folder_in
from autograder.reading.cells import LARGEST, Unreadable
from autograder.reading.plain import read_plain
from autograder.text.words import counted, printable

MOST_ATTEMPTS = 20
"""Of one student and lesson: the newest."""
Attempt = tuple[int, str, int]
"""When a folder of the exchange last changed, its name and its owner, as its parent lists it."""


def account(uid: int) -> str:
    """The name of the account, or its number where it has none."""
    import pwd  # there is none on Windows, nor an exchange

    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


class Collect(Exchange, ExchangeCollect):
    """`nbgrader collect`: of each student the newest hand-in that is whole, of plain files and the student's own."""

    def init_src(self) -> None:
        """The lesson, and when it is due where that matters."""
        if not self.coursedir.course_id:
            self.fail("No course id specified. Re-run with --course flag.")
        self.lesson, self.due = registry.lesson(self.coursedir.assignment_id), datetime.max
        if self.before_duedate:
            with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as book, suppress(MissingEntry):
                self.due = book.find_assignment(self.lesson.id).duedate or datetime.max

    def init_dest(self) -> None:
        """Each student's folder is made when there is something for it."""

    def copy_files(self) -> None:
        """Collects from everybody; what is wrong with one student's work is told and stops nobody else's."""
        try:
            with (
                folder_in(None, os.path.realpath(self.root)) as root,
                folder_in(root, self.coursedir.course_id) as course,
                folder_in(course, "inbound") as inbound,
            ):
                if not self.coursedir.groupshared and {os.fstat(f).st_uid for f in (course, inbound)} != {os.geteuid()}:
                    self.fail(
                        f"exchange: inbound in {self.root} is another account's, perhaps a student's; look there."
                    )
                for student, attempts in self._attempts(inbound).items():
                    self._collect(inbound, student, attempts)
        except OSError as error:
            self.fail(f"exchange: {self.root} has no folder inbound of this course ({error}); release a lesson first.")

    def _attempts(self, inbound: int) -> Mapping[str, Sequence[Attempt]]:
        """Student -> hand-ins, newest first; those in another's name are told, in one line for each account."""
        own, others = defaultdict(list), defaultdict(list)
        for name in os.listdir(inbound):
            student, found, _ = name.partition(f"+{self.lesson.id}+")
            if found and fnmatch(student, self.coursedir.student_id or "*"):
                with suppress(FileNotFoundError):
                    about = os.stat(name, dir_fd=inbound, follow_symlinks=False)
                    if self._may_be(student, owner := account(about.st_uid)):
                        own[student].append((about.st_ctime_ns, name, about.st_uid))
                    else:
                        others[owner].append(student)
        for owner, students in sorted(others.items()):
            self.log.error(
                "Not collected: %s of the account %s in the name of %s. A hand-in counts for the account that owns it.",
                counted(len(students), "hand-in"), owner, ", ".join(shown((s,)) for s in sorted(set(students))[:5]),
            )  # fmt: skip
        return {student: sorted(own[student], reverse=True)[:MOST_ATTEMPTS] for student in sorted(own)}

    def _may_be(self, student: str, owner: str) -> bool:
        """Whether a hand-in with this name may be that student's; nobody is called `..` or a line break."""
        shows = printable(student) == student and not student.startswith(".") and bool(student)
        return shows and (student == owner or not self.check_owner)

    def _collect(self, inbound: int, student: str, attempts: Sequence[Attempt]) -> None:
        """Puts the best attempt into the submitted folder, or the reason why there is none."""
        try:
            best = max((self._read(inbound, *attempt) for attempt in attempts), key=self._rank)
            place = Path(self.coursedir.format_path(self.coursedir.submitted_directory, student, self.lesson.id))
            refuse_linked_folders(place / TIMESTAMP)
            wanted = self._wanted(best, place)
            self.log.info("%s: %s %s", "Collecting" if wanted else "Nothing newer to collect", student, self.lesson.id)
            if wanted:
                self._write(place, best)
        except (Unreadable, OSError) as error:
            self.log.error("Not collected from %s: %s", student, error)

    def _read(self, inbound: int, changed: int, name: str, owner: int) -> HandIn:
        found = HandIn(owner, changed)
        found.read(inbound, name, self.lesson.name)
        if found.refused:
            self.log.error("Not collected: %s: %s", shown((name,)), found.refused)
        if found.left_out:
            told = counted(len(found.left_out), "module")
            self.log.warning("Left out of %s: %s: %s", shown((name,)), told, found.left_out[0])
        return found

    def _rank(self, one: HandIn) -> tuple[bool, bool, datetime]:
        return not one.refused, one.time <= self.due, one.time

    def _wanted(self, best: HandIn, place: Path) -> bool:
        """Whether it takes the place of what was collected before; a reason takes the place of a reason only."""
        if not os.path.lexists(place):
            return True
        before = handed_in_at(read_texts(place, self.log.warning))
        newer = self.update and (before is None or best.time > before)
        other = self.before_duedate and best.time != before
        return (newer or other) and (not best.refused or (place / REFUSED).exists())

    def _write(self, place: Path, best: HandIn) -> None:
        """Makes the whole folder beside its place, then puts it there."""
        files = best.files if not best.refused else {REFUSED: best.refused.encode()}
        files |= {name: best.files[name] for name in (SECRET,) if name in best.files}
        files[TIMESTAMP] = best.time.replace(tzinfo=timezone.utc).strftime(self.timestamp_format).encode()
        place.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=place.parent, prefix=".") as new:
            for path, data in files.items():
                Path(new, path).parent.mkdir(exist_ok=True)
                Path(new, path).write_bytes(data)
            self.set_perms(new, *((0o660, 0o2770) if self.coursedir.groupshared else (0o644, 0o755)))
            if place.exists():
                shutil.rmtree(place)
            os.rename(new, place)


class ReleaseFeedback(ExchangeReleaseFeedback):
    """`nbgrader release_feedback`: each student's page of the lesson, to where that student's own secret leads."""

    def copy_files(self) -> None:
        """Releases to everybody; a student without a page or a secret is told and stops nobody else's feedback."""
        name, used = registry.lesson(self.coursedir.assignment_id).name, dict[str, str]()
        for _, student, folder in sorted(self._students()):
            try:
                self._release(student, folder / f"{name}.html", used)
            except (Unreadable, OSError) as error:
                self.log.error("No feedback released to %s: %s", shown((student,)), error)

    def _students(self) -> Iterator[tuple[datetime, str, Path]]:
        """When they handed in, who, and the folder of their feedback."""
        place, lesson = self.coursedir.feedback_directory, self.coursedir.assignment_id
        pattern = self.coursedir.format_path(place, "(?P<student>.*)", lesson, escape=True)
        for folder in glob.glob(self.coursedir.format_path(place, "*", lesson)):
            if found := re.fullmatch(pattern, folder, re.DOTALL):
                time = handed_in_at(read_texts(Path(folder), lambda told: None))
                yield time or datetime.max, found["student"], Path(folder)

    def _release(self, student: str, page: Path, used: dict[str, str]) -> None:
        """Writes the page; where two have one secret, it is the first's who handed in."""
        refuse_linked_folders(page)
        texts = read_texts(page.parent, self.log.warning)
        if SECRET not in texts:
            raise Unreadable(
                f"submission: without {SECRET} nobody knows where to; the lesson has to be submitted again."
            )
        file = notebook_hash(secret=texts[SECRET], notebook_id=page.stem) + ".html"
        if used.setdefault(file, student) != student:
            raise Unreadable(f"submission: its {SECRET} is that of {shown((used[file],))}, who handed in before.")
        course = self.coursedir
        if fnmatch(student, course.student_id or "*") and student not in course.student_id_exclude.split(","):
            new = Path(self.dest_path, f"{file}.new")
            new.write_bytes(read_plain(page, LARGEST))
            new.chmod(0o664 if course.groupshared else 0o644)
            new.replace(new.with_name(file))
            self.log.info("Feedback released to %s: %s", student, file)
