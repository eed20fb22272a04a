"""`cnnviz new`: a lesson or an exercise of an instructor's own that works at once, and is then written over."""

from __future__ import annotations

import keyword
import os
import re
import shutil
from importlib.util import find_spec
from pathlib import Path

from autograder.authoring.build import SOLVED, build_lessons
from autograder.authoring.templates import render
from autograder.course import authored, choices, registry
from autograder.course.locations import OURS, home_of, homes
from autograder.course.records import Lesson, pointed

FIRST = "reach"
"""The function that a new lesson begins with."""
CONFIG = Path("nbgrader_config.py")
_USED = {"Checks": "autograder.course.authored", "randn": "autograder.course.fixtures"}
_USED |= dict.fromkeys(("Call", "Case"), "autograder.course.records")
"""Names in the checks of a new exercise -> the modules that they come from."""
_SOURCES = ("cases.py", "mistakes.md", "variants.py", "make_picture.py", "picture.png")


def new_course() -> list[str]:
    """Makes this folder one of a course of one's own, or says that the `course.toml` in it is one's own.

    Returns:
        Paths that were written.
    """
    file, made = Path(choices.FILE), []
    if not file.is_file():
        inside = "own" if Path.cwd().resolve() == OURS.root else "."
        Path(inside).mkdir(exist_ok=True)
        file.write_text(render("course.toml.j2", folder=inside), encoding="utf-8")
        made.append(str(file))
    if not CONFIG.exists():
        CONFIG.write_text(render("nbgrader_config.py.j2"), encoding="utf-8")
        made.append(str(CONFIG))
    choices.believe(file)
    choices.place.cache_clear()
    choices.choices.cache_clear()
    return made


def _in_a_course() -> list[str]:
    """Paths that were written, where this folder was none of a course yet."""
    return [] if Path(choices.FILE).is_file() or choices.place() else new_course()


def new_lesson(name: str) -> list[str]:
    """Writes and builds a lesson of one's own: `blur`, or with its number `21_blur`.

    Returns:
        Paths that were written.

    Raises:
        ValueError: a name that no module can have, or that a lesson or a module of Python's has already.
    """
    made = _in_a_course()
    found = re.fullmatch(r"(\d\d)_(\w+)", name)
    number, module = found.groups() if found else ("", name)
    _usable(module)
    if find_spec(module) is not None:
        raise ValueError(
            f"NAME: got {name}, and Python has a module {module}, which students' own would hide; choose another name."
        )
    if taken := [lesson.id for lesson in registry.known() if {module, number} & {*choices.names_of(lesson.id)}]:
        raise ValueError(f"NAME: got {name}, and there is {taken[0]}; choose another name, or another number.")
    number = number or f"{max(int(lesson.id[:2]) for lesson in registry.known()) + 1:02}"
    folder = _own_root() / SOLVED / f"{number}_{module}"
    values = {"name": module, "function": FIRST}
    made += [
        _written(folder / f"{module}.md", render("own_lesson.md.j2", **values)),
        _written(
            folder / "cases.py", render("own_cases.py.j2", **values) + "\n" + render("own_checks.py.j2", **values)
        ),
        _written(folder / "mistakes.md", render("own_mistakes.md.j2", **values)),
    ]
    return made + _built(folder)


def copied_lesson(name: str) -> list[str]:
    """Copies a lesson of ours to one's own folder, where it counts in its place.

    Returns:
        Paths that were written.

    Raises:
        ValueError: an unknown lesson, or one that is one's own already.
    """
    made = _in_a_course()
    lesson = registry.lesson(name)
    home = home_of(lesson.id)
    if home.own:
        raise ValueError(f"--from: {lesson.id} lies in {home.root} and is your own already; change it there.")
    folder = _own_root() / SOLVED / lesson.id
    for file in (f"{lesson.name}.md", *_SOURCES):
        if (home.solutions / lesson.id / file).is_file():
            folder.mkdir(parents=True, exist_ok=True)
            made.append(os.path.relpath(shutil.copy(home.solutions / lesson.id / file, folder / file)))
    return made + _built(folder)


def new_exercise(lesson: Lesson, name: str) -> list[str]:
    """Adds an exercise to a lesson of one's own, after its last one, and builds it.

    Returns:
        Paths that were written.

    Raises:
        ValueError: the lesson is not one's own, or has the name already.
    """
    _usable(name)
    home = home_of(lesson.id)
    if not home.own:
        raise ValueError(f"LESSON: {lesson.id} is not your own; `cnnviz new lesson --from {lesson.id}` makes it so.")
    if f"{lesson.name}.{name}" in [item.id for item in lesson.items]:
        raise ValueError(f"NAME: {lesson.id} has {name} already; choose another name.")
    folder, values = home.solutions / lesson.id, {"name": lesson.name, "function": name}
    text = (folder / f"{lesson.name}.md").read_text(encoding="utf-8")
    solved = list(re.finditer(r"^```python exercise=.*?^```\n", text, re.MULTILINE | re.DOTALL))
    last = solved[-1].end() if solved else len(text)
    block = render("own_exercise.md.j2", **values)
    made = [_written(folder / f"{lesson.name}.md", f"{text[:last]}\n{block}{text[last:]}")]
    cases, mistakes = ((folder / file).read_text(encoding="utf-8").rstrip() for file in ("cases.py", "mistakes.md"))
    lacking = [
        f"from {module} import {used}\n" for used, module in _USED.items() if not re.search(rf"\b{used}\b", cases)
    ]
    checks = "".join([*lacking, *["\n"] * bool(lacking), render("own_checks.py.j2", **values)])
    made.append(_written(folder / "cases.py", f"{cases}\n\n{checks}"))
    made.append(_written(folder / "mistakes.md", f"{mistakes}\n\n{render('own_mistakes.md.j2', **values)}"))
    return made + _built(folder)


def is_taught(folder: str) -> bool:
    """Whether `course.toml` leaves the lesson of this folder name in the course."""
    taught = choices.choices().lessons
    return not taught or not {*choices.names_of(folder)}.isdisjoint(taught)


def _usable(name: str) -> None:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or keyword.iskeyword(name):
        raise ValueError(
            f'NAME: got "{name}"; small letters, digits and _ are allowed, as in blur or two_blurs, '
            "and no word of Python's."
        )


def _own_root() -> Path:
    """The first of the folders of one's own.

    Raises:
        ValueError: `course.toml` names none.
    """
    own = [home.root for home in homes() if home.own]
    if not own:
        raise ValueError(f'{choices.FILE} names no folder of your own; write own = ["."] at its top.')
    return own[0]


def _written(path: Path, text: str) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return os.path.relpath(path)


def _built(folder: Path) -> list[str]:
    authored.module.cache_clear()
    lesson = pointed(authored.lesson(folder), choices.choices().points)
    return [os.path.relpath(folder.parents[1] / path) for path in build_lessons(folder.parents[1], [lesson])]
