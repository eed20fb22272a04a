"""What a lesson's text must hold before anything is made from it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from autograder.authoring import solution
from autograder.authoring.errors import AuthoringError
from autograder.authoring.parse import CODE, EXERCISE, HEADING, MODULE, OPEN, QUESTION, TEXT, Block, prose_lines
from autograder.course.records import SECTIONS, Lesson

_PICTURE = re.compile(r"!\[[^\]]+\]\(picture\.png\)")


def require(blocks: Sequence[Block], lesson: Lesson, *, file: str, own: bool = False) -> None:
    """Every rule, the first breach raised; an instructor's own text has whatever title, picture and sections it likes.

    Raises:
        AuthoringError: file, line, what was got, what is allowed.
    """
    if not own:
        _require_title(blocks, file)
        _require_sections(blocks, file)
    _require_items(blocks, HEADING, "the block `yaml exercise`", [e.id for e in lesson.exercises], file)
    _require_items(blocks, EXERCISE, "the solution cell", [e.id for e in lesson.exercises], file)
    _require_items(blocks, QUESTION, "the block `yaml question`", [q.id for q in lesson.questions], file)
    _require_items(blocks, OPEN, "the block `yaml open`", [o.id for o in lesson.open_questions], file)
    _require_order(blocks, file)
    _require_check(blocks, file)
    exercises = {exercise.id: exercise for exercise in lesson.exercises}
    for block in blocks:
        if block.kind == EXERCISE:
            solution.require(block, exercises[block.item], file=file)
        else:
            _require_plain(block, file)


def headings(blocks: Sequence[Block], level: int) -> list[tuple[int, str]]:
    """Line and title of each heading of this level."""
    mark = "#" * level + " "
    return [(line, text[len(mark) :].strip()) for line, text in _prose(blocks) if text.startswith(mark)]


def _prose(blocks: Sequence[Block]) -> list[tuple[int, str]]:
    """Line number and text of all prose."""
    texts = [block for block in blocks if block.kind == TEXT]
    return [(block.line + index, text) for block in texts for index, text in prose_lines(block.source)]


def _require_title(blocks: Sequence[Block], file: str) -> None:
    titles = headings(blocks, 1)
    if len(titles) != 1 or not blocks[0].source.startswith("# "):
        line = titles[1][0] if len(titles) > 1 else 1
        told = f"got {len(titles)} first-level headings; a lesson begins with one and has no other."
        raise AuthoringError(file, line, told)
    section = next((line for line, _ in headings(blocks, 2)), float("inf"))
    if not any(_PICTURE.search(text) and line < section for line, text in _prose(blocks)):
        told = "no picture stands under the title; write ![what it shows](picture.png) before the first section."
        raise AuthoringError(file, titles[0][0], told)


def _require_sections(blocks: Sequence[Block], file: str) -> None:
    found = headings(blocks, 2)
    titles = tuple(SECTIONS.values())
    order = "; ".join(titles)
    for place, wanted in enumerate(titles):
        line, got = found[place] if place < len(found) else (found[-1][0] if found else 1, "(nothing more)")
        if got != wanted:
            told = f'section {place + 1} is "{got}" where "{wanted}" belongs; the sections are: {order}.'
            raise AuthoringError(file, line, told)
    for line, got in found[len(titles) :]:
        told = f'the section "{got}" follows "{titles[-1]}", which is the last; use a ### heading.'
        raise AuthoringError(file, line, told)


def _require_items(blocks: Sequence[Block], kind: str, what: str, known: list[str], file: str) -> None:
    """Each id of the records exactly once, in the order of the records."""
    all_known = ", ".join(known) or "none"
    places = [block for block in blocks if block.kind == kind]
    for count, block in enumerate(places):
        if block.item not in known:
            told = f'{what}: got "{block.item}"; the record has {all_known}.'
        elif block.item in [earlier.item for earlier in places[:count]]:
            told = f'{what} of "{block.item}" stands here a second time; once is allowed.'
        elif block.item != known[count]:
            told = f'{what}: got "{block.item}" where "{known[count]}" follows in the record; keep the record\'s order.'
        else:
            continue
        raise AuthoringError(file, block.line, told)
    if missing := known[len(places) :]:
        told = f'{what} of "{missing[0]}" is missing; the record has {all_known}.'
        raise AuthoringError(file, blocks[-1].line, told)


def _require_order(blocks: Sequence[Block], file: str) -> None:
    """Heading, prose, solution cell: no exercise begins before the one above is written."""
    begun = ""
    for block in blocks:
        if block.kind == HEADING:
            if begun:
                told = f'the block of "{block.item}" stands before the solution cell of "{begun}"; it follows it.'
                raise AuthoringError(file, block.line, told)
            begun = block.item
        elif block.kind == EXERCISE:
            if begun != block.item:
                told = f'the solution cell of "{block.item}" stands above its block; it follows it.'
                raise AuthoringError(file, block.line, told)
            begun = ""


def _require_check(blocks: Sequence[Block], file: str) -> None:
    """The check cells need `check` in the notebook."""
    for block in blocks:
        if block.kind == CODE and "from autograder import check" in block.source:
            return
        if block.kind in (EXERCISE, QUESTION):
            told = "no plain cell above says `from autograder import check`; the check cells need it near the top."
            raise AuthoringError(file, block.line, told)


def _require_plain(block: Block, file: str) -> None:
    if "BEGIN SOLUTION" in block.source or "END SOLUTION" in block.source:
        told = "BEGIN SOLUTION or END SOLUTION stands outside a solution cell; only there it is allowed."
        raise AuthoringError(file, block.line, told)
    if block.kind == MODULE:
        solution.tree(block, file=file)
