"""`cnnviz doctor`: what this machine has, and how far it confines student code, found out by trying."""

from __future__ import annotations

import contextlib
import os
import platform
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version

import typer
from rich.table import Table

from autograder.commands.shared import err, out
from autograder.isolated.current_folder import load
from autograder.text.screen import Text
from autograder.text.words import printable

PACKAGES = ("torchvision", "numpy", "matplotlib", "jupyterlab", "nbgrader", "joblib", "distributed")
TRIED = ("read a file", "write a file", "start a process", "connect")
_STUDENT = """
import os, socket
def tried(secret, folder, port):
    def works(attempt):
        try: attempt()
        except BaseException: return "0"
        return "1"
    attempts = (lambda: open(secret).read(), lambda: open(folder + "/left", "w"), lambda: os.fork() or os._exit(0),
                lambda: socket.create_connection(("127.0.0.1", port), 2))
    return "".join(map(works, attempts))
"""
_PROFILE = (
    r"abi <abi/4.0>,\ninclude <tunables/global>\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\n userns,\n}\n"
)
ALLOW = f"printf '{_PROFILE}' | sudo tee /etc/apparmor.d/bwrap && sudo apparmor_parser -r /etc/apparmor.d/bwrap"
"""Ubuntu 24.04 and newer let a program make name spaces only where a profile says so."""


def doctor() -> None:
    """Say what this machine has and how student code is confined on it. Exit status 1 if it would not be confined."""
    from autograder.isolated.rungs import offered, reasons

    with err.status("looking"):
        about = Table("what", "here", title="this machine", title_justify="left")
        for what, here in facts():
            about.add_row(what, Text(here))
        got = {name: tried(name) for name in offered()}
    table = Table("sandbox", *TRIED, "why not", title="what student code could do", title_justify="left")
    for name, reason in reasons().items():
        cells = ["" if name not in got else "YES" if what in got[name] else "refused" for what in TRIED]
        table.add_row(name, *cells, Text(reason))
    best = next((name for name, worked in got.items() if not worked), None)
    end = f"Student code is confined: the best is {best}." if best else "STUDENT CODE IS NOT CONFINED on this machine."
    out.print(about, table)
    for sentence in filter(None, (end, advice(reasons()["bubblewrap"]))):
        out.say(printable(sentence))
    raise typer.Exit(0 if best else 1)


def facts() -> Iterator[tuple[str, str]]:
    """What people are asked for when something does not work."""
    import torch

    memory = (
        os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30 if hasattr(os, "sysconf") else float("nan")
    )
    yield "system", f"{platform.platform()}, {os.cpu_count()} cores, {memory:.1f} GiB of memory"
    yield "Python", f"{platform.python_version()}, {sys.executable}"
    yield "cnnviz", _version("cnnviz")
    yield (
        "torch",
        f"{torch.__version__}, built for CUDA {torch.version.cuda or 'none'}, {torch.get_num_threads()} threads",
    )
    cards = [f"cuda ({torch.cuda.get_device_name(n)})" for n in range(torch.cuda.device_count())]
    yield "devices", ", ".join(["cpu", *["mps"] * torch.backends.mps.is_available(), *cards])
    yield from ((name, _version(name)) for name in PACKAGES)
    yield "fonts", f"{len(load('matplotlib.font_manager').fontManager.ttflist)} that matplotlib can use"


def tried(rung: str) -> tuple[str, ...]:
    """Those of `TRIED` that student code could do on the rung."""
    from autograder.isolated import Cell, PlannedCall, Request, Runner, RunnerError

    with (
        contextlib.suppress(RunnerError),
        tempfile.NamedTemporaryFile() as secret,
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0)) as server,
        Runner(rung=rung) as runner,
    ):
        call = PlannedCall((secret.name, folder, server.getsockname()[1]))
        seen = runner.run(Request((Cell("doctor.py", _STUDENT),), "tried", calls=[call])).observations
        if seen and seen[0].kind == "value":
            return tuple(what for what, done in zip(TRIED, str(seen[0].arrays[0]), strict=True) if done == "1")
    return TRIED  # what cannot be tried is not promised


def advice(reason: str) -> str:
    """What to do for the best sandbox, given why it does not work; empty where it does."""
    if not reason:
        return ""
    if not sys.platform.startswith("linux"):
        return (
            "Here time and output are limited and nothing else is, which is enough for your own code: "
            "grade strangers on Linux, or in a Linux container."
        )
    if "AppArmor" in reason:
        return f"To allow bubblewrap, the best one: {ALLOW}"
    manager = next(filter(shutil.which, ("apt-get", "dnf")), "apt-get")
    missing = f"For bubblewrap, the best one: sudo {manager} install bubblewrap"
    return missing if "not installed" in reason else f"bubblewrap, the best one, does not work: {reason}"


def _version(package: str) -> str:
    with contextlib.suppress(PackageNotFoundError):
        return version(package)
    return "not installed"
