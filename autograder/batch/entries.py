"""What lies in a submitted folder: every file by its place, opened only when asked for, links and pipes never."""

from __future__ import annotations

import os
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from pathlib import Path

from autograder.reading.cells import Unreadable
from autograder.reading.plain import no_plain_file, read_plain
from autograder.text.words import printable

FILE, FOLDER, REFUSED = "file", "folder", "refused"
DEEPEST = 6
"""Folders below the one that is collected."""
MOST_FILES = 100_000
"""Entries of one folder, or of the archive of a class."""
MOST_INNER = 1000
"""Files of one student and lesson, or of a student's archive."""
MOST_OF_ONE = 5000
"""Files of one student."""
PASSED_OVER = ("__MACOSX", "__pycache__", "site-packages", "node_modules")
"""Folders that hold nobody's work; hidden files and folders are passed over too."""


@dataclass(frozen=True)
class Entry:
    """A file, a folder, or what stands in its place and is never read."""

    parts: tuple[str, ...]
    """Its path, name by name, NFC; empty where the name itself is refused."""
    place: str
    """Its path as a sentence shows it."""
    kind: str
    """FILE, FOLDER or REFUSED."""
    read: Callable[[int], bytes]
    """The bytes, if there are no more than this many; raises `Unreadable`."""
    spelling: tuple[str, ...] = ()
    """Its path as it is written, where that is another form of Unicode; else empty."""


Whose = Callable[[tuple[str, ...]], tuple[str, ...]]
"""A place -> the place that its student has alone."""


def in_folder(root: Path, whose: Whose = lambda parts: parts[:1]) -> Iterator[Entry]:
    """Everything below a folder, in the order of its names; links are never followed.

    A student with too many files has that problem alone: they are counted by the first two folders, and by student.
    """
    waiting: list[tuple[tuple[str, ...], Path]] = [((), Path(root))]
    seen: Counter[tuple[str, ...]] = Counter()
    of_one: Counter[tuple[str, ...]] = Counter()
    while waiting:
        spelt, folder = waiting.pop()
        parts = tuple(map(proper, spelt))
        if of_one[whose(parts)] > MOST_OF_ONE:  # that was said already
            continue
        try:
            below = sorted(islice(os.scandir(folder), MOST_FILES + 1), key=lambda item: item.name)
        except OSError as error:
            place = f"the folder {shown(parts)}"
            yield refused(parts, f"submission: {place} cannot be read ({error.strerror}); check its permissions.")
            continue
        for item in below:
            name = (*parts, proper(item.name))
            if skipped(item.name):
                continue
            seen[name[:2]] += 1
            of_one[whose(name)] += 1
            if seen[name[:2]] > MOST_INNER or of_one[whose(name)] > MOST_OF_ONE:
                yield too_many(name[:2], MOST_INNER if seen[name[:2]] > MOST_INNER else MOST_OF_ONE)
                break
            written = (*spelt, encodable(item.name))
            if item.is_dir(follow_symlinks=False) and len(name) <= DEEPEST:
                yield spelled(folder_entry(name), written)
                waiting.append((written, Path(item.path)))
            else:
                yield spelled(_of_item(name, item), written)


def _of_item(name: tuple[str, ...], item: os.DirEntry) -> Entry:
    place = shown(name)
    if item.is_file(follow_symlinks=False):
        return Entry(name, place, FILE, partial(read_plain, Path(item.path), place=place))
    if item.is_dir(follow_symlinks=False):
        return refused(name, f"{place} lies too deep ({DEEPEST} folders are looked into); move it up.")
    return refused(name, no_plain_file(place))


def refused(parts: tuple[str, ...], sentence: str) -> Entry:
    """An entry that raises its sentence."""

    def read(largest: int) -> bytes:
        raise Unreadable(sentence)

    return Entry(parts, shown(parts) or sentence, REFUSED, read)


def folder_entry(parts: tuple[str, ...]) -> Entry:
    """A folder, which counts as handed in even where it is empty."""
    return Entry(parts, shown(parts), FOLDER, refused(parts, f"submission: {shown(parts)} is a folder.").read)


def proper(name: str) -> str:
    """A name as text that any file can hold, in one Unicode form."""
    return unicodedata.normalize("NFC", encodable(name))


def encodable(name: str) -> str:
    """A name as text that any file can hold."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def spelled(entry: Entry, written: tuple[str, ...]) -> Entry:
    """The entry, with its path as it is written where that is not its own."""
    return entry if written == entry.parts else replace(entry, spelling=written)


def too_many(parts: tuple[str, ...], most: int) -> Entry:
    """In the place of the files of a student who has more than that."""
    return refused(parts, f"submission: {shown(parts)} holds more than {most} files; hand in fewer.")


def skipped(name: str) -> bool:
    """Whether nobody's work has such a name."""
    return name.startswith(".") or name in PASSED_OVER


def shown(parts: tuple[str, ...]) -> str:
    """A place in a sentence: no control characters, not endless."""
    text = printable("/".join(parts))
    return text if len(text) <= 200 else f"{text[:100]} … {text[-99:]}"
