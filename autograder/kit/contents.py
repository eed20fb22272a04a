"""What is in the wheel that students install: what their commands import, and packs in place of the answers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from pathlib import Path

import numpy as np

import cnnviz
from autograder.authoring.build import LESSON
from autograder.authoring.outline import FOLDER, outline_path
from autograder.core.compare import scales
from autograder.core.oracle import Part, Setting, parts_of
from autograder.course.choices import HANDED_OUT, handed_out
from autograder.course.locations import CODE, PACKAGE
from autograder.course.recorded.lessons import SUFFIX, TEXTS, texts_of
from autograder.course.recorded.pack import REFERENCE, Results, written
from autograder.course.records import Case, Exercise, Law, Lesson
from autograder.course.sources import closure
from autograder.report.sentences import CATALOGUE
from autograder.report.showcase import formula_map
from autograder.study.opening import SETTINGS

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
    made |= {f"{FOLDER}/{each.id}.json": built[outline_path(each)] for each in lessons}
    made[HANDED_OUT.relative_to(CODE).as_posix()] = handed_out(lessons).encode()
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
    """What `cnnviz` reads, the sentences, JupyterLab's settings, and the pages that the code names."""
    yield CATALOGUE
    yield from sorted(SETTINGS.rglob("*.json"))
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


ROUNDING = 1e-9
"""What is smaller is 0: the inputs of laws are about 1."""


def packs(lesson: Lesson) -> dict[str, bytes]:
    """File name -> content, for one lesson: its texts, and one pack an exercise."""
    scales = {law: scales_of(part) for law, part in _laws(lesson)}
    texts = json.dumps(texts_of(lesson, scales), ensure_ascii=False, indent=1) + "\n"
    made = {f"{exercise.function}{SUFFIX}": pack(exercise) for exercise in lesson.exercises}
    return {TEXTS: texts.encode(), **made}


def _laws(lesson: Lesson) -> Iterator[tuple[Law, Part]]:
    for exercise in lesson.exercises:
        for part in parts_of(exercise, Setting()):
            if isinstance(part.part, Law):
                yield part.part, part


def pack(exercise: Exercise) -> bytes:
    """What practice needs of one exercise: its visible cases and its laws, never a hidden case.

    Raises:
        ValueError: two of its cases and laws have one name.
    """
    parts = [part for part in parts_of(exercise, Setting()) if not getattr(part.part, "hidden", False)]
    calls = {part.part.name: part.calls for part in parts}
    if len(calls) < len(parts):
        raise ValueError(f"{exercise.id}: two of its cases and laws have the same name; give each a name of its own.")
    results: dict[str, dict[str, Results]] = {part.part.name: {REFERENCE: part.expected} for part in parts}
    for part in parts:
        if isinstance(part.part, Case):
            results[part.part.name] |= part.mistakes
    drawn = formula_map(exercise)
    return written(calls, results, None if exercise.showcase is None or drawn is None else (exercise.showcase(), drawn))


def scales_of(part: Part) -> list[float]:
    """What a departure from a law is measured by, for each output: max|expected|, or where that is 0, the law's own.

    A law may say that a value is 0. The reference then gives 1e-17, which nothing can be measured by; the law, given a
    result that is 1 too large, says how much that is.
    """
    outputs = range(len(part.expected[0].arrays))
    zero = [all(_is_zero(result.arrays[k]) for result in part.expected) for k in outputs]
    return [_own_scale(part, k) if zero[k] else scales(part.expected, k) for k in outputs]


def _is_zero(array: np.ndarray) -> bool:
    return array.dtype.kind == "f" and float(np.abs(array).max(initial=0.0)) < ROUNDING


@np.errstate(all="ignore")
def _own_scale(part: Part, output: int) -> float:
    assert isinstance(part.part, Law)
    raised = [tuple(a + 1.0 if k == output else a for k, a in enumerate(r.arrays)) for r in part.expected]
    unit = part.part.violation(part.calls, raised)
    return 1 / unit if 0 < unit < np.inf else 1.0
