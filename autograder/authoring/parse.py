"""Reads a lesson's text: jupytext Markdown becomes a list of blocks that know their line."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jupytext

from autograder.authoring.errors import AuthoringError
from autograder.course.authored import BLOCK

TEXT, CODE, MODULE, EXERCISE, HEADING = "text", "code", "module", "exercise", "heading"
QUESTION, OPEN = "question", "open"
OPTIONS = 'module=true, exercise="ID" or nothing'

_MARK = re.compile("\ue000(exercise|question|open) ([\\w.]+)\ue000")
_PLACEHOLDER = re.compile(r"<<(?!\s*points\s*>>)[^<>\n]*>>")
_ITEM = re.compile(rf"^```{BLOCK.pattern}\n.*?^```$", re.MULTILINE | re.DOTALL)
_FENCE = re.compile(r"\s{0,3}(`{3,}|~{3,})")


@dataclass(frozen=True)
class Block:
    """One piece of a lesson, in the order of the text."""

    kind: str
    """One of the constants of this module."""
    source: str
    """The text or the code; empty for an item's own block."""
    line: int
    """Line of the authored file where it begins, from 1."""
    item: str = ""
    """Id of the exercise, question or open question it belongs to."""


def parse(text: str, *, file: str) -> list[Block]:
    """The blocks of a lesson.

    Args:
        text: the authored Markdown.
        file: its name in error messages.

    Raises:
        AuthoringError: an unknown placeholder or fence option.
    """
    blocks: list[Block] = []
    place = 0
    text = _ITEM.sub(partial(_mark, Path(file).stem), text)
    for cell in jupytext.reads(text, fmt="md").cells:
        source = cell.source.strip("\n")
        found = text.find(source, place)
        start = found if found >= 0 else place
        line = text.count("\n", 0, start) + 1
        place = start + len(source) if found >= 0 else place
        if cell.cell_type == "code":
            blocks.append(_code_block(source, line, cell.metadata, file))
        else:
            blocks.extend(_text_blocks(source, line, file))
    return blocks


def _mark(lesson: str, block: re.Match[str]) -> str:
    """One line in place of an item's block, and empty ones, so that lines keep their numbers."""
    line = "" if block[1] == "lesson" else f"\ue000{block[1]} {lesson}.{block[2]}\ue000"
    return line + "\n" * block[0].count("\n")


def prose_lines(source: str) -> Iterator[tuple[int, str]]:
    """Index and text of each line that stands outside fenced code."""
    fence = ""
    for index, line in enumerate(source.split("\n")):
        mark = _FENCE.match(line)
        if not fence and mark:
            fence = mark[1]
        elif fence:
            fence = "" if mark and mark[1].startswith(fence) else fence
        else:
            yield index, line


def _code_block(source: str, line: int, options: dict, file: str) -> Block:
    """A fence; the line is the first one inside it."""
    options = {key: value for key, value in options.items() if key != "lines_to_next_cell"}
    if not options:
        return Block(CODE, source, line)
    if options == {"module": True}:
        return Block(MODULE, source, line)
    if set(options) == {"exercise"} and isinstance(options["exercise"], str):
        return Block(EXERCISE, source, line, options["exercise"])
    got = " ".join(f"{key}={value!r}" for key, value in options.items())
    raise AuthoringError(file, line - 1, f"a code fence has the options {got}; allowed are {OPTIONS}.")


def _text_blocks(source: str, line: int, file: str) -> list[Block]:
    """A Markdown cell, cut at its items and before each section."""
    lines = source.split("\n")
    _refuse_open_details(source, line, file)
    blocks, begin = [], 0
    for index, text in prose_lines(source):
        if match := _MARK.fullmatch(text.strip()):
            blocks.append(_text_block(lines, begin, index, line))
            blocks.append(Block(HEADING if match[1] == "exercise" else match[1], "", line + index, match[2]))
            begin = index + 1
        elif text.startswith("## ") and index:
            blocks.append(_text_block(lines, begin, index, line))
            begin = index
        elif match := _PLACEHOLDER.search(text):
            raise AuthoringError(file, line + index, f"got {match[0]}; the only placeholder is <<points>>.")
    blocks.append(_text_block(lines, begin, len(lines), line))
    return [block for block in blocks if block.source or block.item]


def _text_block(lines: list[str], begin: int, end: int, line: int) -> Block:
    while begin < end and not lines[begin].strip():
        begin += 1
    return Block(TEXT, "\n".join(lines[begin:end]).rstrip(), line + begin)


def _refuse_open_details(source: str, line: int, file: str) -> None:
    """A python fence inside <details> would be cut out of it, as a cell of its own."""
    opened = sum(text.count("<details") - text.count("</details") for _, text in prose_lines(source))
    if opened:
        raise AuthoringError(
            file,
            line,
            "a <details> is not closed within its piece of text; code inside it goes into a ```text fence, "
            "with no two blank lines in a row.",
        )
