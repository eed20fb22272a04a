"""Files that are made to keep a reader busy: their student is told why nothing is judged, others are read as ever."""

import gzip
import io
import json
import os
import re
import resource
import signal
import socket
import subprocess
import sys
import tarfile
import time
import zipfile
from functools import partial
from pathlib import Path

import pytest

from autograder.batch.collect import collect
from autograder.batch.confined import read_folder
from autograder.course import registry
from autograder.exports.gradescope_run import handed_in as gradescope
from autograder.isolated import reader
from autograder.isolated.rungs import reasons
from autograder.nbgrader.submitted import SubmissionExporter, read_release

ROOT = Path(__file__).parents[2]
LESSON = "11_grad_cam"
SOLVED = (ROOT / "solutions" / LESSON / "grad_cam.py").read_text(encoding="utf-8")
BEGUN = "def grad_cam(model, images, targets, layer):\n    return {}\n"
NOTEBOOK = '{{"cells": [{}], "metadata": {{}}, "nbformat": 4, "nbformat_minor": 5}}'

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="limits of time and memory need a fork")


def zipped(*members, pack=zipfile.ZIP_DEFLATED):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", pack) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return file.getvalue()


def tarred(*members, packed=False, **headers):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz" if packed else "w", format=tarfile.PAX_FORMAT) as archive:
        for name, data in members:
            about = tarfile.TarInfo(name)
            about.size, about.pax_headers = len(data), headers
            archive.addfile(about, io.BytesIO(data))
    return file.getvalue()


def with_a_long_index(number, extra):
    """Entries that have nothing but their lines in the list of files, long ones."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for n in range(number):
            about = zipfile.ZipInfo(f"{n}.py")
            about.comment = b"c" * extra
            archive.writestr(about, "")
        archive.comment = b"c" * 65000
    return file.getvalue()


def overlapping(number):
    """Every entry's bytes are the same bytes."""
    data = bytearray(zipped(("a.py", b" " * 1_000_000)))
    start = data.rindex(b"PK\x05\x06")
    first = data.index(b"PK\x01\x02")
    line = bytes(data[first:start])
    end = bytearray(data[start:])
    end[8:12] = number.to_bytes(2, "little") * 2
    end[12:16] = (len(line) * number).to_bytes(4, "little")
    return bytes(data[:first]) + line * number + bytes(end)


def code_cells(*sources):
    cells = [json.dumps({"cell_type": "code", "metadata": {}, "source": source}) for source in sources]
    return NOTEBOOK.format(", ".join(cells))


def chain_of_names(number):
    for first in range(0, number, 500):
        yield "\n".join(f"a{n} = a{n + 1}" for n in range(first, first + 500))


