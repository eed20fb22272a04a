"""Files of strangers: only plain ones are read, and no link leads to another one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from autograder.reading.cells import Unreadable


def read_plain(
    path: Path | str, largest: int, *, place: str = "", folder: int | None = None, owner: int | None = None
) -> bytes:
    """The bytes of a plain file: no link is followed, no pipe or device opened for longer than to see what it is.

    Args:
        path: the file.
        largest: the most bytes that are read.
        place: what a sentence calls it; by default its name.
        folder: an open folder in which the path begins; by default the current one.
        owner: the only account whose file is read.

    Raises:
        Unreadable: it is no plain file, too large, not to be opened, or another account's.
    """
    place = place or Path(path).name
    try:
        if not stat.S_ISREG(os.stat(path, dir_fd=folder, follow_symlinks=False).st_mode):
            raise Unreadable(no_plain_file(place))
        flags = os.O_RDONLY | sum(
            getattr(os, name, 0) for name in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY")
        )
        with open(os.open(path, flags, dir_fd=folder), "rb") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode):
                raise Unreadable(no_plain_file(place))
            if owner not in (None, about.st_uid):
                raise Unreadable(f"submission: {place} belongs to another account; hand in a file of your own.")
            data = file.read(largest + 1)
    except OSError as error:
        todo = "hand it in too" if isinstance(error, FileNotFoundError) else "check its permissions"
        raise Unreadable(f"submission: {place} cannot be read ({error.strerror}); {todo}.") from error
    if len(data) > largest:
        size = f"{largest // 1_000_000} MB; clear the outputs" if largest >= 1_000_000 else f"{largest:,} bytes; cut it"
        raise Unreadable(f"submission: {place} has more than {size} and hand it in again.")
    return data


def no_plain_file(place: str) -> str:
    """The sentence for a link, a pipe, a socket, a device or a folder in the place of a file."""
    return f"submission: {place} is no plain file of the submitted folder; hand in the file itself."
