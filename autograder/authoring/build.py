"""`cnnviz build`: everything that is made from a lesson's text and records, and whether it is up to date."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from autograder.authoring.notebook import module_text, readme_text, solved_notebook, written
from autograder.authoring.outline import outline_path, outline_text
from autograder.authoring.parse import parse
from autograder.authoring.puzzle_drawing import with_puzzles
from autograder.authoring.rules import require
from autograder.authoring.student_notebook import released
from autograder.authoring.templates import render
from autograder.course import registry
from autograder.course.locations import OURS, Home, home_of
from autograder.course.puzzles import FILE
from autograder.course.records import Lesson

SOLVED, LESSON = "solutions", "lessons"
"""The folder of the authored and solved lessons, and the students' folder."""

PICTURES = (".png", ".jpg", ".jpeg", ".svg")
"""Suffixes of pictures beside a lesson's text, which are handed out as they are."""


def build(lessons: Sequence[str] | None = None, check: bool = False) -> list[str]:
    """Makes the generated files of the lessons, each where it lies: in each home all of them or none.

    Args:
        lessons: names of lessons; None for all that are taught and lie in the current folder, else all that can be
            built.
        check: compare only, write nothing.

    Returns:
        Paths that changed, or that are stale where `check` is set.

    Raises:
        ValueError: an unknown lesson, a missing file, or a text that breaks the rules.
    """
    made = ((home, build_lessons(home.root, group, check=check)) for home, group in by_home(lessons))
    return [os.path.relpath(home.root / path) for home, paths in made for path in paths]


def by_home(names: Sequence[str] | None) -> list[tuple[Home, list[Lesson]]]:
    """Lessons that can be built, by where they lie.

    Raises:
        ValueError: an unknown lesson, or one of an installed package.
    """
    found: dict[Home, list[Lesson]] = {}
    for lesson in registry.lessons() if names is None else map(registry.lesson, names):
        found.setdefault(home_of(lesson.id), []).append(lesson)
    if names is not None and (ours := found.get(OURS)) and OURS.installed:
        raise ValueError(
            f"lesson: {ours[0].id} is part of the installed course, where nothing is written; "
            f"`cnnviz new lesson --from {ours[0].id}` makes a copy of your own, which then counts in its place."
        )
    able = {home: lessons for home, lessons in found.items() if not home.installed}
    here = {home: lessons for home, lessons in able.items() if Path.cwd().resolve() in (home.root, *home.root.parents)}
    return list((here if names is None and here else able).items())


def build_lessons(root: Path, lessons: Sequence[Lesson], *, check: bool = False) -> list[str]:
    """`build` for lessons at hand."""
    made = {path: content for lesson in lessons for path, content in _drawn_anew(root, lesson).items()}
    changed = [path for path, content in made.items() if _differs(root / path, content)]
    if not check:
        _write(root, {path: made[path] for path in changed})
    return changed


def _drawn_anew(root: Path, lesson: Lesson) -> dict[str, bytes]:
    """`outputs` of a lesson whose puzzles are drawn anew, with the files that belong to them."""
    fresh, files = with_puzzles(lesson)
    kept = {f"{SOLVED}/{lesson.id}/{name}": content for name, content in files.items()}
    handed = {f"{LESSON}/{lesson.id}/{name}": content for name, content in files.items() if name != FILE}
    return outputs(root, fresh) | kept | handed


def stale(root: Path, lesson: Lesson, folder: str) -> list[str]:
    """Generated paths of the lesson under `folder` that are not up to date."""
    return [path for path in build_lessons(root, [lesson], check=True) if path.startswith(f"{folder}/")]


def complete(root: Path, lesson: Lesson) -> None:
    """Makes the student's folder what is handed out, except the notebook, which is nbgrader's to make."""
    made = {path: c for path, c in outputs(root, lesson).items() if path.startswith(f"{LESSON}/")}
    for path in (root / LESSON / lesson.id).rglob("*"):
        if path.is_file() and path.relative_to(root).as_posix() not in made:
            path.unlink()
    _write(root, {path: c for path, c in made.items() if not path.endswith(".ipynb")})


def outputs(root: Path, lesson: Lesson, *, handout: str = "") -> dict[str, bytes]:
    """Every generated file of a lesson: path relative to the course folder -> content.

    Args:
        root: the course folder.
        lesson: the records.
        handout: the first cell of the notebook that a class is handed; empty for the course as it is published.

    Raises:
        ValueError: a missing file, or a text that breaks the rules.
    """
    folder, own = f"{SOLVED}/{lesson.id}", home_of(lesson.id).own
    source, picture = root / folder / f"{lesson.name}.md", root / folder / "picture.png"
    for path, maker in ((source, "write it as CONTRIBUTING.md says"), (picture, "run make_picture.py beside it")):
        if not path.is_file() and not (own and path == picture):
            raise ValueError(f"{path.relative_to(root)} does not exist, and the lesson is made from it; {maker}.")
    text, file = source.read_text(encoding="utf-8"), str(source.relative_to(root))
    texts = generated(text, lesson, file=file, handout=handout)
    made = {path: text.encode() for path, text in texts.items()}
    pictures = (path for path in (root / folder).iterdir() if path.suffix.lower() in PICTURES)
    return made | {f"{LESSON}/{lesson.id}/{path.name}": path.read_bytes() for path in sorted(pictures)}


def generated(text: str, lesson: Lesson, *, file: str, handout: str = "") -> dict[str, str]:
    """The generated texts of a lesson: path -> content. Pure: the same text and records give the same bytes.

    Args:
        text: the authored Markdown.
        lesson: the records.
        file: the text's name in error messages.
        handout: the first cell of the notebook that a class is handed.

    Raises:
        AuthoringError: the text breaks a rule.
    """
    blocks, own = parse(text, file=file), home_of(lesson.id).own
    require(blocks, lesson, file=file, own=own)
    solved = solved_notebook(blocks, lesson, handout=handout)
    student = released(solved)
    answers, exercises = f"{SOLVED}/{lesson.id}", f"{LESSON}/{lesson.id}"
    module, notebook = module_text(student, lesson, solved=False), written(student)
    return {
        f"{answers}/{lesson.name}.ipynb": written(solved),
        f"{answers}/{lesson.name}.py": module_text(solved, lesson, solved=True),
        f"{exercises}/{lesson.name}.ipynb": notebook,
        f"{exercises}/{lesson.name}.py": module,
        f"{exercises}/test_{lesson.name}.py": render("test.py.j2", lesson=lesson),
        f"{exercises}/README.md": readme_text(lesson, text, handout=bool(handout), own=own),
        outline_path(lesson): outline_text(lesson, module, notebook),
    }


def _differs(path: Path, content: bytes) -> bool:
    """Whether the file is missing or says something else; a checkout with Windows line ends says the same."""
    if not path.is_file():
        return True
    found = path.read_bytes()
    return found != content and (path.suffix == ".png" or found.replace(b"\r\n", b"\n") != content)


def _write(root: Path, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
