"""Predictions that are every answer at once, and files that are none: read as text, none run or followed."""

from __future__ import annotations

import codecs
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import autograder
from autograder import registry
from autograder.grade import grade_item
from autograder.oracle import Setting
from autograder.submission import from_code

LESSON = registry.lesson("11_grad_cam")
QUESTION = registry.item("grad_cam.sum_or_mean")
RIGHT = (Path(autograder.__file__).parent / "demo" / "right" / "11_grad_cam" / "grad_cam.py").read_text("utf-8")
WRONG = next(option for option in "abc" if option != QUESTION.answer)

ANSWERS = {
    "a list of all": 'sum_or_mean = ["a", "b", "c"]',
    "a set of all": 'sum_or_mean = {"a", "b", "c"}',
    "a dictionary": 'sum_or_mean = {"a": "b", "b": "a", "c": "c"}',
    "all in one text": 'sum_or_mean = "abc"',
    "spaces and all": 'sum_or_mean = "a b c"',
    "the empty text": 'sum_or_mean = ""',
    "a text that equals everything": """
class Agreeable(str):
    def __eq__(self, other):
        return True
    __hash__ = str.__hash__
sum_or_mean = Agreeable("z")""",
    "a function": 'sum_or_mean = lambda: "a"',
    "an exception to choose by": f"""
try:
    import cnnviz_ref
    sum_or_mean = "{QUESTION.answer}"
except ImportError:
    sum_or_mean = "{WRONG}\"""",
    "what the environment says": f"""
import os
sum_or_mean = "{QUESTION.answer}" if "CNNVIZ_SECRET" in os.environ else "{WRONG}\"""",
    "the last of several": f'sum_or_mean = "{QUESTION.answer}"\nsum_or_mean = "{WRONG}"',
    "another name that looks the same": f'sum_or_mеan = "{QUESTION.answer}"',
    "a comment": f'sum_or_mean = None  # "{QUESTION.answer}"',
}


def points(submission) -> int:
    return sum(row.points for row in grade_item(submission, QUESTION, Setting(), None).rows)


@pytest.mark.parametrize("way", ANSWERS)
def test_a_prediction_that_is_not_one_option_has_no_point(way):
    submission = from_code(f"{RIGHT}\nsum_or_mean = None\n{ANSWERS[way]}\n".encode(), "grad_cam.py")
    assert points(submission) == 0


def test_the_one_option_has_its_point():
    submission = from_code(f'{RIGHT}\nsum_or_mean = "{QUESTION.answer}"\n'.encode(), "grad_cam.py")
    assert points(submission) == QUESTION.points


@pytest.mark.parametrize(
    "codec",
    ["utf-7", "rot13", "unicode_escape", "raw_unicode_escape", "idna", "punycode", "hex", "zlib", "utf-16"],
)
def test_code_that_reads_as_other_code_than_it_shows_is_refused_with_a_sentence(codec):
    hidden = RIGHT.encode("utf-8")
    if codec in ("utf-7", "unicode_escape", "raw_unicode_escape"):
        hidden = codecs.encode(RIGHT, codec)
    text = b"# coding: " + codec.encode() + b"\n" + hidden
    with pytest.raises(ValueError, match=r"^submission: grad_cam.py "):
        from_code(text, "grad_cam.py")


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


@pytest.mark.skipif(sys.platform == "win32", reason="pipes and devices of Unix")
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
    return ["pytest", str(checks), "--submission", str(folder), "-q", "-p", "no:cacheprovider", "--tb=line"]
