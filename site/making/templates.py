"""The texts that the pages are filled into: `site/texts/`."""

from __future__ import annotations

import re
from typing import Any

import jinja2

from autograder.authoring.templates import cell, counted, stars
from making.places import SITE


def plain(text: str) -> str:
    """As the alternative text of a Markdown picture."""
    return re.sub(r"([\[\]\\_*`<>$|])", r"\\\1", " ".join(text.split())) or "Figure."


def plain_text(text: str) -> str:
    """As a quoted attribute: no marks, no line ends."""
    return re.sub(r"[`$\\]", "", " ".join(text.split())).replace('"', "'")


def capitalize_first(text: str) -> str:
    """The first letter as a sentence has it."""
    return text[:1].upper() + text[1:]


_ENVIRONMENT = jinja2.Environment(
    loader=jinja2.FileSystemLoader(SITE / "texts"), undefined=jinja2.StrictUndefined, trim_blocks=True,
    lstrip_blocks=True,
)  # fmt: skip
_ENVIRONMENT.filters |= {
    "counted": counted,
    "stars": stars,
    "cell": cell,
    "plain": plain,
    "plain_text": plain_text,
    "capitalize_first": capitalize_first,
}


def render(template: str, **values: Any) -> str:
    """The text filled in, ending in one newline."""
    return _ENVIRONMENT.get_template(template).render(**values).strip("\n") + "\n"
