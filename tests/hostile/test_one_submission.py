"""Who looks at one submission, with `check` or pytest, reads plain files only: none is followed, none waited for."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import autograder

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of Unix")


def _pipe(path: Path) -> None:
    os.mkfifo(path)


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(os.path.relpath(path))


def _endless(path: Path) -> None:
    path.symlink_to("/dev/zero")


def _answers(path: Path) -> None:
    path.symlink_to(Path(autograder.__file__).parent / "demo" / "right" / "11_grad_cam" / "grad_cam.py")


def _sparse(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(2**33)


def _deep(path: Path) -> None:
    path.write_text("x = " + "[" * 200_000, encoding="utf-8")


def _signs(path: Path) -> None:
    path.write_text("x = " + "-" * 3_000_000 + "1", encoding="utf-8")


STRANGE = {
    "a pipe": _pipe,
    "a socket": _socket,
    "a device without end": _endless,
    "a link to right answers": _answers,
    "eight gigabytes of nothing": _sparse,
    "brackets without end": _deep,
    "three million signs": _signs,
}


@pytest.mark.parametrize("command", ["check", "pytest"])
@pytest.mark.parametrize("way", STRANGE)
def test_a_file_that_is_none_is_a_sentence_and_no_points_for_who_looks_at_one_submission(
    way, command, tmp_path, monkeypatch
):
    folder = tmp_path / "11_grad_cam"
    folder.mkdir()
    monkeypatch.chdir(folder)
    STRANGE[way](folder / "grad_cam.py")
    done = subprocess.run(
        [sys.executable, "-m", *_argv(command, tmp_path)], cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert done.returncode in (1, 2), done.stdout[-2000:] + done.stderr[-2000:]
    told = done.stdout + done.stderr
    assert "Traceback" not in told
    assert " passed" not in told.split("failed")[-1], told[-2000:]


def _argv(command: str, folder: Path) -> list[str]:
    repository = Path(__file__).parents[2]
    if command == "check":
        return ["autograder.cli", "check", "11_grad_cam", "--submission", str(folder)]
    checks = repository / "lessons" / "11_grad_cam"
    return ["pytest", str(checks), "--cnnviz-submission", str(folder), "-q", "-p", "no:cacheprovider", "--tb=line"]
