"""Reading what strangers handed in: in a child of this process, under limits, which writes no file and runs nothing.

Parsers need little to take hours: a long run of accents in a name, brackets in brackets, a zip of zeros. A child reads
one submission after another; who ends it is known, and the next child goes on with the next submission.
"""

from __future__ import annotations

import gc
import json
import os
import signal
import struct
import sys
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

from . import confine, landlock, seccomp

SECONDS = 10
"""CPU time for one submission; an ordinary one takes some hundredths."""
MEMORY_MB = 2000
"""Memory for one submission."""
LARGEST = 32_000_000
"""Bytes of what is found in one."""
PATIENCE = 20
"""Wall-clock time, in times of the CPU time: a disk may be slow, and a machine busy."""
_USUAL = 1.0, 200
"""Seconds and MB: after a submission that took more the child ends, so that the next meets nothing that it left."""
_HEAD = struct.Struct("=I")

Work = Callable[[], Any]
"""Gives a value that JSON can hold."""


@dataclass(frozen=True)
class Spent:
    """In place of what was read: nothing, because a limit was reached."""

    why: str
    """What follows "submission: what was handed in "."""


def in_turn(works: Sequence[Work], readable: Sequence[Path] = ()) -> Iterator[Any]:
    """What each work gives, in order, or `Spent`.

    Where there is no safe fork (macOS, Windows) all is read in this process, without limits of time and memory.

    Args:
        works: one per submission.
        readable: the files and folders that they need, beside Python's own.
    """
    done = 0
    while done < len(works):
        left = works[done:]
        for answer in _in_a_child(left, readable) if confine.LINUX else map(_answered, left):
            done += 1
            yield Spent(answer["spent"]) if "spent" in answer else answer["value"]


def _answered(work: Work) -> dict[str, Any]:
    try:
        return {"value": work()}
    except MemoryError:
        return {"spent": f"takes more than {MEMORY_MB} MB to read"}
    except Exception as error:  # a reader of ours that breaks costs nobody else anything
        return {"spent": f"breaks the reader ({type(error).__name__}); please report this"}


def _in_a_child(works: Sequence[Work], readable: Sequence[Path]) -> Iterator[dict[str, Any]]:
    """The answers of one child, which may end before the last; if it was ended, that is its last answer."""
    here, parent, told = os.pipe(), os.getpid(), 0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child needs none of the other threads
        child = os.fork()
    if not child:
        os.close(here[0])  # whoever still writes when nobody reads ends
        _read_all(works, readable, here[1], parent)
    os.close(here[1])
    status = None
    with open(here[0], "rb") as answers:
        try:
            while told < len(works) and (answer := _next(answers)) is not None:
                told += 1
                yield answer
        finally:
            if told == len(works) or sys.exc_info()[0] is GeneratorExit:
                os.kill(child, signal.SIGKILL)
            answers.close()
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if told < len(works) and (status or not told):
        yield {"spent": _why(status)}


def _next(answers: BinaryIO) -> dict[str, Any] | None:
    head = answers.read(_HEAD.size)
    if len(head) < _HEAD.size:
        return None
    (size,) = _HEAD.unpack(head)
    data = answers.read(size) if size <= LARGEST else b""
    return json.loads(data) if size and len(data) == size else None


def _why(status: int) -> str:
    told = {
        -signal.SIGXCPU: f"takes more than {SECONDS} seconds of computing to read",
        -signal.SIGALRM: f"cannot be read within {SECONDS * PATIENCE} seconds",
    }
    return told.get(status, f"takes more than {MEMORY_MB} MB to read, or ends Python while it is read")


def _read_all(works: Sequence[Work], readable: Sequence[Path], answers: int, parent: int) -> NoReturn:
    """The child: confined before it opens the first file."""
    try:
        confine.die_with(parent)
        for number in (signal.SIGALRM, signal.SIGXCPU, signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for stream in range(3):
            os.dup2(null, stream)
        gc.freeze()
        _confine(readable)
        begun = _used()
        for work in works:
            _limit_time()
            data = json.dumps(_answered(work)).encode()
            if len(data) > LARGEST:
                data = json.dumps({"spent": f"holds more than {LARGEST // 1_000_000} MB of code"}).encode()
            _write(answers, _HEAD.pack(len(data)) + data)
            if any(now - then > usual for now, then, usual in zip(_used(), begun, _USUAL, strict=True)):
                break
            begun = _used()[0], begun[1]
        os._exit(0)
    finally:
        os._exit(1)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _confine(readable: Sequence[Path]) -> None:
    import resource

    limits = {"AS": confine.address_space() + MEMORY_MB * 2**20, "FSIZE": 0, "CORE": 0, "NOFILE": 256}
    for name, value in limits.items():
        kind = getattr(resource, f"RLIMIT_{name}")
        hard = resource.getrlimit(kind)[1]
        value = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(kind, (value, value))
    confine.prctl(confine.NO_NEW_PRIVS, 1)
    landlock.restrict([(str(path), landlock.READ) for path in (*filter(None, sys.path), *readable)])
    seccomp.restrict()


def _limit_time() -> None:
    """From now on, for one submission: the system ends the child where it takes longer."""
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    resource.setrlimit(resource.RLIMIT_CPU, (int(_used()[0]) + 1 + SECONDS, hard))
    signal.alarm(SECONDS * PATIENCE)


def _used() -> tuple[float, float]:
    """CPU seconds of this process, and the most memory that it ever had, in MB."""
    import resource

    about = resource.getrusage(resource.RUSAGE_SELF)
    return about.ru_utime + about.ru_stime, about.ru_maxrss / 1024
