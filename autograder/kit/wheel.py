"""A wheel from files in memory, by hatchling; the same files give the same bytes."""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

INSTRUCTORS = ("nbgrader", "jupytext", "joblib", "hatchling")
"""Packages that only grading, building and authoring need."""
KEPT = ("name", "description", "requires-python", "license", "keywords", "scripts", "entry-points")


def wheel(files: Mapping[str, bytes], root: Path) -> tuple[str, bytes]:
    """Name and content of the wheel.

    Args:
        files: path in the wheel -> content.
        root: the course folder, whose pyproject.toml says the rest.

    Raises:
        ValueError: hatchling is not installed, or there is no pyproject.toml.
    """
    with tempfile.TemporaryDirectory(prefix="cnnviz-release-") as folder:
        place = Path(folder)
        for path, content in {**files, **_project(files, root)}.items():
            (place / path).parent.mkdir(parents=True, exist_ok=True)
            (place / path).write_bytes(content)
        made = Path(_build(place))
        return made.name, made.read_bytes()


def _build(place: Path) -> str:
    try:
        from hatchling.builders.wheel import WheelBuilder
    except ModuleNotFoundError as error:
        raise ValueError(
            "release: hatchling, which makes the wheel, is not installed; run `python -m pip install hatchling`."
        ) from error
    return next(WheelBuilder(str(place)).build(directory=str(place / "dist"), versions=["standard"]))


def _project(files: Mapping[str, bytes], root: Path) -> dict[str, bytes]:
    """pyproject.toml and the licence."""
    if not (root / "pyproject.toml").is_file():
        raise ValueError(f"--root: {root} holds no pyproject.toml; name the folder of the whole course.")
    course = _read_toml((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    text = "\n".join(_lines(course, _content(files)))
    return {"pyproject.toml": f"{text}\n".encode(), "LICENSE": (root / "LICENSE").read_bytes()}


def _content(files: Mapping[str, bytes]) -> str:
    """A few letters that change with any file: pip passes over a wheel whose version is installed already."""
    total = hashlib.sha256()
    for path, content in sorted(files.items()):
        total.update(path.encode() + b"\0" + hashlib.sha256(content).digest())
    return total.hexdigest()[:8]


def _lines(course: Mapping[str, Any], content: str) -> Iterator[str]:
    yield '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n\n[project]'
    for key in KEPT:
        if key in course:
            yield f"{key} = {_toml(course[key])}"
    yield f"version = {_toml(course['version'] + '+student.' + content)}"
    needed = [each for each in course["dependencies"] if not each.startswith(INSTRUCTORS)]
    yield f"dependencies = {_toml(needed)}"
    yield "\n[tool.hatch.build]\nignore-vcs = true\n\n[tool.hatch.build.targets.wheel]"
    yield 'packages = ["cnnviz", "autograder"]'


def _toml(value: Any) -> str:
    """Texts, lists of texts and tables of texts; a text of JSON is one of TOML."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(key)} = {_toml(each)}" for key, each in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def _read_toml(text: str) -> dict[str, Any]:
    try:
        import tomllib
    except ModuleNotFoundError:  # Python 3.10; hatchling brings the same under its older name
        import tomli as tomllib  # type: ignore[no-redef]
    return tomllib.loads(text)
