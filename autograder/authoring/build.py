"""`cnnviz build`: everything that is made from a lesson's text and records, and whether it is up to date."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from autograder.authoring.notebook import module_text, readme_text, solved_notebook, written
from autograder.authoring.outline import FOLDER, outline_text
from autograder.authoring.parse import parse
from autograder.authoring.rules import require
from autograder.authoring.student_notebook import released
from autograder.authoring.templates import render
from autograder.course import registry
from autograder.course.records import Lesson

SOLVED, LESSON = "solutions", "lessons"
"""The folder of the authored and solved lessons, and the students' folder."""


def build(root: Path, lessons: Sequence[str] | None = None, check: bool = False) -> list[str]:
    """Makes the generated files of the lessons, all of them or none.

    Args:
        root: the course folder.
        lessons: names of lessons; None for every lesson.
        check: compare only, write nothing.

    Returns:
        Paths, relative to the course folder, that changed, or that are stale where `check` is set.

    Raises:
        ValueError: an unknown lesson, a missing file, or a text that breaks the rules.
    """
    chosen = registry.lessons() if lessons is None else [registry.lesson(name) for name in lessons]
    return build_lessons(root, chosen, check=check)


def build_lessons(root: Path, lessons: Sequence[Lesson], *, check: bool = False) -> list[str]:
    """`build` for lessons at hand."""
    made = {path: content for lesson in lessons for path, content in outputs(root, lesson).items()}
    changed = [path for path, content in made.items() if _differs(root / path, content)]
    if not check:
        _write(root, {path: made[path] for path in changed})
    return changed


def stale(root: Path, lesson: Lesson, folder: str) -> list[str]:
    """Generated paths of the lesson under `folder` that are not up to date."""
    return [path for path in build_lessons(root, [lesson], check=True) if path.startswith(f"{folder}/")]


def complete(root: Path, lesson: Lesson) -> None:
    """Writes the student's folder except the notebook, which is nbgrader's to make."""
    made = {
        path: c
        for path, c in outputs(root, lesson).items()
        if path.startswith(f"{LESSON}/") and not path.endswith(".ipynb")
    }
    _write(root, made)


def outputs(root: Path, lesson: Lesson, *, handout: str = "") -> dict[str, bytes]:
    """Every generated file of a lesson: path relative to the course folder -> content.

    Args:
        root: the course folder.
        lesson: the records.
        handout: the first cell of the notebook that a class is handed; empty for the course as it is published.

    Raises:
        ValueError: a missing file, or a text that breaks the rules.
    """
    folder = f"{SOLVED}/{lesson.id}"
    source, picture = root / folder / f"{lesson.name}.md", root / folder / "picture.png"
    for path, maker in ((source, "write it as CONTRIBUTING.md says"), (picture, "run make_picture.py beside it")):
        if not path.is_file():
            raise ValueError(f"{path.relative_to(root)} does not exist, and the lesson is made from it; {maker}.")
    text, file = source.read_text(encoding="utf-8"), str(source.relative_to(root))
    texts = generated(text, lesson, file=file, handout=handout)
    made = {path: text.encode() for path, text in texts.items()}
    return made | {f"{LESSON}/{lesson.id}/picture.png": picture.read_bytes()}


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
    blocks = parse(text, file=file)
    require(blocks, lesson, file=file)
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
        f"{exercises}/README.md": readme_text(lesson, text, handout=bool(handout)),
        f"{FOLDER}/{lesson.id}.json": outline_text(lesson, module, notebook),
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
