"""The isolation ladder: how far this machine can confine student code, best first.

A rung says how the isolated program is started; what the program then gives up by itself (Landlock, the system-call
filter, resource limits) is listed in `layers`. To add one, a container or gVisor say, write a class with

- `name`: a word for the user, and for `Runner(rung=...)`;
- `layers`: what the child still does to itself inside ("landlock", "seccomp"); resource limits are always set;
- `prefix`: what stands before those layers in an outcome's `rung`, "bubblewrap+" say;
- `own_pids`: True where the program has process numbers of its own, so that it can not know its parent's;
- `probe()`: "" where the rung works on this machine, found out by really using it, else the reason in one sentence;
- `command(argv, root, readable)`: the command that runs `argv` confined. Standard input, output and error reach the
  program as they are (input is a socket that carries descriptors), `root` is seen at its own path and only
  `root/calls` is writable, files are readable as `layout.readable` says and nothing else is; and the program
  dies, with all it has started, when the started process or the process that started it does;
- `exit_status(code)`: the program's exit status, negative for a signal, from that of the command;

and put an instance of it in its place in `RUNGS`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from . import landlock, seccomp
from .bubblewrap import Bubblewrap


class Rung(Protocol):
    """One way to start the isolated program; the module's text says what each part is."""

    name: str
    prefix: str
    layers: tuple[str, ...]
    own_pids: bool

    def probe(self) -> str:
        """ "" or the reason why not."""

    def command(self, argv: Sequence[str], root: Path, readable: dict[str, Any]) -> list[str]:
        """What to start instead of `argv`."""

    def exit_status(self, code: int) -> int:
        """Of the program, from the command's."""


class Bare:
    """The program as it is, under resource limits alone: the last resort."""

    name = "rlimits"
    prefix = ""
    layers: tuple[str, ...] = ()
    own_pids = False

    def probe(self) -> str:
        """Nothing is needed."""
        return ""

    def command(self, argv: Sequence[str], root: Path, readable: dict[str, Any]) -> list[str]:
        """The same command."""
        return list(argv)

    def exit_status(self, code: int) -> int:
        """The same status."""
        return code


class Landlock(Bare):
    """The kernel's file and signal rules, set by the program on itself, and the system-call filter."""

    name = "landlock"
    layers: tuple[str, ...] = ("landlock", "seccomp")

    def probe(self) -> str:
        """Whether the kernel knows Landlock and this processor's calls can be filtered."""
        if not sys.platform.startswith("linux"):
            return f"Landlock is a part of Linux and this is {sys.platform}"
        if not landlock.version():
            return "this kernel has no Landlock: Linux 5.13 or newer has, where it is switched on"
        return "" if seccomp.known() else "the system-call filter knows x86-64 and 64-bit Arm, not this processor"


RUNGS: tuple[Rung, ...] = (Bubblewrap(), Landlock(), Bare())


@functools.cache
def _reason(name: str) -> str:
    return {rung.name: rung for rung in RUNGS}[name].probe()


def reasons() -> dict[str, str]:
    """Why each rung is not offered here; "" for those that are. Probed once per process."""
    return {rung.name: _reason(rung.name) for rung in RUNGS}


def offered() -> list[str]:
    """The rungs that work on this machine, best first."""
    return [name for name, reason in reasons().items() if not reason]


def best() -> Rung:
    """The first rung that works here; the last always does."""
    return next(rung for rung in RUNGS if not _reason(rung.name))


def chosen(name: str | None) -> Rung:
    """The rung of that name, or the best.

    Raises:
        ValueError: if there is no such rung, or it does not work here.
    """
    if name is None:
        return best()
    found = {rung.name: rung for rung in RUNGS}.get(name)
    if found is None:
        names = ", ".join(repr(rung.name) for rung in RUNGS)
        raise ValueError(f"rung is {name!r}; allowed are {names}; leave it out for this machine's best")
    if reason := _reason(name):
        usable = ", ".join(map(repr, offered()))
        raise ValueError(f"rung is {name!r}, which does not work here ({reason}); this machine offers {usable}")
    return found
