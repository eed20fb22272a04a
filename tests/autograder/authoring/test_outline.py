"""Formulas in plain text."""

import pytest

from autograder.authoring.outline import plain
from autograder.course.outlines import outlines


@pytest.mark.parametrize(
    ("latex", "text"),
    [
        (r"\frac{1}{Z} \sum_i x_i", "(1/Z) Σ_i x_i"),
        (r"\frac{a + b}{2N}", "(a + b)/(2N)"),
        (r"\frac{\partial C}{\partial y_i}", "∂C/∂y_i"),
        (r"\lVert q - x \rVert^2", "‖q - x‖^2"),
        (r"w^{(2)}_{ck}\, x_{t+1}", "w^(2)_ck x_(t+1)"),
        (r"\left.\frac{\partial C}{\partial Y}\right|_{Y_t}", "∂C/∂Y|_(Y_t)"),
        (r"\frac1Z \quad \text{for all } k", "(1/Z)  for all k"),
        (r"\begin{cases} a & \text{inside} \\ b & \text{elsewhere}\end{cases}", "a inside; b elsewhere"),
    ],
)
def test_a_formula_keeps_its_meaning_on_one_line(latex, text):
    assert plain(latex) == text


def test_an_unknown_command_is_refused_with_its_name():
    with pytest.raises(ValueError, match=r"got \\oint, which has no plain sign yet; add it to .*outline.py"):
        plain(r"\oint f")


def test_no_formula_of_the_course_keeps_any_latex():
    formulas = [item.formula for outline in outlines() for item in outline.items if item.kind == "exercise"]
    assert len(formulas) > 60
    assert all(formula and not set(formula) & set("\\$\t\b") for formula in formulas)
