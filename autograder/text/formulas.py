"""A formula of a lesson as a browser draws it: MathML, which is text to a screen reader and needs no script."""

from __future__ import annotations

from functools import cache
from xml.etree import ElementTree

from markupsafe import Markup

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