ATTACKS = {
    "a zip of a hundred thousand files": lambda: {"work.zip": zipped(*((f"{n}.py", "") for n in range(100_000)))},
    "a zip with a list of 13 MB": lambda: {"work.zip": with_a_long_index(200, 65_000)},
    "a zip whose files are the same bytes": lambda: {"work.zip": overlapping(900)},
    "a zip in a zip in a zip": lambda: {
        "work.zip": zipped(("a.zip", zipped(("b.zip", zipped(("grad_cam.py", BEGUN))))))
    },
    "a small zip of one large notebook": lambda: {
        "work.zip": zipped(("grad_cam.ipynb", NOTEBOOK.format("[],\n" + "[],[],[],[],[],[],[],[]\n," * 800_000 + "[]")))
    },
    "a zip of names with 4,000 letters": lambda: {
        "work.zip": zipped(*((f"{n}{'n' * 4000}.py", "") for n in range(100)))
    },
    "a tar of zeros": lambda: {"work.tar.gz": gzip.compress(bytes(60_000_000), 1)},
    "a tar with a header of 40 MB": lambda: {"work.tar": tarred(("grad_cam.py", b"x"), comment="c" * 40_000_000)},
    "a tar with many headers": lambda: {
        "work.tar": tarred(("grad_cam.py", b"x"), **{f"key{n}": "value" for n in range(300_000)})
    },
    "a notebook of a million cells": lambda: {"grad_cam.ipynb": NOTEBOOK.format("{}," * 1_000_000 + "{}")},
    "lists in lists in lists": lambda: {"grad_cam.ipynb": "[" * 100_000 + "]" * 100_000},
    "objects in objects in objects": lambda: {"grad_cam.ipynb": NOTEBOOK.format('{"a":' * 90_000 + "1" + "}" * 90_000)},
    "one line of 21 MB": lambda: {"grad_cam.py": "x = '" + "y" * 21_000_000 + "'"},
    "brackets in brackets": lambda: {"grad_cam.py": BEGUN + "(" * 90_000 + ")" * 90_000},
    "signs before signs": lambda: {"grad_cam.py": BEGUN + "x = " + "-" * 150_000 + "1\n"},
    "decorators over decorators": lambda: {"grad_cam.py": "@d\n" * 60_000 + BEGUN},
    "a number of 190,000 digits": lambda: {"grad_cam.py": BEGUN + "x = " + "9" * 190_000},
    "texts in texts": lambda: {"grad_cam.py": BEGUN + "x = " + "f'{" * 90 + "1" + "}'" * 90},
    "accents over accents": lambda: {"grad_cam.py": BEGUN + "x" + "\u0301\u0323" * 80_000 + " = 1\n"},
    "one name after another": lambda: {"grad_cam.py": BEGUN + "import " + "a." * 95_000 + "a\n"},
    "a chain of statements": lambda: {"grad_cam.ipynb": code_cells(BEGUN, *chain_of_names(9000), "grad_cam.x = a0")},
    "nine hundred files that may count": lambda: {
        f"grad_cam ({n}).py": "def grad_cam(): raise NotImplementedError\n" + "x = [1]\n" * 200 for n in range(900)
    },
    "lines that IPython rewrites one by one": lambda: {"grad_cam.ipynb": code_cells("%a b\n" * 38_000)},
    "lines for the shell without an end": lambda: {"grad_cam.ipynb": code_cells(*["!a {\n" * 6_000] * 5)},
    "questions": lambda: {"grad_cam.ipynb": code_cells("a?\n" * 60_000)},
    "names that look like every platform's": lambda: {
        "work.zip": zipped(*((f"{n:03}{' - 1_1_+1-' * 20}_attempt_2026.py", "") for n in range(900)))
    },
    "thousands of tiny files": lambda: {f"{n % 8}/{n}.py": "" for n in range(7_000)},
    "twenty-five zips": lambda: {f"{n}.zip": zipped(("a.bin", os.urandom(1000))) for n in range(25)},
}  # fmt: skip


def handed_in(folder, attack):
    for student in ("alice", "zoe"):
        (folder / student).mkdir(parents=True)
        (folder / student / "grad_cam.py").write_text(SOLVED, encoding="utf-8")
    for name, data in ATTACKS[attack]().items():
        path = folder / "mallory" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return folder


READ_ALL_THE_SAME = {
    "a tar with a header of 40 MB", "a tar with many headers", "brackets in brackets", "signs before signs",
    "a number of 190,000 digits", "texts in texts", "lines that IPython rewrites one by one",
    "lines for the shell without an end", "questions", "names that look like every platform's",
}  # fmt: skip
"""Tried, and no burden: whether they are read does not matter."""


@pytest.mark.parametrize("attack", ATTACKS)
def test_the_reader_is_not_held_up_and_everybody_else_is_read(tmp_path, monkeypatch, attack):
    monkeypatch.setattr(reader, "SECONDS", 2)
    folder = handed_in(tmp_path, attack)
    before, begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, time.process_time()
    found = {one.student: one for one in collect(folder, told=lambda _: None)}
    assert time.process_time() - begun < 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000
    assert found["alice"].submission == found["zoe"].submission is not None
    if attack not in READ_ALL_THE_SAME:
        assert found["mallory"].submission is None
        assert re.match(
            "submission: .*(hand in|hand it in|pack|unpack|save it again|clear|rename)", found["mallory"].problem
        )
    assert "mallory" in found


@pytest.mark.parametrize("attack", ["one name after another"])
def test_without_a_child_under_limits_the_grader_itself_is_held_up(tmp_path, attack):
    folder = handed_in(tmp_path, attack)
    code = (
        "import resource, sys; from autograder.isolated import confine; from autograder.batch.collect import collect; "
        "confine.LINUX = False; now = int(__import__('time').process_time()); "
        "resource.setrlimit(resource.RLIMIT_CPU, (now + 2, now + 2)); collect(sys.argv[1], ['11'])"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, cwd=ROOT, check=False)
    assert done.returncode in (-signal.SIGXCPU, -signal.SIGKILL)


