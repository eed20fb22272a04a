"""docs/conventions.md, the table of methods and the lessons name the same things."""

import inspect
import re
from pathlib import Path

import pytest

from autograder import registry
from cnnviz_ref import METHODS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)\((.*?)\)` \| (.*?) \|", re.MULTILINE)
ROWS = {name: (arguments, returns) for name, arguments, returns in ROW.findall(TEXT)}

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def test_the_page_lists_every_method_in_the_order_of_the_lessons():
    names = [method.name for method in METHODS]
    assert [name for name in ROWS if name in names] == names


@each_method
def test_the_page_gives_the_arguments_of_the_function(method):
    named = [word.strip() for word in ROWS[method.name][0].split(",") if word.strip() != "*"]
    parameters = list(inspect.signature(method.function).parameters)
    assert named == [name for name in parameters if name in named]
    required = [n for n, p in inspect.signature(method.function).parameters.items() if p.default is p.empty]
    assert set(required) <= set(named)


@each_method
def test_the_page_gives_the_shape_of_the_table(method):
    axes = method.shape.split()
    if set(axes) <= set("NCHWKhw") and method.name != "convert_to_cam":  # it returns a model, whose features are these
        assert f"[{' '.join(axes)}]" in ROWS[method.name][1]


@each_method
def test_the_lesson_of_a_method_is_a_lesson_of_that_name(method):
    numbers = {lesson.id[:2]: lesson.id for lesson in registry.lessons()}
    assert numbers.get(method.lesson[:2], method.lesson) == method.lesson
