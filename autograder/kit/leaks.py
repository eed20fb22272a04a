"""What must not be handed out, looked for in what is: code of solutions, of the references and of the hidden inputs.

And the rubrics of questions that are answered in words.

Two ways of looking. Functions are compared by their syntax trees, whatever their names, comments and layout; long lines
by their characters, in everything that is text. A hint may say a line of the solution: that is what it is there for.
What a lesson's text gives to its students may be what another lesson asks for: that is told, not refused.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath

from autograder.course.locations import CODE, home_of, written
from autograder.course.records import Lesson
from autograder.reading.cells import read_cells
from autograder.reading.magics import as_python
from autograder.reading.submission import Source, Submission, begun
from autograder.reading.trees import is_note, numbered, parsed, words

TELLING = 60
"""Characters of a line that says what to do; shorter ones pick a score or start a loop."""
_FENCE = re.compile(r"(?ms)^```python[^\n]*\n(.*?)^```")
_REGION = re.compile(r"(?ms)^[ \t]*### BEGIN SOLUTION[^\n]*\n(.*?)^[ \t]*### END SOLUTION")


@dataclass(frozen=True)
class Found:
    """A piece of an answer in a file."""

    path: str
    piece: str
    """Where it was written: a lesson's folder name, or a file of references or mistakes."""
    line: str = ""
    """Empty for a whole function."""
    given: bool = False
    """Whether the text of another lesson gives it on purpose."""

    def __str__(self) -> str:
        what = f"the line `{self.line}` of" if self.line else "a function of"
        return f"{self.path} holds {what} {self.piece}"


@dataclass(frozen=True)
class Pieces:
    """Functions and long lines, each with the place where it was written."""

    functions: Mapping[str, str]
    lines: Mapping[str, str]


def checked(files: Mapping[str, bytes], lessons: Sequence[Lesson]) -> list[str]:
    """Of these files (path -> content): which lesson gives what another one asks for, a sentence each.

    Raises:
        ValueError: an answer would be handed out.
    """
    found = [*leaks(files, lessons)]
    if bad := [*_begun(files, lessons), *(str(each) for each in found if not each.given)]:
        raise ValueError(f"release: {bad[0]}; nothing was written. Take it out, then run this command again.")
    pairs = {(_lesson_of(each.path, lessons), each.piece) for each in found if not 0 < len(each.line) < TELLING}
    return [f"{giver} gives its students a piece of what {asker} asks for." for giver, asker in sorted(pairs)]


def leaks(files: Mapping[str, bytes], lessons: Sequence[Lesson]) -> Iterator[Found]:
    """The pieces of answers in these files."""
    hints = squeezed(hint for each in lessons for e in each.exercises for hint in e.hints)
    for path, content in sorted(files.items()):
        lesson = _lesson_of(path, lessons)
        public, said = given(lesson) if lesson else (frozenset(), "")
        inside = {shape for source in codes(path, content) for shape in shapes(source)}
        text = squeezed(texts(path, content))
        for piece, where in solutions().functions.items():
            if piece in inside:
                yield Found(path, where, given=piece in public and where != lesson)
        for piece, where in solutions().lines.items():
            if piece in text and piece not in hints:
                yield Found(path, where, piece, given=piece in said and where != lesson)
        for each in lessons:
            rubrics = [line for question in each.open_questions for line in question.rubric]
            yield from (Found(path, each.id, line) for line in rubrics if squeezed([line]) in text)
        others = answers()
        yield from (Found(path, w) for p, w in others.functions.items() if p in inside and p not in public)
        yield from (Found(path, w, p) for p, w in others.lines.items()
                    if p in text and p not in said and p not in hints)  # fmt: skip


def _lesson_of(path: str, lessons: Sequence[Lesson]) -> str:
    """The lesson that a file belongs to, if any."""
    return next((each.id for each in lessons if each.id in PurePosixPath(path).parts), "")


def _begun(files: Mapping[str, bytes], lessons: Sequence[Lesson]) -> Iterator[str]:
    """Lessons in which a function or an answer is filled in."""
    for lesson in lessons:
        for path, content in files.items():
            own = Submission(tuple(Source(path, source) for source in codes(path, content)))
            if _lesson_of(path, lessons) == lesson.id and begun(own, lesson):
                yield f"in {path} a function or an answer is filled in"


@cache
def solutions() -> Pieces:
    """What all lessons ask for: the functions with a solution in them, and the lines of the solutions."""
    functions: dict[str, str] = {}
    found: dict[str, str] = {}
    for path in (path for folder in written() for path in sorted(folder.glob("*.md"))):
        text = path.read_text(encoding="utf-8")
        asked = [code for code in _FENCE.findall(text) if _REGION.search(code)]
        functions |= {shape: path.parent.name for code in asked for shape in shapes(code)}
        found |= {line: path.parent.name for code in asked for part in _REGION.findall(code) for line in lines(part)}
    return _not_public(Pieces(functions, found))


