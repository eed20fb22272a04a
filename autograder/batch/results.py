"""What is known of a class: one signed file per exercise, and the code that it was judged by.

RESULTS/results/<student>/<lesson>/<item>.json   signed; names as `names.file_name` makes them, the true ones inside
RESULTS/history/<student>/<lesson>/<item>/0001.json   results that were replaced
RESULTS/submissions/<digest>.json   the code, named by its own hash
RESULTS/rejected/   files that were not as signed, kept as evidence when their place is taken
RESULTS/manifest.json, manifests/, .journal   what lies there, and what did before: `chain`
RESULTS/course.json   names the secret; results.csv is made from the rest
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from autograder.batch.names import file_name
from autograder.batch.secret import seeds_name, signing_key
from autograder.batch.signed import Untrusted, hash_of, opened, sealed, sealed_line
from autograder.batch.stages import Handed, Result, canonical
from autograder.reading.submission import Source, Submission
from autograder.text.files import write_whole

JOURNAL = ".journal"
GONE = ""
"""In the place of a hash: the file is taken away."""


class Store:
    """The results of one course in one folder; nothing is written before the first `put`, `keep` or `at_work`.

    Args:
        folder: RESULTS.
        secret: the course secret.

    Raises:
        ValueError: the folder is signed with another secret, or is a file.
    """

    def __init__(self, folder: Path, secret: str) -> None:
        self.folder, self.key, self.seeds = Path(folder).absolute(), signing_key(secret), seeds_name(secret)
        if self.folder.exists() and not self.folder.is_dir():
            raise ValueError(f"results: {folder} is a file; name a folder.")
        if (other := self._course()) not in (None, self.seeds):
            raise ValueError(
                f"results: {folder} is signed with another secret (named {str(other)[:16]}, "
                f"got {self.seeds}); name the right one with --secret, or another folder."
            )

    def get(self, student: str, lesson: str, item: str) -> Result | None:
        """What is known; None where nothing is, or what is there is not as it was signed."""
        try:
            return self.read(self.place(student, lesson, item))
        except (FileNotFoundError, Untrusted):
            return None

    def put(self, result: Result) -> None:
        """Keeps a result; one that it replaces goes to the history, one that cannot be trusted is set aside."""
        path = self.place(result.student, result.lesson, result.item)
        data = sealed("result", result.as_json(), self.key)
        if not path.is_symlink() and path.is_file() and path.read_bytes() == data:
            return
        self._note(path, data)
        if path.is_symlink() or path.exists():
            self._make_room(path)
        self.write(path, data)

    def retire(self, path: Path) -> None:
        """Takes a result out, into the history."""
        self._note(path, None)
        self._make_room(path)
        path.unlink(missing_ok=True)

    def results(self) -> Iterator[Result]:
        """All that can be trusted, by lesson and student."""
        found = []
        for path in self.files("results"):
            with contextlib.suppress(Untrusted, FileNotFoundError):
                found.append(self.read(path))
        yield from sorted(found, key=lambda r: (r.lesson, r.student, r.item))

    def keep(self, handed: Handed) -> None:
        """Keeps the code itself, once for all who handed in the same."""
        if handed.submission is None:
            return
        data = canonical([source.fields for source in handed.submission.sources])
        path = self.folder / "submissions" / f"{hash_of(data)}.json"
        if not path.is_file() or path.read_bytes() != data:
            self.write(path, data)

    def sources(self, digest: str) -> Submission:
        """The code with this digest.

        Raises:
            ValueError: it is not there, or is not the code that had this digest.
        """
        path = self.folder / "submissions" / f"{digest}.json"
        try:
            data = path.read_bytes()
        except OSError as error:
            raise ValueError(f"submissions/{digest}.json cannot be read ({error.strerror}).") from error
        if hash_of(data) != digest:
            raise ValueError(f"submissions/{digest}.json is not the code that was judged: its hash is {hash_of(data)}.")
        return Submission(tuple(Source(*fields) for fields in json.loads(data)))

    def place(self, student: str, lesson: str, item: str) -> Path:
        """Where a result lies."""
        return self.folder / "results" / file_name(student) / file_name(lesson) / f"{file_name(item)}.json"

    def read(self, path: Path) -> Result:
        """The result in a file, which must be in its own place.

        Raises:
            Untrusted: it is not as it was signed, or lies where another belongs.
            FileNotFoundError: it is not there.
        """
        try:
            result = Result.from_json(opened("result", path, self.key))
        except Untrusted:
            raise
        except ValueError as error:
            raise Untrusted(f"is signed, but {error}") from error
        own = self.place(result.student, result.lesson, result.item)
        if path != own and path.parent != self._history_of(own):
            owner = f"{result.student}, {result.item}"
            raise Untrusted(f"is signed, but belongs to {owner}: it was moved or copied")
        return result

    def files(self, part: str) -> list[Path]:
        """All files under one of the folders, in order."""
        return sorted(path for path in (self.folder / part).rglob("*") if path.is_symlink() or not path.is_dir())

    def write(self, path: Path, data: bytes) -> None:
        """Writes a file of this folder in one step."""
        write_whole(path, data, self.folder / ".half")

    @contextlib.contextmanager
    def at_work(self) -> Iterator[None]:
        """While one process grades into this folder: no second one may, and no half file of a killed one stays."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with _only_one(self.folder / ".lock"):
            shutil.rmtree(self.folder / ".half", ignore_errors=True)
            if self._course() is None:
                self.write(self.folder / "course.json", sealed("course", {"seeds": self.seeds}, self.key))
            try:
                yield
            finally:
                shutil.rmtree(self.folder / ".half", ignore_errors=True)

    def manifest(self) -> bytes:
        """The last manifest as it lies there; empty where there is none."""
        try:
            return (self.folder / "manifest.json").read_bytes()
        except OSError:
            return b""

    def hash_of_manifest(self) -> str:
        """Its hash; empty where there is none."""
        data = self.manifest()
        return hash_of(data) if data else ""

    def _note(self, path: Path, data: bytes | None) -> None:
        """Says in the journal what is about to be written; None for a file that is taken away."""
        place = path.relative_to(self.folder).as_posix()
        line = sealed_line(
            "journal", [self.hash_of_manifest(), place, GONE if data is None else hash_of(data)], self.key
        )
        self.folder.mkdir(parents=True, exist_ok=True)
        handle = os.open(self.folder / JOURNAL, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(handle, line)  # at once, for other workers write here too
        finally:
            os.close(handle)

    def _course(self) -> Any:
        """The name of the secret that this folder is signed with; None where it does not say."""
        try:
            return json.loads((self.folder / "course.json").read_bytes())["course"]["seeds"]
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            return None

    def _history_of(self, path: Path) -> Path:
        return self.folder / "history" / path.relative_to(self.folder / "results").with_suffix("")

    def _make_room(self, path: Path) -> None:
        """The file that is about to be replaced, moved to where nothing is lost."""
        try:
            self.read(path)
        except Untrusted:
            aside = self.folder / "rejected"
            aside.mkdir(exist_ok=True)
            number = len(list(aside.iterdir())) + 1
            path.replace(aside / f"{number:04d}-{path.parent.parent.name}-{path.name}")
            return
        folder, data = self._history_of(path), path.read_bytes()
        before = sorted(folder.glob("*.json"))
        if not before or before[-1].read_bytes() != data:
            self.write(folder / f"{len(before) + 1:04d}.json", data)


@contextlib.contextmanager
def _only_one(lock: Path) -> Iterator[None]:
    """Holds the lock file; the system lets go of it when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: two at once do double work, nothing worse
        yield
        return
    with open(lock, "ab") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ValueError(f"results: another process is at work in {lock.parent}; wait until it ends.") from error
        except OSError:  # a network disk without locks: two at once do double work, nothing worse
            pass
        yield
