"""What is in the wheel that students install: what their commands import, and packs in place of the answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import cnnviz
from autograder.authoring.build import LESSON
from autograder.authoring.outline import FOLDER as OUTLINES
from autograder.course.locations import CODE, PACKAGE
from autograder.course.records import Lesson
from autograder.course.sources import closure
from autograder.kit.recording import packs
from autograder.report.sentences import CATALOGUE

ANSWERS = ("cnnviz_ref", "autograder.course.authored", "autograder.authoring")
"""What is never taken along, whoever imports it."""
BEGINNINGS = ("autograder", "autograder.cli", "autograder.pytest_plugin", "autograder.course.recorded")
COMMANDS = ("doctor", "study*")
"""Modules of `autograder.commands` that students have; an instructor's command is in none of these."""
WHOLE = ("isolated", "study")
"""Parts of `autograder` whose modules are also started or imported by name."""
_TEMPLATE = re.compile(r"[\w.]+\.html\.j2")


def package_files(lessons: Sequence[Lesson], built: Mapping[str, bytes]) -> dict[str, bytes]:
    """Path in the wheel -> content.

    Args:
        lessons: those that are handed out.
        built: what `cnnviz build` makes of them.
    """
    made = {path.relative_to(CODE).as_posix(): path.read_bytes() for path in (*code_files(), *_data())}
    made |= {path: content for path, content in built.items() if path.startswith(OUTLINES)}
    for each in lessons:  # what a reset goes back to
        files = [f"{LESSON}/{each.id}/{each.name}{kind}" for kind in (".py", ".ipynb")]
        made |= {f"autograder/{file}": built[file] for file in files}
    recorded = {f"autograder/course/recorded/packs/{each.id}/{name}": content
                for each in lessons for name, content in packs(each).items()}  # fmt: skip
    return made | recorded


def code_files() -> list[Path]:
    """The Python files."""
    commands = [path for pattern in COMMANDS for path in (PACKAGE / "commands").glob(f"{pattern}.py")]
    parts = [path for part in WHOLE for path in (PACKAGE / part).rglob("*.py")]
    named = [_module(path) for path in (*commands, *parts)]
    needed = closure((*BEGINNINGS, *named), CODE, without=ANSWERS, parents=True)
    return sorted({*needed, *Path(cnnviz.__file__).parent.rglob("*.py")})


def _module(path: Path) -> str:
    return ".".join(path.relative_to(CODE).with_suffix("").parts).removesuffix(".__init__")


def _data() -> Iterator[Path]:
    """What `cnnviz` reads, the sentences, and the pages that the code names."""
    yield CATALOGUE
    inside = (path for path in (CODE / "cnnviz").rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc"))
    yield from sorted(inside)
    yield from _templates({name for path in code_files() for name in _TEMPLATE.findall(path.read_text("utf-8"))})


def _templates(names: AbstractSet[str]) -> Iterator[Path]:
    """These templates and those that they include."""
    folder = PACKAGE / "templates"
    waiting, seen = sorted(names), set()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            yield folder / name
            waiting += _TEMPLATE.findall((folder / name).read_text("utf-8"))
