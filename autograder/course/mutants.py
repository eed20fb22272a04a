"""Known mistakes as edits of the solved text: reads a lesson's `mistakes.md` and makes the wrong functions.

    ## neuron_importance

    ### sum_for_mean
    `gradients.mean(dim=(2, 3))` -> `gradients.sum(dim=(2, 3))`
    You summed ∂y^c/∂A over i, j; α_k is their mean: divide by Z = h·w.

    ## grad_cam
    - `capture` without `swapped_outputs`
    - `neuron_importance`

A heading of the second level names the function, one of the third a mistake. An edit replaces a text that stands once
in the solved function; `{name}` in it stands for any expression. Where edits do not do, a ```python block is the
function instead; one before the first section helps them all. A list takes over what the parts of a composite get
wrong: the composite runs with the wrong part.
"""

from __future__ import annotations

import ast
import itertools
import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from autograder.course.locations import OURS
from autograder.course.records import Misconception

_PLACEHOLDER = re.compile(r"\\\{(\w+)\\\}")
_CODE = re.compile(r"`(.+?)`")
_EDIT = re.compile(r"`(.+?)` -> `(.*?)`")


class MistakeError(ValueError):
    """A `mistakes.md` that cannot be read or applied; the text names file and line."""


@dataclass(frozen=True)
class Edit:
    """One substitution in the solved text."""

    before: str
    after: str

    def applied(self, text: str) -> str:
        """The edited text.

        Raises:
            ValueError: what is to be replaced does not stand there exactly once.
        """
        pattern = _PLACEHOLDER.sub(r"(?P<\1>\\S+?)", re.escape(self.before))
        found = list(re.finditer(pattern, text))
        if len(found) != 1:
            raise ValueError(
                f"`{self.before}` stands {len(found)} times in the solved function and must stand there once; quote "
                + ("more of its line." if found else "a part of one line as it stands in the lesson's .py.")
            )
        return text[: found[0].start()] + self._filled(found[0]) + text[found[0].end() :]

    def _filled(self, match: re.Match[str]) -> str:
        after = self.after.replace("\\n", "\n")
        for name, part in match.groupdict().items():
            after = after.replace(f"{{{name}}}", part)
        return after


@dataclass(frozen=True)
class Mistake:
    """What stands under a heading of the third level."""

    name: str
    sentence: str
    line: str
    """File and line of the heading."""
    function: str
    """The function that is edited."""
    edits: tuple[Edit, ...] = ()
    code: str = ""
    """The whole function, where edits do not do."""


@dataclass(frozen=True)
class Section:
    """What stands under a heading of the second level."""

    mistakes: tuple[Mistake, ...]
    taken: Mapping[str, tuple[str, ...]]
    """Part or family whose mistakes are taken over -> names of those that are not."""


@dataclass(frozen=True)
class Solved:
    """The solved module of a lesson, as text."""

    text: str

    @property
    def names(self) -> Collection[str]:
        """Its functions."""
        return self._functions

    def function(self, name: str, text: str | None = None) -> Callable[..., Any]:
        """One of its functions, or of an edited text's."""
        made: dict[str, Any] = {"__name__": "solved"}
        exec(compile(self.text if text is None else text, "<solved>", "exec"), made)
        return made[name]

    def lines(self, name: str) -> int:
        """Lines of code of one of its functions, without head, docstring and comments."""
        node = self._functions[name]
        body = node.body[1:] if ast.get_docstring(node) else node.body
        return len(ast.unparse(ast.Module(body, [])).splitlines())

    def uses(self, function: str, among: Sequence[str]) -> list[str]:
        """Which of some functions a function names, itself or by helpers that are none of them."""
        found, waiting, seen = set[str](), [function], set[str]()
        while waiting:
            if (one := waiting.pop()) not in seen and one in self._functions:
                seen.add(one)
                named = {n.id for n in ast.walk(self._functions[one]) if isinstance(n, ast.Name)} - {function}
                found |= named & set(among)
                waiting += named - set(among)
        return [other for other in among if other in found]

    def with_mistake(self, mistake: Mistake) -> str:
        """The text with a mistake in it, without the docstring of what is edited."""
        node, lines = self._functions[mistake.function], self.text.splitlines(keepends=True)
        body = node.body[1:] if ast.get_docstring(node) else node.body
        head, end = lines[node.lineno - 1 : node.body[0].lineno - 1], node.end_lineno
        function = "".join([*head, *lines[body[0].lineno - 1 : end]])
        for edit in mistake.edits:
            function = edit.applied(function)
        return "".join([*lines[: node.lineno - 1], function, *lines[end:], "\n\n", mistake.code])

    @cached_property
    def _functions(self) -> dict[str, ast.FunctionDef]:
        return {node.name: node for node in ast.parse(self.text).body if isinstance(node, ast.FunctionDef)}


