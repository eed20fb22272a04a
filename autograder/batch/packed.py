"""Archives by their names: a zip, or a tar that is unpacked in memory up to a limit and read under the same rules."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterator
from functools import partial
from itertools import islice
from typing import IO

from autograder.batch.archive import BROKEN, LARGEST_INNER, crowded, hidden, in_archive, reason, unsafe
from autograder.batch.entries import FILE, MOST_FILES, Entry, encodable, folder_entry, proper, refused, shown, spelled
from autograder.batch.naming import suffix
from autograder.reading.cells import Unreadable

LARGEST_TAR = 500_000_000
"""Bytes of a class's tar, unpacked; a student's may have `LARGEST_INNER`."""


def in_packed(file: IO[bytes], name: str, *, most_files: int = MOST_FILES, within: bool = False) -> list[Entry]:
    """Everything in a zip, .tar, .tar.gz or .tgz, as `in_archive` says it.

    Raises:
        Unreadable: it is no such archive, holds too many files, or is too large.
    """
    if suffix(name).lower() not in (".tar", ".tar.gz", ".tgz"):
        return in_archive(file, name, most_files=most_files, within=within)
    largest = LARGEST_INNER if within else LARGEST_TAR
    try:
        opened = file if suffix(name).lower() == ".tar" else gzip.GzipFile(fileobj=file)
        data = opened.read(largest + 1)
        if len(data) > largest:
            raise Unreadable(f"submission: {name} unpacks to more than {largest // 1_000_000} MB; pack fewer files.")
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            infos = list(islice(archive, most_files + 1))
    except Unreadable:
        raise
    except (tarfile.TarError, *BROKEN) as error:
        raise Unreadable(f"submission: {name} is not a whole tar archive ({reason(error)}); pack it again.") from error
    if len(infos) > most_files:
        raise Unreadable(crowded(name, [info.name for info in infos], most_files))
    return [entry for info in infos for entry in _entries(data, info, (name,) if within else ())]


def _entries(data: bytes, info: tarfile.TarInfo, prefix: tuple[str, ...]) -> Iterator[Entry]:
    """The entry of one member; none of a hidden one, nor of the folder that was packed itself."""
    written = tuple(encodable(part) for part in info.name.split("/") if part not in ("", "."))
    parts = tuple(map(proper, written))
    place = shown((*prefix, proper(info.name)))
    if hidden(info.name) or (info.isdir() and not parts):
        return
    if why := unsafe(info.name):
        yield refused((), f"submission: {place} {why}; pack the archive again.")
    elif info.isdir():
        yield spelled(folder_entry(parts), written)
    elif not info.isreg() or info.issparse():
        yield refused(parts, f"submission: {place} is a link or a device; pack the archive again without it.")
    else:
        yield spelled(Entry(parts, place, FILE, partial(_read, data, info, place)), written)


def _read(data: bytes, info: tarfile.TarInfo, place: str, largest: int) -> bytes:
    if info.size > largest:
        size = f"{largest // 1_000_000} MB"
        raise Unreadable(f"submission: {place} has more than {size}; clear the outputs and hand it in again.")
    found = data[info.offset_data : info.offset_data + info.size]
    if len(found) != info.size:
        raise Unreadable(f"submission: {place} is not as long as the archive says; pack the archive again.")
    return found
