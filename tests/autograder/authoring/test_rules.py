# ruff: noqa: E501 (a table is read across)
import re
from dataclasses import replace

import pytest

from autograder.authoring.build import generated

from .conftest import item

FILE = "solutions/03_toy/toy.md"
DOUBLE = '```python exercise="toy.double"\n'

BROKEN = {
    "unknown exercise": ("yaml exercise=shift\n", "yaml exercise=shft\n", 'the block `yaml exercise`: got "toy.shft"; the record has toy.double, toy.shift'),
    "exercise without heading": ("yaml exercise=shift_again\n", "text\n", 'the block `yaml exercise` of "toy.shift_again" is missing'),
    "exercise twice": ("yaml exercise=shift\n", "yaml exercise=double\n", 'the block `yaml exercise` of "toy.double" stands here a second time'),
    "exercise before its turn": ("yaml exercise=double\n", "yaml exercise=shift\n", 'got "toy.shift" where "toy.double" follows in the record'),
    "unknown solution cell": (DOUBLE, '```python exercise="toy.dbl"\n', 'the solution cell: got "toy.dbl"; the record has toy.double'),
    "solution cell lost": ('```python exercise="toy.shift_again"\n', "```python\n", 'the solution cell of "toy.shift_again" is missing'),
    "unknown question": ("yaml question=sign\n", "yaml question=sgn\n", 'the block `yaml question`: got "toy.sgn"; the record has toy.sign'),
    "question lost": ("yaml question=shape\n", "text\n", 'the block `yaml question` of "toy.shape" is missing'),
    "open question lost": ("yaml open=in_words\n", "text\n", 'the block `yaml open` of "toy.in_words" is missing'),
    "Now yours lost": ("## Now yours\n", "Now yours\n", 'section 8 is "In short" where "Now yours" belongs'),
    "unknown placeholder": ("Twice.", "<<exercises toy.double>>", "got <<exercises toy.double>>; the only placeholder is <<points>>"),
    "placeholder within a line": ("Twice.", "See <<exercise toy.double>>.", "the only placeholder is <<points>>"),
    "unknown fence option": (DOUBLE, '```python excercise="toy.double"\n', "a code fence has the options excercise='toy.double'; allowed are module=true"),
    "section lost": ("## By hand\n", "By hand\n", 'section 4 is "Exercises" where "By hand" belongs'),
    "sections swapped": ("## The idea\n", "## The formula\n", 'section 2 is "The formula" where "The idea" belongs'),
    "last section lost": ("## References\n", "", 'section 10 is "(nothing more)" where "References" belongs'),
    "section too many": ("## References\n", "## References\n\nA.\n\n## More\n", 'the section "More" follows "References"'),
    "no title": ("# Toy\n", "Toy\n", "got 0 first-level headings"),
    "two titles": ("Twice.", "# Twice", "got 2 first-level headings"),
    "no picture": ("![A toy](picture.png)", "", "no picture stands under the title"),
    "picture without words": ("![A toy](picture.png)", "![](picture.png)", "no picture stands under the title"),
    "no begin": ("    ### BEGIN SOLUTION\n    return times", "    return times", "has 0 lines ### BEGIN SOLUTION and 1 lines"),
    "no end": ("times * x\n    ### END SOLUTION", "times * x", "has 1 lines ### BEGIN SOLUTION and 0 lines"),
    "marks in a plain cell": ("double(torch.ones(2))", "### BEGIN SOLUTION\n1\n### END SOLUTION", "stands outside a solution cell"),
    "no such function": ("def double(", "def twice(", "the solution cell holds `twice`; it holds the one function `double`"),
    "code beside the function": ("def double(", "TWO = 2\ndef double(", "the solution cell holds `TWO = 2`, `double`"),
    "argument of another name": ("def double(x: torch.Tensor, *,", "def double(y: torch.Tensor, *,", "got `double(y, *, times=2)`; the record's reference has `double(x, *, times=2)`"),
    "keyword made positional": ("x: torch.Tensor, *, times", "x: torch.Tensor, times", "got `double(x, times=2)`"),
    "another default": ("times: int = 2", "times: int = 3", "got `double(x, *, times=3)`"),
    "no docstring": ('    """One more."""\n', "", "`shift` has no docstring above ### BEGIN SOLUTION"),
    "line outside the marks": ("    ### BEGIN SOLUTION\n    y = x\n", "    y = x\n    ### BEGIN SOLUTION\n", "the body of `shift` is not all between"),
    "another number of lines": ("About 1 line.", "About 4 lines.", "the docstring of `double` says about 4 lines, the record 1"),
    "not Python": ("return times * x", "return times *", "this cell is not Python"),
    "magic in a module cell": ("ONE = 1", "%matplotlib inline", "this cell is not Python"),
    "no check imported": ("from autograder import check", "import math", "no plain cell above says `from autograder import check`"),
    "details left open": ("Twice.", "<details>\n\n```python\n1\n```\n\n</details>", "a <details> is not closed"),
}  # fmt: skip


def test_the_unbroken_text_is_accepted(toy_text, toy):
    generated(toy_text, toy, file=FILE)


def test_a_lesson_may_name_what_the_reference_chooses_by_itself(toy_text, toy):
    def double(x, *, times=2, layer=None):
        return times * x

    first, *others = toy.exercises
    chosen = replace(toy, exercises=(replace(first, reference=double), *others))
    generated(toy_text.replace("times: int = 2)", "times: int = 2, layer)", 1), chosen, file=FILE)
    with pytest.raises(ValueError, match=r"got `double\(x, \*, times=2\)`; the record's reference has"):
        generated(toy_text, chosen, file=FILE)


@pytest.mark.parametrize(("old", "new", "sentence"), BROKEN.values(), ids=BROKEN)
def test_a_broken_text_is_one_sentence_with_file_and_line(toy_text, toy, old, new, sentence):
    assert toy_text.count(old) >= 1
    with pytest.raises(ValueError, match=re.escape(sentence)) as caught:
        generated(toy_text.replace(old, new, 1), toy, file=FILE)
    message = str(caught.value)
    assert re.match(rf"{FILE}:\d+: ", message)
    assert "\n" not in message
    assert message.endswith(".")


@pytest.mark.parametrize(
    "case", ["unknown exercise", "section lost", "argument of another name", "unknown placeholder", "not Python"]
)
def test_the_line_is_the_one_to_look_at(toy_text, toy, case):
    old, new, _ = BROKEN[case]
    text = toy_text.replace(old, new, 1)
    with pytest.raises(ValueError, match=FILE) as caught:
        generated(text, toy, file=FILE)
    line = text.split("\n")[int(str(caught.value).split(":")[1]) - 1]
    wanted = {"section lost": "## Exercises", "argument of another name": "def double(y"}.get(case, new)
    assert wanted.rstrip() in line


def test_a_heading_may_not_stand_before_the_cell_above(toy_text, toy):
    block = item("exercise", "shift")
    text = toy_text.replace(block, "").replace(DOUBLE, f"{block}\n\n{DOUBLE}")
    with pytest.raises(ValueError, match=r'the block of "toy\.shift" stands before the solution cell of "toy\.double"'):
        generated(text, toy, file=FILE)


def test_a_solution_cell_may_not_stand_above_its_heading(toy_text, toy):
    last = item("exercise", "shift_again")
    text = toy_text.replace(last, "").replace("## On a real photo", f"{last}\n\n## On a real photo")
    with pytest.raises(ValueError, match=r'the solution cell of "toy\.shift_again" stands above its block'):
        generated(text, toy, file=FILE)
