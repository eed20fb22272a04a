"""The best rung: the whole warm process in namespaces of its own, made by the program `bwrap`.

It sees no process, no network and no file but the libraries, all read-only; one folder is writable. A user namespace
is used also by root, who would otherwise be free to mount everything writable again.
"""

from __future__ import annotations

import glob
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from . import layout, temporary
from .layout import inside, outermost

_NAMESPACES = ("--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL")
_ENDS = ("--disable-userns", "--die-with-parent", "--new-session", "--hostname", "cnnviz")
_APPARMOR = "/proc/sys/kernel/apparmor_restrict_unprivileged_userns"
_PROBE = """
import os, sys
root, outside = sys.argv[1:]
def writes(folder):
    try:
        open(os.path.join(folder, "probe"), "w").close()
    except OSError:
        return False
    return True
print(writes(os.path.join(root, "calls")), writes(root), writes("/tmp"), os.path.exists(outside), os.getpid() < 9)
"""
_CONFINED = "True False False False True"


class Bubblewrap:
    """`bwrap`, Debian's package bubblewrap, 0.8 or newer."""

    name = "bubblewrap"
    prefix = "bubblewrap+"
    layers: tuple[str, ...] = ("landlock", "seccomp")
    own_pids = True

    def probe(self) -> str:
        """By running Python in it and trying what must and what must not work."""
        if not sys.platform.startswith("linux"):
            return f"bubblewrap needs Linux and this is {sys.platform}"
        if _program() is None:
            return "the program bwrap is not installed: Debian and Ubuntu have it as the package bubblewrap"
        root = temporary.make()
        try:
            with tempfile.NamedTemporaryFile() as outside:
                return self._tried(root, outside.name)
        finally:
            temporary.release(root)

    def _tried(self, root: Path, outside: str) -> str:
        (root / "calls").mkdir()
        argv = [sys.executable, "-I", "-S", "-B", "-c", _PROBE, str(root), outside]
        try:
            command = self.command(argv, root, layout.readable(root))
            done = subprocess.run(command, capture_output=True, text=True, timeout=30, cwd=root, check=False)
        except (OSError, subprocess.SubprocessError) as error:
            return f"bwrap could not be run: {error}"
        if done.returncode:
            return f"bwrap was refused: {done.stderr.strip()[-300:] or done.returncode}{_advice()}"
        return "" if done.stdout.strip() == _CONFINED else f"bwrap did not confine: {done.stdout.strip()[-100:]}"

    def command(self, argv: Sequence[str], root: Path, readable: dict[str, Any]) -> list[str]:
        """The command inside; order matters to bwrap, which mounts one after another."""
        trees = outermost(path for path in readable["whole"] if not inside(path, ("/proc", "/dev", str(root))))
        holes = [path for path in readable["holes"] if inside(path, trees)]
        program = os.path.realpath(argv[0])
        mounts: list[tuple[str, ...]] = [("--proc", "/proc"), ("--dev", "/dev"), ("--tmpfs", "/tmp")]
        mounts += [("--ro-bind", path, path) for path in trees]
        mounts += [("--tmpfs", hole) for hole in holes]
        mounts += [("--ro-bind", program, program)] * (not inside(program, trees))
        mounts += [("--ro-bind", path, path) for path in readable["program"] if os.path.exists(path)]
        mounts += [("--symlink", target, link) for link, target in _links([*readable["named"], argv[0]], trees)]
        mounts += [("--ro-bind", str(root), str(root)), ("--bind", str(root / "calls"), str(root / "calls"))]
        mounts += _devices(readable)
        mounts += [("--remount-ro", path) for path in (*holes, "/tmp", "/dev", "/")]
        flat = [word for mount in mounts for word in mount]
        return [_program() or "bwrap", *_NAMESPACES, *_ENDS, *flat, "--chdir", str(root), "--", *argv]

    def exit_status(self, code: int) -> int:
        """bwrap ends with 128 + the signal where its program was killed by one."""
        return 128 - code if code > 128 else code


def _program() -> str | None:
    """Where bwrap lies; a PATH with `.` or another relative place in it would find one that somebody handed in."""
    places = [place for place in os.environ.get("PATH", os.defpath).split(os.pathsep) if os.path.isabs(place)]
    return shutil.which("bwrap", path=os.pathsep.join(places))


def _devices(readable: dict[str, Any]) -> list[tuple[str, ...]]:
    """A graphics card, where there is one; its driver wants shared memory, of the sandbox's own."""
    cards = [*glob.glob("/dev/nvidia*"), *glob.glob("/dev/dri")]
    if not cards:
        return []
    trees = [path for path in readable["device_trees"] if not path.startswith("/proc")]
    mounts: list[tuple[str, ...]] = [("--dev-bind", path, path) for path in cards]
    return [*mounts, *(("--ro-bind-try", path, path) for path in trees), ("--tmpfs", "/dev/shm")]


def _links(paths: Iterable[str], trees: Sequence[str]) -> list[tuple[str, str]]:
    """Symbolic links on the way to the paths and their targets, but those that a mounted tree brings along."""
    found: dict[str, str] = {}
    for path in paths:
        for _ in range(40):  # as many as the kernel follows
            link = next((p for p in _prefixes(path) if os.path.islink(p)), None)
            if link is None:
                break
            if not inside(link, trees):
                found[link] = os.readlink(link)
            path = os.path.normpath(os.path.join(os.path.dirname(link), os.readlink(link)) + path[len(link) :])
    return list(found.items())


def _prefixes(path: str) -> Iterator[str]:
    parts = path.split("/")
    return ("/".join(parts[:end]) for end in range(2, len(parts) + 1))


def _advice() -> str:
    try:
        with open(_APPARMOR) as file:
            restricted = file.read().strip() == "1"
    except OSError:
        return ""
    return " (AppArmor refuses user namespaces to ordinary programs until a profile allows bwrap)" if restricted else ""
