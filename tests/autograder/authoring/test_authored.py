"""What an author has forgotten or mistyped is one sentence, with the place and what to write."""

import shutil

import pytest

from autograder.course import authored
from tests.autograder.authoring.conftest import REPOSITORY

FORGOTTEN = {
    "its checks": ("cases.py", '"tile":', '"tiles":', r'tile still needs, in cases.py: `"tile": Checks'),
    "its mistakes": ("mistakes.md", "## tile\n", "## tiles\n", "tile still needs, in mistakes.md: a heading `## tile`"),
    "its function": ("filters.md", "def tile(", "def tiles(", "tile still needs, in its text: a cell .*`def tile`"),
    "a key": ("filters.md", "minutes: ", "minuets: ", ":[0-9]+: got minuets; a block `exercise` has title"),
    "which keys there are": ("filters.md", "outputs: ", "output: ", "got output; a block `exercise` has title"),
    "the lesson": ("filters.md", "yaml lesson", "yaml lessons", "got 0 blocks ```yaml lesson; write one"),
    "an answer": ("filters.md", "\nanswer: ", "\nanswers: ", "a block `question` needs text, .* has no answer"),
    "a text in quotation marks": (
        "filters.md",
        "title: Filters",
        "title: 2026",
        ":[0-9]+: title: got 2026; write a text,",
    ),
    "whole minutes": (
        "filters.md",
        "minutes: ",
        "minutes: about ",
        ": minutes: got 'about [0-9]+'; write a whole number",
    ),
    "what comes with a word": (
        "filters.md",
        "\n  black:\n",
        "\n  black:\n  - one more\n",
        ": options: got .*; write for each word two",
    ),
    "whose mistakes": ("mistakes.md", "## tile\n", "## tile\n\n- `tilt`\n", "tile takes over the mistakes of `tilt`"),
}


@pytest.mark.parametrize(("file", "before", "after", "sentence"), FORGOTTEN.values(), ids=FORGOTTEN)
def test_what_a_lesson_lacks_is_said(tmp_path, file, before, after, sentence):
    folder = shutil.copytree(REPOSITORY / "solutions/01_filters", tmp_path / "98_filters")
    shutil.copy(REPOSITORY / "solutions/mistakes.md", tmp_path)
    text = (folder / file).read_text(encoding="utf-8")
    assert before in text
    (folder / file).write_text(text.replace(before, after, 1), encoding="utf-8")
    with pytest.raises(ValueError, match=sentence):
        authored.lesson(folder)


def test_a_file_that_a_lesson_lacks_is_said(tmp_path):
    (tmp_path / "98_toy").mkdir()
    (tmp_path / "98_toy" / "toy.md").write_text("# Toy\n", encoding="utf-8")
    with pytest.raises(ValueError, match=r"98_toy is no whole lesson yet; write cases\.py, mistakes\.md there"):
        authored.lesson(tmp_path / "98_toy")
