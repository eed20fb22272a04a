"""A lesson as its author writes it: one folder with `name.md`, `mistakes.md` and `cases.py`.

`name.md` holds what people read, and the solved functions. What belongs to an item stands in a block of its own where
the item comes in the text:

    ```yaml exercise=neuron_importance
    title: Importance of a channel
    ...
    ```

and so for `lesson` (once, without a name), `question` and `open`, a question that is answered in words. `cases.py` has
`CHECKS`: function -> inputs and laws.
"""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml
from markdown_it import MarkdownIt

from autograder.course import puzzles
from autograder.course.mutants import Solved, misconceptions
from autograder.course.records import (
    Call,
    Case,
    Exercise,
    Law,
    Lesson,
    Misconception,
    OpenQuestion,
    Option,
    Puzzle,
    Question,
)

BLOCKS = ("lesson", "exercise", "question", "open")
BLOCK = re.compile(rf"yaml ({'|'.join(BLOCKS)})(?:=(\w+))?")
"""The words behind the fence of a block."""
SOLVED = re.compile(r"python (?:module=true|exercise=.*)")
"""The same for the code of the solved module."""
KEYS: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "lesson": (("title", "summary"), ()),
    "exercise": (("title",), ("formula", "minutes", "difficulty", "lines", "hints", "outputs", "special")),
    "question": (("text", "answer", "options"), ("points", "within")),
    "puzzle": (("function", "among"), ("points",)),
    "open": (("text", "rubric"), ()),
}
"""Kind of block -> keys that it must have, and keys that it may have."""


def _is_options(value: Any) -> bool:
    return isinstance(value, dict) and (
        all(_is_texts(pair, 2) for pair in value.values()) or all(isinstance(text, str) for text in value.values())
    )


def _is_texts(value: Any, number: int | None = None) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value) and number in (None, len(value))


_RIGHT: Mapping[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(
        ("title", "summary", "formula", "text"),
        (
            lambda value: isinstance(value, str),
            "a text, between quotation marks where YAML takes it for something else",
        ),
    ),
    **dict.fromkeys(("minutes", "difficulty", "lines", "points"), (lambda value: type(value) is int, "a whole number")),
    **dict.fromkeys(("hints", "outputs", "rubric"), (_is_texts, "a list of texts: one per line, each after a hyphen")),
    "options": (_is_options, 'for each word two texts, as in `less: ["Less of it.", "Yes: ..."]`, for each number one'),
    "within": (lambda value: type(value) in (int, float), "a number"),
}
"""Key -> whether its value can be read, and what to write."""
LISTS, CODE = ("hints", "outputs"), ("cases", "laws", "showcase", "promise_points", "seconds")
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Checks:
    """The part of an exercise that only code can say."""

    cases: tuple[Case, ...]
    """At least one visible and one hidden."""
    laws: tuple[Law, ...] = ()
    reference: Callable[..., Any] | None = None
    """The right answer; without it the solved function is."""
    showcase: Callable[[], Call] | None = None
    """A call on a real photo, whose result is drawn (never compared)."""
    promise_points: int = 1
    seconds: float = 10.0


def beside(file: str, name: str) -> ModuleType:
    """The module of this name in the folder of a `cases.py`, which gives its own `__file__`."""
    return module(Path(file).with_name(f"{name}.py"))


def lesson(folder: Path) -> Lesson:
    """The lesson of a folder "11_grad_cam".

    Raises:
        ValueError: something is missing or cannot be read; the sentence names file and line, and what to write.
    """
    name = folder.name.partition("_")[2]
    if missing := [file for file in (f"{name}.md", "cases.py", "mistakes.md") if not (folder / file).is_file()]:
        raise ValueError(f"{folder.name} is no whole lesson yet; write {', '.join(missing)} there.")
    fences = list(_fences(folder / f"{name}.md"))
    blocks = [_block(mark[1], mark[2], text, line) for info, text, line in fences if (mark := BLOCK.fullmatch(info))]
    solved = Solved("\n\n".join(text for info, text, _ in fences if SOLVED.fullmatch(info)))
    checks, known = module(folder / "cases.py").CHECKS, misconceptions(solved, folder / "mistakes.md")
    head, exercises, questions, opened = ([b for b in blocks if b.kind == kind] for kind in BLOCKS)
    if len(head) != 1:
        raise ValueError(f"{folder.name}/{name}.md: got {len(head)} blocks ```yaml lesson; write one at the top.")
    for block in exercises:
        _whole(block, solved, checks, known)
    texts = {block.item: block.given for block in exercises}
    made = {f: _exercise(f"{name}.{f}", given, checks[f], solved, known[f], tuple(texts)) for f, given in texts.items()}
    drawn = puzzles.kept(folder)
    return Lesson(
        folder.name,
        head[0].given["title"],
        head[0].given["summary"],
        tuple(made.values()),
        tuple(
            _puzzle(f"{name}.{block.item}", block, made, drawn)
            if "among" in block.given
            else _question(f"{name}.{block.item}", block)
            for block in questions
        ),
        tuple(OpenQuestion(f"{name}.{b.item}", b.given["text"], tuple(b.given["rubric"])) for b in opened),
    )


