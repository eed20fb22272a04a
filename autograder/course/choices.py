"""`course.toml`: what an instructor chose. Where it is looked for, what it may say, and whether it is believed.

It is the file that the variable CNNVIZ_COURSE names, else `course.toml` in the folder that a command is run in. Lessons
that it names are code, and the folder may hold what a student handed in: a file that was only found is believed once
somebody said so (`cnnviz new course`), and a command that meets another one ends. A student's copy of the course has
its own beside this module, and looks nowhere else.
"""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from itertools import combinations
from pathlib import Path
from typing import Any, Protocol, TypeVar

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

VARIABLE, FILE = "CNNVIZ_COURSE", "course.toml"
BELIEVED = "CNNVIZ_BELIEVED"
"""Variable that names another list of the files that are believed."""
HANDED_OUT = Path(__file__).with_name(FILE)
"""In a student's copy: the lessons that were handed out, in their order."""


@dataclass(frozen=True)
class Choices:
    """The choices in a `course.toml`; what it leaves out is as the course has it."""

    own: tuple[Path, ...] = ()
    """Folders that hold `solutions` and `lessons` of the instructor's own."""
    lessons: tuple[str, ...] = ()
    """Names of the lessons that are taught, in their order; empty for all."""
    points: Mapping[str, int] = field(default_factory=dict)
    """Exercise or question -> its points."""
    weights: Mapping[str, float] = field(default_factory=dict)
    """Lesson -> what it counts in the total; empty where each counts its points."""
    deadlines: Mapping[str, datetime] = field(default_factory=dict)
    """Lesson -> when it is due."""
    per_day: float = 0.0
    """Percent of a lesson's points that each day begun after the deadline costs."""
    at_most: float = 100.0
    """Percent that lateness costs at most."""
    drop_lowest: int = 0
    """Number of a student's weakest lessons that do not count."""


@cache
def place() -> Path | None:
    """The file, where there is one. Found once: workers, which run in other folders, take its path from the variable.

    Raises:
        ValueError: it is there and not believed, or the variable names none.
    """
    if HANDED_OUT.is_file():
        return HANDED_OUT
    named = os.environ.get(VARIABLE, "")
    if not named and Path(FILE).is_file():
        found = Path(FILE).resolve()
        if found not in _believed():
            raise ValueError(
                f"{FILE}: {found} may be somebody else's, and the lessons that it names are code; where it is yours, "
                "run `cnnviz new course` here once, else work in another folder."
            )
        named = str(found)
    if not named:
        return None
    if not Path(named).is_file():
        raise ValueError(f"{VARIABLE}: got {named}, which is no file; name a {FILE}, or unset the variable.")
    os.environ[VARIABLE] = str(Path(named).resolve())
    return Path(named).resolve()


def believe(file: Path) -> None:
    """Writes down that this file is the instructor's own."""
    path = _list()
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{each}\n" for each in sorted({*_believed(), file.resolve()})), encoding="utf-8")


def _believed() -> set[Path]:
    path = _list()
    return {Path(line) for line in path.read_text("utf-8").splitlines()} if path.is_file() else set()


def _list() -> Path:
    if named := os.environ.get(BELIEVED):
        return Path(named)
    import platformdirs  # a course without a course.toml does without it

    return platformdirs.user_config_path("cnnviz", appauthor=False) / "courses.txt"


@cache
def choices() -> Choices:
    """Reads what the file says.

    Raises:
        ValueError: it is no TOML, or says something that it cannot; the sentence names key, value and what is allowed.
    """
    file = place()
    return read(file) if file else Choices()


def read(file: Path) -> Choices:
    """Reads a file; whether it is about lessons that there are, `registry` and `outlines` find out."""
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"{FILE}: {file} is not TOML: {error}; correct that line.") from error
    told = said.pop("late", {})
    _known(f"{FILE}, late", told if _is_table(told) else {}, {"per_day", "at_most"})
    _known(FILE, said, {"own", "lessons", "points", "weights", "deadlines", "drop_lowest"})
    late = _checked("late", told, _is_table, "lines such as per_day = 10 under [late]")
    kept: dict[str, Any] = {key: _VALUES[key](key, value) for key, value in said.items()}
    kept |= {key: _number(f"late.{key}", value) for key, value in late.items()}
    return Choices(**kept | {"own": tuple(file.parent / folder for folder in kept.get("own", ()))})