@cache
def given(lesson: str) -> tuple[frozenset[str], str]:
    """What a lesson's text gives to its students: the functions, and all that is said."""
    path = home_of(lesson).solutions / lesson / f"{lesson.partition('_')[2]}.md"
    text = _REGION.sub("", path.read_text(encoding="utf-8"))
    return frozenset(shape for code in _FENCE.findall(text) for shape in shapes(code)), squeezed([text])


@cache
def answers() -> Pieces:
    """The references and the hidden inputs: their functions, and the lines in these."""
    functions: dict[str, str] = {}
    found: dict[str, str] = {}
    cases = [folder / "cases.py" for folder in written()]
    for path in (*sorted((CODE / "cnnviz_ref").glob("*.py")), *(path for path in cases if path.is_file())):
        source, place = path.read_text(encoding="utf-8"), f"{path.parent.name}/{path.name}"
        functions |= dict.fromkeys(shapes(source), place)
        found |= dict.fromkeys(inner_lines(source), place)
    return _not_public(Pieces(functions, found))


def _not_public(pieces: Pieces) -> Pieces:
    """Without what `cnnviz` itself has: everybody may read that."""
    sources = [path.read_text(encoding="utf-8") for path in sorted((CODE / "cnnviz").rglob("*.py"))]
    text, known = squeezed(sources), {shape for source in sources for shape in shapes(source)}
    functions = {piece: where for piece, where in pieces.functions.items() if piece not in known}
    return Pieces(functions, {piece: where for piece, where in pieces.lines.items() if piece not in text})


SMALL = 14
"""Words of a function that is too small to be anybody's: it may stand anywhere."""
LONG = 24
"""Characters, without spaces, from which a line is told from others."""


def codes(path: str, content: bytes) -> list[str]:
    """The Python code in a file: a module's text, a notebook's cells."""
    if path.endswith(".ipynb"):
        return [cell.source for cell in read_cells(content, path) if cell.code]
    return [content.decode()] if path.endswith(".py") else []


def texts(path: str, content: bytes) -> Iterator[str]:
    """All that is text in a file, as a reader sees it."""
    if path.endswith((".ipynb", ".json")):
        yield from _strings(json.loads(content))
    else:
        yield content.decode("utf-8", "replace")


def shapes(source: str) -> Iterator[str]:
    """Each function of some code as its syntax tree: without names of its own, notes and docstring."""
    for node in ast.walk(_tree(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            shape, size = _shape(node)
            if size >= SMALL:
                yield shape


def _shape(function: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) -> tuple[str, int]:
    """The tree as text, and the number of its words."""
    statements: list[ast.AST] = [*function.body] if isinstance(function.body, list) else [function.body]
    body = [part for part in statements if not is_note(part)]
    own = set().union(*(_named(node) for part in (function.args, *body) for node in ast.walk(part)))
    said = [word for part in body for word in words(part, lambda name: f"\0{name}" if name in own else name)]
    return numbered(said), len(said)


def _named(node: ast.AST) -> set[str]:
    """The name that a function gives here, to an argument, a variable or a function inside it."""
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, ast.arg):
        return {node.arg}
    return {node.name} if isinstance(node, ast.FunctionDef) else set()


def _tree(source: str) -> ast.Module:
    """The code as IPython would run it, and nothing where it is no Python even so."""
    return parsed(as_python(source)) or ast.Module([], [])


def _strings(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield "".join(value) if all(isinstance(each, str) for each in value) else ""
        yield from (text for each in value if not isinstance(each, str) for text in _strings(each))
    elif isinstance(value, dict):
        yield from (text for each in value.values() for text in _strings(each))


def squeezed(parts: Iterable[str]) -> str:
    """Texts without their spaces, a line each."""
    return "\n".join("".join(part.split()) for part in parts)


def lines(source: str) -> Iterator[str]:
    """Long lines of code, squeezed; not comments and texts on a line of their own, and not the heads of loops."""
    rows = ("".join(row.split()) for row in source.splitlines())
    return (row for row in rows if len(row) >= LONG and row[-1] != ":" and not row.startswith(("#", '"', 'f"')))


def inner_lines(source: str) -> Iterator[str]:
    """The long lines of statements inside functions."""
    rows = source.splitlines()
    for function in ast.walk(_tree(source)):
        for statement in function.body if isinstance(function, ast.FunctionDef) else ():
            if not is_note(statement):
                yield from lines("\n".join(rows[statement.lineno - 1 : statement.end_lineno]))
