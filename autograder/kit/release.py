"""`cnnviz release`: a folder to hand out, and the same as one zip."""

from __future__ import annotations

import hashlib
import io
import json
import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distribution
from pathlib import Path, PurePosixPath
from typing import Any

import jinja2

from autograder.authoring.build import LESSON, SOLVED, outputs
from autograder.authoring.publishing import handout_cell
from autograder.course import registry
from autograder.course.choices import FILE
from autograder.course.locations import home_of
from autograder.course.records import Lesson
from autograder.kit.contents import package_files
from autograder.kit.leaks import checked
from autograder.text.words import counted

_MANY = 3


@dataclass(frozen=True)
class Released:
    """What was written."""

    folder: Path
    wheel: Path
    archive: Path
    lessons: tuple[str, ...]
    notes: tuple[str, ...]
    """Which lesson gives what another one asks for."""


def release(
    folder: Path, names: Sequence[str] | None = None, *, wheel_url: str = "", with_solutions: bool = False
) -> Released:
    """Writes the students' copy of the course.

    Args:
        folder: where to; a new one, an empty one, or that of an earlier release, which is replaced.
        names: lessons; None for all.
        wheel_url: where notebooks on Colab download the wheel; empty: they ask the student for the file.
        with_solutions: whether the solved modules are in the wheel, where a student can also read them unasked.

    Raises:
        ValueError: an unknown lesson, a folder with something else in it, a text that breaks the rules, an answer
            among what would be handed out, an address that is none.
    """
    chosen = None if names is None else {registry.lesson(name).id for name in names}
    lessons = [each for each in registry.lessons() if chosen is None or each.id in chosen]
    if chosen and (rest := chosen - {each.id for each in lessons}):
        raise ValueError(f"--lessons: {min(rest)} is not taught; add it to `lessons` in {FILE}, or choose others.")
    _check(folder)
    files, notes = contents(lessons, wheel_url=wheel_url, with_solutions=with_solutions)
    title = _title(lessons)
    archive = f"{title}.zip"
    _replace(folder, {**files, archive: zipped(files, title)})
    made = next(name for name in files if name.endswith(".whl"))
    return Released(folder, folder / made, folder / archive, tuple(each.id for each in lessons), tuple(notes))


def contents(
    lessons: Sequence[Lesson], *, wheel_url: str = "", with_solutions: bool = False
) -> tuple[dict[str, bytes], list[str]]:
    """Path -> content of all that is handed out, and what the instructor should know of it."""
    cell = handout_cell(wheel_url)
    made = (outputs(home_of(each.id).root, each, handout=cell) for each in lessons)
    given = {path: content for files in made for path, content in files.items()}
    files = {path: content for path, content in given.items() if path.startswith(f"{LESSON}/")}
    inside = package_files(lessons, given)
    notes = checked({**files, **inside}, lessons)
    if with_solutions:  # not looked at for answers, for that is what they are
        solved = [f"{SOLVED}/{each.id}/{each.name}.py" for each in lessons]
        inside |= {f"autograder/{path}": given[path] for path in solved}
    name, content = wheel(inside)
    return {**files, name: content, "README.md": _readme(lessons, name, wheel_url).encode()}, notes


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """A zip of one folder; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in sorted(files.items()):
            about = zipfile.ZipInfo(f"{folder}/{path}")  # of 1980, whenever it is made
            about.external_attr, about.create_system = 0o100644 << 16, 3
            packed = path.endswith((".whl", ".png"))
            archive.writestr(about, content, zipfile.ZIP_STORED if packed else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()


def _title(lessons: Sequence[Lesson]) -> str:
    """The archive's name without its ending."""
    if len(lessons) == len(registry.lessons()):
        return "cnnviz-all"
    parts = [each.id for each in lessons]
    return "-".join(["cnnviz", *(parts if len(parts) <= _MANY else [part.split("_")[0] for part in parts])])


