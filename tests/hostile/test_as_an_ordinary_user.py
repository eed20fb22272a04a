"""The attacks that privileges could help, where the grader has none to give up."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile

import pytest

from tests.hostile.range.front import REPOSITORY

SETPRIV = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
SHELL = ["sh", "-c", 'exec "$0" "$@"']  # what setpriv itself starts is still found with the rights of root


@pytest.fixture
def as_nobody():
    """Runs a command as the user nobody, in a home of its own."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        pytest.skip("these tests run as an ordinary user already")
    if shutil.which("setpriv") is None:
        pytest.skip("setpriv is not installed")
    home = tempfile.mkdtemp(prefix="cnnviz-nobody-")  # pytest's own folders are closed to others
    os.chown(home, 65534, 65534)
    environment = {"PATH": os.environ["PATH"], "HOME": home, "PYTHONDONTWRITEBYTECODE": "1", "COLUMNS": "200"}

    def run(*argv: str, seconds: float = 60) -> subprocess.CompletedProcess:
        command = [*SETPRIV, *SHELL, *argv]
        return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, timeout=seconds)

    tried = run(sys.executable, "-c", "import torch, tests.hostile.range.grade")
    if tried.returncode:
        last = (tried.stderr.strip().splitlines() or ["it said nothing"])[-1]
        shutil.rmtree(home)
        pytest.skip(f"the user nobody cannot use {sys.executable}: {last}")
    yield run
    shutil.rmtree(home)


def test_every_promise_holds_for_an_ordinary_user_too(as_nobody):
    best = as_nobody(
        sys.executable, "-c", "from autograder.isolated.rungs import best; print(best().name)"
    ).stdout.strip()
    suite = f"{REPOSITORY}/tests/hostile/test_on_{best}.py"
    options = ["-q", "-p", "no:cacheprovider", "-m", "", "-k", "batch or forge or steal or persist"]
    done = as_nobody(sys.executable, "-m", "pytest", suite, *options, seconds=900)
    assert done.returncode == 0, done.stdout + done.stderr
    assert " skipped" not in done.stdout
