"""`cnnviz lint`: the course held to its own rules, an instructor's own lessons to those without which they are wrong.

Here a lesson's folders: text, links, stale and stray files.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from autograder.authoring.build import LESSON, SOLVED, build_lessons, by_home
from autograder.authoring.errors import AuthoringError, Problem
from autograder.authoring.lint_asserts import assert_problems
from autograder.authoring.lint_records import guessing_faults, record_faults, solution_problems
from autograder.authoring.lint_runs import check_problems, mistake_problems, notebook_problems
from autograder.authoring.parse import parse
from autograder.course import puzzles, registry
from autograder.course.locations import home_of
from autograder.course.records import SECTIONS, Lesson


def lint(lessons: Sequence[str] | None = None, run_notebooks: bool = False) -> list[Problem]:
    """Everything that is wrong with the course as it would be shipped.

    Args:
        lessons: names of lessons; None for those that `build` makes.
        run_notebooks: also execute each solved notebook.

    Raises:
        ValueError: an unknown lesson, or one of an installed package.
    """
    found: list[Problem] = []
    for home, group in by_home(lessons):
        known = [lesson for lesson in registry.known() if home_of(lesson.id) == home]
        found += lint_lessons(home.root, group, known=known, run_notebooks=run_notebooks, own=home.own)
    return found


def lint_lessons(
    root: Path, lessons: Sequence[Lesson], *, known: Sequence[Lesson], run_notebooks: bool = False, own: bool = False
) -> list[Problem]:
    """`lint` for lessons at hand; `known` are all lessons of their home, and `own` are held to no style of ours."""
    problems = [problem for lesson in lessons for problem in record_problems(lesson, own=own)]
    problems += file_problems(root, lessons, own=own)
    if not own:
        problems += [Problem(SOLVED, fault, "cnnviz lint") for fault in guessing_faults(known)]
        problems += stray_problems(root, lessons, known)
        problems += solution_problems(root, lessons)
    problems += mistake_problems(lessons) if own else ()  # of ours `tests/exercises` knows more
    problems += check_problems(root, lessons)
    if run_notebooks:
        problems += notebook_problems(root, lessons)
    return problems


def record_problems(lesson: Lesson, *, own: bool = False) -> list[Problem]:
    """Faults of the records, each with its file."""
    faults = record_faults(lesson, own=own)
    return [Problem(f"{SOLVED}/{lesson.id}", fault, f"cnnviz lint {lesson.id}") for fault in faults]


_UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|TBD)\b")
_PAPER = re.compile(r"(?:arxiv\.org/(?:abs|pdf|html)/|doi\.org/)([^\s)>\]\"#?]+)", re.IGNORECASE)
_PASSING = ("__pycache__", ".ipynb_checkpoints", ".pytest_cache", ".ruff_cache", ".DS_Store")
"""Left by tools, never part of the course."""


def file_problems(root: Path, lessons: Sequence[Lesson], *, own: bool = False) -> Iterator[Problem]:
    """Everything that can be said without running a lesson's code; of an instructor's `own` the text is free."""
    for lesson in lessons:
        yield from _build_problems(root, lesson)
        text = root / SOLVED / lesson.id / f"{lesson.name}.md"
        if text.is_file() and not own:
            file, written = str(text.relative_to(root)), text.read_text(encoding="utf-8")
            yield from text_problems(written, file=file)
            with contextlib.suppress(AuthoringError):  # is said above
                yield from assert_problems(parse(written, file=file), file=file, lesson=lesson.id)


def text_problems(text: str, *, file: str) -> Iterator[Problem]:
    """Unfinished words, and papers that the references do not list."""
    for number, line in enumerate(text.split("\n"), start=1):
        if match := _UNFINISHED.search(line):
            told = f'got "{match[0]}"; a student would read it, so write what is missing.'
            yield Problem(f"{file}:{number}", told, f"grep -n {match[0]} {file}")
    yield from _thread_problems(text, file)
    prose, _, references = text.partition(f"\n## {SECTIONS['references']}\n")
    listed = _papers(references)
    if not listed:
        told = "the section References links to no paper; give at least one link to arxiv.org or doi.org."
        yield Problem(file, told, f"grep -n References {file}")
    for paper in sorted(_papers(prose) - listed):
        told = f'the text links to the paper "{paper}", which the section References does not; list it there.'
        yield Problem(file, told, f"grep -n {paper} {file}")


SO_FAR, SHORT = "**So far:** ", 120
"""How a lesson begins, and the words of its summary at most."""


def _thread_problems(text: str, file: str) -> Iterator[Problem]:
    """A lesson says at its beginning what is known and what is missing, and at its end the whole in short."""
    goal, short = (text.partition(f"\n## {SECTIONS[name]}\n")[2].partition("\n## ")[0] for name in ("goal", "short"))
    if not goal.lstrip().startswith(SO_FAR):
        told = f'the section "{SECTIONS["goal"]}" does not begin with "{SO_FAR}"; say what is known and what is not.'
        yield Problem(file, told, f"grep -n '{SECTIONS['goal']}' {file}")
    if (number := len(short.split())) > SHORT:
        told = f'the section "{SECTIONS["short"]}" has {number} words; at most {SHORT} are allowed.'
        yield Problem(file, told, f"grep -n '{SECTIONS['short']}' {file}")


def stray_problems(root: Path, lessons: Sequence[Lesson], known: Sequence[Lesson]) -> Iterator[Problem]:
    """Files and folders that no lesson accounts for.

    Args:
        root: the course folder.
        lessons: those whose folders are looked into.
        known: all lessons of the course.
    """
    for folder in (SOLVED, LESSON):
        shared = ["mistakes.md"] if folder == SOLVED else []
        yield from _strays(root, Path(folder), [lesson.id for lesson in known] + shared)
        for lesson in lessons:
            yield from _strays(root, Path(folder) / lesson.id, _files(folder, lesson))


def _build_problems(root: Path, lesson: Lesson) -> Iterator[Problem]:
    try:
        changed = build_lessons(root, [lesson], check=True)
    except AuthoringError as error:
        yield Problem(error.place, error.sentence, f"cnnviz build {lesson.id}")
    except ValueError as error:
        yield Problem(f"{SOLVED}/{lesson.id}", str(error), f"cnnviz build {lesson.id}")
    else:
        for path in changed:
            told = f"it is not what {SOLVED}/{lesson.id}/{lesson.name}.md and its records give."
            yield Problem(path, told, f"cnnviz build {lesson.id}")


def _papers(text: str) -> set[str]:
    """Identifiers of linked papers, without version and file ending."""
    return {re.sub(r"(v\d+)?(\.pdf)?[.,;:]*$", "", paper).lower() for paper in _PAPER.findall(text)}


def _files(folder: str, lesson: Lesson) -> list[str]:
    name = lesson.name
    both = [f"{name}.ipynb", f"{name}.py", "picture.png"]
    both += [question.picture for question in lesson.questions if question.puzzle]
    if folder == SOLVED:
        return [*both, puzzles.FILE, f"{name}.md", "mistakes.md", "cases.py", "variants.py", "make_picture.py"]
    return [*both, "README.md", f"test_{name}.py"]


def _strays(root: Path, folder: Path, allowed: Sequence[str]) -> Iterator[Problem]:
    if not (root / folder).is_dir():
        return
    for path in sorted((root / folder).iterdir()):
        if path.name not in allowed and path.name not in _PASSING:
            told = f"it belongs to no lesson; in {folder} are allowed: {', '.join(allowed)}."
            yield Problem(str(folder / path.name), told, f"git rm -r {folder / path.name}")
