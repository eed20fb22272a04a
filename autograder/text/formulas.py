"""A formula of a lesson as a browser draws it: MathML, which is text to a screen reader and needs no script."""

from __future__ import annotations

import re
from functools import cache
from xml.etree import ElementTree

from markupsafe import Markup, escape

_ELEMENT = "{http://www.w3.org/1998/Math/MathML}m"


@cache
def as_mathml(latex: str, *, block: bool = False) -> Markup:
    """LaTeX without dollar signs as MathML; as it is written where that would be anything but MathML."""
    try:
        from latex2mathml.converter import convert

        made = convert(latex.replace(r"\arg\max", r"\mathrm{argmax}"), display="block" if block else "inline")
        parts = list(ElementTree.fromstring(made).iter())
    except Exception:  # the converter raises many kinds; a formula is an ornament of a page and never its end
        parts, made = [], ""
    if not parts or any(not part.tag.startswith(_ELEMENT) or "href" in part.attrib for part in parts):
        return Markup("<code>{}</code>").format(latex)
    return Markup(made)


_POWERS = str.maketrans({"⁰": "^{0}", "¹": "^{1}", "²": "^{2}", "³": "^{3}", "⁺": "^{+}", "⁻": "^{-}"})
_INDEX = r"[_^](?:\([^()]*\)|[+\-±∓*]|[^\W_⁰¹²³⁺⁻]\|[^\W_]|[^\W_⁰¹²³⁺⁻]{1,4})"
_PIECE = re.compile(
    r"`(?P<code>[^`\n]+)`|(?<![\w'\".])"
    rf"(?P<base>(?:max|min)(?=_)|[∂Δ]?[^\W\d_][\u0302-\u0304]?|\d+(?=\^))(?P<indices>[⁰¹²³⁺⁻]?(?:{_INDEX})+[⁰¹²³⁺⁻]?)"
    rf"(?P<below>/[∂Δ][^\W\d_](?:{_INDEX})*)?(?![\w'\"])"
)
"""Code between backticks; a letter with indices, outside quotation marks: α_k^c, ∂A^k_ij, 2^H, w^+, x⁰_i."""


def in_sentence(text: str) -> Markup:
    """Plain text in which every symbol with indices is drawn, and code is shown as code."""
    made, end = Markup(), 0
    for found in _PIECE.finditer(text):
        code = found["code"]
        set_in = Markup("<code>{}</code>").format(code) if code else as_mathml(_latex(found))
        made += escape(text[end : found.start()]) + set_in
        end = found.end()
    return made + escape(text[end:])


def _latex(symbol: re.Match[str]) -> str:
    r"""The symbol `α_k^(c + 1)` as `α_{k}^{c + 1}`."""
    base = rf"\{symbol['base']}" if symbol["base"] in ("max", "min") else symbol["base"]
    rest = symbol["indices"] + (symbol["below"] or "")
    return base + re.sub(_INDEX, lambda each: f"{each[0][0]}{{{each[0][1:].strip('()')}}}", rest).translate(_POWERS)