@dataclass(frozen=True)
class Mutant:
    """A wrong function: one of the solved module with a mistake in it."""

    solved: Solved
    mistake: Mistake
    name: str

    @cached_property
    def function(self) -> Callable[..., Any]:
        """What is called; made the first time.

        Raises:
            MistakeError: an edit does not fit.
        """
        try:
            return self.solved.function(self.name, self.solved.with_mistake(self.mistake))
        except (ValueError, SyntaxError) as error:
            raise MistakeError(f"{self.mistake.line}: {self.mistake.name}: {error}") from error

    @property
    def fault(self) -> str:
        """Why it cannot be made; empty where it can, or where it is a part's, which says so."""
        if self.name == self.mistake.function:
            try:
                self.function  # noqa: B018
            except MistakeError as error:
                return str(error)
        return ""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """What the wrong function gives."""
        return self.function(*args, **kwargs)


def misconceptions(solved: Solved, path: Path) -> dict[str, tuple[Misconception, ...]]:
    """Function -> its known mistakes.

    Args:
        solved: the lesson's solved module.
        path: its `mistakes.md`; a file of that name above our lessons, and above its own folder, holds families that
            many lessons share.

    Raises:
        MistakeError: something in them cannot be read.
    """
    above = dict.fromkeys((OURS.solutions / path.name, path.parent.with_name(path.name)))
    shared = {name: section for file in above if file.is_file() for name, section in read(file).items()}
    sections = read(path)
    solved = Solved("\n\n".join([solved.text, *_helpers(path)]))
    return {
        function: tuple(
            Misconception(mistake.name, Mutant(solved, mistake, function), mistake.sentence, mistake.line)
            for mistake in _known(function, sections, shared).values()
        )
        for function in sections
    }


def _known(function: str, sections: Mapping[str, Section], families: Mapping[str, Section]) -> dict[str, Mistake]:
    """Name -> mistake: those taken over first; of its own, one without an edit only words a known one anew."""
    found: dict[str, Mistake] = {}
    for source, without in sections[function].taken.items():
        if source in families:
            taken = {m.name: replace(m, function=function) for m in families[source].mistakes}
        elif source in sections:
            taken = _known(source, sections, families)
        else:
            raise MistakeError(
                f"{function} takes over the mistakes of `{source}`, for which no heading stands; "
                f"there are {', '.join([*sections, *families])}."
            )
        found = {name: m for name, m in taken.items() if name not in without} | found
    for mistake in sections[function].mistakes:
        old = None if mistake.edits or mistake.code else found.get(mistake.name)
        found[mistake.name] = replace(old, sentence=mistake.sentence) if old else mistake
    return found


def read(path: Path) -> dict[str, Section]:
    """The sections of a file of mistakes.

    Raises:
        MistakeError: a mistake has no sentence.
    """
    return {_title(head): _section(_title(head), below, path) for head, below in _under(_nodes(path), "h2")}


def _helpers(path: Path) -> Iterator[str]:
    """Code before the first section."""
    for node in itertools.takewhile(lambda node: node.tag != "h2", _nodes(path)):
        if node.type == "fence":
            yield node.content


def _nodes(path: Path) -> Sequence[SyntaxTreeNode]:
    return _blocks(path.read_text(encoding="utf-8"))


@lru_cache(maxsize=3)  # a lesson's is asked for twice, the shared one by every lesson
def _blocks(text: str) -> Sequence[SyntaxTreeNode]:
    """Headings, paragraphs, lists and fences; what stands in a line stays as it was written."""
    return SyntaxTreeNode(MarkdownIt().disable("inline").parse(text)).children


def _section(function: str, nodes: Sequence[SyntaxTreeNode], path: Path) -> Section:
    mistakes = tuple(_mistake(function, head, below, path) for head, below in _under(nodes, "h3"))
    codes = [_codes(item) for node in nodes if node.type == "bullet_list" for item in node.children]
    return Section(mistakes, {first: tuple(rest) for first, *rest in codes})


def _mistake(function: str, head: SyntaxTreeNode, nodes: Sequence[SyntaxTreeNode], path: Path) -> Mistake:
    line = f"{path.parent.name}/{path.name}:{(head.map or (0, 0))[0] + 1}"
    lines = [line for node in nodes if node.type == "paragraph" for line in _inline(node).splitlines()]
    edits = tuple(Edit(*found.groups()) for found in map(_EDIT.fullmatch, lines) if found)
    sentence = " ".join(line for line in lines if not _EDIT.fullmatch(line))
    if not sentence:
        raise MistakeError(f"{line}: {_title(head)}: got no sentence for the student; write one below the edit.")
    code = "".join(node.content for node in nodes if node.type == "fence")
    return Mistake(_title(head), sentence, line, function, edits, code)


def _under(nodes: Sequence[SyntaxTreeNode], tag: str) -> Iterator[tuple[SyntaxTreeNode, Sequence[SyntaxTreeNode]]]:
    """Each heading of a level, and what stands between it and the next."""
    heads = [place for place, node in enumerate(nodes) if node.tag == tag]
    for begin, end in itertools.pairwise([*heads, len(nodes)]):
        yield nodes[begin], nodes[begin + 1 : end]


def _title(head: SyntaxTreeNode) -> str:
    return _inline(head)


def _inline(node: SyntaxTreeNode) -> str:
    """The text of a heading or a paragraph as it was written."""
    return "".join(child.content for child in node.children)


def _codes(node: SyntaxTreeNode) -> list[str]:
    """What stands in backticks, at any depth."""
    return [code for child in node.walk() if child.type == "inline" for code in _CODE.findall(child.content)]
