"""A wheel from files in memory, by hatchling; the same files give the same bytes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, distribution
from pathlib import Path
from typing import Any

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
    needed = [each.partition(";")[0] for each in course.requires or () if "extra" not in each or STUDENTS in each]
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
