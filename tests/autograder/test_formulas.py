"""Formulas as MathML: all of the course, and nothing but MathML."""

import pytest

from autograder.course import registry
from autograder.text.formulas import as_mathml


def test_every_formula_of_the_course_becomes_mathml():
    formulas = {exercise.id: exercise.formula for lesson in registry.lessons() for exercise in lesson.exercises}
    assert [name for name, formula in formulas.items() if not as_mathml(formula).startswith("<math ")] == []


@pytest.mark.parametrize(
    "formula", [r"\text{<script>alert(1)</script>}", r"\href{javascript:alert(1)}{x}", r"\text{a & b}", r"\left( x"]
)
def test_what_would_be_more_than_mathml_is_shown_as_it_is_written(formula):
    assert as_mathml(formula).startswith("<code>")
    assert "<script" not in as_mathml(formula)
    assert "href=" not in as_mathml(formula)
