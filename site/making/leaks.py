"""Searches the built site for answers: lines of solutions and references, answers of predictions, solved files."""

from __future__ import annotations

import ast
import html as entities
import inspect
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import nbformat

from autograder.authoring.solution import BEGIN, END
from autograder.course import registry
from autograder.course.records import Lesson
from cnnviz_ref import METHODS
from making.places import ROOT

SHORTEST = 24
"""Letters of a line that can be told apart from what anybody would write."""
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
        yield from (f"{name}: tells {where}: {line}" for line, where in secrets.items() if _bare(line) in text)


def plain(text: str) -> str:
    """What a reader of a page or of the search index gets, without any space."""
    return _bare(entities.unescape(re.sub(r"<[^>]*>", "", text)).replace("\\n", "").replace('\\"', '"'))


@cache
def distinctive_lines() -> dict[str, str]:
    """Lines that stand in a solution or a reference and nowhere in what students get -> where they stand."""
    given = "\n".join(map(_bare, _handed_out()))  # hints come close to code
    code = {line: where for where, source in _secret_code() for line in _lines(source) if len(_bare(line)) >= SHORTEST}
    return {line: where for line, where in {**code, **_answers()}.items() if _bare(line) not in given}


def _secret_code() -> Iterator[tuple[str, str]]:
    for lesson in registry.lessons():
        yield from ((f"the solution of {lesson.id}", source) for source in _solutions(lesson))
    for method in METHODS:
        yield f"the code of cnnviz_ref.{method.name}", _bodies(inspect.getmodule(method.function))


def _answers() -> dict[str, str]:
    """What only somebody who has answered may read."""
    questions = [question for lesson in registry.lessons() for question in lesson.questions]
    letters = {f'{question.variable} = "{question.answer}"': question.id for question in questions}
    return letters | {question.options[question.answer].feedback: question.id for question in questions}


def _solutions(lesson: Lesson) -> Iterator[str]:
    """What stands between the marks."""
    notebook = nbformat.read(ROOT / "solutions" / lesson.id / f"{lesson.name}.ipynb", as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code" and BEGIN in cell.source:
            yield cell.source.split(BEGIN)[1].split(END)[0]


def _bodies(module: object) -> str:
    """The code of a module's functions without their docstrings."""
    tree = ast.parse(inspect.getsource(module))  # type: ignore[arg-type]
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return "\n".join(ast.unparse(part) for node in functions for part in _statements(node))


def _statements(function: ast.FunctionDef) -> list[ast.stmt]:
    return function.body[1:] if ast.get_docstring(function) else function.body


def _handed_out() -> Iterable[str]:
    """The notebooks that students get, with their hints, and the docstrings that the reference shows."""
    for lesson in registry.lessons():
        notebook = nbformat.read(ROOT / "lessons" / lesson.id / f"{lesson.name}.ipynb", as_version=4)
        yield from (cell.source for cell in notebook.cells)
    for method in METHODS:
        yield inspect.getdoc(method.function) or ""


def _lines(text: str) -> Iterator[str]:
    """The lines of code, without comments."""
    stripped = (re.sub(r"(^|\s)# .*", "", line).strip() for line in text.split("\n"))
    yield from (line for line in stripped if line)


def _bare(text: str) -> str:
    return re.sub(r"\s+", "", text)
