"""The current folder may hold what strangers handed in: nothing that we start or import is looked for there."""

from __future__ import annotations

import atexit
import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SAFE = "PYTHONSAFEPATH"


@contextlib.contextmanager
def elsewhere() -> Iterator[None]:
    """An empty folder of our own is the current one, for whatever is started or imported meanwhile.

    Workers and resource trackers (joblib, multiprocessing) are started with `python -m` and `-c`, which put the current
    folder first on the path: the variable keeps Python 3.11 and newer from it, the empty folder serves 3.10 too.
    """
    from autograder.isolated import temporary  # brings torch, which not all who import this module need

    before, safe, folder = os.getcwd(), os.environ.get(SAFE), temporary.make()
    atexit.register(temporary.release, folder)  # not sooner: a worker that is still starting goes there first
    os.environ[SAFE] = "1"
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)
        os.environ.pop(SAFE)
        if safe is not None:
            os.environ[SAFE] = safe


def load(module: str) -> Any:
    """The module; matplotlib, while it is imported, reads a `matplotlibrc` of the current folder before any other."""
    if module not in sys.modules:
        with elsewhere():
            importlib.import_module(module)
    return sys.modules[module]


def is_in(folder: Path) -> bool:
    """Whether the current folder is this one or lies in it."""
    return Path.cwd().resolve().is_relative_to(folder.resolve())


def run(module: str, *arguments: str) -> list[str]:
    """The command that does what `python -m MODULE` does, without the current folder on its path."""
    return [sys.executable, "-c", _RUN, module, *arguments]


_RUN = (
    "import sys; sys.path[:] = [place for place in sys.path if place]; del sys.argv[0]; "
    "from runpy import run_module; run_module(sys.argv[0], run_name='__main__', alter_sys=True)"
)
