"""Verdicts as HTML: the panel under a notebook's check cell, and whole pages. All student text is escaped."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2

from autograder.tables import MARKS
from autograder.verdict import LATER
from autograder.words import named, shown, visible


@cache
def environment() -> jinja2.Environment:
    """The templates, with autoescape for everything."""
    made = jinja2.Environment(
        loader=jinja2.PackageLoader("autograder"), autoescape=True, undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals["later"] = LATER
    made.globals["marks"] = {verdict: sign for verdict, (sign, _) in MARKS.items()}
    made.filters |= {"number": "{:.4g}".format, "shown": shown, "visible": visible, "named": named}
    return made


def panel(section: Any) -> str:
    """The panel of one exercise (`feedback.Section`)."""
    return environment().get_template("panel.html.j2").render(section=section)


def page(template: str, **values: Any) -> str:
    """A whole page from a template."""
    return environment().get_template(template).render(**values)
