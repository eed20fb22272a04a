"""A lesson as its author writes it: one folder with `name.md`, `mistakes.md` and `cases.py`.

`name.md` holds what people read, and the solved functions. What belongs to an item stands in a block of its own where
the item comes in the text:

    ```yaml exercise=neuron_importance
    title: Importance of a channel
    ...
    ```

and so for `lesson` (once, without a name) and `question`. `cases.py` has `CHECKS`: function -> inputs and laws.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from markdown_it import MarkdownIt

from autograder.course.locations import SOLUTIONS
from autograder.course.mutants import Solved, misconceptions
from autograder.course.records import Call, Case, Exercise, Law, Lesson, Misconception, Option, Question

BLOCK = re.compile(r"yaml (lesson|exercise|question)(?:=(\w+))?")
"""What stands behind the fence of a block."""
SOLVED = re.compile(r"python (?:module=true|exercise=.*)")
"""The same for the code of the solved module."""
LISTS, CODE = ("hints", "outputs"), ("cases", "laws", "showcase", "promise_points", "seconds")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Checks:
    """What only code can say of an exercise."""

    cases: tuple[Case, ...]
    """At least one visible and one hidden."""
    laws: tuple[Law, ...] = ()
    reference: Callable[..., Any] | None = None
    """The right answer; without it the solved function is."""
    showcase: Callable[[], Call] | None = None
    """A call on a real photo, whose result is drawn (never compared)."""
    promise_points: int = 1
    seconds: float = 10.0


def folders() -> list[Path]:
    """The lessons' folders."""
    return sorted(path.parent for path in SOLUTIONS.glob("*/cases.py"))


def lesson(folder: Path) -> Lesson:
    """The lesson of a folder "11_grad_cam".

    Raises:
        ValueError: a block or a mistake cannot be read; the sentence names file and line.
    """
    name = folder.name.partition("_")[2]
    fences = list(_fences(folder / f"{name}.md"))
    found = [(mark[1], mark[2], _read(text, line)) for info, text, line in fences if (mark := BLOCK.fullmatch(info))]
    solved = Solved("\n\n".join(text for info, text, _ in fences if SOLVED.fullmatch(info)))
    checks, known = module(folder / "cases.py").CHECKS, misconceptions(solved, folder / "mistakes.md")
    texts = {item: given for kind, item, given in found if kind == "exercise"}
    exercises = tuple(
        _exercise(f"{name}.{function}", given, checks[function], solved, known[function], tuple(texts))
        for function, given in texts.items()
    )
    questions = tuple(_question(f"{name}.{item}", given) for kind, item, given in found if kind == "question")
    (head,) = (given for kind, _, given in found if kind == "lesson")
    return Lesson(folder.name, head["title"], head["summary"], exercises, questions)


def _exercise(
    item: str,
    given: dict[str, Any],
    checks: Checks,
    solved: Solved,
    known: tuple[Misconception, ...],
    among: tuple[str, ...],
) -> Exercise:
    own, function = item.split(".")
    fields: dict[str, Any] = {key: tuple(value) if key in LISTS else value for key, value in given.items()}
    fields |= {key: getattr(checks, key) for key in CODE}
    fields["builds_on"] = tuple(f"{own}.{other}" for other in solved.uses(function, among))
    reference = checks.reference or solved.function(function)
    return Exercise(id=item, reference=reference, misconceptions=known, **fields)


def _fences(path: Path) -> Iterator[tuple[str, str, str]]:
    """What stands behind the fence, what in it, and file and line, of each fence of a text."""
    for token in MarkdownIt().parse(path.read_text(encoding="utf-8")):
        if token.type == "fence":
            yield token.info.strip(), token.content, f"{path.parent.name}/{path.name}:{(token.map or [0])[0] + 1}"


def _read(text: str, line: str) -> dict[str, Any]:
    try:
        return yaml.load(text, LOADER)
    except yaml.YAMLError as error:
        raise ValueError(f"{line}: this block is not YAML: {error}") from error


@cache
def module(path: Path) -> ModuleType:
    """A module of a lesson's folder, whose name is none that Python could import."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def _question(item: str, given: Mapping[str, Any]) -> Question:
    options = {letter: Option(*pair) for letter, pair in given["options"].items()}
    return Question(item, given["text"], options, given["answer"], given.get("points", 1))
