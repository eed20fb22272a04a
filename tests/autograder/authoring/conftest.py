import shutil
import struct
import zlib
from pathlib import Path

import pytest
import torch

from autograder.course.records import (
    SECTIONS,
    Call,
    Case,
    Exercise,
    Lesson,
    Misconception,
    OpenQuestion,
    Option,
    Question,
)

REPOSITORY = Path(__file__).resolve().parents[3]


def double(x, *, times=2):
    return times * x


def shift(x):
    return x + 1


def exercise(name, reference, **changes):
    def build(generator):
        return [Call({"x": torch.randn(3, generator=generator, dtype=torch.float64)})]

    wrong = tuple(
        Misconception(f"wrong_{i}", lambda x, i=i: (i + 3) * x, f"You did {i}; the formula says 2x.") for i in range(8)
    )
    fields = {
        "id": f"toy.{name}",
        "title": f"The {name}",
        "reference": reference,
        "formula": "y = 2 x",
        "cases": (Case("three numbers", build), Case("others", build, hidden=True)),
        "misconceptions": wrong,
        "hints": ("What is $y$?", "Look at `torch.mul`.", "y = 2 * x"),
        "minutes": 5,
        "difficulty": 2,
        "lines": 1,
    }
    return Exercise(**(fields | changes))


def question(name, answer="b"):
    options = {letter: Option(f"option {letter}", f"feedback {letter}") for letter in "abc"}
    return Question(f"toy.{name}", f"What is {name}, a | or b?", options, answer=answer)


def toy_lesson():
    """A lesson of three exercises and three questions."""
    exercises = (
        exercise("double", double),
        exercise("shift", shift, lines=3),
        exercise("shift_again", shift, builds_on=("toy.shift",)),
    )
    questions = tuple(question(q) for q in ("sign", "size", "shape"))
    words = OpenQuestion("toy.in_words", "Why twice?", ("Says that y is 2x.", "Names a number."))
    return Lesson("03_toy", "Toy", "Numbers are doubled.", exercises, questions, (words,))


@pytest.fixture
def toy():
    return toy_lesson()


SOLUTIONS = {
    "double": (
        "def double(x: torch.Tensor, *, times: int = 2) -> torch.Tensor:\n"
        '    """Twice as much: y = 2x.\n\n    About 1 line.\n    """\n'
        "    ### BEGIN SOLUTION\n    return times * x\n    ### END SOLUTION"
    ),
    "shift": (
        'def shift(x):\n    """One more."""\n    ### BEGIN SOLUTION\n    y = x\n    return y + ONE\n'
        "    ### END SOLUTION"
    ),
    "shift_again": (
        'def shift_again(x):\n    """Again."""\n    ### BEGIN SOLUTION\n    return shift(x)\n    ### END SOLUTION'
    ),
}


def fence(code, options=""):
    return f"```python{options}\n{code}\n```"


def item(kind, name):
    """An item's own block; what it says stands in the record here."""
    return f"```yaml {kind}={name}\ntitle: {name}\n```"


@pytest.fixture
def toy_text():
    exercises = [
        f"{item('exercise', name)}\n\nWrite it.\n\n" + fence(code, f' exercise="toy.{name}"')
        for name, code in SOLUTIONS.items()
    ]
    bodies = {
        "What you will make": "**So far:** nothing.\n\nA toy worth <<points>> points, after 02_before.\n\n"
        + fence("from autograder import check")
        + "\n\n"
        + fence("import torch\n\nONE = 1", " module=true"),
        "The idea": "Twice.\n\n```text\n## not a heading, <<nor a placeholder>>\n```",
        "Exercises": "\n\n".join(exercises),
        "On a real photo": "\n\n".join([item("question", "sign"), fence("double(torch.ones(2))")]),
        "Where it fails": "\n\n".join([item("question", "size"), item("question", "shape"), "And now look."]),
        "Now yours": "Your number.\n\n" + item("open", "in_words"),
        "References": "[A paper](https://arxiv.org/abs/1610.02391).",
    }
    sections = [f"## {title}\n\n{bodies.get(title, 'Words.')}" for title in SECTIONS.values()]
    return "# Toy\n\n![A toy](picture.png)\n\n" + "\n\n".join(sections) + "\n"


def tiny_png():
    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")


@pytest.fixture
def course(tmp_path, toy_text):
    """A course folder with the toy's authored files and the real nbgrader_config.py."""
    folder = tmp_path / "course" / "solutions" / "03_toy"
    folder.mkdir(parents=True)
    (folder / "toy.md").write_text(toy_text, encoding="utf-8")
    (folder / "make_picture.py").write_text('"""Draws it."""\n')
    (folder / "picture.png").write_bytes(tiny_png())
    shutil.copy(REPOSITORY / "nbgrader_config.py", tmp_path / "course")
    return tmp_path / "course"