def test_a_child_reads_what_it_was_given_and_nothing_else_and_writes_nothing(tmp_path):
    (tmp_path / "given").mkdir()
    (tmp_path / "given/a.txt").write_text("a")
    (tmp_path / "secret.txt").write_text("b")

    def tried(work):
        (answer,) = reader.in_turn([work], [tmp_path / "given"])
        return answer

    assert tried((tmp_path / "given/a.txt").read_text) == "a"
    assert tried(partial(socket.create_connection, ("127.0.0.1", 9))).why.startswith("breaks the reader")
    assert tried(partial((tmp_path / "given/b.txt").write_text, "c")).why.startswith("breaks the reader")
    if reasons()["landlock"] == "":
        assert tried((tmp_path / "secret.txt").read_text).why.startswith("breaks the reader (PermissionError)")
    assert not (tmp_path / "given/b.txt").exists()


def test_each_limit_is_one_submissions_own_and_is_told(monkeypatch):
    monkeypatch.setattr(reader, "SECONDS", 1)
    monkeypatch.setattr(reader, "MEMORY_MB", 300)
    monkeypatch.setattr(reader, "LARGEST", 10_000_000)

    def endless():
        while True:
            pass

    works = [
        lambda: 1, endless, lambda: 2, lambda: len(bytearray(10**9)), lambda: 3, lambda: os.kill(os.getpid(), 11),
        lambda: 4, lambda: "x" * 10_000_001, lambda: 5,
    ]  # fmt: skip
    found = list(reader.in_turn(works))
    assert [one for one in found if isinstance(one, int)] == [1, 2, 3, 4, 5]
    assert [one.why for one in found if isinstance(one, reader.Spent)] == [
        "takes more than 1 seconds of computing to read",
        "takes more than 300 MB to read",
        "takes more than 300 MB to read, or ends Python while it is read",
        "holds more than 10 MB of code",
    ]


def test_one_child_reads_a_whole_class_however_much_is_waiting_to_be_taken():
    read = list(reader.in_turn([lambda: [os.getpid(), "x" * 100_000]] * 9))
    assert len(read) == 9
    assert {pid for pid, _ in read} != {os.getpid()}
    assert len({pid for pid, _ in read}) == 1


def test_of_several_lessons_the_one_that_takes_too_much_is_lost_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(reader, "SECONDS", 2)
    folder = handed_in(tmp_path, "accents over accents")
    (folder / "mallory/saliency.py").write_text("def saliency(model, images, targets):\n    return 1\n")
    found = {one.lesson: one for one in collect(folder, ["08", "11"], told=lambda _: None) if one.student == "mallory"}
    assert found["08_saliency"].submission is not None
    assert found[LESSON].problem == (
        "submission: what was handed in takes more than 2 seconds of computing to read; "
        "hand in grad_cam.py or grad_cam.ipynb alone, with your code only."
    )


def routes(folder):
    """Every other way to a student's files."""
    lesson = registry.lesson(LESSON)
    yield "pytest", lambda: read_folder(folder / "mallory", lesson)
    yield "gradescope", lambda: gradescope(folder / "mallory", lesson, "mallory").problem
    release = read_release(ROOT / "lessons" / LESSON / "grad_cam.ipynb")
    path = folder / "mallory" / "grad_cam.ipynb"
    yield "nbgrader", lambda: SubmissionExporter()._handed_in(path, release).metadata["cnnviz"]["unreadable"]


@pytest.mark.parametrize("route", ["pytest", "gradescope", "nbgrader"])
def test_every_route_reads_under_the_same_limits(tmp_path, monkeypatch, route):
    monkeypatch.setattr(reader, "SECONDS", 2)
    folder = handed_in(tmp_path, "accents over accents")
    if route == "nbgrader":
        module = folder / "mallory/grad_cam.py"
        module.with_suffix(".ipynb").write_text(code_cells(module.read_text()), encoding="utf-8")
    begun = time.process_time()
    try:
        told = dict(routes(folder))[route]()
    except ValueError as error:
        told = str(error)
    assert "takes more than 2 seconds of computing to read; hand in " in told
    assert time.process_time() - begun < 5
