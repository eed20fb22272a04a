"""One letter, one meaning: the lessons' tables of symbols beside the table of letters in docs/conventions.md."""

import re
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
LETTER = re.compile(r"(?:\\(?:bar|hat|tilde)\s*)?(\\[a-zA-Z]+|[A-Za-z])")
NO_LETTERS = {r"\partial", r"\lVert", r"\lvert", r"\Delta", r"\mathrm", r"\dots"}


def rows(text: str, head: str) -> list[list[str]]:
    """The cells of each row of the table below this head."""
    table = text.split(f"\n| {head} |")[1].split("\n\n")[0]
    return [[cell.strip() for cell in row[1:-1].split(" |")] for row in table.splitlines()[2:]]


def uses() -> dict[str, dict[str, list[str]]]:
    """Letter -> lesson's number -> what the lesson's table says of each symbol that begins with this letter."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for folder in sorted((ROOT / "solutions").glob("[0-9][0-9]_*")):
        text = (folder / f"{folder.name[3:]}.md").read_text(encoding="utf-8")
        for symbols, meaning, *_ in rows(text, "symbol | meaning | variable"):
            for group in re.findall(r"\$(.+?)\$", symbols):
                for symbol in re.split(r",(?![^{]*\})", group):
                    letter = LETTER.match(symbol.replace(r"\ ", "").strip())
                    if letter and letter[1] not in NO_LETTERS:
                        found[letter[1].removeprefix("\\")][folder.name[:2]].append(meaning)
    return found


USES = uses()
LETTERS = {
    letter.strip("`"): (words.split(" or "), dict(re.findall(r"(\d\d): ([^;]+)", but)))
    for letter, words, but in rows(PAGE, "letter | means | but in lesson")
}


def test_every_lesson_has_a_table_of_symbols():
    lessons = {number for of_lesson in USES.values() for number in of_lesson}
    assert lessons == {f"{n:02}" for n in range(1, 16)}


@pytest.mark.parametrize("letter", sorted(letter for letter, lessons in USES.items() if len(lessons) > 1))
def test_a_letter_of_several_lessons_has_one_meaning(letter):
    assert letter in LETTERS, (
        f"docs/conventions.md: several lessons have the letter {letter} ({dict(USES[letter])}): "
        "give its meaning in the table of letters"
    )
    words, but = LETTERS[letter]
    others = {
        lesson: meaning
        for lesson, meanings in USES[letter].items()
        for meaning in meanings
        if lesson not in but and not any(word in meaning for word in words)
    }
    assert not others, (
        f"{letter} means {' or '.join(words)} (docs/conventions.md), and something else in {others}: "
        "take another letter there, or say in the table of letters why this one stays"
    )


@pytest.mark.parametrize("letter", sorted(LETTERS))
def test_no_exception_is_listed_that_is_not_needed(letter):
    words, but = LETTERS[letter]
    needed = [n for n, told in USES[letter].items() if any(not any(word in m for word in words) for m in told)]
    assert sorted(but) == sorted(needed)
