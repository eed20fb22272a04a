"""Zip archives that anybody may have made: read in memory, entry by entry, with limits; nothing goes to disk."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import IO

from autograder.batch.entries import (
    DEEPEST,
    FILE,
    MOST_FILES,
    Entry,
    encodable,
    folder_entry,
    proper,
    refused,
    shown,
    skipped,
    spelled,
)
from autograder.reading.cells import Unreadable

LARGEST_INNER = 50_000_000
"""Bytes of a zip that lies in a folder or in a zip."""
LARGEST_INDEX = 16_000_000
"""Bytes of the list of entries; a longer one is a trap, or a hundred courses at once."""
INDEX_OF_ONE = 400
"""Bytes that a file may take in it: its length says how many there are, before any is read."""
RATIO = 200
"""How much smaller than its contents an entry may be: a notebook full of outputs shrinks to a tenth."""
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
BROKEN = (
    zipfile.BadZipFile,
    zipfile.LargeZipFile,
    zlib.error,
    ArithmeticError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    NotImplementedError,
    OSError,
    RuntimeError,
    struct.error,
    TypeError,
    ValueError,
)
"""What the standard library raises for archives that are not what they say."""


def in_archive(file: IO[bytes], name: str, *, most_files: int = MOST_FILES, within: bool = False) -> list[Entry]:
    """Everything in an archive, in its own order; an entry that cannot be trusted says why when it is read.

    `file` has to stay open until the last entry was read. Where it lies `within` another, places have its name.

    Raises:
        Unreadable: it is no zip archive, or holds too many files.
    """
    try:
        archive = zipfile.ZipFile(_Bounded(file, min(LARGEST_INDEX, most_files * INDEX_OF_ONE)), "r")  # type: ignore[arg-type]
    except BROKEN as error:
        raise Unreadable(f"submission: {name} is not a whole zip archive ({reason(error)}); pack it again.") from error
    infos = archive.infolist()
    if len(infos) > most_files:
        raise Unreadable(crowded(name, [info.orig_filename for info in infos], most_files))
    overlapping = _overlapping(infos, archive.start_dir)
    prefix = (name,) if within else ()
    return [
        _entry(archive, info, prefix, overlaps=id(info) in overlapping) for info in infos if not hidden(_name(info))
    ]


def crowded(name: str, names: Sequence[str], most: int) -> str:
    """The sentence on an archive of too many files, and where in it most of them lie."""
    (place, number), *_ = Counter(name.rpartition("/")[0] for name in names).most_common(1)
    around = f", {number} of them in {shown((place,))}" if place else ""
    return f"submission: {name} holds more than {most} files{around}; pack fewer."


class _Bounded:
    """The archive's file, which never gives much at once: a list of entries may claim any length."""

    def __init__(self, file: IO[bytes], largest: int):
        self.file, self.largest = file, largest
        self.seek, self.tell, self.seekable = file.seek, file.tell, lambda: True

    def read(self, size: int = -1) -> bytes:
        if size > self.largest:
            raise zipfile.BadZipFile(f"its list of files has more than {self.largest:,} bytes; pack fewer")
        return self.file.read(size if size >= 0 else self.largest)

    def close(self) -> None:
        self.file.close()


def _entry(archive: zipfile.ZipFile, info: zipfile.ZipInfo, prefix: tuple[str, ...], *, overlaps: bool) -> Entry:
    place = shown((*prefix, _name(info)))
    if why := unsafe(_name(info)):
        return refused((), f"submission: {place} {why}; pack the archive again.")
    written = tuple(encodable(part) for part in _name(info).split("/") if part not in ("", "."))
    return spelled(_plain_entry(archive, info, place, tuple(map(proper, written)), overlaps=overlaps), written)


def _plain_entry(
    archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: str, parts: tuple[str, ...], *, overlaps: bool
) -> Entry:
    if info.is_dir():
        return folder_entry(parts)
    if why := _untrusted(info) or ("shares its bytes with another file" if overlaps else ""):
        return refused(parts, f"submission: {place} {why}; pack the archive again without it.")
    return Entry(parts, place, FILE, partial(_read, archive, info, place))


def _read(archive: zipfile.ZipFile, info: zipfile.ZipInfo, place: str, largest: int) -> bytes:
    """One entry's bytes; its own size is believed only where it is too large."""
    if info.file_size > largest:
        size = f"{largest // 1_000_000} MB"
        raise Unreadable(f"submission: {place} has more than {size}; clear the outputs and hand it in again.")
    try:
        with archive.open(info) as file:
            data = file.read(largest + 1)
    except BROKEN as error:
        raise Unreadable(
            f"submission: {place} cannot be unpacked ({reason(error)}); pack the archive again."
        ) from error
    if len(data) != info.file_size:
        raise Unreadable(f"submission: {place} is not as long as the archive says; pack the archive again.")
    return data


def _name(info: zipfile.ZipInfo) -> str:
    """The name as written; what is valid UTF-8 without saying so comes from macOS and is meant as such."""
    name = info.orig_filename
    if info.flag_bits & 0x800 or name.isascii():
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def hidden(name: str) -> bool:
    """Whether a name in an archive is of no interest; one that is refused is never hidden."""
    return not unsafe(name) and any(skipped(part) for part in name.split("/") if part not in ("", "."))


def unsafe(name: str) -> str:
    """Why an entry of this name is refused, whatever is in it."""
    parts = name.split("/")
    reasons = {
        "has a name with a NUL character": "\0" in name,
        "has a name with backslashes": "\\" in name,
        "has an absolute name": name.startswith("/") or name[1:2] == ":",
        'leads out of the archive by ".."': ".." in parts,
        "has no name": not any(part not in ("", ".") for part in parts),
        "has a name that is too long": any(len(part) > 255 for part in parts),
        "lies too deep": len(parts) > DEEPEST + 2,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _untrusted(info: zipfile.ZipInfo) -> str:
    """Why an entry with these particulars is refused."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    reasons = {
        "is encrypted": bool(info.flag_bits & 0x41),
        "is a link or a device": kind not in (0, stat.S_IFREG),
        "is packed by another method than deflate": info.compress_type
        not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED),
        f"unpacks to more than {RATIO} times its size": info.file_size > max(1_000_000, RATIO * info.compress_size),
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _overlapping(infos: Sequence[zipfile.ZipInfo], end: int) -> set[int]:
    """Identities of the entries that do not end before the next one begins."""
    ordered = sorted(infos, key=lambda info: info.header_offset)
    ends = [*(info.header_offset for info in ordered), end][1:]
    shared = set()
    for index, (info, next_begin) in enumerate(zip(ordered, ends, strict=True)):
        if info.header_offset + 30 + len(info.orig_filename) + info.compress_size > next_begin:
            shared |= {id(other) for other in ordered[index : index + 2]}
    return shared


def reason(error: BaseException) -> str:
    """What the standard library said, in one line."""
    return shown((f"{type(error).__name__}: {error}",)) if str(error) else type(error).__name__