def _known(where: str, said: Mapping[str, Any], allowed: set[str]) -> None:
    for key in said:
        if key not in allowed:
            near = difflib.get_close_matches(key, allowed, n=1)
            hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(sorted(allowed))}."
            raise ValueError(f"{where}: got the key {key}, which does not exist; {hint}")


def _checked(key: str, value: Any, right: Callable[[Any], bool], wanted: str) -> Any:
    if not right(value):
        raise ValueError(f"{FILE}, {key}: got {value!r}; write {wanted}.")
    return value


def _is_table(value: Any) -> bool:
    return isinstance(value, dict)


def _texts(key: str, value: Any) -> tuple[str, ...]:
    right = isinstance(value, list) and all(isinstance(each, str) for each in value) and len({*value}) == len(value)
    return tuple(_checked(key, value, lambda _: right, 'a list of different names, such as ["a", "b"]'))


def _count(key: str, value: Any) -> int:
    return _checked(key, value, lambda v: type(v) is int and v >= 0, "a whole number, 0 or more")


def _number(key: str, value: Any) -> float:
    right = type(value) in (int, float) and 0 <= value <= 100
    return float(_checked(key, value, lambda _: right, "percent: a number from 0 to 100"))


def _table(wanted: str, right: Callable[[Any], bool]) -> Callable[[str, Any], dict[str, Any]]:
    def values(key: str, value: Any) -> dict[str, Any]:
        _checked(key, value, _is_table, f"[{key}] and below it lines `name = ...`")
        return {name: _checked(f"{key}.{name}", each, right, wanted) for name, each in value.items()}

    return values


_VALUES: Mapping[str, Callable[[str, Any], Any]] = {
    "own": _texts,
    "lessons": _texts,
    "points": _table("a whole number above 0", lambda v: type(v) is int and v > 0),
    "weights": _table("a number above 0", lambda v: type(v) in (int, float) and 0 < v < 1e6),
    "deadlines": _table("a time such as 2026-11-30T23:59:00+01:00", lambda v: isinstance(v, datetime)),
    "drop_lowest": _count,
}
"""Key -> the check of its value, which gives it as it is kept."""


def handed_out(lessons: Sequence[Named], own: str = "") -> str:
    """The text of a file for a copy of the course: these lessons in this order, with the points that are chosen here.

    Args:
        lessons: those in the copy.
        own: the folder of an instructor's own, from this module's.
    """
    kept = {each.name for each in lessons}
    points = [f"{json.dumps(i)} = {n}\n" for i, n in choices().points.items() if i.partition(".")[0] in kept]
    head = f"own = {json.dumps([own] if own else [])}\nlessons = {json.dumps([each.id for each in lessons])}\n"
    return head + "".join(["[points]\n", *points])


class Named(Protocol):
    """A lesson, as records or as an outline."""

    @property
    def id(self) -> str:
        """Folder name: "11_grad_cam"."""

    @property
    def name(self) -> str:
        """The module's name: "grad_cam"."""


def names_of(lesson_id: str) -> tuple[str, ...]:
    """The names that a command or `course.toml` may call a lesson: "11_grad_cam", "grad_cam", "11"; "01" is "1" too."""
    number, _, name = lesson_id.partition("_")
    return lesson_id, name, number, number.lstrip("0") or number


Lessons = TypeVar("Lessons", bound=Named)


def taught(known: Sequence[Lessons]) -> tuple[Lessons, ...]:
    """Of all lessons those that are taught, in their order.

    Raises:
        ValueError: `course.toml` names one that there is not, or one twice; or two have the same name.
    """
    for one, other in combinations(known, 2):
        if one.name == other.name:
            raise ValueError(f"lessons: {one.id} and {other.id} have the same name; rename the folder of one of them.")
    by_name = {name: each for each in reversed(known) for name in names_of(each.id)}
    wanted = choices().lessons
    if unknown := [name for name in wanted if name not in by_name]:
        all_ids = ", ".join(each.id for each in known)
        raise ValueError(f'{FILE}, lessons: got "{unknown[0]}", which does not exist; choose of {all_ids}.')
    chosen = tuple(by_name[name] for name in wanted)
    if len({each.id for each in chosen}) != len(chosen):
        raise ValueError(f"{FILE}, lessons: one lesson stands there twice; name each once.")
    return chosen or tuple(known)
