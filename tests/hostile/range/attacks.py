"""Finds and reads the attack folders: a submission, what it attacks, and how its success would show."""

from __future__ import annotations

import runpy
import shutil
import sys
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CLASSES = ("forge", "steal", "exhaust", "crash", "persist", "smuggle", "corrupt", "inject")
PROMISES = ("points", "innocent", "lost", "leak", "left behind", "hang", "batch", "live")
SUCCESSES = ("points", "innocent", "leak", "file", "process", "hang", "stop", "live")
FRONTS = ("grade", "nbgrader", "pytest")
"""The commands that attacks are fired at; what `grade` found is exported besides."""

_FIRED_AT = {"grade": CLASSES, "nbgrader": ("smuggle", "corrupt", "inject"), "pytest": ("corrupt", "inject")}
"""Front -> the classes of attacks on what it does itself; the sandbox behind it is the same for all."""

LADDER = ("rlimits", "landlock", "bubblewrap")
"""The rungs of isolation, lowest first."""

PLACE = Path(__file__).parents[1] / "attacks"
"""Where they lie."""

LESSON = "11_grad_cam"
"""The lesson that every attack is handed in for."""

_REQUIRED = ("title", "promise", "success", "stopped_by", "weak")


@dataclass(frozen=True)
class Attack:
    """One hostile submission."""

    folder: Path
    title: str
    """What it does, in plain words."""
    promise: str
    """One of `PROMISES`: what it tries to break."""
    success: str
    """One of `SUCCESSES`: how it shows in a grader that does not withstand it."""
    stopped_by: str
    """The lowest rung of `LADDER` that holds the promise."""
    weak: bool
    """Whether the weakened grader falls for it; where not, `why` says the reason."""
    why: str = ""
    student: str = ""
    """The student's name as a learning platform gives it."""
    deserved: Mapping[str, int] = field(default_factory=dict)
    """Item id -> the points that its honest part earns, exactly."""
    deserved_all_of: str = ""
    """"solutions" where the submission is otherwise a right one: what is not listed may earn what it can."""
    innocent: Sequence[str] = ()
    """Items that must keep their full points."""
    accepted: str = ""
    """Why no rung promises to hold it: it is known, and stands in docs/grading.md."""
    fronts: Sequence[str] = ()
    """Those of `FRONTS` that it is fired at, where its class does not say it."""

    @property
    def kind(self) -> str:
        """Its class: one of `CLASSES`."""
        return self.folder.parent.name

    @property
    def graded_as(self) -> str:
        """The student's name as the grader spells it."""
        return unicodedata.normalize("NFC", self.student)

    @property
    def name(self) -> str:
        """Class and folder: "forge/always_equal"."""
        return f"{self.kind}/{self.folder.name}"

    def fired_at(self, front: str) -> bool:
        """Whether this command is attacked; what only attacks the sandbox need not be fired at each."""
        return self.kind in _FIRED_AT[front] if not self.fronts else front in self.fronts

    def promised_on(self, rung: str) -> bool:
        """Whether this rung, or one below it, holds the promise."""
        return not self.accepted and LADDER.index(rung) >= LADDER.index(self.stopped_by)

    def hand_in(self, to: Path) -> None:
        """Copies the submission to the folder `to`, and lets its `make.py` add what a repository cannot hold.

        Raises:
            ValueError: `make.py` failed.
        """
        to.mkdir(parents=True, exist_ok=True)
        if (self.folder / "submission").is_dir():
            shutil.copytree(self.folder / "submission", to, symlinks=True, dirs_exist_ok=True)
        maker = self.folder / "make.py"
        if maker.is_file():
            try:
                runpy.run_path(str(maker))["make"](to)
            except Exception as error:
                raise ValueError(f"attack: {maker} failed ({type(error).__name__}: {error}); correct it.") from error


def find_attacks(place: Path = PLACE) -> list[Attack]:
    """All attacks, sorted by class, in the order of `CLASSES`, and name.

    Raises:
        ValueError: one of them is malformed.
    """
    folders = sorted(path.parent for path in place.glob("*/*/attack.toml"))
    if strange := sorted({folder.parent.name for folder in folders} - set(CLASSES)):
        raise ValueError(f'attacks: got the class "{strange[0]}" in {place}; allowed are {", ".join(CLASSES)}.')
    return sorted(map(read_attack, folders), key=lambda attack: (CLASSES.index(attack.kind), attack.name))


def read_attack(folder: Path) -> Attack:
    """The attack in one folder.

    Raises:
        ValueError: its `attack.toml` is not as it should be; the sentence says what to write.
    """
    path = folder / "attack.toml"
    try:
        about = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ValueError(f"attack: {path} cannot be read as TOML ({error}); correct it.") from error
    if problem := _problem(about):
        raise ValueError(f"attack: {path}: {problem}")
    about["deserved"] = {_item(name): points for name, points in about.get("deserved", {}).items()}
    about["innocent"] = tuple(map(_item, about.get("innocent", ())))
    return Attack(folder=folder, **{"student": folder.name, **about})


def _problem(about: Mapping[str, Any]) -> str:
    """What is wrong with the table, in a sentence; empty where nothing is."""
    known = [f.name for f in fields(Attack) if f.name != "folder"]
    if missing := [name for name in _REQUIRED if name not in about]:
        return f"{missing[0]} is missing; every attack has {', '.join(_REQUIRED)}."
    if unknown := [name for name in about if name not in known]:
        return f'got the key "{unknown[0]}", allowed are {", ".join(known)}.'
    for name, allowed in (("promise", PROMISES), ("success", SUCCESSES), ("stopped_by", LADDER)):
        if about[name] not in allowed:
            return f'{name} is "{about[name]}", allowed are {", ".join(allowed)}.'
    if unknown := [name for name in about.get("fronts", ()) if name not in FRONTS]:
        return f'fronts has "{unknown[0]}", allowed are {", ".join(FRONTS)}.'
    if not isinstance(about["weak"], bool):
        return f"weak is {about['weak']!r}, allowed are true and false."
    if not about["weak"] and not about.get("why"):
        return "weak is false and there is no why; say why a naive grader withstands it."
    if about.get("deserved_all_of", "solutions") != "solutions":
        return f'deserved_all_of is "{about["deserved_all_of"]}", allowed is solutions.'
    return ""


def _item(name: str) -> str:
    """Items may be named with their module or without it."""
    return name if "." in name else f"{LESSON.split('_', 1)[1]}.{name}"