@dataclass(frozen=True)
class _Block:
    """An author's words on the lesson, an exercise or a question."""

    kind: str
    item: str
    given: dict[str, Any]
    line: str


def _block(kind: str, item: str | None, text: str, line: str) -> _Block:
    given = _read(text, line)
    needed, allowed = KEYS["puzzle" if kind == "question" and "among" in given else kind]
    if missing := [key for key in needed if key not in given]:
        raise ValueError(f"{line}: a block `{kind}` needs {', '.join(needed)}; this one has no {', '.join(missing)}.")
    if unknown := [key for key in given if key not in needed + allowed]:
        raise ValueError(f"{line}: got {', '.join(unknown)}; a block `{kind}` has {', '.join(needed + allowed)}.")
    for key, (is_right, wanted) in _RIGHT.items():
        if key in given and not is_right(given[key]):
            raise ValueError(f"{line}: {key}: got {given[key]!r}; write {wanted}.")
    return _Block(kind, item or "", given, line)


def _whole(block: _Block, solved: Solved, checks: Collection[str], known: Collection[str]) -> None:
    """Refuses an exercise of which the text, `cases.py` or `mistakes.md` lacks its part."""
    wanted = {
        f"its text: a cell ```python exercise with `def {block.item}`": solved.names,
        f'cases.py: `"{block.item}": Checks(...)` in CHECKS': checks,
        f"mistakes.md: a heading `## {block.item}` and below it its known mistakes": known,
    }
    if missing := [place for place, there in wanted.items() if block.item not in there]:
        raise ValueError(f"{block.line}: the exercise {block.item} still needs, in {missing[0]}.")


def _exercise(
    item: str,
    given: dict[str, Any],
    checks: Checks,
    solved: Solved,
    known: tuple[Misconception, ...],
    among: tuple[str, ...],
) -> Exercise:
    own, function = item.split(".")
    fields: dict[str, Any] = {key: tuple(value) if key in LISTS else value for key, value in given.items()}
    fields |= {key: getattr(checks, key) for key in CODE} | {"lines": given.get("lines", solved.lines(function))}
    fields["builds_on"] = tuple(f"{own}.{other}" for other in solved.uses(function, among))
    reference = checks.reference or solved.function(function)
    return Exercise(id=item, reference=reference, misconceptions=known, **fields)


def _fences(path: Path) -> Iterator[tuple[str, str, str]]:
    """Gives of each fence of a text the words behind it, the text in it, and file and line."""
    for token in MarkdownIt().disable("inline").parse(path.read_text(encoding="utf-8")):
        if token.type == "fence":
            yield token.info.strip(), token.content, f"{path.parent.name}/{path.name}:{(token.map or [0])[0] + 1}"


def _read(text: str, line: str) -> dict[str, Any]:
    try:
        found = yaml.load(text, LOADER)
    except yaml.YAMLError as error:
        raise ValueError(f"{line}: this block is not YAML: {error}") from error
    if not isinstance(found, dict):
        raise ValueError(f"{line}: this block has no lines `key: value`.")
    return found


@cache
def module(path: Path) -> ModuleType:
    """A module of a lesson's folder, whose name is none that Python could import."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}.{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    made = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    return made


def _puzzle(item: str, block: _Block, made: Mapping[str, Exercise], drawn: Mapping[str, puzzles.Drawn]) -> Question:
    function, among = block.given["function"], tuple(block.given["among"])
    if function not in made:
        raise ValueError(f"{block.line}: got the function {function}; the lesson asks for {', '.join(made)}.")
    question = Question(item, "", points=block.given.get("points", 1), puzzle=Puzzle(function, among))
    return puzzles.asked(question, made[function], drawn.get(block.item))


def _question(item: str, block: _Block) -> Question:
    given, within = block.given, block.given.get("within")
    if any(isinstance(texts, str) is (within is None) for texts in given["options"].values()):
        wanted = _RIGHT["options"][1]
        raise ValueError(f"{block.line}: options: with `within` they are numbers, else words; write {wanted}.")
    if within is None:
        options = {word: Option(*pair) for word, pair in sorted(given["options"].items(), key=lambda one: str(one[0]))}
    else:
        options = {str(number): Option(str(number), feedback) for number, feedback in given["options"].items()}
    if strange := [
        word for word in (*given["options"], given["answer"]) if isinstance(word, str) is (within is not None)
    ]:
        wanted = "words, in quotation marks where YAML reads something else" if within is None else "numbers"
        raise ValueError(f"{block.line}: got the answer {strange[0]!r}; {wanted} are allowed here.")
    return Question(item, given["text"], options, str(given["answer"]), given.get("points", 1), within)