def _readme(lessons: Sequence[Lesson], wheel: str, url: str) -> str:
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder.kit"), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True,
    )  # fmt: skip
    made.filters["counted"] = counted
    return made.get_template("README.md.j2").render(lessons=lessons, first=lessons[0], wheel=wheel, url=url)


def _check(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"DIR: {folder} is a file; name a folder to write to.")
    if folder.is_dir() and any(folder.iterdir()) and not _earlier(folder):
        raise ValueError(f"DIR: {folder} is not empty and holds no earlier release; name a new folder.")


def _earlier(folder: Path) -> set[Path]:
    """What an earlier release wrote there, as its archive lists it."""
    archives = [path for path in folder.glob("cnnviz-*.zip") if any(folder.glob("cnnviz-*+student.*.whl"))]
    found = set(archives)
    for path in archives:
        with zipfile.ZipFile(path) as archive:
            inside = {PurePosixPath(name).parts[1:] for name in archive.namelist()}
        found |= {folder.joinpath(*parts) for parts in inside if parts and ".." not in parts}
    return found


def _replace(folder: Path, files: Mapping[str, bytes]) -> None:
    """Takes an earlier release away and writes this one."""
    for old in _earlier(folder):
        old.unlink(missing_ok=True)
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)
    for empty in (path for path in folder.glob(f"{LESSON}/*") if path.is_dir() and not any(path.iterdir())):
        empty.rmdir()


STUDENTS = "extra == 'course'"
"""What a student needs beside what everybody does."""
KEPT = {"name": "Name", "description": "Summary", "requires-python": "Requires-Python"}
"""Key of a pyproject.toml -> field of the installed course's metadata."""


def wheel(files: Mapping[str, bytes]) -> tuple[str, bytes]:
    """Name and content of the wheel; what else stands in it is that of the installed course.

    Args:
        files: path in the wheel -> content.
    """
    with tempfile.TemporaryDirectory(prefix="cnnviz-release-") as folder:
        place = Path(folder)
        for path, content in {**files, **_project(files)}.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        made = Path(_build(place))
        return made.name, made.read_bytes()


def _build(place: Path) -> str:
    from hatchling.builders.wheel import WheelBuilder

    return next(WheelBuilder(str(place)).build(directory=str(place / "dist"), versions=["standard"]))


def _project(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """pyproject.toml and the licence."""
    course = distribution("cnnviz")
    text = "\n".join(_lines(course, _content(files)))
    return {"pyproject.toml": f"{text}\n".encode(), "LICENSE": (course.read_text("licenses/LICENSE") or "").encode()}


def _content(files: Mapping[str, bytes]) -> str:
    """A few letters that change with any file: pip passes over a wheel whose version is installed already."""
    total = hashlib.sha256()
    for path, content in sorted(files.items()):
        total.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()[:8]


def _lines(course: Distribution, content: str) -> Iterator[str]:
    yield '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n[project]'
    for key, field in KEPT.items():
        yield f"{key} = {_toml(course.metadata[field])}"
    yield f"version = {_toml(f'{course.version}+student.{content}')}"
    students = re.compile(rf"\s*(;|and)\s*{STUDENTS}")
    needed = [students.sub("", each) for each in course.requires or () if "extra" not in each or students.search(each)]
    yield f"dependencies = {_toml(sorted(needed))}"
    groups = {point.group for point in course.entry_points}
    points = {group: {point.name: point.value for point in course.entry_points.select(group=group)} for group in groups}
    yield f"scripts = {_toml(points.pop('console_scripts'))}"
    yield f"entry-points = {_toml(points)}"
    yield "\n[tool.hatch.build]\nignore-vcs = true\n\n[tool.hatch.build.targets.wheel]"
    yield 'packages = ["cnnviz", "autograder"]'


def _toml(value: Any) -> str:
    """Texts, lists of texts and tables of texts; a text of JSON is one of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)
