"""Searches the built site for answers: lines of solutions and references, predictions, rubrics, solved files."""

from __future__ import annotations

import html as entities
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import nbformat

from autograder.course import registry
from autograder.kit.leaks import answers, solutions, squeezed
from cnnviz_ref import METHODS
from making.places import ROOT

READ = (".html", ".js", ".json", ".txt", ".md", ".ipynb", ".py", ".inv", ".css", ".svg", ".xml")
OURS = ("_static/pygments", "_static/mathjax", "_static/vendor", "_static/scripts", "_static/styles")


def leaks(html: Path) -> Iterator[str]:
    """A sentence for each file of the site that tells what students are to find."""
    secrets = distinctive_lines()
    for path in sorted(html.rglob("*")):
        name = path.relative_to(html).as_posix()
        if not path.is_file() or path.suffix not in READ or name.startswith(OURS):
            continue
        if path.suffix in (".ipynb", ".py", ".md"):
            yield f"{name}: is a source; the site has pages only."
        text = plain(path.read_text(encoding="utf-8", errors="replace"))
        yield from (f"{name}: tells a line of {where}: {line}" for line, where in secrets.items() if line in text)


def plain(text: str) -> str:
    """What a reader of a page or of the search index gets, without any space."""
    return squeezed([entities.unescape(re.sub(r"<[^>]*>", "", text)).replace("\\n", "").replace('\\"', '"')])


@cache
def distinctive_lines() -> dict[str, str]:
    """Lines, without spaces, that stand in an answer and nowhere in what students get -> where they stand."""
    given = squeezed(_handed_out())  # hints come close to code
    secret = {**answers().lines, **solutions().lines, **_predictions()}
    return {line: where for line, where in secret.items() if line not in given}


def _predictions() -> dict[str, str]:
    """What only somebody who has answered, or who marks an answer, may read."""
    questions = [question for lesson in registry.lessons() for question in lesson.questions]
    given = {f"{question.variable}={question.literal}": question.id for question in questions}
    rubrics = ((line, o.id) for lesson in registry.lessons() for o in lesson.open_questions for line in o.rubric)
    given |= {squeezed([line]): name for line, name in rubrics}
    return given | {squeezed([question.options[question.answer].feedback]): question.id for question in questions}


def _handed_out() -> Iterable[str]:
    """The notebooks that students get, with their hints, and the docstrings that the reference shows."""
    for lesson in registry.lessons():
        notebook = nbformat.read(ROOT / "lessons" / lesson.id / f"{lesson.name}.ipynb", as_version=4)
        yield from (cell.source for cell in notebook.cells)
    for method in METHODS:
        yield inspect.getdoc(method.function) or ""
