"""Starts `contained` in a bubblewrap of its own, as often as it takes: an attack may kill all there is."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from tests.hostile.range.attacks import Attack
from tests.hostile.range.canaries import Canaries
from tests.hostile.range.outcome import Outcome, from_json
from tests.hostile.range.watching import Ending

REPOSITORY = Path(__file__).parents[2]
START, EACH = 60, 40
"""Seconds for one sandbox, and for one attack in it."""


@cache
def no_containment() -> str:
    """Why nothing can be contained here; empty where it can."""
    if shutil.which("bwrap") is None:
        return "bubblewrap is not installed"
    tried = subprocess.run([*_sandbox(Path("/usr")), "true"], capture_output=True, text=True, timeout=30)
    return tried.stderr.strip() if tried.returncode else ""


def weak_outcomes(attacks: Sequence[Attack], canaries: Canaries, to: Path) -> dict[str, Outcome]:
    """Attack's name -> what it came to against the weakened grader; "clean" is a class without any."""
    (to / "canaries.json").write_text(json.dumps(canaries.text), encoding="utf-8")
    wanted = {"clean": "", **{attack.name: str(attack.folder) for attack in attacks}}
    found: dict[str, Outcome] = {}
    while missing := [name for name in wanted if name not in found]:
        (to / "attacks.json").write_text(json.dumps([wanted[name] for name in missing]), encoding="utf-8")
        output = _contained(to, canaries, START + EACH * len(missing))
        for name in missing:
            path = to / f"{name.replace('/', '__')}.json"
            if path.exists():
                found[name] = from_json(json.loads(path.read_text(encoding="utf-8")))
        first = next((name for name in missing if name not in found), None)
        if first == "clean":
            raise RuntimeError(
                f"the weakened grader does not even grade a class without any attacker: {output[-3000:]}"
            )
        if first is not None:
            found[first] = Outcome(Ending(1, 0.0), {}, finished=False, terminal=output[-3000:])
    return found


def _contained(to: Path, canaries: Canaries, seconds: float) -> str:
    """One sandbox, to its end or until its time is up; what it printed."""
    argv = [sys.executable, "-m", "tests.hostile.contained", str(to), f"--canary={canaries.text['argv']}"]
    environment = {
        "PATH": os.environ.get("PATH", ""),
        "PYTHONDONTWRITEBYTECODE": "1",
        "OMP_NUM_THREADS": "1",
        "HOME": "/tmp",
        **canaries.environment(),
    }
    log = to / "log.txt"
    with log.open("w") as file:
        process = subprocess.Popen(
            [*_sandbox(to), *argv], cwd=REPOSITORY, env=environment, stdin=subprocess.DEVNULL, stdout=file, stderr=file
        )
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
    return log.read_text(encoding="utf-8", errors="replace")


def _sandbox(to: Path) -> list[str]:
    """Everything to be read, nothing to be written but `to` and memory; no network, no rights, no way back."""
    program = dict.fromkeys(str(p) for p in (REPOSITORY, sys.prefix, sys.base_prefix, sys.exec_prefix))
    flags = ["--unshare-all", "--unshare-user", "--uid", "65534", "--gid", "65534", "--cap-drop", "ALL"]
    flags += ["--die-with-parent", "--new-session", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc"]
    for folder, size in (("/tmp", 2**30), ("/var/tmp", 2**28), ("/dev/shm", 2**28)):
        flags += ["--size", str(size), "--tmpfs", folder]
    for path in program:
        flags += ["--ro-bind", path, path]
    return ["bwrap", *flags, "--bind", str(to), str(to), "--chdir", str(REPOSITORY)]
