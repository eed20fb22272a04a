"""Formulas as MathML: all of the course, and nothing but MathML."""

import re

import pytest

from autograder.course import registry
from autograder.text.formulas import as_mathml, in_sentence


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


@pytest.mark.parametrize(
    ("sentence", "drawn"),
    [
        ("α_k^c is their mean", ["α_{k}^{c}"]),
        ("∂y^c/∂A^k_ij: divide by Z", ["∂y^{c}/∂A^{k}_{ij}"]),
        ("√(Σ_k q_k²), p_j|i and x⁰_i", ["Σ_{k}", "q_{k}^{2}", "p_{j|i}", "x^{0}_{i}"]),
        ("2^H, w^+, W^(l + 1) and max_k |W_k|", ["2^{H}", "w^{+}", "W^{l + 1}", r"\max_{k}", "W_{k}"]),
        ("name 'x_i' is not defined, d_model, grad_cam.alpha_k, align_corners=True, Z = h·w", []),
    ],
)
def test_symbols_with_indices_are_drawn_and_names_of_code_are_not(sentence, drawn):
    made = re.findall("<math.*?</math>", in_sentence(sentence))
    assert made == [as_mathml(latex) for latex in drawn]


def test_code_is_code_and_everything_else_is_escaped():
    made = in_sentence("`a_i = <b>` and <i>α_k</i>")
    assert made == f"<code>a_i = &lt;b&gt;</code> and &lt;i&gt;{as_mathml('α_{k}')}&lt;/i&gt;"
    assert "<script" not in in_sentence("A_(\\text{<script>alert(1)</script>})")


def test_no_index_is_left_as_typed_in_what_the_course_says_of_mistakes():
    said = [m.sentence for lesson in registry.lessons() for each in lesson.exercises for m in each.misconceptions]
    rest = [re.sub("<math.*?</math>|<code>.*?</code>", "", in_sentence(text)) for text in said]
    left = {word for text in rest for word in re.findall(r"(?<![\w.])[^\W\d_][_^]\w+", text)}
    assert left == set()
