"""docs/conventions.md, the table of methods and the lessons name the same things."""

import inspect
import re
from pathlib import Path

import pytest

from autograder.course import registry
from cnnviz_ref import METHODS

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "conventions.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `(\w+)\((.*?)\)` \| (.*?) \|", re.MULTILINE)
ROWS = {name: (arguments, returns) for name, arguments, returns in ROW.findall(TEXT)}

each_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def test_the_page_lists_every_method_in_the_order_of_the_lessons():
    names = [method.name for method in METHODS]
    assert [name for name in ROWS if name in names] == names, (
        "docs/conventions.md: below `## Methods` stands one row for each of METHODS (cnnviz_ref/methods.py), in that "
        "order: | `name(model, images, ...)` | `[its shape]` | its definition |"
    )


def row_of(method):
    """Arguments and result of a method, as the page gives them."""
    parameters = ", ".join(inspect.signature(method.function).parameters)
    row = f"| `{method.name}({parameters})` | `[{method.shape}]` | its definition |"
    assert method.name in ROWS, f"docs/conventions.md: add below `## Methods`, in the order of the lessons: {row}"
    return ROWS[method.name]


@each_method
def test_the_page_gives_the_arguments_of_the_function(method):
    named = [word.strip() for word in row_of(method)[0].split(",") if word.strip() != "*"]
    parameters = inspect.signature(method.function).parameters
    required = [n for n, p in parameters.items() if p.default is p.empty]
    assert (named, required) == ([n for n in parameters if n in named], [n for n in required if n in named]), (
        f"docs/conventions.md: the row of {method.name} names {', '.join(named)}; its arguments are "
        f"{', '.join(parameters)}, of which those without a default must stand there"
    )


@each_method
def test_the_page_gives_the_shape_of_the_table(method):
    axes = method.shape.split()
    if set(axes) <= set("NCHWKhw") and method.name != "convert_to_cam":  # it returns a model, whose features are these
        assert f"[{' '.join(axes)}]" in row_of(method)[1], (
            f"docs/conventions.md: the row of {method.name} returns {row_of(method)[1]}, its row in "
            f"cnnviz_ref/methods.py [{method.shape}]"
        )


@each_method
def test_the_lesson_of_a_method_is_a_lesson_of_that_name(method):
    numbers = {lesson.id[:2]: lesson.id for lesson in registry.lessons()}
    lesson = numbers.get(method.lesson[:2], method.lesson)
    assert lesson == method.lesson, f"cnnviz_ref/methods.py: the row of {method.name} is of lesson {lesson!r}"
