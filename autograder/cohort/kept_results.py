"""The results of a class, read quickly; what is not as it was signed is named and left out."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from autograder.batch.names import file_name
from autograder.batch.results import Store
from autograder.batch.signed import LARGEST, Untrusted, believed
from autograder.batch.stages import Result


def trusted(store: Store) -> tuple[list[Result], list[str]]:
    """All results whose signature holds and that lie in their own place, and a sentence for every other file.

    One call of the system a file and no more, for there are 50,000 of a large class.
    """
    found, left_out, folder = [], [], os.path.join(store.folder, "results")
    own_name = cache(file_name)
    with _without_pauses():
        for entry in _files(folder):
            place = entry.path[len(folder) + 1 :]
            try:
                result = _read(entry, store.key)
                own = (own_name(result.student), own_name(result.lesson), f"{own_name(result.item)}.json")
                if place != os.path.join(*own):
                    raise Untrusted("is signed, but belongs elsewhere: it was moved or copied")
                found.append(result)
            except Untrusted as error:
                left_out.append(f"results/{place.replace(os.sep, chr(47))} {error}.")
            except ValueError as error:
                left_out.append(f"results/{place.replace(os.sep, chr(47))} is signed, but {error}.")
    return sorted(found, key=lambda result: (result.lesson, result.student, result.item)), sorted(left_out)


def _read(entry: os.DirEntry, key: bytes) -> Result:
    if not entry.is_file(follow_symlinks=False):
        raise Untrusted("is not a plain file")
    try:
        with open(entry.path, "rb") as file:
            data = file.read(LARGEST + 1)
    except OSError as error:
        raise Untrusted(f"cannot be read ({error.strerror})") from error
    if len(data) > LARGEST:
        raise Untrusted("is larger than anything that is written here")
    kept = believed("result", data, key)["result"]
    return Result.from_json({name: value for name, value in kept.items() if name != "evidence"})


def _files(folder: str) -> Iterator[os.DirEntry]:
    """Everything below that is no folder; links are not followed."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path)
            else:
                yield entry


@contextmanager
def _without_pauses() -> Iterator[None]:
    """Nothing that is read here is garbage: looking for some takes as long as the reading."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()
